"""The filter's grammar, without a server."""

import uuid
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcpicture.emulator.catalog import KINDS
from bcpicture.emulator.filters import OneOf, parse_filter
from bcpicture.emulator.problems import ServiceError
from bcpicture.emulator.query import decode, split_query

FIELDS = KINDS["items"].fields
ROW = {
    "number": "1896-S",
    "displayName": "ATHENS Desk",
    "blocked": False,
    "inventory": 4.0,
    "id": uuid.UUID(int=7),
    "lastModifiedDateTime": datetime(2026, 1, 2, 3, 4, 5, 600000, tzinfo=UTC),
}

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def accepts(text: str) -> bool:
    return parse_filter(text, FIELDS, "item").accepts(ROW.__getitem__)


@given(TEXT)
def test_any_string_survives_quoting_and_encoding(value: str):
    text = "number eq '" + value.replace("'", "''") + "'"
    options = split_query(f"$filter={quote(text, safe='')}&$top=1")
    condition = parse_filter(options["$filter"], FIELDS, "item")
    assert condition == OneOf("number", frozenset({value}))


@given(st.lists(TEXT, min_size=2, max_size=5))
def test_any_list_of_strings_becomes_one_set(values: list[str]):
    parts = ["number eq '" + value.replace("'", "''") + "'" for value in values]
    condition = parse_filter(" or ".join(parts), FIELDS, "item")
    assert condition == OneOf("number", frozenset(values))


@given(TEXT)
def test_any_other_text_is_an_error_of_ours_and_no_crash(text: str):
    problem = None
    try:
        parse_filter(text, FIELDS, "item")
    except ServiceError as refused:
        problem = refused
    assert problem is None or problem.status in {400, 501}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("number eq '1896-S'", True),
        ("number ne '1896-S'", False),
        ("number ge '1896-S' and number le '1896-S'", True),
        ("number lt '1896-S' or number gt '1896-S'", False),
        ("(number eq 'x' or number eq '1896-S') and blocked eq false", True),
        ("blocked eq true", False),
        ("inventory gt 3.5", True),
        ("inventory eq 4", True),
        ("inventory lt -1", False),
        ("id eq 00000000-0000-0000-0000-000000000007", True),
        ("lastModifiedDateTime gt 2026-01-02T03:04:05Z", True),
        ("lastModifiedDateTime gt 2026-01-02T03:04:05.6Z", False),
        ("lastModifiedDateTime ge 2026-01-02T03:04:05.6000000Z", True),
        ("lastModifiedDateTime lt 2026-01-02T05:00:00+02:00", False),
        ("startswith(number,'18')", True),
        ("endswith(displayName, 'Desk')", True),
        ("contains(displayName,'lamp')", False),
        ("number  eq  'x'", False),
    ],
)
def test_conditions_hold_or_not(text: str, *, expected: bool):
    assert accepts(text) is expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "number",
        "number eq",
        "eq 'x'",
        "number eq 'x' and",
        "number eq 'x' or or number eq 'y'",
        "number eq x",
        "number EQ 'x'",
        "'x' eq number",
        "number eq \u201cx\u201d",
        "number eq 'x';",
        "lastModifiedDateTime gt 2026-13-45T00:00:00Z",
        "startswith(blocked,'x')",
        "startswith(number 'x')",
        "inventory eq true",
        "number eq null",
        "12ab eq 'x'",
    ],
)
def test_what_does_not_parse_is_a_400(text: str):
    with pytest.raises(ServiceError) as refused:
        accepts(text)
    assert refused.value.status == 400


@pytest.mark.parametrize("text", ["%", "%4", "%G1", "%ff%fe"])
def test_broken_escapes_are_refused(text: str):
    with pytest.raises(ServiceError):
        decode(text)
