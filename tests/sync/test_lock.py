"""One process at a time, and a text that says which."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest

from bcpicture.errors import JournalError, LockedError
from bcpicture.sync.holder import Holder
from bcpicture.sync.lock import Lock

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)

HOLD = """
import asyncio, pathlib, sys
from bcpicture.sync.lock import Lock
async def main():
    async with Lock(pathlib.Path(sys.argv[1]), command="bcpicture push photos"):
        print("mine", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


@contextmanager
def another_process(path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "mine\n"
            yield process
        finally:
            process.kill()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


@pytest.fixture
def elsewhere() -> Holder:
    me = Holder.me("bcpicture pull photos", NOON, 5.0)
    return attrs.evolve(me, host="elsewhere", boot="another", pid=1)


def size(path: Path) -> int:
    return path.stat().st_size


def say(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def told(path: Path) -> Holder:
    holder = Holder.read(path.read_text(encoding="utf-8"))
    assert holder is not None
    return holder


async def test_another_process_s_lock_is_refused_and_its_holder_named(path: Path):
    with another_process(path) as process:
        with pytest.raises(LockedError) as caught:
            async with Lock(path, command="bcpicture push photos"):
                pytest.fail("two have it")
        text = str(caught.value)
        assert f'"bcpicture push photos", process {process.pid} on ' in text
        assert os.uname().nodename in text
        assert text.endswith("Wait for its end, or stop it; then run it again.")
        assert "sign of life" not in text


async def test_a_killed_process_blocks_nobody(path: Path):
    with another_process(path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert told(path).pid == process.pid
        async with Lock(path, command="mine"):
            assert told(path).pid == os.getpid()


async def test_a_file_that_was_copied_from_another_machine_blocks_nobody(
    path: Path, elsewhere: Holder
):
    say(path, elsewhere.text())
    async with Lock(path, command="mine"):
        assert told(path).command == "mine"


async def test_the_lock_is_free_after_the_block_and_says_nothing(path: Path):
    for _ in range(3):
        async with Lock(path, command="mine"):
            pass
        assert size(path) == 0


async def test_a_process_does_not_lend_its_lock_to_itself(path: Path):
    async with Lock(path, command="first"):
        with pytest.raises(LockedError, match='"first"'):
            async with Lock(path, command="second"):
                pytest.fail("two have it")
        assert told(path).command == "first"


async def test_the_owner_shows_signs_of_life(path: Path):
    loop, beaten, looks = asyncio.get_running_loop(), asyncio.Event(), 0

    def clock() -> datetime:
        nonlocal looks
        looks += 1
        if looks == 4:  # so the third is written
            loop.call_soon_threadsafe(beaten.set)
        return NOON + timedelta(seconds=looks)

    async with Lock(path, command="mine", clock=clock, beat=0.01):
        await beaten.wait()
        holder = told(path)
    assert holder.started == NOON + timedelta(seconds=1)
    assert holder.beat >= NOON + timedelta(seconds=3)


@pytest.mark.parametrize(
    ("boot", "seconds"),
    [
        pytest.param(None, 90, id="same start: by the clock that nobody can set"),
        pytest.param("another", 300, id="another: by the time of day"),
    ],
)
async def test_an_owner_that_hangs_is_told(
    path: Path, boot: str | None, seconds: float
):
    async with Lock(path, command="x", clock=lambda: NOON, monotonic=lambda: 10.0):
        if boot is not None:
            say(path, attrs.evolve(told(path), boot=boot).text())
        late = Lock(
            path,
            command="y",
            clock=lambda: NOON + timedelta(seconds=300),
            monotonic=lambda: 100.0,
        )
        expected = str(timedelta(seconds=seconds))
        with pytest.raises(LockedError, match=f"no sign of life for {expected}"):
            await late.__aenter__()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"host": 1}', "null", "\x00\x01"]
)
async def test_whatever_stands_in_the_file_the_lock_is_refused(path: Path, text: str):
    async with Lock(path, command="first"):
        say(path, text)
        with pytest.raises(LockedError, match="Another process works with"):
            await Lock(path, command="second").__aenter__()


async def test_a_file_that_cannot_be_made_is_told(tmp_path: Path):
    with pytest.raises(JournalError, match="--state-dir") as caught:
        await Lock(tmp_path / "nowhere" / "lock", command="x").__aenter__()
    assert not isinstance(caught.value, LockedError)


async def test_a_cancelled_owner_lets_go_whenever_it_was_cancelled(path: Path):
    async def hold() -> None:
        async with Lock(path, command="mine"):
            await asyncio.Event().wait()

    for turns in range(8):
        task = asyncio.create_task(hold())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with Lock(path, command="next"):
            pass


def test_a_holder_is_the_same_after_writing_and_reading():
    holder = Holder.me("bcpicture push Größe", NOON, 1.5)
    assert Holder.read(holder.text()) == holder
    assert json.loads(holder.text())["pid"] == os.getpid()
