"""An undo brings back, byte for byte, what a run replaced or took away."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from bcpicture.core.ledger import Action, State
from bcpicture.core.report import Ending
from bcpicture.core.steps import Keep, Restore, Why
from bcpicture.emulator.artwork import png
from bcpicture.errors import ConflictError, SourceError, UsageError

Shop: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
OpenShop: TypeAlias = Callable[..., Any]

ONE = "1896-S"
THEIRS = png("theirs", side=16)
OTHERS = png("others", side=16)
ANY = {"max_replace": None, "max_delete": None}


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def theirs(shop: Shop, count: int) -> None:
    """Pictures of somebody else at the first records."""
    for number in shop.numbers[:count]:
        shop.record(number).set_picture(png(f"theirs {number}", side=16))


def shown(shop: Shop) -> int:
    """Files in the folder that have their name."""
    return sum(not path.name.startswith(".") for path in shop.photos.iterdir())


async def steps_of(shop: Shop, run: str) -> list[Any]:
    async with shop.box as box:
        return list(await box.kit.journal.steps(run))


# -- of a push


async def test_the_server_is_what_it_was_before_the_push(any_shop: Shop):
    theirs(any_shop, 4)
    before = any_shop.all_there()
    for number in any_shop.numbers[2:8]:
        any_shop.put(f"{number}.png")
    pushed = await any_shop.push(max_replace=None)
    assert pushed.report.done == 6
    ours = any_shop.all_there()
    undone = await any_shop.undo()
    assert any_shop.all_there() == before
    endings = [one.ending for one in undone.outcomes.values()]
    assert endings.count(Ending.UPLOADED) == 2
    assert endings.count(Ending.DELETED) == 4
    states = {it.state for it in await steps_of(any_shop, pushed.report.run)}
    assert states == {State.UNDONE}
    again = await any_shop.undo()
    assert again.plan.run == undone.report.run
    assert any_shop.all_there() == ours
    await any_shop.undo()
    assert any_shop.all_there() == before


async def test_a_dry_run_shows_the_steps_from_the_last_to_the_first(shop: Shop):
    theirs(shop, 2)
    for number in shop.numbers[:3]:
        shop.put(f"{number}.png")
    pushed = await shop.push(max_replace=None)
    order = [it.number for it in await steps_of(shop, pushed.report.run)]
    shop.log.clear()
    async with shop.box as box:
        plan = await box.plan_undo()
    assert shop.requests() == {}
    assert (plan.run, plan.command) == (pushed.report.run, "push")
    steps = [*plan.steps]
    assert all(isinstance(step, Restore) for step in steps)
    assert [step.number for step in steps] == order[::-1]
    assert {step.action for step in steps} == {Action.UPLOAD, Action.DELETE}
    async with shop.box as box, box.run(plan) as run:
        assert {one.step for one in [it async for it in run]} == {*steps}


async def test_a_picture_that_was_deleted_comes_back(shop: Shop):
    for number in shop.numbers[:8]:
        shop.put(f"{number}.png")
    await shop.push()
    before = shop.all_there()
    (shop.photos / f"{ONE}.png").unlink()
    pushed = await shop.push(delete=True, max_delete=1)
    assert pushed.endings == {ONE: "deleted"}
    undone = await shop.undo()
    assert undone.endings == {ONE: "uploaded"}
    assert shop.all_there() == before
    # The file is no reason to delete it once more: nothing links the two any more.
    assert (await shop.push(delete=True, max_delete=1)).plan.deletions == ()


async def test_what_somebody_changed_since_is_left_alone(any_shop: Shop):
    theirs(any_shop, 3)
    for number in any_shop.numbers[:3]:
        any_shop.put(f"{number}.png")
    await any_shop.push(max_replace=None)
    first, second, third = any_shop.numbers[:3]
    any_shop.record(first).set_picture(OTHERS)
    any_shop.record(second).set_picture(None)
    undone = await any_shop.undo()
    assert undone.endings == {first: "failed", second: "failed", third: "uploaded"}
    error = undone.outcomes[first].error
    assert isinstance(error, ConflictError)
    assert digest(png(f"theirs {first}", side=16)) in str(error)
    assert any_shop.there(first) == OTHERS
    assert any_shop.there(second) is None


async def test_a_picture_that_came_back_by_itself_is_no_failure(shop: Shop):
    theirs(shop, 1)
    number = shop.numbers[0]
    shop.put(f"{number}.png")
    pushed = await shop.push(max_replace=None)
    shop.record(number).set_picture(png(f"theirs {number}", side=16))
    shop.log.clear()
    undone = await shop.undo()
    assert undone.endings == {number: "unchanged"}
    assert "upload" not in shop.requests()
    [step] = await steps_of(shop, pushed.report.run)
    assert step.state is State.UNDONE


async def test_what_was_not_saved_is_refused_with_its_reason(shop: Shop):
    shop.put(f"{ONE}.png", "first")
    await shop.push()
    shop.put(f"{ONE}.png", "second")
    await shop.push(backup="foreign", max_replace=None)
    assert shop.backup() == {}
    async with shop.box as box:
        plan = await box.plan_undo()
    assert plan.restores == ()
    assert [(it.number, it.reason) for it in plan.kept] == [(ONE, Why.NOT_SAVED)]
    undone = await shop.undo()
    assert undone.endings == {ONE: "kept"}
    assert isinstance(undone.outcomes[ONE].step, Keep)


async def test_what_is_not_in_the_backup_any_more_is_refused(shop: Shop):
    theirs(shop, 1)
    number = shop.numbers[0]
    shop.put(f"{number}.png")
    await shop.push(max_replace=None)
    for path in shop.state.glob("*/backups/*/*"):
        path.unlink()
    undone = await shop.undo()
    assert [it.reason for it in undone.plan.kept] == [Why.NOT_KEPT]
    assert undone.endings == {number: "kept"}


async def test_a_damaged_backup_is_never_put_back(shop: Shop):
    theirs(shop, 1)
    number = shop.numbers[0]
    ours = shop.put(f"{number}.png")
    await shop.push(max_replace=None)
    for path in shop.state.glob("*/backups/*/*"):
        path.write_bytes(b"damaged")
    undone = await shop.undo()
    assert undone.endings == {number: "failed"}
    assert "damaged" in str(undone.outcomes[number].error)
    assert shop.there(number) == ours


async def test_an_earlier_run_can_be_chosen(shop: Shop):
    theirs(shop, 2)
    before = shop.all_there()
    first, second = shop.numbers[:2]
    shop.put(f"{first}.png")
    pushed = await shop.push(max_replace=None)
    shop.put(f"{second}.png")
    await shop.push(max_replace=None)
    await shop.undo(pushed.report.run)
    assert shop.there(first) == before[first]
    assert shop.there(second) != before[second]
    assert (await shop.undo(pushed.report.run)).outcomes == {}


async def test_a_run_that_there_is_not_is_told(shop: Shop):
    with pytest.raises(UsageError, match="No run changed anything"):
        await shop.undo()
    with pytest.raises(UsageError, match="no run 2020"):
        await shop.undo("2020")


# -- of a pull


async def test_the_folder_is_what_it_was_before_the_pull(any_shop: Shop):
    theirs(any_shop, 6)
    first, second, third = any_shop.numbers[:3]
    for number in (first, second):
        any_shop.put(f"{number}.png")
    any_shop.put(f"{third}.jpg", "somebody's")
    before = any_shop.files()
    await any_shop.pull(**ANY)
    after = any_shop.files()
    assert len(after) == 7
    undone = await any_shop.undo()
    assert any_shop.files() == before
    endings = [one.ending for one in undone.outcomes.values()]
    assert endings.count(Ending.DOWNLOADED) == 2
    assert endings.count(Ending.REMOVED) == 4
    assert set(any_shop.manifest()) == {first, second}
    await any_shop.undo()
    assert any_shop.files() == after
    assert len(any_shop.manifest()) == 6
    assert any_shop.requests().get("upload", 0) == 0


async def test_a_file_of_another_kind_and_a_removed_one_come_back(shop: Shop):
    theirs(shop, 4)
    await shop.pull()
    before, listed = shop.files(), shop.manifest()
    first, second = shop.numbers[:2]
    shop.record(first).set_picture(b"\xff\xd8\xff\xe0" + bytes(40) + b"\xff\xd9")
    shop.record(second).set_picture(None)
    await shop.pull(delete=True, **ANY)
    assert f"{first}.jpg" in shop.files()
    assert len(shop.files()) == 3
    await shop.undo()
    assert shop.files() == before
    assert shop.manifest() == listed


async def test_a_file_that_somebody_changed_since_stays(shop: Shop):
    theirs(shop, 3)
    await shop.pull()
    first, second, third = shop.numbers[:3]
    shop.put(f"{first}.png", OTHERS)
    (shop.photos / f"{second}.png").unlink()
    undone = await shop.undo()
    assert undone.endings[first] == "failed"
    assert isinstance(undone.outcomes[first].error, ConflictError)
    assert undone.endings[second] == "unchanged"
    assert undone.endings[third] == "removed"
    assert shop.files() == {f"{first}.png": OTHERS}


async def test_an_undo_needs_its_folder(shop: Shop):
    theirs(shop, 1)
    await shop.pull()
    shop.photos.rename(shop.photos.with_name("elsewhere"))
    with pytest.raises(SourceError, match="is not there"):
        await shop.undo()


# -- killed


@pytest.mark.parametrize("seed", range(2))
async def test_an_undo_of_a_push_that_is_killed_is_finished_by_the_next(
    open_shop: OpenShop, seed: int
):
    dice = random.Random(seed)
    async with open_shop(items=60) as shop:
        for number in shop.numbers[::2]:
            shop.record(number).set_picture(png(f"theirs {number}", side=16))
        before = shop.all_there()
        for number in shop.numbers:
            shop.put(f"{number}.png")
        await shop.push(max_replace=None)
        for _ in range(2):
            kind = dice.choice(["read", "upload", "delete"])
            assert await shop.kill("undo", kind, dice.randrange(8))
        undone = await shop.undo()
        assert not undone.report.failures
        assert shop.all_there() == before
        assert undone.plan.command == "push"


async def test_an_undo_of_a_pull_that_is_killed_is_finished_by_the_next(
    open_shop: OpenShop,
):
    async with open_shop(items=60) as shop:
        theirs(shop, 60)
        for number in shop.numbers[::3]:
            shop.put(f"{number}.png")
        before = shop.files()
        await shop.pull(**ANY)
        process = await shop.begin("undo")
        seen = shown(shop)
        for _ in range(2000):
            if shown(shop) < seen:
                break
            await shop.pause()
        process.kill()
        await process.communicate()
        undone = await shop.undo()
        assert not undone.report.failures
        assert shop.files() == before
        assert not [*shop.photos.glob(".*")]
