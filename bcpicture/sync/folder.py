"""A folder of pictures: listed, and read in a few hops of a thread."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self

import attrs

from bcpicture.core.signs import FileSigns
from bcpicture.core.steps import LocalFile
from bcpicture.errors import SourceError
from bcpicture.sync.sources import Loaded

SMALL = 1 << 18
"""Bytes up to which a file is sent from memory; a larger one is read once more."""

TOGETHER = 16
"""Small files that a thread reads in one go: a hop costs as much as reading one."""

_BLOCK = 1 << 18
_READERS = 2


@attrs.define(kw_only=True)
class Folder:
    """A folder, as the source of a push."""

    path: Path
    """Where it is, absolute."""

    recursive: bool = False
    """Whether the folders in it count, too; hidden ones never do."""

    wall: Callable[[], int] = attrs.field(default=time.time_ns, repr=False)
    """Nanoseconds since the epoch."""

    @classmethod
    async def at(cls, path: str | os.PathLike[str], *, recursive: bool = False) -> Self:
        """The folder at *path*, under the one name that it has from anywhere."""
        # Not resolve(): a link stays what it is called, whatever it leads to.
        absolute = await asyncio.to_thread(os.path.abspath, path)
        return cls(path=Path(absolute), recursive=recursive)

    @property
    def place(self) -> str:
        """Its absolute path."""
        return str(self.path)

    async def scan(self) -> list[LocalFile]:
        """All files in it but hidden ones, in the order of their names.

        Raises:
            SourceError: It is not there, no folder, or may not be read.
        """
        return await asyncio.to_thread(self._scan)

    def _scan(self) -> list[LocalFile]:
        try:
            return sorted(self._files(self.place, ""), key=lambda file: file.name)
        except OSError as exc:
            raise self._unreadable(exc) from exc

    def _files(self, folder: str, above: str) -> Iterator[LocalFile]:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                name = above + entry.name
                if entry.is_file():
                    yield LocalFile(name=name, signs=FileSigns.of(entry.stat()))
                elif self.recursive and entry.is_dir(follow_symlinks=False):
                    yield from self._files(entry.path, f"{name}/")

    def _unreadable(self, exc: OSError) -> SourceError:
        return SourceError(
            f"The folder {self.place} cannot be read: {exc.strerror}.",
            advice="Name the folder that holds the pictures.",
        )

    async def gone(self, name: str) -> bool:
        """Whether a file is not there, although the folder is.

        Raises:
            SourceError: The folder cannot be looked at.
        """
        return await asyncio.to_thread(self._gone, name)

    def _gone(self, name: str) -> bool:
        try:
            # Listing it tells more than that its name is there: a share that is not
            # connected leaves an empty folder, or none.
            with os.scandir(self.path) as entries:
                empty = next(entries, None) is None
            return not empty and not os.path.lexists(self.path / name)
        except OSError as exc:
            raise self._unreadable(exc) from exc

    async def digests(self, files: Sequence[LocalFile]) -> list[Loaded]:
        """Read files for their digest alone."""
        groups = [files[at : at + TOGETHER] for at in range(0, len(files), TOGETHER)]
        turns = asyncio.Semaphore(_READERS)

        async def read(group: Sequence[LocalFile]) -> list[Loaded]:
            async with turns:
                return await asyncio.to_thread(self._read_all, group, keep=False)

        done = await asyncio.gather(*map(read, groups))
        return [one for group in done for one in group]

    async def load(self, files: Sequence[LocalFile]) -> list[Loaded]:
        """Read a few files that are to be sent, together."""
        return await asyncio.to_thread(self._read_all, files, keep=True)

    def _read_all(self, files: Sequence[LocalFile], *, keep: bool) -> list[Loaded]:
        return [self._read(file, keep=keep) for file in files]

    def _read(self, file: LocalFile, *, keep: bool) -> Loaded:
        path = self.path / file.name
        try:
            # One more look at a file that somebody just finished writing.
            read = _whole(path, keep=keep) or _whole(path, keep=keep)
        except FileNotFoundError:
            return _failed(file, f"The file {path} is not there any more")
        except OSError as exc:
            return _failed(file, f"The file {path} cannot be read: {exc.strerror}")
        if read is None:
            return _failed(file, f"The file {path} is being written")
        signs, digest, data = read
        if not signs.size:
            return _failed(file, f"The file {path} is empty")
        return Loaded(
            file=LocalFile(name=file.name, signs=signs),
            digest=digest,
            data=data,
            path=path,
            signs=signs if signs.settled(self.wall()) else None,
        )


def _failed(file: LocalFile, what: str) -> Loaded:
    error = SourceError(f"{what}.", advice="Push again when it is whole.")
    return Loaded(file=file, error=error)


def _whole(path: Path, *, keep: bool) -> tuple[FileSigns, str, bytes | None] | None:
    """Signs, digest and maybe bytes of a file; None if it changed meanwhile."""
    with path.open("rb", buffering=0) as opened:
        told = os.fstat(opened.fileno())
        if not stat.S_ISREG(told.st_mode):
            raise OSError(0, "it is no file")
        signs, digest, kept = FileSigns.of(told), hashlib.sha256(), []
        size = 0
        while block := opened.read(_BLOCK):
            digest.update(block)
            size += len(block)
            if keep and signs.size <= SMALL:
                kept.append(block)
        still = FileSigns.of(os.fstat(opened.fileno())) == signs == _named(path)
    if not still or size != signs.size:
        return None
    data = b"".join(kept) if keep and signs.size <= SMALL else None
    return signs, digest.hexdigest(), data


def _named(path: Path) -> FileSigns:
    # The open file tells of writers, the path of somebody who put another there.
    return FileSigns.of(path.stat())
