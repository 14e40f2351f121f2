"""The state that outlives a run: one JSON line for each record that was changed.

Lines are appended while the emulator runs, so that even a killed process loses nothing
that it has confirmed; the last line about a record counts. At the end the file is
written anew.
"""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import attrs

from bcpicture.emulator.blobs import Blobs, recover
from bcpicture.emulator.records import Record
from bcpicture.emulator.store import Company, Store
from bcpicture.emulator.tenants import Stores

Line = dict[str, object]

_KEY = ("tenant", "company", "parent", "id")
"""What makes a record one of a kind."""


@attrs.define(eq=False)
class Journal:
    """The file with the state; all methods are for a thread."""

    path: Path
    """Where it is."""

    _lock: threading.Lock = attrs.field(init=False, factory=threading.Lock)

    def append(self, line: Line) -> None:
        """Notes a change."""
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def rewrite(self, stores: Stores) -> None:
        """Writes the whole state, pictures that are only in memory included."""
        temporary = self.path.with_suffix(".new")
        with self._lock, temporary.open("w", encoding="utf-8") as file:
            for line in _all_lines(stores, self.path.parent):
                file.write(json.dumps(line) + "\n")
        temporary.replace(self.path)

    def replay(self, stores: Stores, blobs: Blobs) -> None:
        """Brings fresh stores to the state of the last run."""
        if not self.path.exists():
            return
        newest: dict[tuple[object, ...], Line] = {}
        with self.path.open(encoding="utf-8") as file:
            for line in _whole_lines(file):
                line.setdefault("tenant", stores.home)
                key = tuple(line[name] for name in _KEY)
                known = newest.get(key, {"version": 0})
                if int(str(line["version"])) >= int(str(known["version"])):
                    newest[key] = line
        used = {str(line.get("file")) for line in newest.values()}
        for line in newest.values():
            _apply(line, stores.of(str(line["tenant"])), blobs)
        for stray in blobs.folder.iterdir():
            if stray.name not in used:
                stray.unlink()


def line_about(record: Record, tenant: str, *, removed: bool = False) -> Line:
    """What is remembered of a record."""
    line: Line = {
        "tenant": tenant,
        "company": record.company,
        "parent": record.kind.plural,
        "id": record.id,
        "number": record.number,
        "name": record.values.get("displayName", ""),
        "stamp": record.stamp,
        "version": record.version,
    }
    if removed:
        return line | {"removed": True}
    if record.blob is not None and record.blob.path is not None:
        line["file"] = record.blob.path.name
        line["sha256"] = record.blob.sha256
        line["measured"] = list(attrs.astuple(record.blob.measured))
    return line


def _whole_lines(file: Iterator[str]) -> Iterator[Line]:
    for text in file:
        # The last line of a killed process may be cut.
        if text.endswith("\n"):
            yield json.loads(text)


def _all_lines(stores: Stores, folder: Path) -> Iterator[Line]:
    for tenant, store in stores:
        for company in store.companies:
            yield from _lines(company, tenant, folder)


def _lines(company: Company, tenant: str, folder: Path) -> Iterator[Line]:
    for record in company.removed:
        yield line_about(record, tenant, removed=True)
    for record in company.all_records():
        blob = record.blob
        if blob is not None and blob.path is None:
            path = folder / "pictures" / blob.sha256
            path.write_bytes(blob.read())
            blob.path = path
        if blob is not None or record.version > 1:
            yield line_about(record, tenant)


def _apply(line: Line, store: Store, blobs: Blobs) -> None:
    name, plural = str(line["company"]), str(line["parent"])
    known = [company for company in store.companies if company.name == name]
    company = known[0] if known else store.add_company(name)
    table = company.table(plural)
    record = table.by_id(str(line["id"]))
    if line.get("removed"):
        if record is not None:
            company.remove(record)
        return
    number = str(line["number"])
    if record is None:
        record = company.add(plural, number, displayName=line["name"])
        table.discard(record)
        record.id = str(line["id"])
        table.add(record)
    elif record.number != number:
        company.rename(record, number)
    record.blob = recover(line, blobs)
    record.stamp, record.version = float(str(line["stamp"])), int(str(line["version"]))
