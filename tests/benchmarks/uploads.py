"""A huge upload from each kind of source: memory, stalls of the loop, and speed.

Each kind has a process of its own. What counts is how far the peak of its resident
memory rises beyond the bytes that the caller holds, how late a timer on the same event
loop was at worst, and whether the server has the bytes. Speed is told next to bare
aiohttp with `data=open(...)`, in turns.
"""

import argparse
import asyncio
import hashlib
import io
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from statistics import median

import aiohttp
import anyio
import obstore
from obstore.store import MemoryStore
from strain import begin_anew, figures, watched
from table import Figure, show
from yardstick import (
    COMPANY,
    HUGE,
    LARGE,
    MB,
    SIZES,
    SMALL,
    NoNginxError,
    Yardstick,
    yardstick,
)

from bcpicture import BusinessCentral, ClientSecret, Endpoint, PictureHandle
from bcpicture.cloud import CloudObject

Upload = Callable[[PictureHandle], Awaitable[object]]
CHUNK = 64 * 1024


class SlowFile(io.FileIO):
    """A file on a disk that takes 20 ms for each read, which blocks its thread."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, slowly."""
        time.sleep(0.02)
        return super().read(size) or b""


def slowly(path: Path) -> Iterator[bytes]:
    """A slow disk behind an iterator, a megabyte a step."""
    with SlowFile(path) as file:
        while chunk := file.read(MB):
            yield chunk


def pieces(path: Path, size: int = CHUNK) -> Iterator[bytes]:
    """The file, chunk by chunk."""
    with path.open("rb") as file:
        while chunk := file.read(size):
            yield chunk


def chunks(path: Path) -> AsyncIterator[bytes]:
    """The same, without a thread: the chunks come from memory."""
    with path.open("rb") as file:
        return repeated(file.read(MB), path.stat().st_size // MB)


async def repeated(megabyte: bytes, times: int) -> AsyncIterator[bytes]:
    """A file of which all megabytes are alike."""
    for _ in range(times):
        for start in range(0, MB, CHUNK):
            yield megabyte[start : start + CHUNK]
        await asyncio.sleep(0)


# -- each makes, of the file, what uploads it as one kind of source


def from_bytes(path: Path) -> Upload:
    """From memory."""
    data = path.read_bytes()
    return lambda picture: picture.upload(data, preflight=False)


def from_path(path: Path) -> Upload:
    """By its name."""
    return lambda picture: picture.upload(path, preflight=False)


def from_path_with_digest(path: Path) -> Upload:
    """By its name, hashed on its way."""
    return lambda picture: picture.upload(path, digest=True, preflight=False)


def from_path_with_progress(path: Path) -> Upload:
    """By its name, and the caller is told."""
    return lambda picture: picture.upload(path, progress=str, preflight=False)


def from_file(path: Path) -> Upload:
    """As a file object."""

    async def upload(picture: PictureHandle) -> None:
        with path.open("rb") as file:
            await picture.upload(file, preflight=False)

    return upload


def from_slow_file(path: Path) -> Upload:
    """As a file object on a slow disk."""

    async def upload(picture: PictureHandle) -> None:
        with SlowFile(path) as file:
            await picture.upload(file, preflight=False)

    return upload


def from_async_file(path: Path) -> Upload:
    """As a file object that is awaited."""

    async def upload(picture: PictureHandle) -> None:
        async with await anyio.open_file(path, "rb") as file:
            await picture.upload(file, preflight=False)

    return upload


def from_bucket(path: Path) -> Upload:
    """As an object in memory."""
    store = MemoryStore()
    with path.open("rb") as file:
        obstore.put(store, "picture", file, use_multipart=False)
    return lambda picture: picture.upload(
        CloudObject(store, "picture"), preflight=False
    )


def from_folder(path: Path) -> Upload:
    """As an object in a folder."""
    source = CloudObject.at(path.as_uri())
    return lambda picture: picture.upload(source, preflight=False)


def once(make: Callable[[Path], object], path: Path) -> Upload:
    """As a stream that is sent as it comes."""
    size = path.stat().st_size
    return lambda picture: picture.upload(
        make(path), spool=False, length=size, preflight=False
    )


def spooled(make: Callable[[Path], object], path: Path) -> Upload:
    """As a stream that is spooled first."""
    return lambda picture: picture.upload(make(path), preflight=False)


def factory(make: Callable[[Path], object], path: Path) -> Upload:
    """As a function that opens it."""
    size = path.stat().st_size
    return lambda picture: picture.upload(
        partial(make, path), length=size, preflight=False
    )


KINDS: dict[str, Callable[[Path], Upload]] = {
    "bytes": from_bytes,
    "path": from_path,
    "path, with digest": from_path_with_digest,
    "path, with progress": from_path_with_progress,
    "file": from_file,
    "file on a slow disk": from_slow_file,
    "async file": from_async_file,
    "iterable": partial(spooled, pieces),
    "iterable of 1 KB chunks": partial(spooled, partial(pieces, size=1024)),
    "iterable on a slow disk": partial(spooled, slowly),
    "async iterable": partial(spooled, chunks),
    "iterable, sent once": partial(once, pieces),
    "async iterable, sent once": partial(once, chunks),
    "factory of files": partial(factory, partial(Path.open, mode="rb")),
    "factory of iterables": partial(factory, pieces),
    "bucket in memory": from_bucket,
    "bucket in a folder": from_folder,
}

QUICK = ("path", "iterable", "factory of iterables", "bucket in memory")
"""Those that show that it works."""

COMPARED = ("bytes", "path", "file")
"""Those that are held to the speed of bare aiohttp."""


# -- what a process of its own measures


class Server:
    """The yardstick, seen from that process."""

    def __init__(self, content: str, item: str, folder: str) -> None:
        self.content = content
        self.base = content.partition("/companies")[0]
        self.token_url = f"{content.partition('/v2.0')[0]}/yardstick/oauth2/v2.0/token"
        self.item = item
        self.source = Path(folder, "pictures", item)
        self._bodies = Path(folder, "bodies")

    def taken(self) -> str:
        """The digest of the one upload that arrived, which is removed."""
        found = ""
        for path in self._bodies.iterdir():
            with path.open("rb") as file:
                found += hashlib.file_digest(file, "sha256").hexdigest()
            path.unlink()
        return found

    def clear(self) -> None:
        """Remove what arrived."""
        for path in self._bodies.iterdir():
            path.unlink()


@asynccontextmanager
async def opened(server: Server) -> AsyncIterator[PictureHandle]:
    """The picture, in a client that has a token and is warm."""
    credential = ClientSecret(
        client_id="a", client_secret="b", token_url=server.token_url
    )
    async with BusinessCentral(Endpoint.at(server.base), credential) as bc:
        company = bc.company(COMPANY)
        for _ in range(5):
            await company.item(SMALL).picture.upload(
                iter([bytes(MB // 2)] * 5), preflight=False
            )
        yield company.item(server.item).picture


async def measure(kind: str, server: Server, pairs: int) -> dict[str, object]:
    """All that is asked about one kind of source."""
    found: dict[str, float] = {}
    upload = KINDS[kind](server.source)
    async with opened(server) as picture, aiohttp.ClientSession() as session:
        server.clear()
        async with watched(found):
            await upload(picture)
        digest = await asyncio.to_thread(server.taken)
        works = partial(upload, picture), partial(bare, session, server)
        ratios = [
            await one_pair(*works, server, ours_first=number % 2 > 0)
            for number in range(pairs if kind in COMPARED else 0)
        ]
    return {"digest": digest, "ratio": median(ratios) if ratios else None, **found}


async def bare(session: aiohttp.ClientSession, server: Server) -> None:
    """What a careful person writes with aiohttp alone."""
    headers = {
        "Authorization": "Bearer t",
        "If-Match": "*",
        "Content-Type": "application/octet-stream",
    }
    with server.source.open("rb") as file:
        async with session.patch(server.content, data=file, headers=headers) as reply:
            reply.raise_for_status()
            await reply.read()


async def one_pair(
    ours: Callable[[], Awaitable[object]],
    theirs: Callable[[], Awaitable[object]],
    server: Server,
    *,
    ours_first: bool,
) -> float:
    """Bare aiohttp's seconds over ours."""
    spent = {}
    for work in (ours, theirs) if ours_first else (theirs, ours):
        begin_anew()
        start = time.perf_counter()
        await work()
        spent[work] = time.perf_counter() - start
        server.clear()
    return spent[theirs] / spent[ours]


# -- the table


def measured(kind: str, server: Yardstick, item: str, pairs: int) -> list[Figure]:
    """What one kind of source came to."""
    arguments = (kind, server.content(item), item, str(server.folder), str(pairs))
    command = [sys.executable, __file__, "--kind", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{done.stdout}\n{done.stderr}")
    told = json.loads(done.stdout)
    with Path(server.folder, "pictures", item).open("rb") as file:
        if told["digest"] != hashlib.file_digest(file, "sha256").hexdigest():
            raise RuntimeError(f"{kind}: other bytes arrived than were sent")
    return figures(kind, told)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument("--kind", nargs=5, help="one source, for the process itself")
    given = parser.parse_args()
    if given.kind:
        kind, *server, pairs = given.kind
        print(json.dumps(asyncio.run(measure(kind, Server(*server), int(pairs)))))
        return 0
    item, pairs, kinds = HUGE, 7, tuple(KINDS)
    if given.quick:
        item, pairs, kinds = LARGE, 1, QUICK
    try:
        with yardstick(SMALL, item, keep=True) as server:
            found = [it for kind in kinds for it in measured(kind, server, item, pairs)]
    except NoNginxError as exc:
        print(exc, file=sys.stderr)
        return 2
    size = SIZES[item] // MB
    return show(f"An upload of {size} MB from each kind of source", found)


if __name__ == "__main__":
    sys.exit(main())
