"""Files that do not hold still: what was sent of them is never stored."""

from __future__ import annotations

import asyncio
import io
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from bcpicture import BcPictureError, OutcomeUnknownError, SourceError

Raw: TypeAlias = Callable[..., Any]  # the harness is in conftest.py
Peer: TypeAlias = Any

SIZE = 40_000_000


def shrink(path: Path) -> None:
    os.truncate(path, SIZE - 1)


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")


def change_the_end(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"!")


def change_the_beginning(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"!")


def replace(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_bytes(b"b" * SIZE)
    other.replace(path)


def remove(path: Path) -> None:
    path.unlink()


def touch(path: Path) -> None:
    os.utime(path)


CHANGES = [shrink, grow, change_the_end, change_the_beginning, replace, remove, touch]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "1896-S.bmp"
    path.write_bytes(b"a" * SIZE)
    return path


class Hesitant:
    """A server that reads a little of a body, and the rest when it is told to."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.whole = 0

    async def __call__(self, peer: Peer) -> None:
        while await peer.head():
            await peer.reader.readexactly(1_000_000)
            self.begun.set()
            await self.go_on.wait()
            await peer.reader.readexactly(SIZE - 1_000_000)
            self.whole += 1
            await peer.answer(204)


@pytest.mark.parametrize("change", CHANGES)
async def test_a_file_that_changes_while_it_is_sent_is_never_completed(
    raw: Raw, path: Path, change: Callable[[Path], None]
):
    server = Hesitant()
    async with raw(server) as host, host.picture() as picture:
        uploading = asyncio.create_task(picture.upload(path, preflight=False))
        await server.begun.wait()
        change(path)
        server.go_on.set()
        with pytest.raises(SourceError, match="send it again"):
            await uploading
        await asyncio.sleep(0.02)
        assert len(host.heads) == 1
        assert server.whole == 0


@pytest.mark.parametrize(
    "change", [shrink, grow], ids=lambda change: str(change.__name__)
)
async def test_a_file_object_that_changes_its_length_is_never_completed(
    raw: Raw, path: Path, change: Callable[[Path], None]
):
    server = Hesitant()
    async with raw(server) as host, host.picture() as picture:
        with path.open("rb") as file:
            uploading = asyncio.create_task(picture.upload(file, preflight=False))
            await server.begun.wait()
            change(path)
            server.go_on.set()
            with pytest.raises(SourceError):
                await uploading
        await asyncio.sleep(0.02)
        assert server.whole == 0


async def test_a_file_object_that_is_rewritten_in_place_is_never_completed(
    raw: Raw, path: Path
):
    """It is compared before and after like a path: an open file can be asked too."""
    server = Hesitant()
    async with raw(server) as host, host.picture() as picture:
        with path.open("rb") as file:
            uploading = asyncio.create_task(picture.upload(file, preflight=False))
            await server.begun.wait()
            change_the_beginning(path)
            server.go_on.set()
            with pytest.raises(SourceError):
                await uploading
        await asyncio.sleep(0.02)
        assert server.whole == 0


async def test_a_file_that_vanishes_between_two_attempts_is_a_source_error(
    raw: Raw, path: Path
):
    async def talk(peer: Peer) -> None:
        await peer.head()
        remove(path)
        peer.reset()

    async with raw(talk) as server, server.picture() as picture:
        with pytest.raises(SourceError, match="1896-S"):
            await picture.upload(path, preflight=False)


async def test_nothing_is_promised_about_a_first_sending_that_may_have_worked(
    raw: Raw, path: Path
):
    """The whole file arrived, the reply was lost, and then the file changed."""

    async def talk(peer: Peer) -> None:
        head = await peer.head()
        if head.startswith("GET"):
            await peer.answer(200, b"something")
            return
        await peer.body(head)
        grow(path)
        peer.reset()

    async with raw(talk) as server, server.picture() as picture:
        with pytest.raises(BcPictureError) as caught:
            await picture.upload(path, preflight=False)
        assert "nothing was replaced" not in str(caught.value)
        assert isinstance(caught.value, OutcomeUnknownError)


class Sluggish(io.BytesIO):
    """A file object whose reading takes its time, like one on a network."""

    def read(self, size: int | None = -1, /) -> bytes:
        time.sleep(0.01)
        return super().read(size)


@pytest.fixture
def sluggish() -> Iterator[Sluggish]:
    with Sluggish(os.urandom(5_000_000)) as file:
        yield file


async def test_a_reading_of_a_broken_attempt_does_not_disturb_the_next_one(
    raw: Raw, sluggish: Sluggish
):
    """Both read the same file object, which has one position."""

    async def talk(peer: Peer) -> None:
        head = await peer.head()
        if len(peer.server.heads) <= 3:
            await peer.reader.readexactly(10)
            peer.reset()
            return
        await peer.body(head)
        await peer.answer(204)

    async with raw(talk) as server, server.picture() as picture:
        done = await picture.upload(sluggish, preflight=False)
        assert done.attempts == 4
        assert server.bodies == [sluggish.getvalue()]
