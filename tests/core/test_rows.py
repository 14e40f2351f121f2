"""A value is the same after it was a row."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bcpicture.core import rows
from bcpicture.core.ledger import (
    Action,
    Agreement,
    Intent,
    JournalTarget,
    Link,
    Rejection,
    RunRecord,
    State,
    Way,
)
from bcpicture.core.signs import FileSigns, ItemSigns, PictureSigns

TEXT = st.text(st.characters()) | st.sampled_from(
    ["\x1f", "\x1e\\n", "a\0b", "\udcff.jpg", "\\x1f", "Größe\n", "图"]
)
SOME = st.text(st.characters(), min_size=1)
ID = st.uuids().map(str)
DIGEST = st.binary(min_size=32, max_size=32).map(bytes.hex)
TIME = st.datetimes(timezones=st.just(UTC))
COUNT = st.integers(0, 2**63 - 1)

ITEM = st.builds(ItemSigns, etag=st.none() | SOME, modified=st.none() | TIME)
PICTURE = st.builds(
    PictureSigns,
    exists=st.booleans(),
    etag=st.none() | SOME,
    width=COUNT,
    height=COUNT,
    content_type=TEXT,
)
AGREEMENT = st.builds(
    Agreement,
    id=ID,
    number=TEXT,
    digest=st.none() | DIGEST,
    size=COUNT,
    item=ITEM,
    picture=PICTURE,
)
LINK = st.builds(
    Link,
    way=st.sampled_from(Way),
    folder=TEXT,
    id=ID,
    name=TEXT,
    signs=st.none()
    | st.builds(FileSigns, COUNT, st.integers(), st.integers(min_value=0)),
    digest=DIGEST,
    recipe=TEXT,
    sent=DIGEST,
)
INTENT = st.builds(
    Intent,
    run=TEXT,
    id=ID,
    number=TEXT,
    action=st.sampled_from(Action),
    name=TEXT,
    before=st.none() | DIGEST,
    saved=st.booleans(),
    after=st.none() | DIGEST,
    state=st.sampled_from(State),
    reason=TEXT,
)
REJECTION = st.builds(Rejection, id=ID, sent=DIGEST, item=ITEM, reason=TEXT)
RUN = st.builds(
    RunRecord,
    id=TEXT,
    command=TEXT,
    folder=TEXT,
    matching=TEXT,
    host=TEXT,
    started=TIME,
    ended=st.none() | TIME,
    summary=TEXT,
)
TARGET = st.builds(
    JournalTarget,
    endpoint=TEXT,
    tenant=TEXT,
    environment=TEXT,
    company_id=TEXT,
    company=TEXT,
    parent=TEXT,
)


def text_of(row: tuple[rows.Cell, ...]) -> str:
    """The text that SQLite makes of a row, once its mark has been compared."""
    *cells, mark = row
    text = rows.SEPARATOR.join("" if it is None else str(it) for it in cells)
    assert rows.mark_of(text) == mark
    return text


def parts(text: str) -> tuple[str, str]:
    identity, _, rest = text.partition(rows.SEPARATOR)
    return identity, rest


@given(TEXT)
def test_any_text_can_be_written(text: str):
    written = rows.safe(text)
    assert rows.plain(written) == text
    assert not {"\0", rows.SEPARATOR} & set(written)
    assert written.encode().decode() == written


@given(AGREEMENT)
def test_an_agreement(value: Agreement):
    assert rows.agreement_of(*parts(text_of(rows.agreement_row(value)))) == value


@given(LINK)
def test_a_link(value: Link):
    text, begin = text_of(rows.link_row(value)), rows.links_of(value.way, value.folder)
    assert text.startswith(begin)
    make = rows.link_of(value.way, value.folder)
    assert make(*parts(text.removeprefix(begin))) == value


@given(REJECTION)
def test_a_rejection(value: Rejection):
    assert rows.rejection_of(*parts(text_of(rows.rejection_row(value)))) == value


@given(INTENT, TIME)
def test_a_step(value: Intent, changed: datetime):
    text = text_of(rows.step_row(value, changed))
    step = rows.step_of(7, text)
    assert (step, step.step) == (value, 7)
    assert rows.changed_of(text) == rows.utc(changed)


@given(RUN)
def test_a_run(value: RunRecord):
    assert rows.run_of(text_of(rows.run_row(value))) == value


@given(TARGET)
def test_a_target(value: JournalTarget):
    read = rows.target_of(text_of(rows.target_row(value)))
    assert (read, read.company) == (value, value.company)
