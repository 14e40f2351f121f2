"""Pictures through real web frameworks, out to visitors and in from them."""

from __future__ import annotations

import asyncio
import io
import os
import random
import struct
import zlib
from typing import Any, TypeAlias

import aiohttp
import pytest

from bcpicture.emulator import Fault
from bcpicture.emulator.artwork import png
from bcpicture.emulator.catalog import ITEM_NAMES

Site: TypeAlias = Any  # the harness is in conftest.py, which nobody can import

SMALL = png("1896-S")


def grown(size: int) -> bytes:
    """A good PNG with so many bytes more, in a chunk of a kind that means nothing."""
    chunk = b"raNd" + os.urandom(size)
    more = struct.pack(">I", size) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return SMALL[:-12] + more + SMALL[-12:]


LARGE = grown(3_000_000)
HUGE = grown(20_000_000)
SLOW = grown(8_000_000)

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><title>x</title><script>alert(1)</script>"

SIZES = [
    pytest.param(SMALL, id="in-one-piece"),
    pytest.param(LARGE, id="in-a-file"),
    pytest.param(HUGE, id="streamed-through"),
]


@pytest.mark.parametrize("data", SIZES)
async def test_a_picture_comes_up_and_goes_out_as_it_is(site: Site, data: bytes):
    async with aiohttp.ClientSession() as visitor:
        async with visitor.put(site.url(), data=io.BytesIO(data)) as done:
            assert done.status == 204
        async with visitor.get(site.url()) as got:
            assert got.status == 200
            assert got.headers["Content-Type"] == "image/png"
            assert got.headers["Content-Length"] == str(len(data))
            assert got.headers["X-Content-Type-Options"] == "nosniff"
            assert got.headers["Content-Disposition"] == 'inline; filename="1896-S.png"'
            assert await got.read() == data
    assert await site.shop.is_idle()


async def test_what_the_visitor_has_is_not_sent_again(site: Site):
    site.shop.store(SMALL)
    async with aiohttp.ClientSession() as visitor:
        async with visitor.get(site.url()) as got:
            etag = got.headers["ETag"]
        have = {"If-None-Match": f'"old", W/{etag}'}
        async with visitor.get(site.url(), headers=have) as again:
            assert (again.status, await again.read()) == (304, b"")
            assert again.headers["ETag"] == etag
            assert again.headers["Cache-Control"] == "no-cache"
        site.shop.store(LARGE)
        async with visitor.get(site.url(), headers=have) as other:
            assert other.status == 200
            assert await other.read() == LARGE


@pytest.mark.parametrize("data", SIZES)
async def test_head_tells_what_get_would(site: Site, data: bytes):
    site.shop.store(data)
    async with aiohttp.ClientSession() as visitor:
        async with visitor.head(site.url()) as told:
            assert await told.read() == b""
            assert await site.shop.is_idle()
        async with visitor.get(site.url()) as got:
            for name in ("Content-Type", "Content-Length", "ETag", "Cache-Control"):
                assert told.headers.get(name) == got.headers.get(name), name


async def test_a_range_is_answered_with_all_of_it(site: Site):
    site.shop.store(SMALL)
    async with (
        aiohttp.ClientSession() as visitor,
        visitor.get(site.url(), headers={"Range": "bytes=0-9"}) as got,
    ):
        assert (got.status, await got.read()) == (200, SMALL)
        assert got.headers["Accept-Ranges"] == "none"


async def test_a_page_that_is_stored_as_a_picture_stays_a_file(site: Site):
    async with aiohttp.ClientSession() as visitor:
        for data in (SVG, HTML, b"\xef\xbb\xbf \n" + SVG, b"alert(1)"):
            site.shop.store(data)
            async with visitor.get(site.url()) as got:
                assert got.headers["Content-Type"] == "application/octet-stream"
                assert got.headers["Content-Disposition"].startswith("attachment;")
                assert got.headers["X-Content-Type-Options"] == "nosniff"
                assert "sandbox" in got.headers["Content-Security-Policy"]
                assert await got.read() == data


@pytest.mark.parametrize(
    ("number", "fault", "status"),
    [
        pytest.param("1896-S", None, 404, id="no-picture"),
        pytest.param("nobody", None, 404, id="no-item"),
        pytest.param("1896-S", Fault("status", status=503, times=9), 503, id="ill"),
        pytest.param("1896-S", Fault("malformed", times=9), 502, id="not-http"),
        pytest.param("1896-S", Fault("status", status=403, times=9), 502, id="refused"),
    ],
)
async def test_a_failure_is_a_status_and_no_more(
    site: Site, number: str, fault: Fault | None, status: int
):
    if fault is not None:
        site.shop.server.faults.add(fault)
    async with aiohttp.ClientSession() as visitor, visitor.get(site.url(number)) as got:
        assert got.status == status
        assert ("Retry-After" in got.headers) is (status == 503)
        assert got.headers["Cache-Control"] == "no-store"
        assert "CRONUS" not in await got.text()


@pytest.mark.parametrize(
    ("number", "data", "status"),
    [
        pytest.param("nobody", SMALL, 404, id="no-item"),
        pytest.param("1896-S", HTML, 415, id="a-page"),
        pytest.param("1896-S", b"", 400, id="nothing"),
    ],
)
async def test_an_upload_that_is_refused_is_told(
    site: Site, number: str, data: bytes, status: int
):
    async with (
        aiohttp.ClientSession() as visitor,
        visitor.put(site.url(number), data=data) as got,
    ):
        assert got.status == status


async def sip(site: Site, number: str) -> None:
    """Read one byte, and after a while the next."""
    async with site.visit(number) as reader:
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(1000):
            assert await reader.readexactly(1)
            await asyncio.sleep(0.02)


async def leave_early(site: Site, dice: random.Random, number: str) -> None:
    """Visit, and leave at a random moment: at once, while waiting, in the middle."""
    await asyncio.sleep(dice.random() / 5)
    async with site.visit(number) as reader:
        how = dice.choice(["at once", "head", "middle", "end"])
        if how == "head":
            await reader.readuntil(b"\r\n\r\n")
        if how == "middle":
            await reader.read(dice.randrange(1, 60_000))
            await asyncio.sleep(dice.random() / 5)
        if how == "end":
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.split("content-length: ")[1].split("\r\n")[0])
            await reader.readexactly(length)


async def test_visitors_that_dawdle_or_leave_hold_nothing_of_the_service(site: Site):
    """100 leave at random moments while 5 read byte by byte.

    All five places are free while the five still read, so that whoever is at work in
    the backend is answered at once.
    """
    shop = site.shop
    dice = random.Random(20_260_101)
    slow, others = list(ITEM_NAMES)[:5], list(ITEM_NAMES)[5:9]
    for number in slow:
        shop.store(SLOW, number)
    for number, data in zip(others, (SMALL, SMALL, LARGE, LARGE), strict=True):
        shop.store(data, number)
    sipping = [asyncio.create_task(sip(site, number)) for number in slow]
    assert await shop.has_taken_in(5 * len(SLOW))
    assert shop.temporary_files == 5
    assert (await shop.picture().info()).exists

    async with asyncio.TaskGroup() as group:
        for _ in range(100):
            group.create_task(leave_early(site, dice, dice.choice(others)))
    assert await shop.is_free()
    assert (await shop.picture().info()).exists
    assert not any(task.done() for task in sipping)

    for task in sipping:
        task.cancel()
    await asyncio.wait(sipping)
    assert await shop.is_idle()
