"""A folder as the target of a pull: each file is whole, and changed in one step."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import attrs

from bcpicture.core.signs import FileSigns
from bcpicture.core.steps import LocalFile
from bcpicture.errors import BcPictureError, TargetError
from bcpicture.net.files import in_thread, in_thread_to_end
from bcpicture.net.parts import flush_quietly
from bcpicture.sync.changing import apply, create, examine, flush, head_of
from bcpicture.sync.folder import Folder
from bcpicture.sync.sources import Listing, Loaded
from bcpicture.sync.staging import Nameless, Part, PartSpool, sweep
from bcpicture.sync.targets import Change

_ALL_OF_IT = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EIO,
    errno.ENODEV,
    errno.ENXIO,
    errno.ENOTCONN,
    errno.ESTALE,
}
"""What is no matter of one file, but of the disk or share."""

_NOT_HERE = {
    errno.EISDIR,
    errno.ENOENT,
    errno.EOPNOTSUPP,
    errno.EPERM,
    errno.EXDEV,
}
"""What a file system says that has no nameless files, or lets none be named."""

_FLUSHING = 16
"""Files that are flushed at once: a disk takes hardly longer for many than for one."""


@attrs.define(kw_only=True)
class TargetFolder:
    """A folder that pictures are written to."""

    folder: Folder
    """Lists and reads it."""

    mark: str
    """What temporary files in it are called after; see `staging`."""

    wall: Callable[[], int] = attrs.field(default=time.time_ns, repr=False)
    """Nanoseconds since the epoch."""

    _identity: tuple[int, int] | None = attrs.field(default=None, init=False)

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.folder.path

    @property
    def place(self) -> str:
        """Its absolute path."""
        return self.folder.place

    # -- read

    async def exists(self) -> bool:
        """Whether the folder is there."""
        return await in_thread(self.path.is_dir)

    async def scan(self) -> Listing:
        """All files in it but hidden ones; none, if it is not there yet."""
        return await self.folder.scan() if await self.exists() else Listing()

    async def has(self, name: str) -> bool:
        """Whether a file is there, hidden ones as well."""
        return await self.folder.has(name)

    async def digests(self, files: Sequence[LocalFile]) -> list[Loaded]:
        """Read files for their digest alone."""
        return await self.folder.digests(files)

    async def digest(self, name: str) -> str | None:
        """SHA-256 of a file; None if it is not there.

        Raises:
            SourceError: It cannot be read.
        """
        if await in_thread(os.path.lexists, self.path / name):
            nothing = FileSigns(0, 0, 0)
            [read] = await self.digests([LocalFile(name=name, signs=nothing)])
            if read.error is not None:
                raise read.error
            return read.digest
        return None

    async def text(self, name: str) -> str:
        """The text of a file; empty if there is none."""
        return await in_thread(self._text, self.path / name)

    async def heads(self, names: Sequence[str]) -> list[bytes]:
        """The first bytes of files; none of what cannot be read."""
        return await in_thread(self._heads, names)

    def path_of(self, change: Change) -> Path:
        """Where a file is."""
        return self.path / change.name

    # -- changed

    async def begin(self) -> None:
        """Make the folder if it is not there, and clear away what a killed run left."""
        await in_thread_to_end(self._begin)

    def spool(self) -> PartSpool:
        """What takes in the bytes of a large picture."""
        return PartSpool(self._part(), self._judge)

    async def examine(self, changes: Sequence[Change]) -> None:
        """See what is there, and put beside it what is to be there instead."""
        await in_thread_to_end(self._all, changes, self._examine)

    def apply(self, changes: Sequence[Change]) -> None:
        """Do it, each in one step, if there is still what was found."""
        self._all(changes, self._apply)
        # A name that was another file's lasts at once, a new one with its bytes, when
        # the journal begins to rely on it: in `flush`.
        if any(change.done and change.seen is not None for change in changes):
            flush_quietly(self.path)

    async def discard(self, changes: Sequence[Change]) -> None:
        """Clear away what is beside its place still."""
        if any(change.beside for change in changes):
            await in_thread_to_end(self._discard, changes)

    async def flush(self, names: Sequence[str]) -> None:
        """Have the disk hold these files."""
        await in_thread_to_end(self._flush, names)

    async def put(self, name: str, text: str) -> None:
        """Write a text in one step."""
        await in_thread_to_end(self._put, name, text)

    # -- in threads

    def _part(self) -> Part:
        return Part(self.path, self.mark, wall=self.wall)

    def _nameless(self) -> Part:
        if Nameless.usable:
            return Nameless(self.path, self.mark, wall=self.wall)
        return self._part()

    def _begin(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._identity = self._found()
        except OSError as exc:
            raise self._unusable(exc) from exc
        sweep(self.path, self.mark)

    def _found(self) -> tuple[int, int]:
        told = self.path.stat()
        return told.st_dev, told.st_ino

    def _require_place(self) -> None:
        """Refuse a place that is another one than at the start: a share that is gone.

        Its folder is there still, and empty, on the disk below it.
        """
        try:
            same = self._found() == self._identity
        except OSError as exc:
            raise self._unusable(exc) from exc
        if not same:
            raise TargetError(
                f"The folder {self.path} is another one than when the run began.",
                advice="Connect the disk or share again, then run it once more.",
            )

    def _unusable(self, exc: OSError) -> TargetError:
        return TargetError(
            f"The folder {self.path} cannot be written to: {exc.strerror}.",
            advice="Make room there, or connect it again; nothing was lost.",
        )

    def _judge(self, exc: OSError) -> None:
        """Raise a better error, if it is no matter of one file."""
        if exc.errno in _ALL_OF_IT:
            raise self._unusable(exc) from exc

    def _all(self, changes: Sequence[Change], work: Callable[[Change], None]) -> None:
        self._require_place()
        for change in changes:
            try:
                work(change)
            except BcPictureError as exc:
                change.error = exc
            except OSError as exc:
                self._judge(exc)
                if isinstance(exc, FileNotFoundError):
                    self._require_place()
                change.error = exc

    def _examine(self, change: Change) -> None:
        examine(change, self.path / change.name, self._part)

    def _apply(self, change: Change) -> None:
        path = self.path / change.name
        if not change.fresh:
            apply(change, path, self.wall())
            return
        try:
            create(change, path, self._nameless)
        except OSError as exc:
            if exc.errno not in _NOT_HERE:
                raise
            create(change, path, self._part)

    def _discard(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if (staged := change.beside) is not None:
                with suppress(OSError):
                    staged.path.unlink()

    def _flush(self, names: Sequence[str]) -> None:
        self._require_place()
        try:
            with ThreadPoolExecutor(_FLUSHING) as pool:
                # A share for each thread: a turn for each file costs more than most.
                shares = [names[at::_FLUSHING] for at in range(_FLUSHING)]
                list(pool.map(self._flush_some, shares))
        except OSError as exc:
            raise self._unusable(exc) from exc
        flush_quietly(self.path)

    def _flush_some(self, names: Sequence[str]) -> None:
        for name in names:
            flush(f"{self.place}/{name}")

    def _text(self, path: Path) -> str:
        try:
            return path.read_text("utf-8", "replace")
        except FileNotFoundError:
            return ""
        except OSError as exc:
            raise self._unusable(exc) from exc

    def _heads(self, names: Sequence[str]) -> list[bytes]:
        return [head_of(self.path / name) for name in names]

    def _put(self, name: str, text: str) -> None:
        self._require_place()
        part = self._part()
        try:
            part.write(text.encode())
            if kept := part.keep():
                kept.path.replace(self.path / name)
        except OSError as exc:
            raise self._unusable(exc) from exc
        finally:
            part.discard()
        flush_quietly(self.path)
