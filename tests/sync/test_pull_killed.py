"""A pull that is killed at any moment is finished by the next one."""

from __future__ import annotations

import hashlib
from typing import Any, TypeAlias

import attrs

from bcpicture.core.ledger import Action, Intent
from bcpicture.emulator.artwork import png

Shop: TypeAlias = Any  # the harness is in conftest.py, which nobody can import

ONE = "1896-S"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def open_steps(shop: Shop) -> int:
    async with shop.box as box:
        return len(await box.kit.journal.open_intents())


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
