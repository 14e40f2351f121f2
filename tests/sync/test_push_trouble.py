"""What goes wrong during a push is told, and nothing is lost by it."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias

import pytest

from bcpicture import RetryPolicy
from bcpicture.core.ledger import State, Way
from bcpicture.core.options import PushOptions
from bcpicture.core.report import Ending
from bcpicture.core.steps import Why
from bcpicture.emulator import Fault, Quota
from bcpicture.emulator.artwork import png
from bcpicture.emulator.seen import Seen
from bcpicture.errors import (
    AuthenticationError,
    BackupError,
    BrakeError,
    ConflictError,
    ItemNotFoundError,
    JournalError,
    LockedError,
    RejectedError,
    SourceError,
    UnavailableError,
    UnfitPictureError,
)
from bcpicture.sync.kit import Clocks

Shop: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
OpenShop: TypeAlias = Callable[..., Any]

ONE = "1896-S"
THEIRS = png("theirs", side=16)
OTHERS = png("others", side=16)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# -- somebody else is at work, too


async def test_a_picture_that_appears_is_saved_and_counted(shop: Shop):
    ours = shop.put(f"{ONE}.png")
    shop.at("upload", lambda: shop.record(ONE).set_picture(THEIRS))
    pushed = await shop.push()
    one = pushed.outcomes[ONE]
    assert one.ending is Ending.UPLOADED
    assert (one.before, one.saved) == (digest(THEIRS), True)
    assert shop.there(ONE) == ours
    assert shop.backup() == {digest(THEIRS): THEIRS}


async def test_a_picture_that_appears_may_be_one_too_many(shop: Shop):
    shop.put(f"{ONE}.png")
    shop.at("upload", lambda: shop.record(ONE).set_picture(THEIRS))
    pushed = await shop.push(max_replace=0)
    one = pushed.outcomes[ONE]
    assert one.ending is Ending.FAILED
    assert isinstance(one.error, BrakeError)
    assert shop.there(ONE) == THEIRS


async def test_a_picture_that_appears_and_is_ours_is_adopted(shop: Shop):
    ours = shop.put(f"{ONE}.png")
    shop.at("upload", lambda: shop.record(ONE).set_picture(ours))
    pushed = await shop.push()
    assert pushed.endings == {ONE: "adopted"}
    assert pushed.outcomes[ONE].note == Why.EQUAL
    assert shop.requests()["upload"] == 1
    assert (await shop.push()).plan.unchanged == 1


async def test_who_is_quicker_every_time_wins(shop: Shop):
    shop.put(f"{ONE}.png")
    sides = iter(range(20, 60))

    def heard(seen: Seen) -> None:
        if seen.kind == "upload":
            shop.record(ONE).set_picture(png("theirs", side=next(sides)))

    shop.log.listener = heard
    pushed = await shop.push()
    one = pushed.outcomes[ONE]
    assert isinstance(one.error, ConflictError)
    assert shop.requests()["upload"] == 4  # twice, and once more at the end
    assert len(shop.backup()) == 3
    async with shop.box as box:
        [run] = await box.kit.journal.runs()
        steps = await box.kit.journal.steps(run.id)
    assert {step.state for step in steps} == {State.FAILED}
    assert len(steps) == 4


async def test_who_comes_after_the_upload_is_noticed(shop: Shop):
    shop.put(f"{ONE}.png")

    def heard(seen: Seen) -> None:
        if seen.kind == "batch" and shop.there(ONE):
            shop.record(ONE).stamp -= 3600.0
            shop.record(ONE).set_picture(OTHERS)
            shop.log.listener = None

    shop.put("1900-S.png")
    shop.log.listener = heard
    # The emulator's clock is ours, so that a change counts as one of the same moment.
    shop.record(ONE).clock = lambda: 4_000_000_000.0
    pushed = await shop.push()
    one = pushed.outcomes[ONE]
    assert one.ending is Ending.FAILED
    assert isinstance(one.error, ConflictError)
    assert one.after == digest(OTHERS)
    assert pushed.endings["1900-S"] == "uploaded"
    shop.log.listener = None
    again = await shop.push()
    assert again.outcomes[ONE].before == digest(OTHERS)
    assert digest(OTHERS) in shop.backup()


async def test_an_item_that_is_deleted_is_told(shop: Shop):
    shop.put(f"{ONE}.png")
    shop.put("1900-S.png")
    store = shop.server.store.company("CRONUS USA, Inc.")
    shop.at("upload", lambda: store.remove(ONE))
    pushed = await shop.push()
    assert isinstance(pushed.outcomes[ONE].error, ItemNotFoundError)
    assert pushed.endings == {ONE: "failed", "1900-S": "uploaded"}


async def test_an_item_that_is_deleted_after_its_upload_is_told(shop: Shop):
    shop.put(f"{ONE}.png")
    shop.put("1900-S.png")
    store = shop.server.store.company("CRONUS USA, Inc.")
    shop.at("batch", lambda: store.remove(ONE), skip=1)
    pushed = await shop.push()
    assert isinstance(pushed.outcomes[ONE].error, ItemNotFoundError)
    assert pushed.endings == {ONE: "failed", "1900-S": "uploaded"}


async def test_a_renumbered_item_keeps_its_picture(shop: Shop):
    now = [0.0]
    shop.clocks.monotonic = lambda: now[0]
    shop.put(f"{ONE}.png")
    async with shop.box as box:
        plan = await box.plan_push(shop.photos)
        now[0] = 61.0
        shop.server.store.company("CRONUS USA, Inc.").rename(ONE, "OTHER")
        async with box.run(plan) as run:
            [one] = [it async for it in run]
    assert one.ending is Ending.KEPT
    assert shop.there("OTHER") is None


async def test_what_is_known_for_a_minute_is_looked_at_again(shop: Shop):
    now = [0.0]
    shop.clocks.monotonic = lambda: now[0]
    numbers = shop.numbers[:5]
    ours = {number: shop.put(f"{number}.png") for number in numbers}
    async with shop.box as box:
        plan = await box.plan_push(shop.photos)
        shop.record(numbers[0]).set_picture(THEIRS)
        shop.record(numbers[1]).set_picture(ours[numbers[1]])
        now[0] = 61.0
        shop.log.clear()
        async with box.run(plan) as run:
            endings = {it.number: it async for it in run}
    assert endings[numbers[0]].before == digest(THEIRS)
    assert endings[numbers[1]].ending is Ending.ADOPTED
    assert shop.requests() == {"batch": 2, "read": 2, "upload": 4}


# -- the source


async def test_a_file_that_changed_since_the_plan_is_sent_as_it_is(shop: Shop):
    shop.put(f"{ONE}.png")
    async with shop.box as box:
        plan = await box.plan_push(shop.photos)
        anew = shop.put(f"{ONE}.png", "anew")
        async with box.run(plan) as run:
            [one] = [it async for it in run]
    assert one.after == digest(anew)
    assert shop.there(ONE) == anew
    assert (await shop.push()).plan.unchanged == 1


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
async def test_a_file_that_is_gone_is_told(shop: Shop, *, large: bool):
    shop.put(f"{ONE}.png", png("x", side=16, size_hint=400_000 if large else 0))
    shop.put("1900-S.png")
    async with shop.box as box:
        plan = await box.plan_push(shop.photos)
        (shop.photos / f"{ONE}.png").unlink()
        async with box.run(plan) as run:
            outcomes = {it.number: it async for it in run}
    assert isinstance(outcomes[ONE].error, SourceError)
    assert outcomes["1900-S"].ending is Ending.UPLOADED
    assert shop.there(ONE) is None


async def test_a_large_file_that_changes_on_its_way_is_not_sent_in_part(shop: Shop):
    old = shop.put(f"{ONE}.png", png("x", side=16, size_hint=3_000_000))
    shop.at("upload", lambda: shop.put(f"{ONE}.png", old[:2_000_000]))
    pushed = await shop.push()
    there = shop.record(ONE).picture_sha256
    assert there in {None, digest(old), digest(old[:2_000_000])}
    assert pushed.outcomes[ONE].after == there


async def test_a_large_file_is_sent_whole(shop: Shop):
    data = shop.put(f"{ONE}.png", png("x", side=16, size_hint=3_000_000))
    pushed = await shop.push()
    assert pushed.outcomes[ONE].after == digest(data)
    assert shop.record(ONE).picture_sha256 == digest(data)
    shop.put(f"{ONE}.png", png("y", side=16, size_hint=3_000_000))
    assert (await shop.push()).outcomes[ONE].before == digest(data)
    assert shop.backup() == {digest(data): data}


async def test_an_empty_folder_plans_nothing_and_deletes_nothing(shop: Shop):
    for number in shop.numbers[:3]:
        shop.put(f"{number}.png")
    await shop.push()
    for path in shop.photos.iterdir():
        path.unlink()
    async with shop.box as box:
        options = PushOptions(delete=True, max_delete=None)
        plan = await box.plan_push(shop.photos, options)
        assert plan.brakes
        with pytest.raises(BrakeError):
            box.run(plan)
    shop.photos.rmdir()
    with pytest.raises(SourceError):
        await shop.push(delete=True)
    assert all(shop.there(number) for number in shop.numbers[:3])


async def test_a_file_that_comes_back_keeps_its_picture(shop: Shop):
    ours = {number: shop.put(f"{number}.png") for number in shop.numbers[:3]}
    await shop.push()
    path = shop.photos / f"{ONE}.png"
    path.unlink()
    async with shop.box as box:
        options = PushOptions(delete=True, max_delete=None)
        plan = await box.plan_push(shop.photos, options)
        assert len(plan.deletions) == 1
        path.write_bytes(ours[ONE])
        async with box.run(plan) as run:
            [one] = [it async for it in run]
    assert one.ending is Ending.KEPT
    assert shop.there(ONE) == ours[ONE]


async def test_a_picture_that_changes_before_it_is_deleted_stays(shop: Shop):
    for number in shop.numbers[:3]:
        shop.put(f"{number}.png")
    await shop.push()
    (shop.photos / f"{ONE}.png").unlink()
    shop.at("read", lambda: shop.record(ONE).set_picture(THEIRS))
    pushed = await shop.push(delete=True, max_delete=None)
    assert pushed.endings == {ONE: "kept"}
    assert shop.there(ONE) == THEIRS


async def test_what_is_no_picture_is_not_sent(shop: Shop):
    shop.put(f"{ONE}.png", b"<html>Sign in</html>")
    shop.put("1900-S.png")
    pushed = await shop.push()
    assert isinstance(pushed.outcomes[ONE].error, UnfitPictureError)
    assert pushed.endings == {ONE: "failed", "1900-S": "uploaded"}
    assert await states(shop) == [State.FAILED, State.DONE]


# -- the service


async def test_a_listing_that_fails_half_way_plans_nothing(open_shop: OpenShop):
    async with open_shop(items=50, page_size=20) as shop:
        for number in shop.numbers:
            shop.put(f"{number}.png")
        fault = Fault("status", path="skiptoken", status=503, times=None)
        shop.server.faults.add(fault)
        with pytest.raises(UnavailableError):
            await shop.push()
        assert "upload" not in shop.requests()
        shop.server.faults.clear()
        assert (await shop.push()).report.done == 50


async def test_a_token_that_is_revoked_ends_the_run_and_loses_nothing(
    open_shop: OpenShop,
):
    async with open_shop(items=200) as shop:
        ours = {number: shop.put(f"{number}.png") for number in shop.numbers}

        def revoke() -> None:
            shop.server.identity.unregister_app(shop.server.client_id)
            shop.server.identity.revoke_all()

        shop.at("upload", revoke, skip=40)
        async with shop.box as box:
            plan = await box.plan_push(shop.photos)
            async with box.run(plan) as run:
                with pytest.raises(AuthenticationError):
                    await run.finish()
        report = run.report
        assert sum(report.counts.values()) == 200
        assert report.stopped
        there = shop.all_there()
        assert all(there[number] in {None, ours[number]} for number in ours)
        shop.server.identity.register(shop.server.client_id, shop.server.client_secret)
        shop.log.listener = None
        before = sum(data is not None for data in there.values())
        shop.log.clear()
        again = await shop.push()
        assert shop.all_there() == ours
        assert shop.requests()["upload"] == 200 - before
        assert not again.report.failures


async def test_a_refusal_by_business_logic_is_remembered(shop: Shop):
    record = shop.record(ONE)
    shop.put(f"{ONE}.png")
    refusal = Fault(
        "status",
        method="PATCH",
        path=record.id,
        status=400,
        code="Application_DialogException",
        times=None,
    )
    shop.server.faults.add(refusal)
    pushed = await shop.push()
    assert isinstance(pushed.outcomes[ONE].error, RejectedError)
    assert shop.requests()["upload"] == 1
    again = await shop.push()
    assert again.endings == {ONE: "kept"}
    assert Why.REJECTED in again.outcomes[ONE].reason
    record.touch()
    shop.server.faults.clear()
    assert (await shop.push()).endings == {ONE: "uploaded"}


async def test_what_fails_for_a_while_is_done_at_the_end(open_shop: OpenShop):
    client = {"retries": RetryPolicy(attempts=1)}
    async with open_shop(items=30, client=client) as shop:
        ours = {number: shop.put(f"{number}.png") for number in shop.numbers}
        for action in ("status", "reset_after", "apply_then_reset"):
            status = {"status": 500} if action == "status" else {}
            fault = Fault(action, method="PATCH", times=3, skip=4, **status)
            shop.server.faults.add(fault)
        pushed = await shop.push()
        assert not pushed.report.failures
        assert shop.all_there() == ours
        assert (await shop.push()).plan.unchanged == 30


async def test_what_had_arrived_after_all_is_an_upload(open_shop: OpenShop):
    client = {"retries": RetryPolicy(attempts=1)}
    async with open_shop(items=3, client=client) as shop:
        shop.record(ONE).set_picture(THEIRS)
        ours = shop.put(f"{ONE}.png")
        shop.server.faults.add(
            Fault("apply_then_reset", method="PATCH"),
            Fault("reset_after", method="GET", path="Content", skip=1, times=3),
        )
        pushed = await shop.push()
        one = pushed.outcomes[ONE]
        assert one.ending is Ending.UPLOADED
        assert (one.before, one.saved) == (digest(THEIRS), True)
        assert one.after == digest(ours)
        assert shop.requests()["upload"] == 1
        assert (pushed.report.replaced, pushed.report.saved) == (1, 1)
        assert await states(shop) == [State.DONE]


async def test_nobody_knows_is_told_and_settled_by_the_next_run(open_shop: OpenShop):
    client = {"retries": RetryPolicy(attempts=1)}
    async with open_shop(items=3, client=client) as shop:
        ours = shop.put(f"{ONE}.png")
        shop.server.faults.add(
            Fault("apply_then_reset", method="PATCH", times=None),
            Fault("reset_after", method="GET", path="Content", times=None),
        )
        pushed = await shop.push()
        assert pushed.endings == {ONE: "failed"}
        assert shop.there(ONE) == ours
        shop.server.faults.clear()
        shop.log.clear()
        assert (await shop.push()).endings == {ONE: "adopted"}
        assert "upload" not in shop.requests()


async def test_the_quota_makes_it_slow_and_nothing_else(open_shop: OpenShop):
    quota = Quota(concurrent=3, requests=40, seconds=0.2)
    async with open_shop(items=60, quota=quota) as shop:
        ours = {number: shop.put(f"{number}.png") for number in shop.numbers}
        pushed = await shop.push()
        assert not pushed.report.failures
        assert shop.all_there() == ours


@pytest.mark.parametrize("hours", [-24, 24])
async def test_clocks_that_disagree_cost_a_read_at_most(
    open_shop: OpenShop, hours: int
):
    skew = [0.0]
    clock = iter(range(10**9))

    def server_clock() -> float:
        return 1_750_000_000.0 + skew[0] + next(clock) * 0.001

    async with open_shop(items=5, clock=server_clock) as shop:
        ours = {number: shop.put(f"{number}.png") for number in shop.numbers}
        shop.at("upload", lambda: skew.__setitem__(0, hours * 3600.0), skip=2)
        pushed = await shop.push()
        assert not pushed.report.failures
        assert shop.all_there() == ours
        shop.put(f"{ONE}.png", "anew")
        assert (await shop.push(rebase=hours < 0)).outcomes[
            ONE
        ].ending is Ending.UPLOADED


async def test_our_own_clock_may_be_set_back(shop: Shop):
    ours = {number: shop.put(f"{number}.png") for number in shop.numbers[:3]}
    await shop.push()
    early = datetime(2001, 1, 1, tzinfo=UTC)
    shop.clocks = Clocks(wall=lambda: early, files=lambda: 10**18)
    shop.put(f"{ONE}.png", "anew")
    pushed = await shop.push()
    assert pushed.endings == {ONE: "uploaded"}
    assert shop.there("1900-S") == ours["1900-S"]
    assert (await shop.push()).plan.unchanged == 3


async def test_what_could_not_be_looked_at_is_left_for_the_next_run(shop: Shop):
    numbers = shop.numbers[:5]
    ours = {number: shop.put(f"{number}.png") for number in numbers}
    shop.at(
        "upload",
        lambda: shop.server.faults.add(
            Fault("status", path="batch", status=503, times=None)
        ),
    )
    pushed = await shop.push()
    assert set(pushed.endings.values()) == {"failed"}
    assert all(
        "could not be looked at" in str(it.reason) for it in pushed.report.failures
    )
    assert {number: shop.there(number) for number in numbers} == ours
    shop.server.faults.clear()
    shop.log.clear()
    again = await shop.push(max_replace=0)
    assert set(again.endings.values()) == {"adopted"}
    assert "upload" not in shop.requests()


# -- our own disk


async def test_without_a_backup_there_is_no_write(shop: Shop):
    for number in shop.numbers[:10]:
        shop.record(number).set_picture(THEIRS)
        shop.put(f"{number}.png")
    shop.put("1988-W.png")
    async with shop.box as box:
        plan = await box.plan_push(shop.photos)
        backups = box.kit.place.backups
        shutil.rmtree(backups)
        backups.touch()  # a file where the folder was
        async with box.run(plan) as run:
            with pytest.raises(BackupError):
                await run.finish()
    assert all(shop.there(number) == THEIRS for number in shop.numbers[:10])
    assert "upload" not in shop.requests()
    assert run.report.stopped


async def fill_up(shop: Shop) -> None:
    """Push until the disk of the journal is full, after some uploads."""
    async with shop.box as box:
        plan = await box.plan_push(shop.photos)
        database = box.kit.journal._database

        def full(connection: sqlite3.Connection) -> None:
            connection.execute("PRAGMA max_page_count = 1").close()

        shop.at("upload", lambda: database.do_later(full), skip=10)
        async with box.run(plan) as run:
            await run.finish()


async def test_a_journal_that_cannot_be_written_stops_before_the_next_write(
    open_shop: OpenShop,
):
    async with open_shop(items=400) as shop:
        ours = {number: shop.put(f"{number}.png") for number in shop.numbers}
        with pytest.raises(JournalError, match="full"):
            await fill_up(shop)
        there = sum(data is not None for data in shop.all_there().values())
        assert 10 < there < 390
        shop.log.listener = None
        shop.log.clear()
        assert not (await shop.push()).report.failures
        assert shop.all_there() == ours
        assert shop.requests()["upload"] == 400 - there


async def test_a_second_one_is_told_who_is_at_work(shop: Shop):
    async with shop.box:
        with pytest.raises(LockedError, match=str(os.getpid())):
            await shop.push()


async def test_the_state_may_not_lie_among_the_pictures(shop: Shop):
    shop.state = shop.photos / "state"
    with pytest.raises(Exception, match="lie one in the other"):
        await shop.push()


async def test_a_damaged_journal_is_set_aside_and_nothing_is_deleted(shop: Shop):
    ours = {number: shop.put(f"{number}.png") for number in shop.numbers[:4]}
    await shop.push()
    [path] = shop.state.glob("*/journal.sqlite")
    path.write_bytes(path.read_bytes()[:1000])
    (shop.photos / f"{ONE}.png").unlink()
    with pytest.raises(JournalError, match="rebase"):
        await shop.push()
    shop.rebase = True
    shop.log.clear()
    pushed = await shop.push(rebase=True, delete=True)
    assert sorted(pushed.endings.values()) == ["adopted"] * 3
    assert "upload" not in shop.requests()
    assert shop.there(ONE) == ours[ONE]
    shop.rebase = False
    assert (await shop.push()).plan.unchanged == 3


async def test_a_restored_environment_is_compared_by_content(shop: Shop):
    ours = {number: shop.put(f"{number}.png") for number in shop.numbers[:4]}
    await shop.push()
    for number in ours:
        shop.record(number).stamp -= 7 * 86400
    shop.record(ONE).set_picture(THEIRS)
    shop.record(ONE).stamp -= 7 * 86400
    with pytest.raises(BrakeError, match="rebase"):
        await shop.push()
    pushed = await shop.push(rebase=True)
    assert pushed.endings[ONE] == "uploaded"
    assert sorted(pushed.endings.values()) == ["adopted"] * 3 + ["uploaded"]
    assert shop.backup()[digest(THEIRS)] == THEIRS
    assert (await shop.push()).plan.unchanged == 4


# -- the end of a run before its time


async def states(shop: Shop) -> list[State]:
    async with shop.box as box:
        [run, *_] = await box.kit.journal.runs()
        return [step.state for step in await box.kit.journal.steps(run.id)]


async def test_stop_leaves_the_journal_right(open_shop: OpenShop):
    async with open_shop(items=150) as shop:
        ours = {number: shop.put(f"{number}.png") for number in shop.numbers}
        async with shop.box as box:
            plan = await box.plan_push(shop.photos)
            async with box.run(plan) as run:
                shop.at("upload", run.stop, skip=30)
                report = await run.finish()
            [record] = await box.kit.journal.runs()
            assert await box.kit.journal.open_intents() == []
            memory = await box.kit.journal.load(Way.PUSH, str(shop.photos))
        assert report.stopped
        assert record.summary.endswith(", stopped")
        done = report.counts[Ending.UPLOADED]
        assert 31 <= done <= 40
        assert len(memory.agreements) == len(memory.links) == done
        assert sum(data is not None for data in shop.all_there().values()) == done
        shop.log.listener = None
        shop.log.clear()
        again = await shop.push()
        assert again.plan.unchanged == done
        assert shop.requests()["upload"] == 150 - done
        assert shop.all_there() == ours


def at_work() -> list[str]:
    """Tasks of the synchronisation that are still there."""
    files = {
        str(task.get_coro().cr_code.co_filename): task.get_name()
        for task in asyncio.all_tasks()
    }
    return [name for file, name in files.items() if "/bcpicture/sync/" in file]


@pytest.mark.parametrize("skip", [0, 3, 25])
async def test_cancellation_ends_at_once_and_the_next_run_settles_it(
    open_shop: OpenShop, skip: int
):
    async with open_shop(items=60) as shop:
        ours = {number: shop.put(f"{number}.png") for number in shop.numbers}
        pushing = asyncio.create_task(shop.push())
        busy: list[str] = []

        def cancel() -> None:
            busy.extend(at_work())
            pushing.cancel()

        shop.at("upload", cancel, skip=skip)
        with pytest.raises(asyncio.CancelledError):
            await pushing
        assert busy
        assert at_work() == []
        shop.log.listener = None
        there = sum(data is not None for data in shop.all_there().values())
        async with shop.box as box:
            assert len(await box.kit.journal.open_intents()) >= 1
        shop.log.clear()
        again = await shop.push()
        assert not again.report.failures
        assert shop.all_there() == ours
        assert shop.requests()["upload"] == 60 - there
        async with shop.box as box:
            assert await box.kit.journal.open_intents() == []
