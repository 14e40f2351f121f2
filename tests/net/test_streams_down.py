"""A stream gives back what it holds, however it ends."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from bcpicture import (
    AnswerError,
    BcPictureError,
    BusinessCentral,
    Endpoint,
    Quota,
    StaticToken,
)
from bcpicture.emulator import ThreadedEmulator

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Leftovers: TypeAlias = Any
Paired: TypeAlias = Callable[..., Any]
Raw: TypeAlias = Callable[..., Any]
Peer: TypeAlias = Any

SMALL = os.urandom(20_000)
LARGE = os.urandom(3_000_000)


async def test_a_stream_holds_its_place_until_it_ends(pair: Pair):
    pair.stored = LARGE
    async with pair.picture.open() as stream:
        assert pair.governor.in_flight == 1
        assert stream.length == len(LARGE)
        assert stream.content_type == "image/jpeg"
        assert stream.etag is None
        async for _ in stream:
            pass
        assert pair.governor.in_flight == 0


@pytest.mark.parametrize("how", ["closed", "left", "dropped", "failed", "cancelled"])
async def test_a_stream_gives_its_place_back_however_it_ends(
    pair: Pair, leftovers: Leftovers, how: str
):
    pair.stored = LARGE

    async def use() -> None:
        stream = await pair.picture.open()
        await anext(stream)
        if how == "closed":
            await stream.aclose()
            await stream.aclose()
        if how == "left":
            async with stream:
                pass
        if how == "failed":
            async with stream:
                raise LookupError
        if how == "cancelled":
            async with stream:
                await asyncio.Event().wait()

    using = asyncio.create_task(use())
    await asyncio.wait([using], timeout=0.1)
    using.cancel()
    await asyncio.wait([using])
    del using
    assert await leftovers.are_gone(lambda: pair.governor.in_flight == 0)
    pair.stored = SMALL
    assert await pair.picture.read() == SMALL


async def test_a_stream_that_ended_stays_ended(pair: Pair):
    """As every asynchronous iterator does."""
    pair.stored = SMALL
    stream = await pair.picture.open()
    assert b"".join([chunk async for chunk in stream]) == SMALL
    assert [chunk async for chunk in stream] == []


async def test_a_stream_that_was_closed_is_not_read_as_an_end(pair: Pair):
    pair.stored = LARGE
    stream = await pair.picture.open()
    await anext(stream)
    await stream.aclose()
    with pytest.raises(BcPictureError, match="closed"):
        await anext(stream)


def test_a_stream_that_outlives_its_loop_makes_no_noise():
    with ThreadedEmulator() as server:
        item = server.store.company("CRONUS USA, Inc.").item("1896-S")
        item.set_picture(LARGE)
        token = StaticToken(server.identity.token())

        async def main() -> object:
            async with BusinessCentral(
                Endpoint.at(server.base_urls["v2.0"]), token
            ) as bc:
                company = bc.company("CRONUS USA, Inc.")
                stream = await company.item(number="1896-S").picture.open()
                await anext(stream)
                return stream

        stream = asyncio.run(main())
        del stream


async def test_a_stream_that_a_thread_drops_gives_its_place_back(paired: Paired):
    """Garbage is collected wherever it is found: in an executor's thread, too."""
    async with paired(quota=Quota(concurrent=1, requests=1000, seconds=0.3)) as pair:
        pair.stored = LARGE
        await pair.warm_up()
        held = [await pair.picture.open()]
        await anext(held[0])
        waiting = asyncio.create_task(pair.picture.info())
        await asyncio.sleep(0.01)
        # In debug mode the loop refuses to be touched by a thread that is not its own.
        asyncio.get_running_loop().set_debug(True)
        await asyncio.to_thread(held.clear)
        async with asyncio.timeout(2):
            await waiting


@pytest.mark.parametrize("announced", [True, False])
async def test_a_stream_ends_at_the_longest_that_is_wanted(
    raw: Raw, *, announced: bool
):
    """An endless one too; one that says its length does not even begin."""

    async def talk(peer: Peer) -> None:
        while await peer.asked():
            if announced:
                await peer.answer(body=LARGE)
            else:
                await peer.say(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
                while True:
                    await peer.say(SMALL)

    async with raw(talk) as server, server.picture() as picture:
        got = bytearray()

        async def use() -> None:
            async for chunk in await picture.open(max_bytes=1_000_000):
                got.extend(chunk)

        with pytest.raises(AnswerError, match="max_bytes=1000000"):
            await use()
        assert len(got) <= 1_000_000
        assert bool(got) != announced
        whole = await picture.open(max_bytes=3_000_000) if announced else None
        assert whole is None or whole.length == len(LARGE)
