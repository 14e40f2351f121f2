"""Two kinds of server: the emulator, and ones that are written by hand."""

from __future__ import annotations

import asyncio
import gc
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
import attrs
import pytest

from bcpicture import (
    BusinessCentral,
    ClientSecret,
    Endpoint,
    Quota,
    RetryPolicy,
    StaticToken,
)
from bcpicture.emulator import Emulator, ThreadedEmulator
from bcpicture.net.governor import Governor
from bcpicture.net.session import Session
from bcpicture.resources.pictures import PictureHandle

Option: TypeAlias = Any  # of any type: a keyword that is passed on

COMPANY = "CRONUS USA, Inc."
COMPANY_ID = "0e3c5f10-0000-4000-8000-000000000001"
ITEM_ID = "0e3c5f10-0000-4000-8000-000000000002"

AT_ONCE = RetryPolicy(base=0.0, cap=0.0)
"""As often as usual, but without waiting in between."""

NO_PAUSE = Quota(concurrent=5, requests=1_000_000, seconds=0.06)
"""Its window is so short that a pause after a refusal takes a millisecond."""


async def eventually(condition: Callable[[], bool]) -> bool:
    """Whether *condition* becomes true; a busy machine has its time for it."""
    for _ in range(2000):
        if condition():
            return True
        await asyncio.sleep(0.005)
    return False


@pytest.fixture(autouse=True)
async def nothing_is_left_unsaid() -> AsyncIterator[None]:
    """No task and no future of the test dies with an exception that nobody saw."""
    told: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(str(context)))
    yield
    loop.set_exception_handler(None)
    assert not told


# -- the emulator


@asynccontextmanager
async def _connected(
    server: Emulator, *, api: str = "v2.0", **options: Option
) -> AsyncIterator[BusinessCentral]:
    credential = options.pop("credential", None) or ClientSecret(
        client_id=server.client_id,
        client_secret=server.client_secret,
        token_url=server.token_url,
    )
    chosen = {"retries": AT_ONCE, "quota": NO_PAUSE} | options
    endpoint = Endpoint.at(server.base_urls[api])
    async with BusinessCentral(endpoint, credential, **chosen) as bc:
        yield bc


@pytest.fixture
def connected() -> Callable[..., Any]:
    """Opens a client of an emulator; retries wait for nothing."""
    return _connected


def picture_in(bc: BusinessCentral) -> PictureHandle:
    return bc.company(COMPANY).item(number="1896-S").picture


@attrs.define
class Pair:
    """An emulator, an open client of it, and one of its pictures."""

    server: Emulator
    bc: BusinessCentral
    options: dict[str, Any] = attrs.field(factory=dict)
    """For further clients."""

    @property
    def picture(self) -> PictureHandle:
        return picture_in(self.bc)

    @property
    def stored(self) -> bytes | None:
        """What the emulator has got of it."""
        record = self.server.store.company(COMPANY).item("1896-S")
        with ThreadPoolExecutor(1) as thread:  # a large one is read from the disk
            return thread.submit(record.picture_bytes).result()

    @stored.setter
    def stored(self, data: bytes | None) -> None:
        self.server.store.company(COMPANY).item("1896-S").set_picture(data)

    @property
    def governor(self) -> Governor:
        governor = self.session.lanes.members[0].governor
        assert governor is not None
        return governor

    @property
    def session(self) -> Session:
        return self.bc._opened().session

    @property
    def http(self) -> aiohttp.ClientSession:
        """The client's aiohttp session."""
        return self.session.transport.http

    def seen(self, method: str = "", path: str = "") -> list[Any]:
        """The requests that the emulator saw."""
        return [
            one
            for one in self.server.log
            if one.method.startswith(method) and path in one.target
        ]

    @asynccontextmanager
    async def known_as(
        self, credential: object, **options: Option
    ) -> AsyncIterator[PictureHandle]:
        """The same picture, in another client of the same emulator."""
        chosen = self.options | options | {"credential": credential}
        async with _connected(self.server, **chosen) as bc:
            yield picture_in(bc)

    async def has_seen(self, method: str = "", path: str = "") -> None:
        """Wait until the emulator has seen such a request."""
        assert await eventually(lambda: bool(self.seen(method, path)))

    async def has_seen_more_than(self, requests: int) -> None:
        """Wait until the emulator has seen more requests than so many."""
        assert await eventually(lambda: len(self.server.log) > requests)

    async def warm_up(self) -> None:
        """Obtain a token, and learn the ids, so that one call is one request."""
        await self.picture.info()
        self.server.log.clear()


@asynccontextmanager
async def _paired(
    server_options: dict[str, Any] | None = None, **options: Option
) -> AsyncIterator[Pair]:
    async with (
        Emulator(**(server_options or {})) as server,
        _connected(server, **options) as bc,
    ):
        yield Pair(server, bc)


@asynccontextmanager
async def _parted(**options: Option) -> AsyncIterator[Pair]:
    threaded = ThreadedEmulator()
    server = await asyncio.to_thread(threaded.__enter__)
    try:
        async with _connected(server, **options) as bc:
            yield Pair(server, bc)
    finally:
        await asyncio.to_thread(threaded.__exit__, None, None, None)


@pytest.fixture
def parted() -> Callable[..., Any]:
    """The same, but the emulator has a thread of its own, and so have its tasks."""
    return _parted


@pytest.fixture
def paired() -> Callable[..., Any]:
    """Starts an emulator and a client of it, with options of the test's own."""
    return _paired


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    """An emulator and a client, which knows the ids and has a token already."""
    async with _paired() as it:
        await it.warm_up()
        yield it


# -- servers that are written by hand


@attrs.define
class Peer:
    """A client's connection, as a server sees it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    server: RawServer

    async def head(self) -> str:
        """The head of the next request; empty when the client hung up."""
        try:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        except (asyncio.IncompleteReadError, ConnectionError):
            return ""
        self.server.heads.append(head)
        return head

    async def body(self, head: str) -> bytes:
        """The body of the request with that head."""
        length = header(head, "content-length")
        body = await self.reader.readexactly(int(length or 0))
        self.server.bodies.append(body)
        return body

    async def asked(self) -> str:
        """The head of the next request, whose body has been read too."""
        if head := await self.head():
            await self.body(head)
        return head

    async def answer(
        self, status: int = 200, body: bytes = b"", *, headers: str = ""
    ) -> None:
        """Send a proper reply."""
        body = b"" if status == 204 else body
        length = "" if status == 204 else f"Content-Length: {len(body)}\r\n"
        self.writer.write(f"HTTP/1.1 {status} X\r\n{length}{headers}\r\n".encode())
        self.writer.write(body)
        await self.writer.drain()

    async def say(self, text: bytes) -> None:
        """Send just these bytes."""
        self.writer.write(text)
        await self.writer.drain()

    def reset(self) -> None:
        """End the connection by a reset."""
        plain = self.writer.get_extra_info("socket")
        linger = struct.pack("ii", 1, 0)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()


Talk = Callable[[Peer], Awaitable[None]]


def header(head: str, name: str) -> str | None:
    """The value of a header in a request's head."""
    for line in head.splitlines()[1:]:
        key, _, value = line.partition(":")
        if key.lower() == name.lower():
            return value.strip()
    return None


@attrs.define
class RawServer:
    """A server on loopback that says what a test says."""

    talk: Talk
    heads: list[str] = attrs.field(factory=list)
    bodies: list[bytes] = attrs.field(factory=list)
    connections: int = 0
    open: int = 0
    url: str = ""

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        self.open += 1
        try:
            await self.talk(Peer(reader, writer, self))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client hung up, or the test is over
        finally:
            self.open -= 1
            writer.close()

    def client(self, **options: Option) -> BusinessCentral:
        """A client of it, which needs no token request."""
        chosen = {"retries": AT_ONCE, "quota": NO_PAUSE} | options
        endpoint = Endpoint.at(f"{self.url}/api/v2.0")
        return BusinessCentral(endpoint, StaticToken("raw-token"), **chosen)

    @asynccontextmanager
    async def picture(self, **options: Option) -> AsyncIterator[PictureHandle]:
        """A picture in an open client; one call is one request."""
        async with self.client(**options) as bc:
            yield bc.company(COMPANY_ID).item(ITEM_ID).picture


@asynccontextmanager
async def _raw(talk: Talk) -> AsyncIterator[RawServer]:
    raw = RawServer(talk)
    listening = await asyncio.start_server(raw.serve, "127.0.0.1", 0, limit=1 << 20)
    host, port = listening.sockets[0].getsockname()[:2]
    raw.url = f"http://{host}:{port}"
    before = asyncio.all_tasks()
    try:
        yield raw
    finally:
        listening.close()
        for task in asyncio.all_tasks() - before:
            if task.get_coro().__qualname__ == "RawServer.serve":
                task.cancel()
        await asyncio.sleep(0)


@pytest.fixture
def raw() -> Callable[[Talk], Any]:
    """Starts a server that talks as a function of the test says."""
    return _raw


# -- what must not be left behind


@attrs.define
class Leftovers:
    """Tasks and sockets that were not there at the start."""

    tasks: set[asyncio.Task[Any]] = attrs.field(factory=asyncio.all_tasks)

    async def are_gone(self, condition: Callable[[], bool] = lambda: True) -> bool:
        """Whether nothing is left, once what ends anyway has ended."""

        def gone() -> bool:
            if not self._new_tasks() and condition():
                return True
            gc.collect()  # what was dropped may hang in a cancellation's traceback
            return False

        return await eventually(gone)

    async def are_gone_from(
        self, folder: Path, *, but: frozenset[str] = frozenset()
    ) -> bool:
        """Whether no file is left in *folder*, once what is removed is removed."""
        return await eventually(
            lambda: (
                not folder.exists()
                or not [one for one in folder.iterdir() if one.name not in but]
            )
        )

    def _new_tasks(self) -> set[Any]:
        return asyncio.all_tasks() - self.tasks - {asyncio.current_task()}


@pytest.fixture
async def leftovers() -> Leftovers:
    """What was there at the start of the test."""
    return Leftovers()
