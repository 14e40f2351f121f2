"""What is kept for a visitor is whole, bounded, shared, and gone with the visitor."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from bcpicture import (
    ClosedError,
    CutShortError,
    Quota,
    RetryPolicy,
    ThrottledError,
    UnavailableError,
    UsageError,
    web,
)
from bcpicture.emulator import Answers, Fault
from bcpicture.emulator.artwork import png

Shop: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Opened: TypeAlias = Callable[..., Any]

SMALL = png("1896-S")
MIDDLE = b"\x89PNG\r\n\x1a\n" + os.urandom(700_000)
LARGE = b"\x89PNG\r\n\x1a\n" + os.urandom(3_000_000)
HUGE = b"\x89PNG\r\n\x1a\n" + os.urandom(17_000_000)

KEPT = [
    pytest.param(SMALL, id="one-piece"),
    pytest.param(MIDDLE, id="memory"),
    pytest.param(LARGE, id="file"),
]
ANY = [*KEPT, pytest.param(HUGE, id="streamed")]


async def all_of(served: web.Served) -> bytes:
    return b"".join([chunk async for chunk in served])


@pytest.mark.parametrize("told", [True, False], ids=["told", "chunked"])
@pytest.mark.parametrize("data", ANY)
async def test_the_bytes_go_out_as_they_are(opened: Opened, data: bytes, *, told: bool):
    async with opened({"answers": Answers(content_length=told)}) as shop:
        shop.store(data)
        served = await shop.serve()
        assert served.status == 200
        whole = data is not HUGE
        assert shop.places == (0 if whole else 1)
        known = whole or told
        assert served.headers.get("Content-Length") == (
            str(len(data)) if known else None
        )
        digest = hashlib.sha256(data).hexdigest()
        assert served.headers.get("ETag") == (f'"{digest}"' if whole else None)
        assert await all_of(served) == data
        assert await shop.is_idle()
        assert [chunk async for chunk in served] == []


@pytest.mark.parametrize("data", ANY)
@pytest.mark.parametrize("read", [0, 1], ids=["before", "amid"])
@pytest.mark.parametrize("how", ["closed", "left", "dropped", "cancelled", "amid"])
async def test_a_visitor_that_leaves_leaves_nothing_behind(
    shop: Shop, data: bytes, read: int, how: str
):
    """Not even if the cancelled task, and so what it had in hand, is still there."""
    shop.store(data)

    async def visit() -> None:
        served = await shop.serve()
        for _ in range(read):
            await anext(served)
        if how == "closed":
            await served.aclose()
            await served.aclose()
        if how == "left":
            async with served:
                pass
        if how == "cancelled":
            async with served:
                await asyncio.Event().wait()
        if how == "amid":
            await asyncio.Event().wait()

    visiting = asyncio.create_task(visit())
    await asyncio.wait([visiting], timeout=0.05)
    visiting.cancel()
    await asyncio.wait([visiting])
    assert await shop.is_idle()
    assert visiting.done()


async def test_a_body_whose_task_was_cancelled_is_not_read_as_its_end(shop: Shop):
    shop.store(LARGE)
    handed_on: asyncio.Queue[web.Served] = asyncio.Queue()

    async def visit() -> None:
        handed_on.put_nowait(await shop.serve())
        await asyncio.Event().wait()

    visiting = asyncio.create_task(visit())
    served = await handed_on.get()
    visiting.cancel()
    assert await shop.is_idle()
    with pytest.raises(ClosedError, match="was cancelled"):
        await anext(served)


async def test_a_body_that_was_closed_is_not_read_as_its_end(shop: Shop):
    shop.store(LARGE)
    served = await shop.serve()
    await anext(served)
    await served.aclose()
    with pytest.raises(ClosedError, match="closed before its body"):
        await anext(served)


async def test_a_visitor_that_leaves_while_the_picture_is_on_its_way_ends_it(
    shop: Shop,
):
    """Some megabytes are in a file already when nothing more comes."""
    shop.server.faults.add(Fault("stall_during", at=2_000_000))
    shop.store(LARGE)
    visiting = asyncio.create_task(shop.serve())
    assert await shop.has_temporary_files(1)
    visiting.cancel()
    await asyncio.wait([visiting])
    assert visiting.cancelled()
    assert await shop.is_idle()


# -- cut bodies


@pytest.mark.parametrize(
    ("data", "at"),
    [
        pytest.param(SMALL, 7000, id="small"),
        pytest.param(LARGE, 2_000_000, id="from-a-file"),
    ],
)
async def test_a_body_that_breaks_off_is_asked_for_again(
    shop: Shop, data: bytes, at: int
):
    shop.store(data)
    shop.server.faults.add(Fault("truncate", at=at))
    served = await shop.serve()
    assert served.status == 200
    assert served.headers["ETag"] == f'"{hashlib.sha256(data).hexdigest()}"'
    assert await all_of(served) == data
    assert len(shop.server.log) == 2


@pytest.mark.parametrize("attempts", [1, 3])
async def test_a_body_that_always_breaks_off_is_told_before_the_status_has_left(
    opened: Opened, attempts: int
):
    retries = RetryPolicy(attempts=attempts, base=0.0)
    async with opened(retries=retries) as shop:
        shop.store(LARGE)
        shop.server.faults.add(Fault("truncate", at=2_000_000, times=None))
        served = await shop.serve()
        assert served.status == 502
        assert isinstance(served.error, CutShortError)
        assert served.error.attempts == len(shop.server.log) == attempts
        assert await all_of(served) == b"The picture could not be had."
        assert await shop.is_idle()


async def test_a_long_body_that_breaks_off_is_an_error_for_its_visitor(shop: Shop):
    shop.store(HUGE)
    shop.server.faults.add(Fault("truncate", at=9_000_000))
    served = await shop.serve()
    assert served.status == 200
    with pytest.raises(CutShortError):
        await all_of(served)
    assert await shop.is_idle()


# -- many visitors of one picture


@pytest.mark.parametrize("data", KEPT)
async def test_a_hundred_visitors_of_one_picture_are_one_request(
    shop: Shop, data: bytes
):
    shop.store(data)
    answers = await asyncio.gather(*[shop.serve() for _ in range(100)])
    assert len(shop.server.log) == 1
    assert shop.buffered == len(data)
    bodies = await asyncio.gather(*map(all_of, answers))
    assert set(bodies) == {data}
    assert await shop.is_idle()


async def test_who_comes_later_sees_what_is_there_by_then(shop: Shop):
    shop.store(SMALL)
    first = await shop.serve()
    shop.store(MIDDLE)
    second = await shop.serve()
    assert (await all_of(first), await all_of(second)) == (SMALL, MIDDLE)


async def test_different_pictures_are_not_mixed_up(shop: Shop):
    shop.store(SMALL, "1896-S")
    shop.store(MIDDLE, "1900-S")
    one, other = await asyncio.gather(
        web.serve(shop.picture("1896-S"), buffers=shop.buffers),
        web.serve(shop.picture("1900-S"), buffers=shop.buffers),
    )
    assert (await all_of(one), await all_of(other)) == (SMALL, MIDDLE)


@pytest.mark.parametrize("leaving", [0, 2], ids=["the-first", "another"])
async def test_a_visitor_that_leaves_disturbs_no_other(opened: Opened, leaving: int):
    async with opened(quota=Quota(concurrent=1)) as shop:
        shop.store(MIDDLE)
        async with shop.picture().open():
            visiting = [asyncio.create_task(shop.serve()) for _ in range(3)]
            assert await shop.has_places(2)
            gone = visiting.pop(leaving)
            gone.cancel()
            await asyncio.wait([gone])
            assert shop.places == 2
        answers = await asyncio.gather(*visiting)
        assert [await all_of(one) for one in answers] == [MIDDLE, MIDDLE]
        assert await shop.is_idle()
        assert len(shop.server.log) == 2


async def test_when_all_have_left_the_request_ends(shop: Shop):
    shop.store(LARGE)
    shop.server.faults.add(Fault("stall", times=None))
    visiting = [asyncio.create_task(shop.serve()) for _ in range(3)]
    assert await shop.has_connections(1)
    for task in visiting:
        task.cancel()
    await asyncio.wait(visiting)
    assert await shop.is_idle()
    shop.server.faults.clear()
    assert await all_of(await shop.serve()) == LARGE


async def test_a_long_picture_has_a_stream_for_each_visitor(shop: Shop):
    shop.store(HUGE)
    answers = await asyncio.gather(*[shop.serve() for _ in range(3)])
    assert shop.places == 3
    assert set(await asyncio.gather(*map(all_of, answers))) == {HUGE}
    assert await shop.is_idle()


async def test_a_failure_is_told_to_all(shop: Shop):
    answers = await asyncio.gather(*[shop.serve() for _ in range(5)])
    assert {one.status for one in answers} == {404}
    assert len(shop.server.log) == 1


# -- for a while


async def test_what_came_in_lately_answers_others_without_a_request(opened: Opened):
    async with opened(buffers={"fresh": 60.0}) as shop:
        shop.store(LARGE)
        first = await shop.serve()
        assert await all_of(first) == LARGE
        shop.store(SMALL)
        assert await all_of(await shop.serve()) == LARGE
        etag = first.headers["ETag"]
        assert (await shop.serve(if_none_match=etag)).status == 304
        assert len(shop.server.log) == 1
        assert (shop.places, shop.buffered) == (0, len(LARGE))
        shop.buffers.forget(shop.picture())
        assert await all_of(await shop.serve()) == SMALL
        shop.buffers.clear()
        assert await shop.is_idle()


async def test_it_answers_nobody_when_its_time_is_over(opened: Opened):
    async with opened(buffers={"fresh": 0.02}) as shop:
        shop.store(LARGE)
        served = await shop.serve()
        await anext(served)
        shop.store(SMALL)
        assert await shop.is_forgotten()
        assert await all_of(await shop.serve()) == SMALL
        rest = await all_of(served)
        assert LARGE.endswith(rest)
        assert len(rest) > len(LARGE) - 200_000
        assert await shop.is_idle()


async def test_what_one_client_may_see_is_not_shared_with_another(opened: Opened):
    """Not even when the first is gone, and another one stands where it stood."""
    async with opened(buffers={"fresh": 60.0}) as shop:
        shop.store(SMALL)
        for _ in range(20):
            picture = shop.picture(through=shop.bc.with_options(queue_wait=9.0))
            served = await web.serve(picture, buffers=shop.buffers)
            assert await all_of(served) == SMALL
            del picture, served
        assert len(shop.pictures_asked_for) == 20
        shop.buffers.clear()
        assert await shop.is_idle()


@pytest.mark.parametrize("data", [None, HUGE], ids=["nothing", "too-long"])
async def test_what_is_no_whole_picture_is_not_kept(opened: Opened, data: bytes | None):
    async with opened(buffers={"fresh": 60.0}) as shop:
        shop.store(data)
        await (await shop.serve()).aclose()
        shop.store(SMALL)
        assert await all_of(await shop.serve()) == SMALL
        shop.buffers.clear()
        assert await shop.is_idle()


async def test_a_picture_that_is_forgotten_on_its_way_goes_to_those_who_wait(
    opened: Opened,
):
    async with opened(buffers={"fresh": 60.0}, quota=Quota(concurrent=1)) as shop:
        shop.store(SMALL)
        async with shop.picture().open():
            waiting = asyncio.create_task(shop.serve())
            assert await shop.has_places(2)
            shop.buffers.forget(shop.picture())
        assert await all_of(await waiting) == SMALL
        assert await shop.is_idle()


# -- how much there may be

TIGHT = {"memory": 1 << 20, "disk": 16 << 20, "in_memory": 1 << 20}


async def test_all_bodies_together_take_no_more_than_they_may(opened: Opened):
    """Whoever finds no room waits, in order, and holds no place meanwhile."""
    async with opened(buffers=TIGHT) as shop:
        for number in ("1896-S", "1900-S", "1906-S"):
            shop.store(MIDDLE, number)
        first = await shop.serve()
        waiting = [
            asyncio.create_task(web.serve(shop.picture(it), buffers=shop.buffers))
            for it in ("1900-S", "1906-S")
        ]
        await asyncio.sleep(0.05)
        assert len(shop.server.log) == 1
        assert (shop.places, shop.buffered) == (0, len(MIDDLE))
        assert await all_of(first) == MIDDLE
        second = await waiting[0]
        assert not waiting[1].done()
        assert await all_of(second) == MIDDLE
        assert await all_of(await waiting[1]) == MIDDLE
        assert await shop.is_idle()


async def test_a_visitor_that_waits_for_room_may_leave(opened: Opened):
    async with opened(buffers=TIGHT) as shop:
        shop.store(MIDDLE)
        first = await shop.serve()
        waiting = [asyncio.create_task(shop.serve()) for _ in range(2)]
        await asyncio.sleep(0.01)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
        await first.aclose()
        assert await shop.is_idle()
        assert await all_of(await shop.serve()) == MIDDLE


async def test_a_visitor_is_sent_away_if_there_is_no_room_for_too_long(opened: Opened):
    async with opened(buffers=TIGHT | {"wait": 0.01}) as shop:
        shop.store(MIDDLE)
        first = await shop.serve()
        second = await shop.serve()
        assert second.status == 503
        assert isinstance(second.error, ThrottledError)
        assert await all_of(first) == MIDDLE
        assert (await shop.serve()).status == 200


async def test_a_visitor_that_sleeps_makes_room_for_one_that_waits(opened: Opened):
    async with opened(buffers=TIGHT | {"idle": 0.0}) as shop:
        shop.store(MIDDLE)
        asleep = await shop.serve()
        await anext(asleep)
        assert await all_of(await shop.serve()) == MIDDLE
        with pytest.raises(ClosedError, match="took nothing for too long"):
            await anext(asleep)


async def test_of_those_who_sleep_only_as_many_are_woken_as_need_be(opened: Opened):
    """Whoever has slept longest is the first."""
    twice = TIGHT | {"memory": 2 << 20, "disk": 32 << 20, "idle": 0.0}
    async with opened(buffers=twice) as shop:
        shop.store(MIDDLE)
        first, second = await shop.serve(), await shop.serve()
        await anext(second)
        await anext(first)
        assert await all_of(await shop.serve()) == MIDDLE
        with pytest.raises(ClosedError, match="took nothing for too long"):
            await anext(second)
        assert MIDDLE.endswith(await all_of(first))


async def test_what_is_kept_makes_room_for_a_visitor_that_waits(opened: Opened):
    async with opened(buffers=TIGHT | {"fresh": 60.0}) as shop:
        for number in ("1896-S", "1900-S"):
            shop.store(MIDDLE, number)
            picture = shop.picture(number)
            served = await web.serve(picture, buffers=shop.buffers)
            assert await all_of(served) == MIDDLE
        assert shop.buffered == len(MIDDLE)
        shop.buffers.clear()
        assert await shop.is_idle()


async def test_a_visitor_that_sleeps_is_left_in_peace_while_there_is_room(
    opened: Opened,
):
    async with opened(buffers={"idle": 0.0}) as shop:
        shop.store(MIDDLE)
        asleep = await shop.serve()
        assert await all_of(await shop.serve()) == MIDDLE
        assert await all_of(asleep) == MIDDLE


async def test_a_disk_that_cannot_be_written_is_told(opened: Opened, tmp_path: Path):
    async with opened(buffers={"folder": tmp_path / "gone"}) as shop:
        shop.store(LARGE)
        served = await shop.serve()
        assert served.status == 503
        assert isinstance(served.error, UnavailableError)
        assert "temporary file" in str(served.error)
        assert await shop.is_idle()


@pytest.mark.parametrize(
    "sizes",
    [{"memory": 1000}, {"disk": 1000}, {"in_memory": 0}, {"longest": 0}],
    ids=str,
)
def test_buffers_that_nothing_fits_into_are_refused(sizes: dict[str, int]):
    with pytest.raises(UsageError, match="No body would ever fit"):
        web.Buffers(**sizes)


# -- the rest of an answer


async def test_bytes_that_are_no_picture_can_be_refused(shop: Shop):
    shop.store(b"<svg><script>alert(1)</script></svg>")
    served = await shop.serve(rules=web.Rules(unshowable="refuse"))
    assert served.status == 404
    assert b"alert" not in await all_of(served)
    assert await shop.is_idle()


async def test_a_verb_that_is_no_question_is_refused(shop: Shop):
    with pytest.raises(UsageError, match="POST"):
        await shop.serve(method="POST")


async def test_without_buffers_of_ones_own_all_share_some(shop: Shop):
    shop.store(SMALL)
    answers = await asyncio.gather(*[web.serve(shop.picture()) for _ in range(3)])
    assert len(shop.server.log) == 1
    assert [await all_of(one) for one in answers] == [SMALL] * 3


async def test_the_log_knows_what_the_visitor_does_not(
    shop: Shop, caplog: pytest.LogCaptureFixture
):
    shop.server.faults.add(Fault("status", status=503, message="inside", times=9))
    served = await shop.serve()
    assert "inside" in caplog.text
    assert "inside" not in str(served.headers) + repr(served)


async def test_a_client_that_was_closed_is_not_to_be_had_just_now(opened: Opened):
    async with opened() as shop:
        picture = shop.picture()
    served = await web.serve(picture, buffers=shop.buffers)
    assert (served.status, type(served.error)) == (503, ClosedError)
