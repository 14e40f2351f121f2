"""A push brings a company in step with a folder, and loses nothing by it."""

from __future__ import annotations

import hashlib
from typing import Any, TypeAlias

import pytest

from bcpicture import sync
from bcpicture.core.report import Ending
from bcpicture.core.steps import Replaces, Why
from bcpicture.emulator.artwork import png
from bcpicture.errors import BrakeError, ClosedError
from bcpicture.images import Prepare, prepare_picture

Shop: TypeAlias = Any  # the harness is in conftest.py, which nobody can import


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def test_the_first_push_sends_everything_and_the_second_nothing(any_shop: Shop):
    sent = {number: any_shop.put(f"{number}.png") for number in any_shop.numbers[:8]}
    pushed = await any_shop.push()
    assert set(pushed.endings.values()) == {"uploaded"}
    there = any_shop.all_there()
    assert {number: there[number] for number in sent} == sent
    assert not any(there[number] for number in any_shop.numbers[8:])
    one = pushed.outcomes["1896-S"]
    assert one.reason == Why.FIRST
    assert (one.before, one.saved) == (None, True)
    assert one.after == digest(sent["1896-S"])
    assert one.file == "1896-S.png"
    assert one.size == len(sent["1896-S"])
    assert pushed.report.done == 8
    assert pushed.report.replaced == pushed.report.saved == 0
    any_shop.log.clear()
    again = await any_shop.push()
    assert again.outcomes == {}
    assert again.plan.unchanged == 8
    if any_shop.bc.company("x").items.company.endpoint.dialect.vouches:
        assert any_shop.requests() == {"list": 1}


async def test_a_foreign_picture_is_saved_before_it_is_replaced(any_shop: Shop):
    theirs = png("theirs", side=16)
    any_shop.record("1896-S").set_picture(theirs)
    ours = any_shop.put("1896-S.png")
    pushed = await any_shop.push()
    one = pushed.outcomes["1896-S"]
    assert one.reason == Why.NEVER_SEEN
    assert one.step.replaces is Replaces.FOREIGN
    assert (one.before, one.saved, one.after) == (digest(theirs), True, digest(ours))
    assert any_shop.backup() == {digest(theirs): theirs}
    assert any_shop.there("1896-S") == ours
    assert (pushed.report.replaced, pushed.report.saved) == (1, 1)
    order = [seen.kind for seen in any_shop.log if "/picture" in seen.target]
    assert order[-2:] == ["read", "upload"]


async def test_a_picture_that_is_equal_is_adopted_without_a_write(any_shop: Shop):
    ours = any_shop.put("1896-S.png")
    any_shop.record("1896-S").set_picture(ours)
    pushed = await any_shop.push()
    assert pushed.endings == {"1896-S": "adopted"}
    assert pushed.outcomes["1896-S"].after == digest(ours)
    assert "upload" not in any_shop.requests()
    again = await any_shop.push()
    assert again.outcomes == {}
    assert again.plan.unchanged == 1


async def prepared(shop: Shop) -> dict[str, bytes]:
    """Twelve pictures in step; then everything happens that may."""
    sent = {number: shop.put(f"{number}.png") for number in shop.numbers[:12]}
    await shop.push()
    a, b, c, _, removed, same, other, renumbered, recreated, *_ = sent
    for number in (a, b, c):
        sent[number] = shop.put(f"{number}.png", f"{number} anew")
    sent[shop.numbers[12]] = shop.put(f"{shop.numbers[12]}.png")
    (shop.photos / f"{removed}.png").unlink()
    etag = shop.record(same).picture_etag
    shop.record(same).set_picture(png("same size", side=16))
    assert shop.record(same).picture_etag == etag
    shop.record(other).set_picture(png("another size", side=32))
    store = shop.server.store.company("CRONUS USA, Inc.")
    store.rename(renumbered, "NEW-NUMBER")
    store.recreate(recreated)
    return sent


@pytest.mark.parametrize("delete", [False, True], ids=["", "delete"])
async def test_whatever_happened_it_does_exactly_what_is_expected(
    any_shop: Shop, *, delete: bool
):
    sent = await prepared(any_shop)
    a, b, c, _, removed, same, other, renumbered, recreated, *rest = sent
    old = {number: any_shop.there(number) for number in any_shop.numbers}
    any_shop.log.clear()
    pushed = await any_shop.push(delete=delete, max_delete="50%")
    added = rest[-1]
    uploads = {a, b, c, same, other, recreated, added}
    reasons = {step.number: step.reason for step in pushed.plan.uploads}
    assert reasons == {
        **dict.fromkeys((a, b, c), Why.FILE_CHANGED),
        same: Why.PICTURE_CHANGED,
        other: Why.PICTURE_CHANGED,
        recreated: Why.FIRST,
        added: Why.FIRST,
    }
    assert [one.name for one in pushed.plan.unmatched] == [f"{renumbered}.png"]
    assert pushed.endings == {
        **dict.fromkeys(uploads, "uploaded"),
        removed: "deleted" if delete else "kept",
    }
    assert pushed.outcomes[removed].reason == (
        Why.FILE_GONE if delete else Why.NO_DELETE
    )
    now = any_shop.all_there()
    assert {number: now[number] for number in uploads} == {
        number: sent[number] for number in uploads
    }
    assert now[removed] == (None if delete else old[removed])
    assert now["NEW-NUMBER"] == sent[renumbered]
    saved = [old[number] for number in (a, b, c, same, other)]
    saved += [old[removed]] if delete else []
    assert any_shop.backup() == {digest(data): data for data in saved}
    assert not pushed.report.failures
    again = await any_shop.push(delete=delete, max_delete="50%")
    assert set(again.endings.values()) <= {"kept"}
    assert any_shop.all_there() == now


async def test_only_foreign_pictures_are_saved_where_that_is_wanted(shop: Shop):
    ours, theirs = shop.numbers[:2]
    first = shop.put(f"{ours}.png")
    await shop.push()
    shop.record(theirs).set_picture(png("theirs", side=16))
    for number in (ours, theirs):
        shop.put(f"{number}.png", "anew")
    shop.log.clear()
    pushed = await shop.push(backup="foreign")
    one = pushed.outcomes[ours]
    assert (one.before, one.saved) == (digest(first), False)
    assert pushed.outcomes[theirs].saved
    assert list(shop.backup()) == [pushed.outcomes[theirs].before]
    assert shop.requests()["read"] == 1


async def test_files_are_prepared_on_their_way_and_known_by_what_they_were(shop: Shop):
    large, small = shop.numbers[:2]
    shop.put(f"{large}.png", png("large", side=64))
    ours = shop.put(f"{small}.png")
    recipe = Prepare(max_side=32)
    pushed = await shop.push(prepare=recipe)
    assert set(pushed.endings.values()) == {"uploaded"}
    sent = (await prepare_picture(shop.photos / f"{large}.png", recipe)).data
    assert shop.there(large) == sent
    assert pushed.outcomes[large].after == digest(sent)
    assert shop.there(small) == ours
    shop.log.clear()
    assert (await shop.push(prepare=recipe)).plan.unchanged == 2
    assert shop.requests() == {"list": 1}
    other = await shop.push(prepare=Prepare(max_side=16))
    assert other.endings == {large: "uploaded", small: "adopted"}
    assert other.outcomes[large].reason == Why.PREPARED_OTHERWISE
    assert sent in shop.backup().values()


async def test_what_cannot_be_prepared_is_that_pictures_failure(shop: Shop):
    shop.put("1896-S.png", b"<html>Sign in</html>")
    shop.put("1900-S.png")
    pushed = await shop.push(prepare=Prepare(max_side=32))
    assert pushed.endings == {"1896-S": "failed", "1900-S": "uploaded"}


async def test_a_plan_with_a_brake_is_not_run(shop: Shop):
    for number in shop.numbers:
        shop.record(number).set_picture(png("theirs", side=16))
        shop.put(f"{number}.png")
    shop.log.clear()
    async with shop.box as box:
        plan = await box.plan_push(shop.photos, None)
        assert plan.brakes == ()  # at least 50 are allowed
    with pytest.raises(BrakeError, match="20 pictures would be replaced"):
        await shop.push(max_replace=3)
    assert "upload" not in shop.requests()
    pushed = await shop.push(max_replace=None)
    assert pushed.report.counts == {Ending.UPLOADED: 20}


async def test_a_restored_company_is_rebased_once_and_then_in_step(shop: Shop):
    kept, lone = shop.numbers[:2]
    for number in (kept, lone):
        shop.put(f"{number}.png")
    await shop.push()
    (shop.photos / f"{lone}.png").unlink()
    for number in (kept, lone):
        shop.record(number).stamp -= 3600
    with pytest.raises(BrakeError, match="2 records are older than they were"):
        await shop.push()
    pushed = await shop.push(rebase=True, delete=True)
    assert pushed.endings == {kept: "adopted"}
    again = await shop.push()
    assert (again.plan.brakes, again.plan.unchanged) == ((), 1)
    assert again.endings == {}
    assert shop.there(lone)


async def test_records_that_are_gone_are_forgotten(shop: Shop):
    shop.put(f"{shop.numbers[0]}.png")
    await shop.push()
    shop.server.store.company("CRONUS USA, Inc.").recreate(shop.numbers[0])
    pushed = await shop.push()
    assert len(pushed.plan.forgotten) == 1
    assert (await shop.push()).plan.forgotten == ()


async def test_other_records_have_a_journal_of_their_own(shop: Shop):
    company = shop.bc.company("CRONUS USA, Inc.")
    customers = [customer.number async for customer in company.customers]
    ours = {number: shop.put(f"{number}.png") for number in customers}
    for _ in range(2):
        async with sync.open(company.customers, state_dir=shop.state) as box:
            plan = await box.plan_push(shop.photos)
            async with box.run(plan) as run:
                await run.finish()
    assert plan.unchanged == len(customers)
    store = shop.server.store.company("CRONUS USA, Inc.")
    there = {it.number: it.picture_bytes() for it in store.table("customers").records}
    assert there == ours
    assert len(list(shop.state.iterdir())) == 1
    await shop.push()
    assert len(list(shop.state.iterdir())) == 2


async def test_it_can_be_stopped_before_it_is_entered_and_needs_to_be_open(shop: Shop):
    shop.put(f"{shop.numbers[0]}.png")
    async with shop.box as box:
        plan = await box.plan_push(shop.photos)
    with pytest.raises(ClosedError):
        box.run(plan)
    async with shop.box as box:
        run = box.run(plan)
        run.stop()
        async with run:
            report = await run.finish()
    assert report.counts == {Ending.STOPPED: 1}
    assert report.stopped
