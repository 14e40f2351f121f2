"""Cancelled at any of its steps, a call leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import pytest

from bcpicture import ConflictError
from bcpicture.emulator.artwork import dot
from bcpicture.resources.pictures import PictureHandle

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Paired: TypeAlias = Callable[..., Any]
Leftovers: TypeAlias = Any

OLD = dot(os.urandom(1_500_000))
NEW = dot(os.urandom(1_500_001))
KEPT = {"in.jpg", "out.jpg", "file.jpg"}


async def chunks() -> AsyncIterator[bytes]:
    for start in range(0, len(NEW), 400_000):
        yield NEW[start : start + 400_000]
        await asyncio.sleep(0)


async def read(picture: PictureHandle, _: Path) -> None:
    await picture.read()


async def info(picture: PictureHandle, _: Path) -> None:
    await picture.info()


async def stream(picture: PictureHandle, _: Path) -> None:
    async with picture.open() as chunks:
        async for _ in chunks:
            pass


async def abandoned_stream(picture: PictureHandle, _: Path) -> None:
    chunks = await picture.open()
    await anext(chunks)
    del chunks  # or a cancellation's traceback would hold it
    await asyncio.sleep(0)


async def download(picture: PictureHandle, folder: Path) -> None:
    await picture.download(folder / "out.jpg", digest=True)


async def download_to_file(picture: PictureHandle, folder: Path) -> None:
    with (folder / "file.jpg").open("wb") as file:
        try:
            await picture.download(file, digest=True)
        except asyncio.CancelledError:
            assert (file.tell(), file.seek(0, os.SEEK_END)) == (0, 0)
            raise


async def download_held(picture: PictureHandle, folder: Path) -> None:
    with (folder / "file.jpg").open("wb") as file:
        await picture.download(file, unless="0" * 64)


async def download_awaited(picture: PictureHandle, folder: Path) -> None:
    with (folder / "file.jpg").open("wb") as file:
        try:
            await picture.download(anyio.wrap_file(file))
        except asyncio.CancelledError:
            assert (file.tell(), file.seek(0, os.SEEK_END)) == (0, 0)
            raise


async def upload_bytes(picture: PictureHandle, _: Path) -> None:
    await picture.upload(NEW)


async def upload_path(picture: PictureHandle, folder: Path) -> None:
    await picture.upload(folder / "in.jpg", digest=True)


async def upload_file(picture: PictureHandle, folder: Path) -> None:
    with (folder / "in.jpg").open("rb") as file:
        await picture.upload(file)


async def upload_stream(picture: PictureHandle, _: Path) -> None:
    await picture.upload(chunks())


async def upload_once(picture: PictureHandle, _: Path) -> None:
    await picture.upload(chunks(), spool=False, length=len(NEW))


async def upload_if_absent(picture: PictureHandle, _: Path) -> None:
    # The one that was cancelled before may still arrive.
    with contextlib.suppress(ConflictError):
        await picture.upload(NEW, only_if_absent=True)


async def delete(picture: PictureHandle, _: Path) -> None:
    await picture.delete()


Call: TypeAlias = Callable[[PictureHandle, Path], Awaitable[None]]
CALLS: list[Call] = [
    *(read, info, stream, abandoned_stream, download),
    *(download_to_file, download_held, download_awaited, delete),
    *(upload_bytes, upload_path, upload_file, upload_stream, upload_once),
    upload_if_absent,
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where everything goes."""
    (tmp_path / "in.jpg").write_bytes(NEW)
    return tmp_path


def descriptors() -> set[str]:
    """Files and sockets that this process has open, by what they are."""
    found = set()
    for link in Path("/proc/self/fd").iterdir():
        try:
            found.add(str(link.readlink()))
        except OSError:
            continue
    return found


async def walk(pair: Pair, call: Call, folder: Path, steps: int) -> bool:
    """Cancel after so many steps; whether it was over before."""
    calling = asyncio.ensure_future(call(pair.picture, folder))
    for step in range(steps):
        # Late steps wait for the network, too: to do nothing would not bring them on.
        await asyncio.sleep(0 if step < 50 else 0.001)
        if calling.done():
            break
    over = calling.done()
    calling.cancel()
    await asyncio.wait([calling])
    if not calling.cancelled():
        # An answer of its own would hide that somebody wanted it to stop.
        assert over, f"the cancellation at step {steps} was swallowed"
        calling.result()
    return over


def forget(pair: Pair) -> None:
    """Let the client begin anew, with neither token nor ids."""
    signer = pair.session.lanes.members[0].signer
    signer.reject(signer.header_now(), None)
    directory = pair.bc._opened()
    directory._companies.clear()
    directory._records.clear()


def far_apart(limit: int) -> list[int]:
    """Every early step, and then ever fewer of them; a busy machine needs more."""
    steps, step = [], 0
    while step < limit:
        steps.append(step)
        step += 1 + step // 12
    return steps


@pytest.mark.parametrize("call", CALLS, ids=lambda call: str(call.__name__))
@pytest.mark.parametrize("cold", [True, False], ids=["cold", "warm"])
async def test_cancelled_at_any_step_nothing_is_left(
    parted: Paired,
    leftovers: Leftovers,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: Call,
    *,
    cold: bool,
):
    """No task, socket, place in the quota, temporary file, nor half a picture."""
    async with parted() as pair:
        await pair.warm_up()
        leftovers.tasks = asyncio.all_tasks()
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        for steps in far_apart(20_000):
            pair.stored = None if call is upload_if_absent else OLD
            if cold:
                forget(pair)
            over = await walk(pair, call, folder, steps)
            assert await leftovers.are_gone(
                lambda: (
                    pair.governor.in_flight == 0
                    and pair.governor.waiting == 0
                    and not pair.http.connector._acquired
                )
            ), f"at step {steps}"
            assert await leftovers.are_gone_from(folder, but=KEPT), f"at step {steps}"
            assert pair.stored in {OLD, NEW, None}
            out = folder / "out.jpg"
            assert not out.exists() or out.read_bytes() in {OLD, NEW}
            file = folder / "file.jpg"
            assert not file.exists() or file.read_bytes() in {OLD, NEW, b""}
            if over:
                break
        else:
            pytest.fail("it never came to its end")
        # And what is left works.
        pair.stored = OLD
        assert await pair.picture.read() == OLD


async def test_after_many_cancellations_no_descriptor_is_left(
    parted: Paired,
    leftovers: Leftovers,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    async with parted() as pair:
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        pair.stored = OLD
        await pair.warm_up()
        leftovers.tasks = asyncio.all_tasks()
        before = descriptors()
        for call in CALLS[:-1]:
            for steps in (1, 3, 7, 15, 31, 63):
                await walk(pair, call, folder, steps)
        assert await leftovers.are_gone(
            lambda: not {one for one in descriptors() - before if str(folder) in one}
        )


async def test_cancelling_one_of_many_disturbs_no_other(pair: Pair):
    pair.stored = OLD
    calls = [asyncio.create_task(pair.picture.read()) for _ in range(50)]
    for number, one in enumerate(calls):
        await asyncio.sleep(0)
        if number % 3 == 0:
            one.cancel()
    results = await asyncio.gather(*calls, return_exceptions=True)
    for number, result in enumerate(results):
        if number % 3:
            assert result == OLD
    assert pair.governor.in_flight == 0


async def test_a_task_group_that_fails_ends_its_calls(pair: Pair, leftovers: Leftovers):
    pair.stored = OLD

    async def fail() -> None:
        await asyncio.sleep(0.002)
        raise LookupError

    async def all_together() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(20):
                group.create_task(pair.picture.read())
                group.create_task(pair.picture.upload(NEW))
            group.create_task(fail())

    with pytest.raises(ExceptionGroup) as caught:
        await all_together()
    assert [type(one) for one in caught.value.exceptions] == [LookupError]
    assert await leftovers.are_gone(lambda: pair.governor.in_flight == 0)
    assert pair.stored in {OLD, NEW}
