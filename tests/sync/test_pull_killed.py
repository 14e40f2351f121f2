"""A pull that is killed at any moment is finished by the next one."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from typing import Any, TypeAlias

import attrs
import pytest

from bcpicture.core.ledger import Action, Intent
from bcpicture.emulator.artwork import png
from bcpicture.sync.engine import WIDTH

Shop: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
OpenShop: TypeAlias = Callable[..., Any]

ITEMS = 150
ONE = "1896-S"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def fill(shop: Shop) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Pictures for all items; every third has a file of somebody else."""
    ours, theirs = {}, {}
    for number in shop.numbers:
        ours[f"{number}.png"] = png(f"there {number}", side=16)
        shop.record(number).set_picture(ours[f"{number}.png"])
    for number in shop.numbers[::3]:
        theirs[number] = shop.put(f"{number}.png", f"theirs {number}")
    return ours, theirs


async def open_steps(shop: Shop) -> int:
    async with shop.box as box:
        return len(await box.kit.journal.open_intents())


@pytest.mark.parametrize("seed", range(3))
async def test_a_rerun_ends_where_an_undisturbed_run_does(
    open_shop: OpenShop, seed: int
):
    dice = random.Random(seed)
    async with open_shop(items=ITEMS) as shop:
        ours, theirs = fill(shop)
        kills = 0
        for _ in range(4):
            kind = dice.choice(["list", "batch", "read", "read", "read"])
            kills += await shop.kill("pull", kind, dice.randrange(ITEMS // 6))
            whole = {*ours.values(), *theirs.values()}
            there = {n: d for n, d in shop.files().items() if not n.startswith(".")}
            assert all(data in whole for data in there.values())
        pulled = await shop.pull()
        assert not pulled.report.failures
        assert shop.files() == ours
        assert len(shop.manifest()) == ITEMS
        assert set(shop.backup().values()) == set(theirs.values())
        repeated = shop.log.kinds()["read"] - ITEMS
        assert repeated <= 2 * WIDTH * kills
        assert await open_steps(shop) == 0
        assert not [*shop.state.glob("**/*.part"), *shop.photos.glob(".*")]
        again = await shop.pull()
        assert again.outcomes == {}
        assert again.plan.unchanged == ITEMS


async def begun(shop: Shop, *intents: Intent) -> None:
    """A pull that was cut off in the middle of these steps."""
    async with shop.box as box:
        record = box.kit.new_run("pull", folder=str(shop.photos))
        await box.kit.journal.begin(record)
        told = [attrs.evolve(intent, run=record.id) for intent in intents]
        await box.kit.journal.intend(told)


def writing(shop: Shop, number: str, after: bytes, before: bytes | None) -> Intent:
    return Intent(
        run="",
        id=shop.record(number).id,
        number=number,
        action=Action.DOWNLOAD,
        name=f"{number}.png",
        before=digest(before) if before else None,
        saved=True,
        after=digest(after),
    )


async def test_what_was_intended_is_settled_by_a_look_at_the_file(shop: Shop):
    done, failed, unknown, gone = shop.numbers[:4]
    old, new, other = (png(text, side=16) for text in ("old", "new", "other"))
    shop.put(f"{done}.png", new)
    shop.put(f"{failed}.png", old)
    shop.put(f"{unknown}.png", other)
    await begun(shop, *(writing(shop, it, new, old) for it in shop.numbers[:4]))
    shop.log.clear()
    async with shop.box as box:
        settled = await box.kit.settle()
        [run] = await box.kit.journal.runs()
    assert run.summary == "cut off"
    assert shop.requests() == {}
    assert [it.number for it in settled.done] == [done]
    assert [it.number for it in settled.failed] == [failed]
    assert [it.number for it in settled.unknown] == [unknown, gone]


async def test_an_open_step_waits_for_its_folder(shop: Shop):
    data = shop.put(f"{ONE}.png")
    await begun(shop, writing(shop, ONE, data, None))
    shop.photos.rename(shop.photos.with_name("elsewhere"))
    async with shop.box as box:
        assert len(await box.kit.settle()) == 0
    assert await open_steps(shop) == 1
    shop.photos.with_name("elsewhere").rename(shop.photos)
    await shop.pull()
    assert await open_steps(shop) == 0
