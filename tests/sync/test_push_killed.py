"""A push that is killed at any moment is finished by the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from bcpicture.core.ledger import Way
from bcpicture.emulator import Fault
from bcpicture.emulator.artwork import png
from bcpicture.errors import UnavailableError

Shop: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
OpenShop: TypeAlias = Callable[..., Any]


async def open_steps(shop: Shop) -> int:
    async with shop.box as box:
        return len(await box.kit.journal.open_intents())


async def test_what_was_intended_is_settled_by_a_look(open_shop: OpenShop):
    async with open_shop(items=60) as shop:
        ours = {number: shop.put(f"{number}.png") for number in shop.numbers}
        assert await shop.kill("push", "upload", 20)
        await asyncio.sleep(0)
        there = {number for number, data in shop.all_there().items() if data}
        assert 0 < len(there) < 60
        left = await open_steps(shop)
        assert left >= 1
        shop.log.clear()
        async with shop.box as box:
            settled = await box.kit.settle()
            memory = await box.kit.journal.load(Way.PUSH, str(shop.photos))
            [run] = await box.kit.journal.runs()
        assert run.summary == "cut off"
        assert len(settled) == left
        assert len(memory.agreements) == len(there)
        assert {one.number for one in settled.done} <= there
        assert not {one.number for one in settled.failed} & there
        assert settled.unknown == ()
        assert "upload" not in shop.requests()
        assert not (await shop.push()).report.failures
        assert shop.all_there() == ours
        assert shop.requests()["upload"] == 60 - len(there)


async def test_a_picture_of_somebody_else_leaves_it_unknown(open_shop: OpenShop):
    async with open_shop(items=3) as shop:
        shop.put("1896-S.png")
        assert await shop.kill("push", "upload", 0)
        theirs = png("theirs", side=16)
        shop.record("1896-S").set_picture(theirs)
        async with shop.box as box:
            settled = await box.kit.settle()
            assert [one.number for one in settled.unknown] == ["1896-S"]
        pushed = await shop.push()
        assert pushed.endings == {"1896-S": "uploaded"}
        assert list(shop.backup().values()) == [theirs]


async def test_what_cannot_be_settled_is_an_error_as_it_is(open_shop: OpenShop):
    async with open_shop(items=60) as shop:
        for number in shop.numbers:
            shop.put(f"{number}.png")
        assert await shop.kill("push", "upload", 20)
        ill = Fault("status", status=503, path="Content", times=None)
        shop.server.faults.add(ill)
        with pytest.raises(UnavailableError):
            await shop.push()
        shop.server.faults.clear()
        assert not (await shop.push()).report.failures
