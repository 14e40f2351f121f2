"""How a write ended is told truly, even when its reply is lost."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import Any, TypeAlias

import attrs
import pytest

from bcpicture import (
    BcPictureError,
    ConflictError,
    OutcomeUnknownError,
    RetryPolicy,
    StalledError,
    Timeouts,
    TransportError,
    UnavailableError,
)
from bcpicture.emulator import Fault
from bcpicture.emulator.artwork import dot

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Paired: TypeAlias = Callable[..., Any]
Raw: TypeAlias = Callable[..., Any]
Peer: TypeAlias = Any

OLD = dot(b"the old picture")
NEW = dot(b"the new picture")
LARGE = dot(os.urandom(3_000_000))
ONCE = RetryPolicy(attempts=1)
QUICK = Timeouts(reply=0.5, stall=0.5)

DATA = [pytest.param(NEW, id="small"), pytest.param(LARGE, id="large")]


AFTER = [
    Fault("apply_then_reset"),
    Fault("apply_then_status", status=504),
    Fault("apply_then_status", status=500),
    Fault("apply_then_status", status=503, retry_after="0"),
    Fault("apply_then_status", status=408),
    Fault("apply_then_stall"),
]
"""The service did it, and the client cannot know."""

BEFORE = [
    Fault("reset_before"),
    Fault("reset_after"),
    Fault("status", status=504),
    Fault("status", status=500),
    Fault("status", status=503, retry_after="0"),
    Fault("status", status=408),
    Fault("stall"),
]
"""The service did not do it, and the client cannot know."""


def patience(fault: Fault) -> Timeouts:
    """Little where a stall is to be noticed; elsewhere a busy machine has its time."""
    return QUICK if fault.action.endswith("stall") else Timeouts()


def told(fault: Fault) -> str:
    return f"{fault.action}-{fault.status or ''}"


async def strike(pair: Pair, fault: Fault, method: str, times: int | None = 1) -> None:
    await pair.warm_up()
    pair.server.faults.add(attrs.evolve(fault, method=method, times=times))


# -- done


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("fault", AFTER, ids=told)
async def test_an_upload_that_worked_is_done_though_no_reply_ever_came(
    paired: Paired, fault: Fault, data: bytes
):
    """Without retries, only looking tells."""
    async with paired(retries=ONCE, timeouts=patience(fault)) as pair:
        pair.stored = OLD
        await strike(pair, fault, "PATCH", None)
        done = await pair.picture.upload(data, digest=True)
        assert done.sha256 == hashlib.sha256(data).hexdigest()
        assert (done.size, done.attempts) == (len(data), 1)
        assert len(pair.seen("PATCH")) == 1
        assert len(pair.seen("GET")) == 1


@pytest.mark.parametrize("fault", AFTER, ids=told)
async def test_a_delete_that_worked_is_done_though_no_reply_ever_came(
    paired: Paired, fault: Fault
):
    async with paired(retries=ONCE, timeouts=patience(fault)) as pair:
        pair.stored = OLD
        await strike(pair, fault, "DELETE", None)
        await pair.picture.delete()
        assert pair.stored is None


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("fault", AFTER, ids=told)
async def test_a_conflict_that_we_made_ourselves_is_none(
    paired: Paired, fault: Fault, data: bytes
):
    """The first attempt made the etag stale that the second one sends."""
    async with paired(timeouts=patience(fault)) as pair:
        pair.stored = OLD
        etag = (await pair.picture.info()).etag
        await strike(pair, fault, "PATCH")
        done = await pair.picture.upload(data, if_match=etag)
        assert pair.stored == data
        assert done.attempts <= 2


@pytest.mark.parametrize("fault", AFTER, ids=told)
async def test_a_first_picture_that_we_set_ourselves_is_no_conflict(
    paired: Paired, fault: Fault
):
    async with paired(timeouts=patience(fault)) as pair:
        await strike(pair, fault, "PATCH")
        await pair.picture.upload(NEW, only_if_absent=True)
        assert pair.stored == NEW


@pytest.mark.parametrize("fault", AFTER, ids=told)
async def test_a_delete_with_an_etag_that_we_made_stale_ourselves_is_done(
    paired: Paired, fault: Fault
):
    async with paired(timeouts=patience(fault)) as pair:
        pair.stored = OLD
        info = await pair.picture.info()
        await strike(pair, fault, "DELETE")
        await pair.picture.delete(if_match=info)
        assert pair.stored is None


async def test_what_is_settled_costs_one_look(paired: Paired):
    async with paired(retries=ONCE) as pair:
        await strike(pair, Fault("apply_then_reset"), "PATCH")
        await pair.picture.upload(NEW)
        assert len(pair.server.log) == 2


# -- not applied


@pytest.mark.parametrize("fault", BEFORE, ids=told)
async def test_an_upload_that_did_not_work_is_said_not_to_be_there(
    paired: Paired, fault: Fault
):
    async with paired(retries=ONCE, timeouts=patience(fault)) as pair:
        pair.stored = OLD
        await strike(pair, fault, "PATCH", None)
        with pytest.raises((TransportError, UnavailableError, StalledError)) as caught:
            await pair.picture.upload(NEW)
        assert pair.stored == OLD
        assert "what was sent is not there" in str(caught.value)
        assert not caught.value.failure.doubtful


@pytest.mark.parametrize("fault", BEFORE, ids=told)
async def test_a_delete_that_did_not_work_is_an_error(paired: Paired, fault: Fault):
    async with paired(retries=ONCE, timeouts=patience(fault)) as pair:
        pair.stored = OLD
        await strike(pair, fault, "DELETE", None)
        with pytest.raises((TransportError, UnavailableError, StalledError)):
            await pair.picture.delete()
        assert pair.stored == OLD


@pytest.mark.parametrize("data", DATA)
async def test_a_body_that_was_cut_never_blanks_or_changes_the_picture(
    paired: Paired, data: bytes
):
    async with paired(retries=ONCE) as pair:
        pair.stored = OLD
        await strike(pair, Fault("reset_during", at=5), "PATCH")
        with pytest.raises(BcPictureError):
            await pair.picture.upload(data)
        assert pair.stored == OLD


async def test_a_delete_of_nothing_that_failed_in_doubt_is_done(paired: Paired):
    """What was wanted is the case."""
    async with paired(retries=ONCE) as pair:
        await strike(pair, Fault("reset_after"), "DELETE", None)
        await pair.picture.delete()


# -- a real conflict


async def test_a_stale_etag_is_a_conflict_at_once(pair: Pair):
    pair.stored = OLD
    etag = (await pair.picture.info()).etag
    pair.stored = LARGE[:100]
    pair.server.store.company("CRONUS USA, Inc.").item("1896-S").set_picture(PNG)
    pair.server.log.clear()
    with pytest.raises(ConflictError, match="Somebody else changed"):
        await pair.picture.upload(NEW, if_match=etag)
    assert len(pair.server.log) == 1
    assert pair.stored == PNG


PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x07\x00\x00\x00\x05"
    b"\x08\x02\x00\x00\x00"
)


async def test_somebody_elses_change_between_two_attempts_of_ours_is_a_conflict(
    raw: Raw,
):
    """Our first attempt was lost and not applied; then somebody else came first."""

    async def talk(peer: Peer) -> None:
        while head := await peer.asked():
            if head.startswith("GET"):
                await peer.answer(200, b"somebody else's")
            elif len(peer.server.heads) == 1:
                peer.reset()
                return
            else:
                await peer.answer(409, STALE)

    async with raw(talk) as server, server.picture() as picture:
        with pytest.raises(ConflictError, match="what was sent is not there") as caught:
            await picture.upload(NEW, if_match='W/"1"')
        assert caught.value.failure.attempts == 2


STALE = b'{"error":{"code":"Request_EntityChanged","message":"changed"}}'


async def test_somebody_elses_delete_between_two_attempts_is_a_conflict(raw: Raw):
    async def talk(peer: Peer) -> None:
        while head := await peer.asked():
            if head.startswith("GET"):
                await peer.answer(204)
            elif len(peer.server.heads) == 1:
                peer.reset()
                return
            else:
                await peer.answer(412, STALE)

    async with raw(talk) as server, server.picture() as picture:
        with pytest.raises(ConflictError):
            await picture.upload(NEW, if_match='W/"1"')


# -- unknown


@pytest.mark.parametrize(
    "look",
    [
        Fault("status", status=500, method="GET", times=None),
        Fault("reset_before", method="GET", times=None),
        Fault("html", method="GET", times=None),
        Fault("truncate", at=3, method="GET", times=None),
        Fault("stall", method="GET", times=None),
    ],
    ids=told,
)
async def test_only_if_looking_fails_too_the_outcome_is_unknown(
    paired: Paired, look: Fault
):
    async with paired(retries=ONCE, timeouts=patience(look)) as pair:
        pair.stored = OLD
        await strike(pair, Fault("apply_then_reset"), "PATCH", None)
        pair.server.faults.add(look)
        with pytest.raises(OutcomeUnknownError, match="before you repeat it") as caught:
            await pair.picture.upload(NEW)
        assert caught.value.failure.doubtful
        assert caught.value.failure.method == "PATCH"


async def test_a_web_page_in_answer_to_a_write_leaves_a_doubt_that_looking_settles(
    pair: Pair,
):
    pair.stored = OLD
    pair.server.faults.add(Fault("html", method="PATCH", times=None))
    with pytest.raises(BcPictureError, match="what was sent is not there"):
        await pair.picture.upload(NEW)
    assert pair.stored == OLD
