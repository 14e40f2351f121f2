"""A huge download into each kind of target: memory, stalls of the loop, and speed.

Each kind has a process of its own. What counts is how far the peak of its resident
memory rises beyond the bytes that the caller holds, and how late a timer on the same
event loop was at worst, without the time in which the processor was somebody else's
(the kernel tells it, and the note has both). Speed is told next to what a careful
person writes with aiohttp alone, in turns; to a path, both flush to disk and rename.
"""

import argparse
import asyncio
import hashlib
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

import aiohttp
import anyio
import attrs
from obstore.store import LocalStore
from strain import begin_anew, figures, watched
from table import Figure, show
from yardstick import COMPANY, HUGE, LARGE, MB, SIZES, SMALL, NoNginxError, yardstick

from bcpicture import BusinessCentral, ClientSecret, Endpoint, PictureHandle
from bcpicture.cloud import CloudObject
from bcpicture.net import parts
from bcpicture.net.parts import PartFile

Save = Callable[[PictureHandle, Path], Awaitable[str]]
Bare = Callable[[aiohttp.ClientResponse, Path], Awaitable[object]]


# -- ours: each saves the picture and tells its digest


def digest_of(path: Path) -> str:
    """SHA-256 of what was saved: in memory, or in a file; empty if it was nowhere."""
    if HELD:
        return hashlib.sha256(HELD["bytes"]).hexdigest()
    if not path.exists():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def to_path(picture: PictureHandle, path: Path) -> str:
    """Under a name, in one step."""
    await picture.download(path)
    return ""


async def to_file(picture: PictureHandle, path: Path) -> str:
    """Into a file object."""
    with path.open("wb") as file:
        await picture.download(file)
    return ""


async def to_async_file(picture: PictureHandle, path: Path) -> str:
    """Into a file object that is awaited."""
    async with await anyio.open_file(path, "wb") as file:
        await picture.download(file)
    return ""


async def to_held_file(picture: PictureHandle, path: Path) -> str:
    """Into a file object that must not be touched for some bytes."""
    with path.open("wb") as file:
        return (await picture.download(file, unless="0" * 64)).sha256 or ""


async def to_digest(picture: PictureHandle, path: Path) -> str:
    """Under a name, with its digest."""
    return (await picture.download(path, digest=True)).sha256 or ""


async def to_object(picture: PictureHandle, path: Path) -> str:
    """Into an object of a store, which is a folder."""
    await picture.download(CloudObject(LocalStore(path.parent), path.name))
    return ""


class SlowFile(io.RawIOBase):
    """A file on a disk that takes 20 ms for each write, which blocks its thread."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: memoryview) -> int:
        """Take all of it, slowly."""
        time.sleep(0.02)
        self.sha256.update(data)
        return len(data)


async def to_slow_file(picture: PictureHandle, path: Path) -> str:
    """Into a file object on a slow disk."""
    del path
    file = SlowFile()
    await picture.download(file)
    return file.sha256.hexdigest()


class SlowPart(PartFile):
    """A temporary neighbour on a disk of that kind."""

    def write(self, *chunks: bytes) -> None:
        """Append *chunks*, slowly."""
        time.sleep(0.02)
        super().write(*chunks)


async def to_slow_path(picture: PictureHandle, path: Path) -> str:
    """Under a name on a slow disk."""
    original, parts.PartFile = parts.PartFile, SlowPart
    try:
        await picture.download(path)
    finally:
        parts.PartFile = original
    return ""


async def to_bytes(picture: PictureHandle, path: Path) -> str:
    """Into memory."""
    HELD["bytes"] = await picture.read(max_bytes=SIZES[HUGE])
    del path
    return ""


async def to_stream(picture: PictureHandle, path: Path) -> str:
    """Through a stream."""
    del path
    found = hashlib.sha256()
    async with picture.open() as stream:
        async for chunk in stream:
            found.update(chunk)
    return found.hexdigest()


HELD: dict[str, bytes] = {}
"""What the caller holds."""

SAVES: dict[str, Save] = {
    "path": to_path,
    "path, with digest": to_digest,
    "path on a slow disk": to_slow_path,
    "file": to_file,
    "file, held back": to_held_file,
    "file on a slow disk": to_slow_file,
    "async file": to_async_file,
    "object in a store": to_object,
    "bytes": to_bytes,
    "stream": to_stream,
}


# -- bare aiohttp


async def bare_path(reply: aiohttp.ClientResponse, path: Path) -> None:
    """The same promise: whole or not at all, and on the disk."""
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        async for chunk in reply.content.iter_any():
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


async def bare_file(reply: aiohttp.ClientResponse, path: Path) -> None:
    """On the loop, as most people write it."""
    with path.open("wb") as file:
        async for chunk in reply.content.iter_any():
            file.write(chunk)


async def bare_bytes(reply: aiohttp.ClientResponse, path: Path) -> None:
    """All at once."""
    del path
    HELD["bytes"] = await reply.read()


BARE: dict[str, Bare] = {"path": bare_path, "file": bare_file, "bytes": bare_bytes}


# -- what a process of its own measures


def forget(path: Path) -> None:
    """Let go of what an earlier turn saved."""
    HELD.clear()
    path.unlink(missing_ok=True)
    begin_anew()


async def measure(kind: str, base: str, item: str, pairs: int) -> dict[str, object]:
    """All that is asked about one kind of target."""
    token_url = base.partition("/v2.0")[0] + "/yardstick/oauth2/v2.0/token"
    credential = ClientSecret(client_id="a", client_secret="b", token_url=token_url)
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "target")
        async with (
            BusinessCentral(Endpoint.at(base), credential) as bc,
            aiohttp.ClientSession() as session,
        ):
            company = bc.company(COMPANY)
            for _ in range(5):
                await SAVES[kind](company.item(SMALL).picture, path)
            picture = company.item(item).picture
            HELD.clear()
            async with watched(found, lambda: sum(map(len, HELD.values()))):
                digest = await SAVES[kind](picture, path)
            saved = await asyncio.to_thread(digest_of, path)
            ratios = [
                await one_pair(kind, picture, session, path, ours_first=number % 2 > 0)
                for number in range(pairs if kind in BARE else 0)
            ]
    if digest and saved and digest != saved:
        raise RuntimeError(f"{kind}: the digest told is not the one on the disk")
    digest = digest or saved
    return {"digest": digest, "ratio": median(ratios) if ratios else None, **found}


async def one_pair(
    kind: str,
    picture: PictureHandle,
    session: aiohttp.ClientSession,
    path: Path,
    *,
    ours_first: bool,
) -> float:
    """Bare aiohttp's seconds over ours."""

    async def theirs() -> None:
        url = BASE["content"]
        headers = {"Authorization": "Bearer t"}
        async with session.get(url, headers=headers) as reply:
            reply.raise_for_status()
            await BARE[kind](reply, path)

    async def ours() -> None:
        await SAVES[kind](picture, path)

    spent = {}
    for work in (ours, theirs) if ours_first else (theirs, ours):
        forget(path)
        start = time.perf_counter()
        await work()
        spent[work] = time.perf_counter() - start
    return spent[theirs] / spent[ours]


BASE: dict[str, str] = {}
"""The picture's address, for bare aiohttp."""


# -- the table


@attrs.frozen(kw_only=True)
class Place:
    """Where the picture is."""

    base: str
    """Of the API."""

    content: str
    """Of its bytes."""

    item: str
    """Whose it is."""

    pairs: int
    """How often both take their turn."""


def expected(item: str) -> str:
    """The digest that every target should have."""
    found, megabyte = hashlib.sha256(), random.Random(0).randbytes(MB)
    for _ in range(SIZES[item] // MB):
        found.update(megabyte)
    return found.hexdigest()


def measured(kind: str, place: Place) -> list[Figure]:
    """What one kind of target came to."""
    arguments = (kind, *map(str, attrs.astuple(place)))
    command = [sys.executable, __file__, "--kind", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{done.stdout}\n{done.stderr}")
    told = json.loads(done.stdout)
    if told["digest"] != expected(place.item):
        raise RuntimeError(f"{kind}: other bytes than were sent")
    return figures(kind, told)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument("--kind", nargs=5, help="one target, for the process itself")
    given = parser.parse_args()
    if given.kind:
        kind, base, BASE["content"], item, pairs = given.kind
        print(json.dumps(asyncio.run(measure(kind, base, item, int(pairs)))))
        return 0
    item, pairs = (LARGE, 1) if given.quick else (HUGE, 7)
    try:
        with yardstick(SMALL, item) as server:
            place = Place(
                base=server.base, content=server.content(item), item=item, pairs=pairs
            )
            found = [figure for kind in SAVES for figure in measured(kind, place)]
    except NoNginxError as exc:
        print(exc, file=sys.stderr)
        return 2
    size = SIZES[item] // MB
    return show(f"A download of {size} MB into each kind of target", found)


if __name__ == "__main__":
    sys.exit(main())
