"""Observers are told what happens; they can neither break nor slow a request."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from bcpicture import BcPictureError, Quota, RequestSent
from bcpicture.emulator import Fault
from bcpicture.net import observers

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Leftovers: TypeAlias = Any
Paired: TypeAlias = Callable[..., Any]


def names(events: list[Any]) -> list[str]:
    return [type(event).__name__ for event in events]


async def test_a_call_is_told_from_its_beginning_to_its_end(paired: Paired):
    events: list[Any] = []
    async with paired() as pair:
        await pair.warm_up()
        view = pair.bc.with_options(hooks=[events.append])
        picture = view.company("CRONUS USA, Inc.").item(number="1896-S").picture
        pair.server.faults.add(Fault("status", status=500, method="PATCH"))
        await picture.upload(b"data", preflight=False)
    assert names(events) == [
        *("RequestSent", "Retrying", "RequestSent", "Replied", "Finished")
    ]
    assert len({event.call for event in events}) == 1
    assert [event.attempt for event in events if hasattr(event, "attempt")] == [1, 2]
    assert events[-1].attempts == 2
    assert events[-1].error is None
    assert events[-2].sent == 4


async def test_a_throttled_call_and_a_new_token_are_told(paired: Paired):
    events: list[Any] = []
    async with paired(hooks=[events.append]) as pair:
        pair.server.faults.add(
            Fault("status", status=429, retry_after="0", path="companies")
        )
        await pair.picture.info()
    assert "TokenRenewed" in names(events)
    assert "Throttled" in names(events)


async def test_a_call_that_fails_is_told_with_its_error(paired: Paired):
    events: list[Any] = []
    async with paired(hooks=[events.append]) as pair:
        await pair.warm_up()
        pair.server.faults.add(Fault("status", status=403))
        with pytest.raises(BcPictureError) as caught:
            await pair.picture.info()
    assert events[-1].error is caught.value


async def test_async_and_sync_observers_hear_the_same_in_the_same_order(
    paired: Paired,
):
    sync: list[Any] = []
    later: list[Any] = []
    threads = set()

    def hear(event: object) -> None:
        threads.add(threading.current_thread())
        sync.append(event)

    async def hear_later(event: object) -> None:
        await asyncio.sleep(0)
        later.append(event)

    async with paired(hooks=[hear, hear_later]) as pair:
        for _ in range(10):
            await pair.picture.info()
    assert sync == later
    assert len(sync) > 20
    assert threading.current_thread() not in threads


async def test_an_observer_that_fails_breaks_nothing(
    paired: Paired, caplog: pytest.LogCaptureFixture
):
    heard: list[Any] = []

    async def broken(_: object) -> None:
        raise LookupError("an observer's own")

    def broken_too(_: object) -> None:
        raise LookupError("another observer's own")

    async with paired(hooks=[broken, broken_too, heard.append]) as pair:
        await pair.picture.info()
    assert heard
    assert "an observer's own" in caplog.text
    assert "another observer's own" in caplog.text


async def test_an_observer_that_dawdles_slows_nobody(paired: Paired):
    """A hundred requests are over while it is still busy with the first event."""
    go_on = threading.Event()
    heard: list[Any] = []

    def dawdle(event: object) -> None:
        go_on.wait(5)
        heard.append(event)

    async with paired(hooks=[dawdle]) as pair:
        await asyncio.gather(*(pair.picture.info() for _ in range(100)))
        assert not heard
        go_on.set()
    assert len(heard) > 200


async def test_an_observer_that_never_ends_does_not_keep_the_client_open(
    paired: Paired, monkeypatch: pytest.MonkeyPatch, leftovers: Leftovers
):
    monkeypatch.setattr(observers, "_FAREWELL", 0.05)

    async def endless(_: object) -> None:
        await asyncio.Event().wait()

    async with paired(hooks=[endless]) as pair:
        await pair.picture.info()
    assert await leftovers.are_gone()


async def test_an_observer_sees_the_context_of_its_call(paired: Paired):
    """A tracer finds the span of the caller there."""
    who: contextvars.ContextVar[str] = contextvars.ContextVar("who", default="nobody")
    seen: set[str] = set()

    async def look(_: object) -> None:
        seen.add(who.get())

    async with paired(hooks=[look]) as pair:
        await pair.warm_up()  # of which it may hear later

        async def caller(name: str) -> None:
            who.set(name)
            await pair.picture.info()

        await asyncio.gather(*(caller(f"caller {n}") for n in range(5)))
    assert seen - {"nobody"} == {f"caller {n}" for n in range(5)}


async def test_what_happens_is_in_the_log_of_the_package(
    pair: Pair, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, logger="bcpicture")
    pair.server.faults.add(Fault("status", status=503, retry_after="0"))
    await pair.picture.info()
    (told,) = [one for one in caplog.records if one.name.startswith("bcpicture.net")]
    assert "503" in told.getMessage()
    assert "the service is busy" in told.getMessage()


async def test_events_of_a_view_are_heard_though_the_client_closes_at_once(
    paired: Paired,
):
    heard: list[Any] = []

    def slowly(event: object) -> None:
        time.sleep(0.01)
        heard.append(event)

    async with paired() as pair:
        await pair.warm_up()
        view = pair.bc.with_options(bulk=True).with_options(hooks=[slowly])
        picture = view.company("CRONUS USA, Inc.").item(number="1896-S").picture
        await picture.info()
    assert names(heard) == ["RequestSent", "Replied", "Finished"]


async def test_a_wait_for_a_place_is_told_of_the_attempt_that_waited(paired: Paired):
    heard: list[Any] = []

    async def listen(event: object) -> None:
        heard.append(event)

    async with paired(hooks=[listen], quota=Quota(concurrent=1)) as pair:
        await pair.warm_up()
        pair.stored = b"data"
        stream = await pair.picture.open()
        waiting = asyncio.create_task(pair.picture.info())
        await asyncio.sleep(0.05)
        pair.server.faults.add(Fault("reset_before"))
        heard.clear()
        await stream.aclose()
        await waiting
    sent = [one for one in heard if isinstance(one, RequestSent)]
    assert [one.attempt for one in sent] == [1, 2]
    assert sent[0].queued > 0
    assert sent[1].queued == 0
