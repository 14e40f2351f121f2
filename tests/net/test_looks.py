"""A look at what is there proves nothing if it brings less than that."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from bcpicture import BcPictureError, OutcomeUnknownError, RetryPolicy
from bcpicture.emulator import Fault
from bcpicture.emulator.artwork import dot

Paired: TypeAlias = Callable[..., Any]

OLD, NEW = dot(b"the old picture"), dot(b"the new picture, which is longer")
ONCE = RetryPolicy(attempts=1)

SHORTER = [pytest.param(10, id="its beginning"), pytest.param(0, id="nothing")]


def cut(at: int, times: int | None) -> Fault:
    """Read back, the picture ends early, and the service calls that all of it."""
    return Fault("truncate_clean", at=at, times=times, method="GET", path="/picture")


@pytest.mark.parametrize("spool", [True, False], ids=["spooled", "unspooled"])
@pytest.mark.parametrize("times", [1, None], ids=["once", "always"])
@pytest.mark.parametrize("at", SHORTER)
async def test_what_is_stored_is_not_said_to_be_missing(
    paired: Paired, at: int, times: int | None, *, spool: bool
):
    async with paired(retries=ONCE) as pair:
        await pair.warm_up()
        pair.stored = OLD
        pair.server.faults.add(Fault("apply_then_reset", method="PATCH"))
        pair.server.faults.add(cut(at, times))
        stream = iter([NEW[:9], NEW[9:]])
        # Done after another look, or unknown: both are true.
        with contextlib.suppress(OutcomeUnknownError):
            await pair.picture.upload(stream, spool=spool, length=len(NEW))
        assert pair.stored == NEW


@pytest.mark.parametrize("times", [1, None], ids=["once", "always"])
@pytest.mark.parametrize("at", SHORTER)
async def test_what_is_still_there_is_not_said_to_be_gone(
    paired: Paired, at: int, times: int | None
):
    """No picture is a 204; no bytes under a 200 are no answer."""
    async with paired(retries=ONCE) as pair:
        await pair.warm_up()
        pair.stored = OLD
        pair.server.faults.add(Fault("reset_after", method="DELETE"), cut(at, times))
        with pytest.raises(BcPictureError):
            await pair.picture.delete()
        assert pair.stored == OLD
