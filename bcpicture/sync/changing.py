"""One file, changed in one step. Everything here runs in threads."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from bcpicture.core.media import SNIFF_BYTES
from bcpicture.core.signs import FileSigns
from bcpicture.errors import ConflictError
from bcpicture.net.parts import make_like, replaceable
from bcpicture.sync.folder import read_whole
from bcpicture.sync.staging import Part
from bcpicture.sync.targets import Change, Staged


def examine(change: Change, path: Path, begin: Callable[[], Part]) -> None:
    """See what is there, and put beside it what is to be there instead.

    Args:
        change: What is meant to happen.
        path: The file.
        begin: Makes a file without a name beside it.

    Raises:
        OSError: It cannot be looked at, or must not be replaced.
        ConflictError: Somebody is writing it.
    """
    content = change.content
    if isinstance(content, bytes):
        change.after = hashlib.sha256(content).hexdigest()
    elif isinstance(content, Staged):
        change.after, change.staged = content.digest, content
    old = _look(change, path)
    change.examined = True
    change.refused = change.strict and change.found not in {change.before, change.after}
    if not change.waiting or content is None:
        return
    if change.staged is None:
        _stage(change, old, begin())
    elif old is not None:
        make_like(change.staged.path, old)


def _look(change: Change, path: Path) -> os.stat_result | None:
    """Find out what is there, without reading it if that is known."""
    if path.is_symlink():
        raise FileExistsError(errno.EEXIST, "Is a link to another file", str(path))
    old = replaceable(path, path)
    if old is not None:
        change.seen, change.found = FileSigns.of(old), change.before
        if change.found is None or change.seen != change.signs:
            change.seen, change.found = _read(path)
    return old


def _stage(change: Change, old: os.stat_result | None, part: Part) -> None:
    lasting = change.lasting or old is not None
    try:
        if isinstance(change.content, bytes):
            part.write(change.content, hashed=False)
            change.staged = part.keep(digest=change.after, like=old, lasting=lasting)
        elif isinstance(change.content, Path):
            part.copy(change.content)
            change.staged = part.keep(like=old)
    finally:
        part.discard()


def apply(change: Change, path: Path, now: int) -> None:
    """Do it, if there is still what was found."""
    if not _still(change, path, now):
        change.moved = True
    elif change.staged is not None:
        change.staged.path.replace(path)
        change.done = True
    elif change.content is None:
        path.unlink()
        change.done = True


def create(change: Change, path: Path, begin: Callable[[], Part]) -> None:
    """Write it and give it its name, if nothing is there.

    Args:
        change: What is meant to happen.
        path: The file.
        begin: Makes a file without a name beside it.

    Raises:
        OSError: It cannot be written.
    """
    part = begin()
    try:
        if isinstance(change.content, bytes):
            part.write(change.content, hashed=False)
        change.staged = part.become(path, digest=change.after, lasting=change.lasting)
    finally:
        if change.staged is None:
            part.remove()
    change.done = change.staged is not None
    change.moved = not change.done


def _still(change: Change, path: Path, now: int) -> bool:
    """Whether there is still what was found, at the last moment."""
    try:
        signs = FileSigns.of(path.lstat())
    except FileNotFoundError:
        return change.seen is None
    if change.seen is None or signs != change.seen:
        return False
    # It may have been changed within the tick of its time stamp.
    return signs.settled(now) or _read(path) == (signs, change.found)


def _read(path: Path) -> tuple[FileSigns, str]:
    read = read_whole(path, keep=False) or read_whole(path, keep=False)
    if read is None:
        raise ConflictError(
            f"The file {path} is being written by somebody.",
            advice="Run it again when that has ended.",
        )
    signs, digest, _ = read
    return signs, digest


def head_of(path: Path) -> bytes:
    """The first bytes of a file; none if it cannot be read."""
    try:
        with path.open("rb", buffering=0) as file:
            return file.read(SNIFF_BYTES)
    except OSError:
        return b""


def flush(path: str | Path) -> None:
    """Have the disk hold a file; one that is gone needs no flush."""
    try:
        # Windows flushes only what could be written to.
        descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
