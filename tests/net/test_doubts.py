"""A doubt about one attempt outlives whatever comes after it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import pytest

from bcpicture import (
    ANY,
    BcPictureError,
    OutcomeUnknownError,
    RetryPolicy,
    TransportError,
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


async def strike(pair: Pair, fault: Fault, method: str, times: int | None = 1) -> None:
    await pair.warm_up()
    pair.server.faults.add(attrs.evolve(fault, method=method, times=times))


async def test_a_doubt_is_settled_when_the_next_attempt_gets_no_place(paired: Paired):
    """The service did it, said 503, and the caller does not wait for another place."""
    async with paired(queue_wait=0.02) as pair:
        pair.stored = OLD
        await strike(
            pair, Fault("apply_then_status", status=503, retry_after="1"), "PATCH"
        )
        pair.session.sleep = no_sleep
        with pytest.raises(OutcomeUnknownError):
            await pair.picture.upload(NEW, if_match=ANY)
        assert pair.stored == NEW


async def no_sleep(_: float) -> None:
    """Wait for nothing."""


async def test_a_doubt_is_settled_when_the_next_attempt_gets_no_token(paired: Paired):
    """The service did it, the reply is lost, and the token ends before the second."""
    async with paired() as pair:
        pair.stored = OLD
        await pair.warm_up()
        keeper = pair.session.lanes.members[0].signer
        pair.session.policy = RetryPolicy(base=0.001)

        async def token_ends(_: float) -> None:
            keeper.reject(keeper.header_now(), None)
            pair.server.faults.add(
                Fault("status", status=400, path="/oauth2/", times=None)
            )

        pair.session.sleep = token_ends
        pair.server.faults.add(Fault("apply_then_status", status=500, method="PATCH"))
        with pytest.raises(OutcomeUnknownError):
            await pair.picture.upload(NEW)
        assert pair.stored == NEW


@pytest.mark.parametrize("change", ["grow", "vanish"])
async def test_a_doubt_is_not_forgotten_when_the_file_changes_before_the_next_attempt(
    paired: Paired, tmp_path: Path, change: str
):
    path = tmp_path / "a.bmp"
    path.write_bytes(LARGE)
    async with paired() as pair:
        await pair.warm_up()
        pair.session.policy = RetryPolicy(base=0.001)

        async def file_changes(_: float) -> None:
            if change == "grow":
                await asyncio.to_thread(path.write_bytes, LARGE + b"x")
            else:
                await asyncio.to_thread(path.unlink)

        pair.session.sleep = file_changes
        pair.server.faults.add(Fault("apply_then_status", status=500, method="PATCH"))
        with pytest.raises(OutcomeUnknownError):
            await pair.picture.upload(path)
        assert pair.stored == LARGE


async def test_a_doubt_about_the_first_attempt_is_settled_after_a_clear_no(
    paired: Paired,
):
    """The second attempt is refused for good; the first one had worked."""
    async with paired() as pair:
        pair.stored = OLD
        await strike(pair, Fault("apply_then_reset"), "PATCH")
        pair.server.faults.add(Fault("status", status=403, method="PATCH"))
        await pair.picture.upload(NEW)
        assert pair.stored == NEW


async def test_a_request_that_never_left_is_in_no_doubt(raw: Raw):
    async def talk(_: Peer) -> None:
        """Nobody is there."""

    async with raw(talk) as server:
        pass
    async with server.picture(retries=ONCE) as picture:
        with pytest.raises(TransportError) as caught:
            await picture.upload(NEW)
    assert not isinstance(caught.value, OutcomeUnknownError)


async def test_the_record_is_gone_when_looking(raw: Raw):
    """Then the picture is not there either: that is known."""

    async def talk(peer: Peer) -> None:
        while head := await peer.asked():
            if head.startswith("GET"):
                await peer.answer(404, b'{"error":{"code":"BadRequest_ResourceNotF"}}')
            else:
                peer.reset()
                return

    async with raw(talk) as server, server.picture(retries=ONCE) as picture:
        with pytest.raises(BcPictureError) as caught:
            await picture.upload(NEW)
        assert not isinstance(caught.value, OutcomeUnknownError)
