"""Values to rows of the journal, and back.

Every row carries a mark, the CRC-32 of its cells, so that a bit that the disk lost does
not become a wrong picture's digest. It is computed over one text that holds all cells;
SQLite makes the same text when rows are read, and in memory it is all that is kept of a
row until somebody asks for it: a hundred thousand values would be five times as large.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TypeVar

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

T = TypeVar("T")

Cell = str | int | None
"""What one column holds."""

SEPARATOR = "\x1f"
"""Stands between the cells in the text of a row, and in no cell."""

_ESCAPE = "\x1e"
"""Begins a cell that is written in Python's escapes."""


def form(columns: int) -> str:
    """The format with which SQLite's ``printf`` makes the text of a row."""
    return SEPARATOR.join(["%s"] * columns)


def mark_of(text: str) -> int:
    """The mark of a row, from the text of its cells."""
    return zlib.crc32(text.encode())


def marked(*cells: object) -> tuple[Cell, ...]:
    """The cells as they are written, and behind them their mark."""
    written = [it if isinstance(it, str) else _written(it) for it in cells]
    texts = ["" if cell is None else str(cell) for cell in written]
    # Looked at together: hardly any of a hundred thousand rows has a strange cell.
    if not _is_plain("".join(texts)):
        written = [safe(cell) if isinstance(cell, str) else cell for cell in written]
        texts = ["" if cell is None else str(cell) for cell in written]
    return (*written, mark_of(SEPARATOR.join(texts)))


def _written(cell: object) -> Cell:
    if cell is None or isinstance(cell, int):
        return cell if cell is None else int(cell)
    if isinstance(cell, datetime):
        return utc(cell)
    raise TypeError(f"A cell holds no {type(cell).__name__}.")


def utc(time: datetime) -> str:
    """*time* as it is written, so that texts sort as times do."""
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def safe(text: str) -> str:
    """*text* so that it can be written: a file's name need not be text at all."""
    if _is_plain(text):
        return text
    strange = SEPARATOR in text or "\0" in text or text.startswith(_ESCAPE)
    if not strange:
        try:
            text.encode()
        except UnicodeEncodeError:
            strange = True
    return _ESCAPE + text.encode("unicode_escape").decode() if strange else text


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def plain(text: str) -> str:
    """What `safe` was given."""
    if text.startswith(_ESCAPE):
        return text[1:].encode().decode("unicode_escape")
    return text


def agreement_row(it: Agreement) -> tuple[Cell, ...]:
    """Its cells and their mark."""
    signs = (it.picture.etag, it.picture.width, it.picture.height)
    return marked(
        *(it.id, it.number, it.digest, it.size, it.item.etag, it.item.modified),
        *(it.picture.exists, *signs, it.picture.content_type),
    )


def agreement_of(identity: str, rest: str) -> Agreement:
    """The value of a row's text."""
    number, digest, size, etag, modified, *signs = rest.split(SEPARATOR)
    exists, picture_etag, width, height, content_type = signs
    return Agreement(
        id=identity,
        number=plain(number),
        digest=digest or None,
        size=int(size),
        item=_item_signs(etag, modified),
        picture=PictureSigns(
            exists=exists == "1",
            etag=plain(picture_etag) or None,
            width=int(width),
            height=int(height),
            content_type=plain(content_type),
        ),
    )


def _item_signs(etag: str, modified: str) -> ItemSigns:
    return ItemSigns(etag=plain(etag) or None, modified=_time(modified))


def _time(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def link_row(it: Link) -> tuple[Cell, ...]:
    """Its cells and their mark."""
    signs: tuple[Cell, ...] = (None, None, None)
    if it.signs is not None:
        # As text: some file systems have numbers that SQLite has not.
        signs = (it.signs.size, str(it.signs.modified), str(it.signs.inode))
    return marked(
        *(it.way.value, it.folder, it.id, it.name),
        *(*signs, it.digest, it.recipe, it.sent),
    )


def links_of(way: Way, folder: str) -> str:
    """How the texts of a folder's links begin."""
    return SEPARATOR.join((way.value, safe(folder), ""))


def link_key(it: Link) -> tuple[Cell, ...]:
    """By what a link is found."""
    return (it.way.value, safe(it.folder), it.id)


def link_of(way: Way, folder: str) -> Callable[[str, str], Link]:
    """What makes the values of a folder's links from their rows' texts."""

    def link(identity: str, rest: str) -> Link:
        name, size, modified, inode, digest, recipe, sent = rest.split(SEPARATOR)
        return Link(
            way=way,
            folder=folder,
            id=identity,
            name=plain(name),
            signs=FileSigns(int(size), int(modified), int(inode)) if size else None,
            digest=digest,
            recipe=plain(recipe),
            sent=sent,
        )

    return link


def rejection_row(it: Rejection) -> tuple[Cell, ...]:
    """Its cells and their mark."""
    return marked(it.id, it.sent, it.item.etag, it.item.modified, it.reason)


def rejection_of(identity: str, rest: str) -> Rejection:
    """The value of a row's text."""
    sent, etag, modified, reason = rest.split(SEPARATOR)
    item = _item_signs(etag, modified)
    return Rejection(id=identity, sent=sent, item=item, reason=plain(reason))


def step_row(it: Intent, changed: datetime) -> tuple[Cell, ...]:
    """Its cells and their mark, but for its place in the journal."""
    return marked(
        *(it.run, it.id, it.action.value, it.name, it.number),
        *(it.before, it.saved, it.after, it.state.value, it.reason, changed),
    )


def step_of(seq: int, text: str) -> Intent:
    """The value of a row's text."""
    run, identity, action, name, number, *rest = text.split(SEPARATOR)
    before, saved, after, state, reason, _changed = rest
    return Intent(
        step=seq,
        run=plain(run),
        id=identity,
        number=plain(number),
        action=Action(action),
        name=plain(name),
        before=before or None,
        saved=saved == "1",
        after=after or None,
        state=State(state),
        reason=plain(reason),
    )


def changed_of(text: str) -> str:
    """When the step of a row was written last, as `utc` writes it."""
    return text.rpartition(SEPARATOR)[2]


def run_row(it: RunRecord) -> tuple[Cell, ...]:
    """Its cells and their mark."""
    return marked(
        *(it.id, it.command, it.folder, it.matching),
        *(it.host, it.started, it.ended, it.summary),
    )


def run_of(text: str) -> RunRecord:
    """The value of a row's text."""
    identity, command, folder, matching, *rest = text.split(SEPARATOR)
    host, started, ended, summary = rest
    return RunRecord(
        id=plain(identity),
        command=plain(command),
        folder=plain(folder),
        matching=plain(matching),
        host=plain(host),
        started=datetime.fromisoformat(started),
        ended=_time(ended),
        summary=plain(summary),
    )


def target_row(it: JournalTarget) -> tuple[Cell, ...]:
    """Its cells and their mark."""
    return marked(
        *(it.endpoint, it.tenant, it.environment),
        *(it.company_id, it.company, it.parent),
    )


def target_of(text: str) -> JournalTarget:
    """The value of a row's text."""
    cells = [plain(cell) for cell in text.split(SEPARATOR)]
    endpoint, tenant, environment, company_id, company, parent = cells
    return JournalTarget(
        endpoint=endpoint,
        tenant=tenant,
        environment=environment,
        company_id=company_id,
        company=company,
        parent=parent,
    )


class Rows(Mapping[str, T]):
    """Values by their record's id, each made when it is asked for."""

    def __init__(self, texts: Mapping[str, str], make: Callable[[str, str], T]) -> None:
        self._texts = texts
        self._make = make

    def __getitem__(self, identity: str) -> T:
        return self._make(identity, self._texts[identity])

    def __contains__(self, identity: object) -> bool:
        return identity in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)
