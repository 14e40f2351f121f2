"""The same work on many values, a few at a time."""

from __future__ import annotations

import asyncio

import pytest

from bcpicture.sync.turns import in_turns


async def test_no_more_than_a_few_work_at_once_and_results_keep_their_order():
    busy, most = 0, 0

    async def work(value: int) -> int:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        for _ in range(value % 3):
            await asyncio.sleep(0)
        busy -= 1
        return value * 2

    assert await in_turns(work, range(20), width=3) == [*range(0, 40, 2)]
    assert most == 3


async def test_the_first_error_ends_it_and_is_raised_as_it_is():
    begun = []

    async def work(value: int) -> None:
        begun.append(value)
        await asyncio.sleep(0)
        if value == 1:
            raise LookupError(value)

    with pytest.raises(LookupError, match="1"):
        await in_turns(work, range(20), width=3)
    assert len(begun) < 20
