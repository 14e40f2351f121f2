"""A stream is released by whoever had it, however he forgets it."""

from __future__ import annotations

import asyncio
import gc
import os
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from bcpicture import (
    ClosedError,
    PictureStream,
    StalledError,
    Timeouts,
)

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Paired: TypeAlias = Callable[..., Any]
Raw: TypeAlias = Callable[..., Any]
Peer: TypeAlias = Any

SMALL = os.urandom(20_000)
LARGE = os.urandom(3_000_000)


@pytest.mark.parametrize("read", [0, 1])
async def test_a_stream_that_its_owner_forgets_is_closed(paired: Paired, read: int):
    """It may be kept for ever, in a list of visitors that went to sleep, say."""
    async with paired(timeouts=Timeouts(idle=0.1)) as pair:
        pair.stored = LARGE
        await pair.warm_up()
        stream = await pair.picture.open()
        for _ in range(read):
            await anext(stream)
        assert pair.governor.in_flight == 1
        assert await eventually(lambda: pair.governor.in_flight == 0)
        for _ in range(2):
            with pytest.raises(StalledError, match=r"0\.1 seconds.*Timeouts\.idle"):
                await anext(stream)
        await stream.aclose()


async def test_a_stream_that_is_read_in_time_is_not_closed(paired: Paired):
    """However long it takes altogether, and whatever arrives meanwhile."""
    async with paired(timeouts=Timeouts(idle=0.2)) as pair:
        pair.stored = LARGE
        size = 0
        async for chunk in await pair.picture.open():
            size += len(chunk)
            await asyncio.sleep(0.02)
        assert size == len(LARGE)


async def test_a_stream_can_be_waited_for_longer_than_its_reader_may_rest(raw: Raw):
    """While it waits for the network, another limit holds."""

    async def talk(peer: Peer) -> None:
        while await peer.asked():
            await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
            for _ in range(4):
                await asyncio.sleep(0.15)
                await peer.say(b"x")

    timeouts = Timeouts(stall=5.0, idle=0.05)
    async with raw(talk) as server, server.picture(timeouts=timeouts) as picture:
        assert [chunk async for chunk in await picture.open()] == [b"x"] * 4


async def test_a_stream_ends_with_the_task_that_read_it(pair: Pair):
    """Even if the frames of that task, and with them the stream, are kept."""
    pair.stored = LARGE
    kept: list[PictureStream] = []

    async def serve() -> None:
        stream = await pair.picture.open()
        kept.append(stream)
        async for _ in stream:
            await asyncio.Event().wait()  # a visitor that takes no more

    serving = asyncio.create_task(serve())
    await asyncio.wait([serving], timeout=0.1)
    assert pair.governor.in_flight == 1
    serving.cancel()
    await asyncio.wait([serving])
    assert pair.governor.in_flight == 0
    with pytest.raises(ClosedError, match="cancelled"):
        await anext(kept[0])


async def test_a_stream_ends_with_the_task_that_opened_it_if_nobody_began(pair: Pair):
    pair.stored = LARGE
    kept: list[PictureStream] = []

    async def serve() -> None:
        kept.append(await pair.picture.open())
        await asyncio.Event().wait()

    serving = asyncio.create_task(serve())
    await asyncio.wait([serving], timeout=0.1)
    serving.cancel()
    await asyncio.wait([serving])
    assert pair.governor.in_flight == 0


async def test_a_stream_can_be_handed_from_task_to_task(pair: Pair):
    """What becomes of the earlier ones is none of its business."""
    pair.stored = LARGE
    opened = asyncio.get_running_loop().create_future()

    async def find() -> None:
        opened.set_result(await pair.picture.open())
        await asyncio.Event().wait()

    finding = asyncio.create_task(find())
    stream = await opened
    whole = await asyncio.create_task(anext(stream))
    finding.cancel()
    await asyncio.wait([finding])
    whole += await asyncio.wait_for(anext(stream), 5)
    async for chunk in stream:
        whole += chunk
    assert whole == LARGE


@pytest.mark.parametrize("how", ["read", "closed", "dropped", "forgotten"])
async def test_a_task_that_opens_many_streams_remembers_none(paired: Paired, how: str):
    async with paired(timeouts=Timeouts(idle=0.1)) as pair:
        pair.stored = LARGE
        await pair.warm_up()
        gone = []
        for _ in range(3):
            stream = await pair.picture.open()
            gone.append(weakref.ref(stream._exchange))
            if how == "read":
                assert b"".join([chunk async for chunk in stream]) == LARGE
            if how == "closed":
                await stream.aclose()
            if how == "forgotten":
                assert await eventually(lambda: pair.governor.in_flight == 0)
        del stream
        assert await eventually(lambda: not any(one() for one in gone))


@pytest.mark.parametrize("read", [0, 1, 1_000_000])
async def test_a_visitor_of_a_web_framework_that_leaves_frees_the_place(
    pair: Pair, read: int
):
    """At once: this middleware keeps what it cancels until garbage is collected."""
    pair.stored = os.urandom(20_000_000)

    async def show(request: Request) -> StreamingResponse:
        del request
        stream = await pair.picture.open()
        return StreamingResponse(
            stream,
            media_type=stream.content_type,
            headers={"Content-Length": str(stream.length)},
        )

    async def passing(request: Request, call_next: RequestResponseEndpoint) -> Response:
        return await call_next(request)

    layers = [Middleware(BaseHTTPMiddleware, dispatch=passing)]
    app = Starlette(routes=[Route("/", show)], middleware=layers)
    gc.collect()
    gc.disable()
    try:
        async with served(app) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
            if read:
                await reader.readexactly(read)
            assert await eventually(lambda: pair.governor.in_flight == 1)
            writer.close()
            assert await eventually(lambda: pair.governor.in_flight == 0)
    finally:
        gc.enable()


@asynccontextmanager
async def served(app: Starlette) -> AsyncIterator[int]:
    """The port of a real server for *app*."""
    config = uvicorn.Config(app, port=0, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    assert await eventually(lambda: server.started)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await serving


async def eventually(condition: Callable[[], bool]) -> bool:
    for _ in range(2000):
        if condition():
            return True
        await asyncio.sleep(0.005)
    return False
