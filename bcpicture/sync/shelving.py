"""What a pull has written so far: on the disk, in the journal, and in the manifest."""

from __future__ import annotations

import asyncio

import attrs

from bcpicture.core.ledger import Link, Way
from bcpicture.core.manifest import (
    NAME,
    Manifest,
    manifest_of,
    read_manifest,
    write_manifest,
)
from bcpicture.core.media import sniff
from bcpicture.core.signs import FileSigns
from bcpicture.sync.backups import Backups
from bcpicture.sync.journal import Journal
from bcpicture.sync.targets import Target

_MANY = 500
"""Files that are flushed together, and read by the next run if this one is killed."""


@attrs.define(kw_only=True)
class Shelf:
    """Which files belong to records, as the run goes on."""

    target: Target
    """Where the files are."""

    journal: Journal
    """Is told."""

    backups: Backups
    """Has room for a manifest that is somebody else's."""

    _unflushed: dict[str, Link] = attrs.field(factory=dict, init=False)
    _types: dict[str, str] = attrs.field(factory=dict, init=False)
    _read: dict[str, FileSigns] = attrs.field(factory=dict, init=False)

    def put(
        self,
        link: Link,
        kind: str = "",
        *,
        read: FileSigns | None = None,
        fresh: bool = False,
    ) -> None:
        """Note a file; its signs count once it is on the disk.

        Args:
            link: Which file, and whose.
            kind: The media type of its bytes; empty if nobody knows.
            read: Its signs when it was read, even if they are too young to count.
            fresh: Whether nothing was there. Then it is noted with its signs only: the
                next run finds it out by the bytes, if this one is killed before.
        """
        if read is not None:
            self._read[link.id] = read
        if kind:
            self._types[link.digest] = kind
        if link.signs is None or not fresh:
            self.journal.note_soon(links=[attrs.evolve(link, signs=None)])
        if link.signs is not None:
            self._unflushed[link.id] = link

    def drop(self, link: Link) -> None:
        """Note that a file is no record's any more."""
        self._unflushed.pop(link.id, None)
        self.journal.note_soon(unlinks=[link])

    async def keep_up(self) -> None:
        """Flush, if it is worth it.

        Raises:
            TargetError: The disk does not take it.
        """
        if len(self._unflushed) >= _MANY:
            await self._flush()

    async def _flush(self) -> None:
        links, self._unflushed = list(self._unflushed.values()), {}
        if links:
            await self.target.flush([link.name for link in links])
            self.journal.note_soon(links=links)

    async def close(self) -> None:
        """Have everything on the disk, and the manifest tell of it."""
        await self._flush()
        old = await self.target.text(NAME)
        text = write_manifest(await self._manifest(read_manifest(old)))
        if text == old:
            return
        if old and write_manifest(read_manifest(old)) != old:
            # Somebody else's file of that name.
            await self.backups.save(old.encode())
        await self.target.put(NAME, text)

    async def _manifest(self, old: Manifest) -> Manifest:
        memory = await self.journal.load(Way.PULL, self.target.place)
        files = (await self.target.scan()).files
        known = {entry.sha256: entry.type for entry in old.entries.values()}
        types = known | self._types
        made = await asyncio.to_thread(manifest_of, files, memory, types, self._read)
        return await self._typed(made)

    async def _typed(self, made: Manifest) -> Manifest:
        """The same, with the types that nobody has told of yet."""
        entries = dict(made.entries)
        unknown = [number for number, entry in entries.items() if not entry.type]
        heads = await self.target.heads([entries[number].file for number in unknown])
        for number, head in zip(unknown, heads, strict=True):
            if kind := sniff(head):
                entries[number] = attrs.evolve(entries[number], type=kind.content_type)
        return Manifest(entries)
