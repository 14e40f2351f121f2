"""A file appears whole, under its name, or not at all."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from bcpicture import (
    CutShortError,
    NoPictureError,
    RetryPolicy,
)
from bcpicture.emulator import Fault

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Leftovers: TypeAlias = Any
Paired: TypeAlias = Callable[..., Any]

SMALL = os.urandom(20_000)
LARGE = os.urandom(3_000_000)
SIZES = [pytest.param(SMALL, id="small"), pytest.param(LARGE, id="large")]

ONCE = RetryPolicy(attempts=1)


async def test_a_download_says_what_it_saved(pair: Pair, tmp_path: Path):
    data = b"\x89PNG\r\n\x1a\n" + SMALL
    pair.stored = data
    done = await pair.picture.download(tmp_path / "a.jpg", digest=True)
    assert done.path == tmp_path / "a.jpg"
    assert done.size == len(data)
    assert done.sha256 == hashlib.sha256(data).hexdigest()
    assert done.content_type == "image/png"
    assert done.attempts == 1
    assert (await pair.picture.download(tmp_path / "a.jpg")).sha256 is None


async def test_a_download_says_how_often_it_asked(pair: Pair, tmp_path: Path):
    pair.stored = SMALL
    pair.server.faults.add(Fault("truncate", at=7000))
    done = await pair.picture.download(tmp_path / "a.jpg", digest=True)
    assert done.sha256 == hashlib.sha256(SMALL).hexdigest()
    assert done.attempts == 2


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_the_extension_can_follow_the_bytes(pair: Pair, tmp_path: Path):
    """The service calls every picture .jpg."""
    pair.stored = b"\x89PNG\r\n\x1a\n" + LARGE
    done = await pair.picture.download(tmp_path / "1.5.jpg", sniff_extension=True)
    assert done.path == tmp_path / "1.5.png"
    assert names(tmp_path) == ["1.5.png"]


async def test_without_a_picture_the_old_file_stays(pair: Pair, tmp_path: Path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"old")
    with pytest.raises(NoPictureError):
        await pair.picture.download(path)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.jpg"]


@pytest.mark.parametrize("data", SIZES)
async def test_a_download_that_fails_leaves_no_file_behind(
    paired: Paired, tmp_path: Path, leftovers: Leftovers, data: bytes
):
    async with paired(retries=ONCE) as pair:
        pair.stored = data
        await pair.warm_up()
        pair.server.faults.add(Fault("truncate", at=len(data) - 1))
        with pytest.raises(CutShortError):
            await pair.picture.download(tmp_path / "a.jpg")
        assert await leftovers.are_gone_from(tmp_path)


@pytest.mark.parametrize("data", SIZES)
@pytest.mark.parametrize(
    "hinder",
    [
        pytest.param(lambda path: path.parent.rmdir(), id="folder-gone"),
        pytest.param(lambda path: path.mkdir(), id="folder-of-that-name"),
    ],
)
async def test_a_disk_error_is_an_oserror_and_leaves_nothing_behind(
    pair: Pair,
    tmp_path: Path,
    leftovers: Leftovers,
    data: bytes,
    hinder: Callable[[Path], None],
):
    pair.stored = data
    folder = tmp_path / "out"
    folder.mkdir()
    hinder(folder / "a.jpg")
    with pytest.raises(OSError, match=r"a\.jpg|directory|folder"):
        await pair.picture.download(folder / "a.jpg")
    assert pair.governor.in_flight == 0
    assert await leftovers.are_gone_from(folder, but={"a.jpg"})


@pytest.mark.parametrize(
    "target", ["Path(sys.argv[1])", 'open(sys.argv[1], "ab", buffering=0)']
)
def test_a_full_disk_is_an_oserror_and_leaves_what_was_there(
    tmp_path: Path, target: str
):
    """In a process of its own, whose files may not grow beyond a limit."""
    program = f"""
        import asyncio, resource, signal, sys
        from pathlib import Path
        from bcpicture import BusinessCentral, Endpoint, StaticToken
        from bcpicture.emulator import Emulator

        target = {target}

        async def main():
            async with Emulator() as server:
                token = StaticToken(server.identity.token())
                item = server.store.company("CRONUS USA, Inc.").item("1896-S")
                await asyncio.to_thread(item.set_picture, bytes(3_000_000))
                endpoint = Endpoint.at(server.base_urls["v2.0"])
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, -1))
                async with BusinessCentral(endpoint, token) as bc:
                    item = bc.company("CRONUS USA, Inc.").item(number="1896-S")
                    try:
                        await item.picture.download(target)
                    except OSError as exc:
                        print(type(exc).__name__, exc.errno)

        asyncio.run(main())
    """
    path = tmp_path / "a.jpg"
    path.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program), str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "OSError 27\n", done.stderr
    assert path.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]
