"""What was put aside is there, whole, or its damage is noticed."""

from __future__ import annotations

import asyncio
import hashlib
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bcpicture.errors import BackupError
from bcpicture.sync.backups import Backups, Pruned, Saved

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DATA = bytes(range(256)) * 400
DIGEST = hashlib.sha256(DATA).hexdigest()
SAVED = Saved(digest=DIGEST, size=len(DATA))
DAY = timedelta(days=1)

SMALL_DISK = """
import asyncio, pathlib, resource, sys
from bcpicture.sync.backups import Backups
from bcpicture.errors import BackupError
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
async def main():
    backups = Backups(pathlib.Path(sys.argv[1]))
    async def stream():
        for _ in range(10):
            yield b"x" * 10_000
    for picture in (b"x" * 100_000, stream()):
        try:
            print("saved", await backups.save(picture))
        except BackupError as exc:
            print(exc)
    await backups.save(b"x" * 50_000)
asyncio.run(main())
"""

SAVE_FOR_EVER = """
import asyncio, pathlib, sys
from bcpicture.sync.backups import Backups
async def main():
    backups = Backups(pathlib.Path(sys.argv[1]))
    async def some(first):
        for number in range(first, 10**9, 5):
            print((await backups.save(b"%d" % number * 10_000)).digest, flush=True)
    await asyncio.gather(*map(some, range(5)))
asyncio.run(main())
"""


def program(text: str, folder: Path) -> list[str]:
    return [sys.executable, "-c", text, str(folder)]


def names(folder: Path) -> list[str]:
    return sorted(it.relative_to(folder).as_posix() for it in files(folder))


def files(folder: Path) -> Iterator[Path]:
    return (it for it in folder.rglob("*") if it.is_file())


def under(folder: Path, digest: str = DIGEST) -> Path:
    return folder / digest[:2] / digest[2:]


def bits(path: Path) -> int:
    return path.stat().st_mode & 0o777


def content(path: Path) -> bytes:
    return path.read_bytes()


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(data)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "backups"
    folder.mkdir(0o700)
    return folder


@pytest.fixture
def backups(folder: Path) -> Backups:
    return Backups(folder, clock=lambda: NOON)


@pytest.fixture
def original(tmp_path: Path) -> Path:
    path = tmp_path / "1896-S.jpg"
    path.write_bytes(DATA)
    return path


async def stream() -> AsyncIterator[bytes]:
    for start in range(0, len(DATA), 7000):
        yield DATA[start : start + 7000]


async def test_a_picture_is_put_aside_whatever_it_comes_from(
    folder: Path, backups: Backups, original: Path
):
    for picture in (DATA, original, stream()):
        assert await backups.save(picture) == SAVED
    path = await backups.open(DIGEST)
    assert path == under(folder)
    assert names(folder) == [f"{DIGEST[:2]}/{DIGEST[2:]}"]
    assert content(path) == DATA
    assert (bits(path), bits(path.parent)) == (0o600, 0o700)
    assert await backups.has(DIGEST)


async def test_many_at_once_save_the_same(folder: Path, backups: Backups):
    saved = await asyncio.gather(
        *(backups.save(DATA if number % 2 else stream()) for number in range(20))
    )
    assert saved == [SAVED] * 20
    assert len(names(folder)) == 1
    assert await backups.check() == ()


async def test_what_is_not_there_is_told(backups: Backups):
    assert not await backups.has(DIGEST)
    with pytest.raises(BackupError, match=r"is not in the backup .* `--keep` says"):
        await backups.open(DIGEST)


async def test_damage_is_noticed_and_mended_by_saving_again(
    folder: Path, backups: Backups
):
    await backups.save(DATA)
    await backups.save(b"other")
    damage(under(folder))
    assert await backups.check() == (DIGEST,)
    with pytest.raises(BackupError, match=r"damaged\. Check the disk; nothing was put"):
        await backups.open(DIGEST)
    await backups.save(DATA)
    assert await backups.check() == ()


async def test_what_cannot_be_read_is_damaged(folder: Path, backups: Backups):
    await backups.save(DATA)
    path = under(folder)
    replace_by_folder(path)
    assert await backups.check() == (DIGEST,)
    with pytest.raises(BackupError, match="cannot be read"):
        await backups.open(DIGEST)


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


async def test_a_picture_of_no_bytes_is_none(folder: Path, backups: Backups):
    for nothing in (b"", aiter_of()):
        with pytest.raises(BackupError, match="no bytes"):
            await backups.save(nothing)
    assert names(folder) == []


async def aiter_of(*blocks: bytes) -> AsyncIterator[bytes]:
    for block in blocks:
        yield block


async def test_a_stream_that_breaks_leaves_nothing(folder: Path, backups: Backups):
    async def broken() -> AsyncIterator[bytes]:
        yield DATA
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await backups.save(broken())
    assert names(folder) == []


async def test_a_file_that_cannot_be_read_is_told(folder: Path, backups: Backups):
    with pytest.raises(BackupError, match="cannot be read to be put aside"):
        await backups.save(folder / "nowhere.jpg")
    assert names(folder) == []


async def test_whoever_is_cancelled_leaves_nothing_half(folder: Path, backups: Backups):
    for turns in range(12):
        task = asyncio.create_task(backups.save(stream()))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert names(folder) in ([], [f"{DIGEST[:2]}/{DIGEST[2:]}"])


async def test_what_is_old_and_needed_by_nobody_goes(folder: Path):
    now = [NOON]
    backups = Backups(folder, clock=lambda: now[0])
    old = await backups.save(DATA)
    needed = await backups.save(b"needed")
    again = await backups.save(b"again")
    now[0] = NOON + 80 * DAY
    await backups.save(b"again")
    now[0] = NOON + 91 * DAY
    young = await backups.save(b"young")
    pruned = await backups.prune(keep=90 * DAY, needed={needed.digest})
    assert pruned == Pruned(pictures=1, size=len(DATA))
    assert not await backups.has(old.digest)
    for kept in (needed, again, young):
        await backups.open(kept.digest)


async def test_what_a_killed_run_was_writing_is_swept(folder: Path, backups: Backups):
    await backups.save(DATA)
    leave(folder / ".0123456789abcdef.part")
    assert await backups.check() == ()
    await backups.sweep()
    assert len(names(folder)) == 1


def leave(path: Path) -> None:
    path.touch()


async def test_a_folder_that_is_gone_is_told(folder: Path):
    with pytest.raises(BackupError, match="without a backup nothing is replaced"):
        await Backups(folder / "gone").save(DATA)


def test_a_full_disk_leaves_nothing_half(folder: Path):
    command = program(SMALL_DISK, folder)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert first == second
    assert f"The backup {folder} cannot be written: File too large. Make room" in first
    assert [it.stat().st_size for it in files(folder)] == [50_000]


def test_what_was_saved_is_there_after_a_kill(folder: Path):
    command = program(SAVE_FOR_EVER, folder)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        saved = [process.stdout.readline() for _ in range(20)]
        process.send_signal(signal.SIGKILL)
        saved += process.stdout.readlines()
    assert len(saved) >= 20
    for line in saved:
        assert under(folder, line.strip()).is_file()
    for path in files(folder):
        if path.suffix != ".part":
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            assert digest == path.parent.name + path.name
