"""Many uploads while one request in five goes wrong, in every way at random."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any, TypeAlias

from bcpicture import (
    BcPictureError,
    OutcomeUnknownError,
    RetryPolicy,
    Timeouts,
)
from bcpicture.emulator import Fault
from bcpicture.emulator.artwork import dot

Paired: TypeAlias = Callable[..., Any]  # the harness is in conftest.py

FAULTS = [
    *(Fault("status", status=status, retry_after="0") for status in (429, 503, 500)),
    *(Fault("status", status=status) for status in (401, 403, 404, 408, 504)),
    *(Fault(action) for action in ("reset_before", "reset_after", "malformed")),
    *(Fault(action) for action in ("html", "redirect", "close_idle", "cut_next")),
    Fault("apply_then_reset"),
    Fault("apply_then_status", status=504),
    Fault("apply_then_status", status=503, retry_after="0"),
    Fault("reset_during", at=100),
    Fault("truncate", at=3),
    Fault("bad_gzip"),
    Fault("apply_then_stall"),
    Fault("stall"),
]

PICTURES = 400


async def test_every_upload_is_stored_or_reported_truly(paired: Paired):
    """Nothing is lost, blanked, mixed up, or told to be what it is not."""
    dice = random.Random(1896)
    async with paired(
        {"items": PICTURES},
        retries=RetryPolicy(attempts=3, base=0.001),
        timeouts=Timeouts(reply=0.25, stall=0.25),
    ) as pair:
        await pair.warm_up()
        company = pair.bc.company("CRONUS USA, Inc.")
        items = [item async for item in company.items]
        stored = {item.number: f"old {item.number}".encode() for item in items}
        emulated = pair.server.store.company("CRONUS USA, Inc.")
        for number, data in stored.items():
            emulated.item(number).set_picture(data)

        for at in range(PICTURES // 2):
            fault = dice.choice(FAULTS)
            pair.server.faults.add(
                Fault(
                    fault.action,
                    status=fault.status,
                    retry_after=fault.retry_after,
                    at=fault.at,
                    skip=at * 5,
                    path="picture",
                )
            )

        async def upload(number: str) -> BcPictureError | None:
            data = dot(f"new {number} ".encode() * dice.choice([1, 50]))
            try:
                done = await company.item(number=number).picture.upload(data)
            except BcPictureError as error:
                return error
            assert done.size == len(data)
            stored[number] = data
            return None

        outcomes = await asyncio.gather(*(upload(item.number) for item in items))
        assert len(pair.server.faults.struck) > 50
        failed = 0
        for item, error in zip(items, outcomes, strict=True):
            there = emulated.item(item.number).picture_bytes()
            if error is None:
                assert there == stored[item.number], item.number
            else:
                failed += 1
                if not isinstance(error, OutcomeUnknownError):
                    assert there == stored[item.number], (item.number, str(error))
        assert failed < PICTURES // 4
        assert pair.governor.in_flight == 0
