"""The list of what a pull wrote, so that anything can serve it: ``manifest.json``.

::

    {"version": 1, "items": {
    "1896-S": {"file": "1896-S.jpg", "sha256": "…", "size": 3, "type": "image/jpeg"},
    "1900-S": …
    }}

It is sorted and has a line for each record, so that two of them can be compared by eye
and by any tool. It may have been written by a later version, by hand, or only half:
whatever cannot be understood in it is left out.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import attrs

from bcpicture.core.signs import FileSigns
from bcpicture.core.steps import LocalFile
from bcpicture.core.surveys import Memory

NAME = "manifest.json"
"""Its name, in the folder of the pictures."""

VERSION = 1
"""Of its format."""

_DIGEST = frozenset("0123456789abcdef")


@attrs.frozen(kw_only=True)
class Entry:
    """One picture."""

    file: str
    """The file, relative to the folder, with ``/`` between folders."""

    sha256: str
    """Hexadecimal digest of its bytes."""

    size: int
    """Their number."""

    type: str = ""
    """Media type by their signature, such as ``image/jpeg``; empty if it is unknown."""


@attrs.frozen
class Manifest:
    """All pictures of a folder that were pulled."""

    entries: Mapping[str, Entry] = attrs.field(factory=dict)
    """By the number that people know the record by."""

    def changed(
        self, written: Mapping[str, Entry], gone: Collection[str] = ()
    ) -> Manifest:
        """This manifest after some more files were written or removed.

        An entry of another number for a file that was written is left out: the record
        has been renumbered, or the file has been taken over.

        Args:
            written: By the number of the record.
            gone: Numbers of the records whose file is gone.
        """
        taken = {entry.file for entry in written.values()}
        kept = {
            number: entry
            for number, entry in self.entries.items()
            if number not in gone and entry.file not in taken
        }
        return Manifest(kept | dict(written))


def manifest_of(
    files: Iterable[LocalFile],
    memory: Memory,
    types: Mapping[str, str],
    read: Mapping[str, FileSigns],
) -> Manifest:
    """The manifest of a folder, by what the journal remembers of it.

    What is not there, or is not what was written, is left out.

    Args:
        files: All that are in the folder.
        memory: What the journal remembers.
        types: Media types, by the digests of the bytes.
        read: The signs of files that were read by this run, by the ids of their
            records: they may be too young for the journal to rely on them.
    """
    there = {file.name: file for file in files}
    entries = {}
    for id_, link in memory.links.items():
        file, known = there.get(link.name), memory.agreements.get(id_)
        if file is None or known is None:
            continue
        if file.signs not in {link.signs, read.get(id_)}:
            continue
        kind = types.get(link.digest, "")
        entries[known.number] = Entry(
            file=link.name, sha256=link.digest, size=file.size, type=kind
        )
    return Manifest(entries)


def write_manifest(manifest: Manifest) -> str:
    """The text of a manifest: the same for the same entries, in plain ASCII."""
    lines = (
        f"{json.dumps(number)}: {json.dumps(attrs.asdict(entry))}"
        for number, entry in sorted(manifest.entries.items())
    )
    body = ",\n".join(lines)
    return f'{{"version": {VERSION}, "items": {{\n{body}\n}}}}\n'


def read_manifest(text: str) -> Manifest:
    """What can be understood of a manifest; it may be nothing."""
    try:
        told = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return Manifest()
    items = told.get("items") if isinstance(told, dict) else None
    pairs = items.items() if isinstance(items, dict) else ()
    return Manifest(dict(_understood(pairs)))


def _understood(pairs: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, Entry]]:
    for number, told in pairs:
        if isinstance(told, dict) and (entry := _entry(told)):
            yield number, entry


def _entry(told: Mapping[str, Any]) -> Entry | None:
    file, digest = told.get("file"), told.get("sha256")
    size, kind = told.get("size"), told.get("type", "")
    if not isinstance(file, str) or not _is_inside(file):
        return None
    if not isinstance(digest, str) or len(digest) != 64 or not set(digest) <= _DIGEST:
        return None
    if type(size) is not int or size < 0 or not isinstance(kind, str):
        return None
    return Entry(file=file, sha256=digest, size=size, type=kind)


def _is_inside(file: str) -> bool:
    """Whether a name stays in the folder, wherever it is read."""
    parts = file.replace("\\", "/").split("/")
    return ":" not in file and "\0" not in file and not {"", ".", ".."} & set(parts)
