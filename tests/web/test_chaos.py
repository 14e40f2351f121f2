"""Visitors that come and go at random, a service that stumbles, and too little room."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from bcpicture import ClosedError, TransportError, web
from bcpicture.emulator import Fault
from bcpicture.emulator.catalog import ITEM_NAMES

Shop: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Opened: TypeAlias = Callable[..., Any]

NUMBERS = list(ITEM_NAMES)[:6]
FAULTS = ["truncate", "reset_reply", "reset_before", "status"]
SIZES = [300, 30_000, 300_000, 900_000, 3_000_000, 5_000_000]
"""From one piece to more than is taken in."""


async def visit(
    shop: Shop, dice: random.Random, bodies: dict[str, bytes], met: Counter[object]
) -> None:
    number = dice.choice(NUMBERS)
    method = dice.choice(["GET"] * 9 + ["HEAD"])
    served = await web.serve(shop.picture(number), method=method, buffers=shop.buffers)
    met[served.status] += 1
    leaves_after = dice.choice([1, 5, 10_000])
    received = b""
    try:
        async for chunk in served:
            received += chunk
            leaves_after -= 1
            if not leaves_after:
                return
            if dice.random() < 0.1:
                await asyncio.sleep(dice.random() / 50)
    except (ClosedError, TransportError) as error:
        met[type(error)] += 1
    else:
        whole = {200: bodies[number] if method == "GET" else b""}
        assert received == whole.get(served.status, received)


def let_it_stumble(shop: Shop, dice: random.Random) -> None:
    action, at = dice.choice(FAULTS), dice.randrange(1, 2_000_000)
    shop.server.faults.add(Fault(action, at=at))


@pytest.mark.parametrize(
    ("seed", "options"),
    [
        pytest.param(1, {}, id="patient"),
        pytest.param(2, {"idle": 0.0}, id="sleepers-make-room"),
        pytest.param(3, {"fresh": 0.05}, id="kept-for-a-while"),
        pytest.param(4, {"wait": 0.02}, id="impatient"),
    ],
)
async def test_whatever_happens_bytes_are_whole_and_nothing_is_left(
    opened: Opened, seed: int, options: dict[str, float]
):
    dice = random.Random(seed)
    tight = {"memory": 3 << 20, "disk": 8 << 20, "longest": 4 << 20}
    bodies = {
        number: b"GIF89a" + os.urandom(size)
        for number, size in zip(NUMBERS, SIZES, strict=True)
    }
    met: Counter[object] = Counter()
    async with opened(buffers=tight | options) as shop:
        for number, body in bodies.items():
            shop.store(body, number)
        visiting = []
        for turn in range(100):
            if turn % 10 == 0:
                let_it_stumble(shop, dice)
            task = asyncio.create_task(visit(shop, dice, bodies, met))
            visiting.append(task)
            if dice.random() < 0.4:
                asyncio.get_running_loop().call_later(dice.random() / 10, task.cancel)
            await asyncio.sleep(dice.random() / 200)
        await asyncio.wait(visiting, timeout=30)
        assert all(task.cancelled() or not task.exception() for task in visiting)
        assert met[200]
        shop.buffers.clear()
        assert await shop.is_idle()
        assert shop.buffers._budget.waiting == 0
