"""A shop on the web: an emulator, one client, buffers, and two real web frameworks."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp.web
import attrs
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from bcpicture import (
    BcPictureError,
    BusinessCentral,
    ClientSecret,
    Endpoint,
    PictureHandle,
    Quota,
    RetryPolicy,
    web,
)
from bcpicture.emulator import Emulator
from bcpicture.net.governor import Governor

Option: TypeAlias = Any  # of any type: a keyword that is passed on

COMPANY = "CRONUS USA, Inc."
ITEM = "1896-S"


async def eventually(condition: Callable[[], bool]) -> bool:
    """Whether *condition* becomes true; a busy machine has its time for it."""
    for _ in range(2000):
        if condition():
            return True
        await asyncio.sleep(0.005)
    return False


def open_files() -> list[str]:
    """What the process has open, temporary files with their names of old."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(str(link.readlink()))
    return found


@attrs.define
class Shop:
    """A Business Central, an open client, and buffers for visitors."""

    server: Emulator
    bc: BusinessCentral
    buffers: web.Buffers

    def picture(
        self, number: str = ITEM, *, through: BusinessCentral | None = None
    ) -> PictureHandle:
        return (through or self.bc).company(COMPANY).item(number=number).picture

    @property
    def pictures_asked_for(self) -> list[str]:
        """Addresses of the bytes that the service was asked for."""
        return [one.target for one in self.server.log if "Content" in one.target]

    def store(self, data: bytes | None, number: str = ITEM) -> None:
        self.server.store.company(COMPANY).item(number).set_picture(data)

    async def serve(self, **options: Option) -> web.Served:
        return await web.serve(self.picture(), **{"buffers": self.buffers} | options)

    async def warm_up(self) -> None:
        """Learn ids and obtain a token, so that one picture is one request."""
        await self.picture().info()
        self.server.log.clear()

    @property
    def governor(self) -> Governor:
        governor = self.bc._opened().session.lanes.members[0].governor
        assert governor is not None
        return governor

    @property
    def places(self) -> int:
        """Places at the service that are taken, or waited for."""
        return self.governor.in_flight + self.governor.waiting

    @property
    def connections(self) -> int:
        """Connections to the service that are in use."""
        connector = self.bc._opened().session.transport.http.connector
        assert connector is not None
        return len(connector._acquired)

    @property
    def buffered(self) -> int:
        """Bytes that are kept for visitors."""
        buffers = self.buffers
        left = buffers.memory_left + buffers.disk_left
        return buffers.memory + buffers.disk - left

    @property
    def temporary_files(self) -> int:
        folder = os.fspath(self.buffers.folder or "/tmp")
        return len([name for name in open_files() if name.startswith(folder)])

    async def has_connections(self, number: int) -> bool:
        """Whether so many requests are under way, as soon as they are."""
        return await eventually(lambda: self.connections == number)

    async def has_places(self, number: int) -> bool:
        """Whether so many places are taken or waited for, as soon as they are."""
        return await eventually(lambda: self.places == number)

    async def has_temporary_files(self, number: int) -> bool:
        """Whether there are so many, as soon as there are."""
        return await eventually(lambda: self.temporary_files == number)

    async def is_forgotten(self) -> bool:
        """Whether nothing is kept for visitors to come, as soon as that is so."""
        return await eventually(lambda: not self.buffers._flights._flights)

    async def is_free(self) -> bool:
        """Whether nothing of the service is held any more, once what ends has ended."""
        return await eventually(lambda: (self.places, self.connections) == (0, 0))

    async def has_taken_in(self, size: int) -> bool:
        """Whether so many bytes wait for visitors, and none is still to come."""
        return await eventually(lambda: (self.places, self.buffered) == (0, size))

    async def is_idle(self) -> bool:
        """Whether nothing is held for anybody any more, once what ends has ended."""
        return await eventually(
            lambda: (
                (self.places, self.connections, self.buffered, self.temporary_files)
                == (0, 0, 0, 0)
            )
        )


@asynccontextmanager
async def _opened(
    folder: str, server: dict[str, Any] | None = None, **options: Option
) -> AsyncIterator[Shop]:
    buffers = web.Buffers(**{"folder": folder} | options.pop("buffers", {}))
    async with Emulator(**(server or {})) as emulator:
        credential = ClientSecret(
            client_id=emulator.client_id,
            client_secret=emulator.client_secret,
            token_url=emulator.token_url,
        )
        chosen = {
            "retries": RetryPolicy(base=0.0, cap=0.0),
            "quota": Quota(concurrent=5, requests=1_000_000, seconds=0.06),
        } | options
        endpoint = Endpoint.at(emulator.base_urls["v2.0"])
        async with BusinessCentral(endpoint, credential, **chosen) as bc:
            shop = Shop(emulator, bc, buffers)
            await shop.warm_up()
            yield shop


@pytest.fixture(autouse=True)
async def nothing_is_left() -> AsyncIterator[None]:
    """Nobody dies unseen, and neither tasks nor files nor sockets stay behind."""
    loop = asyncio.get_running_loop()
    told: list[str] = []
    loop.set_exception_handler(lambda _, context: told.append(str(context)))
    tasks: set[Any] = asyncio.all_tasks()
    files = len(open_files())
    yield
    tasks |= {asyncio.current_task()}
    assert await eventually(lambda: asyncio.all_tasks() <= tasks)
    assert await eventually(lambda: len(open_files()) <= files), open_files()
    loop.set_exception_handler(None)
    assert not told


@pytest.fixture
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Opens a shop, with options of the test's own."""
    folder = str(tmp_path_factory.mktemp("bodies"))
    return lambda *given, **options: _opened(folder, *given, **options)


@pytest.fixture
async def shop(opened: Callable[..., Any]) -> AsyncIterator[Shop]:
    """A shop with the usual options."""
    async with opened() as it:
        yield it


# -- the sites, written as a user would


def with_fastapi(shop: Shop) -> FastAPI:
    app = FastAPI()

    @app.api_route("/{number}", methods=["GET", "HEAD"])
    async def show(number: str, request: Request) -> Response:
        served = await web.serve(
            shop.picture(number),
            method=request.method,
            if_none_match=request.headers.get("If-None-Match"),
            name=number,
            buffers=shop.buffers,
        )
        return StreamingResponse(served, served.status, served.headers)

    @app.put("/{number}")
    async def store(number: str, request: Request) -> Response:
        try:
            await shop.picture(number).upload(request.stream())
        except BcPictureError as error:
            served = web.refuse(error)
            return StreamingResponse(served, served.status, served.headers)
        return Response(status_code=204)

    return app


def with_aiohttp(shop: Shop) -> aiohttp.web.Application:
    routes = aiohttp.web.RouteTableDef()

    @routes.get("/{number}")
    async def show(request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
        served = await web.serve(
            shop.picture(request.match_info["number"]),
            method=request.method,
            if_none_match=request.headers.get("If-None-Match"),
            name=request.match_info["number"],
            buffers=shop.buffers,
        )
        async with served:
            response = aiohttp.web.StreamResponse(
                status=served.status, headers=served.headers
            )
            await response.prepare(request)
            async for chunk in served:
                await response.write(chunk)
        return response

    @routes.put("/{number}")
    async def store(request: aiohttp.web.Request) -> aiohttp.web.Response:
        picture = shop.picture(request.match_info["number"])
        try:
            await picture.upload(request.content)
        except BcPictureError as error:
            served = web.refuse(error)
            return aiohttp.web.Response(
                body=served, status=served.status, headers=served.headers
            )
        return aiohttp.web.Response(status=204)

    app = aiohttp.web.Application(client_max_size=1 << 30)
    app.add_routes(routes)
    return app


@asynccontextmanager
async def on_uvicorn(shop: Shop) -> AsyncIterator[int]:
    config = uvicorn.Config(with_fastapi(shop), port=0, log_level="critical")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    assert await eventually(lambda: server.started)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def on_aiohttp(shop: Shop) -> AsyncIterator[int]:
    runner = aiohttp.web.AppRunner(
        with_aiohttp(shop), access_log=None, shutdown_timeout=1.0
    )
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@attrs.define
class Site:
    """A web server before a shop, and its visitors."""

    shop: Shop
    port: int

    def url(self, number: str = ITEM) -> str:
        return f"http://127.0.0.1:{self.port}/{number}"

    @asynccontextmanager
    async def visit(self, number: str = ITEM, verb: str = "GET") -> AsyncIterator[Any]:
        """A visitor that has sent a request, and reads as little as it likes."""
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
        plain.setblocking(False)  # noqa: FBT003 - the library's own signature
        await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", self.port))
        reader, writer = await asyncio.open_connection(sock=plain, limit=1 << 12)
        writer.write(f"{verb} /{number} HTTP/1.1\r\nHost: shop\r\n\r\n".encode())
        try:
            yield reader
        finally:
            writer.transport.abort()


@pytest.fixture(params=[on_uvicorn, on_aiohttp], ids=["fastapi", "aiohttp"])
async def site(request: pytest.FixtureRequest, shop: Shop) -> AsyncIterator[Site]:
    """A site on each of the frameworks in turn."""
    async with request.param(shop) as port:
        yield Site(shop, port)
