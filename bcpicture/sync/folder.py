"""A folder of pictures: listed, and read in a few hops of a thread."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Self

import attrs

from bcpicture.core.matches import Unmatched
from bcpicture.core.signs import FileSigns
from bcpicture.core.steps import LocalFile
from bcpicture.errors import SourceError
from bcpicture.sync.sources import Listing, Loaded

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

    async def scan(self) -> Listing:
        """All files in it but hidden ones.

        Links to files count as files, links to folders are not followed. What is no
        file, or has a name that is no text, is set aside.

        Raises:
            SourceError: It is not there, no folder, or may not be read.
        """
        return await asyncio.to_thread(self._scan)

    def _scan(self) -> Listing:
        try:
            found = [*self._entries()]
        except OSError as exc:
            raise self._unreadable(exc) from exc
        files = [one for one in found if isinstance(one, LocalFile)]
        aside = [one for one in found if isinstance(one, Unmatched)]
        by_name = attrgetter("name")
        return Listing(
            files=tuple(sorted(files, key=by_name)),
            aside=tuple(sorted(aside, key=by_name)),
        )

    def _entries(self) -> Iterator[LocalFile | Unmatched]:
        folders = [""]
        while folders:
            above = folders.pop()
            with os.scandir(self.path / above) as entries:
                seen = [entry for entry in entries if not entry.name.startswith(".")]
            for entry in seen:
                name = above + entry.name
                if not entry.is_dir(follow_symlinks=False):
                    yield from _looked_at(entry, name)
                elif self.recursive:
                    folders.append(f"{name}/")

    def _unreadable(self, exc: OSError) -> SourceError:
        return SourceError(
            f"The folder {exc.filename or self.place} cannot be read: {exc.strerror}.",
            advice="Name the folder that holds the pictures.",
        )

    async def has(self, name: str) -> bool:
        """Whether a file is there, hidden ones as well."""
        return await asyncio.to_thread(os.path.exists, self.path / name)

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
            read = read_whole(path, keep=keep) or read_whole(path, keep=keep)
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


def _looked_at(entry: os.DirEntry[str], name: str) -> Iterator[LocalFile | Unmatched]:
    """What an entry is; nothing if it is gone since it was listed."""
    try:
        name.encode()
        # An entry of Windows does not know which file it is.
        told = entry.stat() if os.name == "posix" else Path(entry.path).stat()
    except UnicodeEncodeError:
        shown = os.fsencode(name).decode(errors="backslashreplace")
        yield Unmatched(name=shown, reason="its name is not UTF-8: rename it")
    except OSError as exc:
        if entry.is_symlink() or not isinstance(exc, FileNotFoundError):
            yield Unmatched(name=name, reason=f"cannot be read: {exc.strerror}")
    else:
        if stat.S_ISREG(told.st_mode):
            yield LocalFile(name=name, signs=FileSigns.of(told))
        elif not stat.S_ISDIR(told.st_mode):
            yield Unmatched(name=name, reason="not a file")


def _opened(path: str, flags: int) -> int:
    """A file that was a file a moment ago; a pipe would wait for its other end."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _failed(file: LocalFile, what: str) -> Loaded:
    error = SourceError(f"{what}.", advice="Push again when it is whole.")
    return Loaded(file=file, error=error)


def read_whole(path: Path, *, keep: bool) -> tuple[FileSigns, str, bytes | None] | None:
    """Signs, digest and maybe bytes of a file; None if it changed meanwhile."""
    with open(path, "rb", buffering=0, opener=_opened) as opened:
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
