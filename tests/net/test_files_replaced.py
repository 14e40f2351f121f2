"""What becomes of the file that was there, and of the one that was to be."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from bcpicture import ALREADY_THERE, UsageError

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Raw: TypeAlias = Callable[..., Any]
Peer: TypeAlias = Any

SMALL = os.urandom(20_000)
LARGE = os.urandom(3_000_000)
SIZES = [pytest.param(SMALL, id="small"), pytest.param(LARGE, id="large")]

POSIX = pytest.mark.skipif(os.name != "posix", reason="as POSIX has it")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# -- what a careful person expects


@POSIX
@pytest.mark.parametrize("data", SIZES)
async def test_a_symbolic_link_stays_one(pair: Pair, tmp_path: Path, data: bytes):
    """As it would if somebody wrote to it."""
    pair.stored = data
    real, link = tmp_path / "media" / "real.jpg", tmp_path / "a.jpg"
    real.parent.mkdir()
    real.write_bytes(b"old")
    link.symlink_to(real)
    done = await pair.picture.download(link)
    assert (done.path, link.is_symlink(), real.read_bytes()) == (link, True, data)
    real.unlink()
    await pair.picture.download(link, unless=ALREADY_THERE)
    assert real.read_bytes() == data
    assert (names(tmp_path), names(real.parent)) == (["a.jpg", "media"], ["real.jpg"])


@POSIX
async def test_a_link_in_a_circle_is_an_oserror(pair: Pair, tmp_path: Path):
    pair.stored = SMALL
    (tmp_path / "a.jpg").symlink_to(tmp_path / "a.jpg")
    with pytest.raises(OSError, match="symbolic"):
        await pair.picture.download(tmp_path / "a.jpg")


@POSIX
@pytest.mark.parametrize("data", SIZES)
async def test_who_could_read_the_old_file_can_read_the_new_one(
    pair: Pair, tmp_path: Path, data: bytes
):
    pair.stored = data
    path = tmp_path / "a.jpg"
    path.write_bytes(b"old")
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 33, 44)
    before = path.stat()
    await pair.picture.download(path)
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        (before.st_mode, before.st_uid, before.st_gid)
    )
    assert path.read_bytes() == data


@POSIX
async def test_a_new_file_is_as_open_as_any_other(pair: Pair, tmp_path: Path):
    pair.stored = SMALL
    (tmp_path / "other").touch()
    await pair.picture.download(tmp_path / "a.jpg")
    assert (tmp_path / "a.jpg").stat().st_mode == (tmp_path / "other").stat().st_mode


@contextlib.contextmanager
def nobody_in_particular() -> Iterator[None]:
    """Root may write everywhere; so somebody else asks."""
    root = os.getuid() == 0
    if root:
        os.setreuid(65534, 0)
    try:
        yield
    finally:
        if root:
            os.setreuid(0, 0)


@POSIX
@pytest.mark.parametrize("data", SIZES)
async def test_a_read_only_file_is_not_replaced(
    pair: Pair, tmp_path: Path, data: bytes
):
    """Renaming would ask the folder alone."""
    pair.stored = data
    path = tmp_path / "a.jpg"
    path.write_bytes(b"old")
    path.chmod(0o444)
    with nobody_in_particular(), pytest.raises(PermissionError, match=r"a\.jpg"):
        await pair.picture.download(path)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.jpg"]


@POSIX
@pytest.mark.parametrize("data", SIZES)
async def test_what_is_no_file_is_not_replaced_by_one(
    pair: Pair, tmp_path: Path, data: bytes
):
    pair.stored = data
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(FileExistsError, match="open it yourself"):
            await pair.picture.download(path)
    assert (tmp_path / "pipe").is_fifo()
    assert names(tmp_path) == ["pipe"]


@pytest.mark.parametrize("data", SIZES)
@pytest.mark.parametrize("name", ["n" * 251 + ".jpg", "ü" * 125 + ".jpg"])
async def test_the_longest_names_will_do(
    pair: Pair, tmp_path: Path, data: bytes, name: str
):
    pair.stored = data
    await pair.picture.download(tmp_path / name)
    assert names(tmp_path) == [name]
    with pytest.raises(OSError, match="too long"):
        await pair.picture.download(tmp_path / f"nn{name}")


async def test_a_folder_is_no_name_for_a_file(pair: Pair, tmp_path: Path):
    pair.stored = SMALL
    for name in (tmp_path, f"{tmp_path}/", Path(tmp_path.root)):
        with pytest.raises(IsADirectoryError, match="not the name of a file"):
            await pair.picture.download(name)
    assert names(tmp_path) == []


# -- at the same time


@pytest.mark.parametrize("data", SIZES)
async def test_of_downloads_to_one_path_one_remains_and_is_whole(
    raw: Raw, tmp_path: Path, data: bytes
):
    bodies = [bytes([number]) * len(data) for number in range(5)]
    left = iter(bodies)

    async def talk(peer: Peer) -> None:
        while await peer.asked():
            await peer.answer(body=next(left))

    path = tmp_path / "a.jpg"
    async with raw(talk) as server, server.picture() as picture:
        await asyncio.gather(*(picture.download(path) for _ in bodies))
    assert path.read_bytes() in bodies
    assert names(tmp_path) == ["a.jpg"]


async def half(peer: Peer) -> None:
    """Begins an answer, and never ends it."""
    await peer.asked()
    length = f"Content-Length: {len(LARGE)}\r\n\r\n".encode()
    await peer.say(b"HTTP/1.1 200 OK\r\n" + length + LARGE[:2_500_000])
    await asyncio.Event().wait()


def written(folder: Path) -> list[Path]:
    return [path for path in folder.glob(".*.part") if path.stat().st_size]


async def part_in(folder: Path) -> Path:
    """The temporary neighbour, once there is something in it."""
    for _ in range(1000):
        for path in written(folder):
            return path
        await asyncio.sleep(0.01)
    return pytest.fail("nothing was written")


@pytest.mark.parametrize("data", [SMALL, LARGE])
async def test_a_folder_that_is_missing_is_named(
    pair: Pair, tmp_path: Path, data: bytes
):
    pair.stored = data
    with pytest.raises(FileNotFoundError, match=r"No such folder: .*/out'$"):
        await pair.picture.download(tmp_path / "out" / "a.jpg")


async def test_a_path_that_no_system_has_is_refused(pair: Pair):
    with pytest.raises(UsageError, match="there is a NUL in it"):
        await pair.picture.download("a\0b.jpg")
    assert not pair.server.log


async def test_a_folder_that_goes_meanwhile_is_an_oserror(raw: Raw, tmp_path: Path):
    folder = tmp_path / "out"
    folder.mkdir()
    gone = asyncio.Event()

    async def talk(peer: Peer) -> None:
        await peer.asked()
        length = f"Content-Length: {len(LARGE)}\r\n\r\n".encode()
        await peer.say(b"HTTP/1.1 200 OK\r\n" + length + LARGE[:2_500_000])
        await gone.wait()
        await peer.say(LARGE[2_500_000:])

    async with raw(talk) as server, server.picture() as picture:
        downloading = asyncio.create_task(picture.download(folder / "a.jpg"))
        (await part_in(folder)).unlink()
        folder.rmdir()
        gone.set()
        with pytest.raises(FileNotFoundError):
            await downloading
    assert names(tmp_path) == []


async def test_a_process_that_is_killed_leaves_the_old_file(raw: Raw, tmp_path: Path):
    """And a neighbour whose name says what it was to become."""
    program = """
        import asyncio, sys
        from bcpicture import BusinessCentral, Endpoint, StaticToken

        async def main(url, company, item, target):
            async with BusinessCentral(Endpoint.at(url), StaticToken("t")) as bc:
                await bc.company(company).item(item).picture.download(target)

        asyncio.run(main(*sys.argv[1:]))
    """
    target = tmp_path / "1896-S.jpg"
    target.write_bytes(b"old")
    ids = [f"0e3c5f10-0000-4000-8000-00000000000{number}" for number in (1, 2)]
    async with raw(half) as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", textwrap.dedent(program)),
            *(f"{server.url}/api/v2.0", *ids, str(target)),
        )
        try:
            part = await part_in(tmp_path)
        finally:
            process.kill()
            await process.wait()
    assert target.read_bytes() == b"old"
    assert re.fullmatch(r"\.1896-S\.jpg\.[0-9a-f]{16}\.part", part.name)
    assert names(tmp_path) == sorted([part.name, target.name])
