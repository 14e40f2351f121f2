"""A pull brings a folder in step with a company, and loses nothing by it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import pytest

from bcpicture.core.ledger import State
from bcpicture.core.options import PullOptions
from bcpicture.core.report import Ending
from bcpicture.core.steps import Replaces, Why
from bcpicture.emulator.artwork import png
from bcpicture.errors import BrakeError, SourceError, TargetError, UsageError

Shop: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
OpenShop: TypeAlias = Callable[..., Any]

COMPANY = "CRONUS USA, Inc."
ONE = "1896-S"
THEIRS = png("theirs", side=16)
OTHERS = png("others", side=16)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(40) + b"\xff\xd9"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def pictures(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.suffix == ".png"}


def fill(shop: Shop, count: int = 8) -> dict[str, bytes]:
    """Pictures at the first records; the files that they become."""
    made = {}
    for number in shop.numbers[:count]:
        made[f"{number}.png"] = png(f"there {number}", side=16)
        shop.record(number).set_picture(made[f"{number}.png"])
    return made


async def test_the_first_pull_fetches_everything_and_the_second_nothing(any_shop: Shop):
    made = fill(any_shop)
    pulled = await any_shop.pull()
    assert set(pulled.endings.values()) == {"downloaded"}
    assert any_shop.files() == made
    one = pulled.outcomes[ONE]
    assert one.reason == Why.NEW
    assert (one.before, one.saved) == (None, True)
    assert one.after == one.result.sha256 == digest(made[f"{ONE}.png"])
    assert one.result.content_type == "image/png"
    assert one.file == f"{ONE}.png"
    assert one.size == len(made[f"{ONE}.png"])
    assert pulled.report.done == 8
    assert pulled.plan.absent == 12
    assert set(any_shop.manifest().values()) == set(made)
    any_shop.log.clear()
    again = await any_shop.pull()
    if any_shop.bc.company("x").items.company.endpoint.dialect.vouches:
        assert any_shop.requests() == {"list": 1}
        assert again.outcomes == {}
        assert again.plan.unchanged == 8
        assert again.plan.absent == 12
    else:
        assert set(again.endings.values()) == {"adopted"}
        assert any_shop.requests()["read"] == 8
    assert any_shop.files() == made


async def test_an_unchanged_file_is_not_read(shop: Shop):
    made = fill(shop)
    await shop.pull()
    for name in made:
        told = (shop.photos / name).stat()
        # Other bytes under the same signs: who reads them would find out.
        (shop.photos / name).write_bytes(bytes(told.st_size))
        os.utime(shop.photos / name, ns=(told.st_atime_ns, told.st_mtime_ns))
    again = await shop.pull()
    assert again.outcomes == {}
    assert again.plan.unchanged == 8


async def test_somebody_elses_file_is_saved_before_it_is_replaced(any_shop: Shop):
    made = fill(any_shop, 1)
    name = next(iter(made))
    any_shop.put(name, THEIRS)
    pulled = await any_shop.pull()
    one = pulled.outcomes[any_shop.numbers[0]]
    assert one.reason == Why.FOREIGN_FILE
    assert one.step.replaces is Replaces.FOREIGN
    assert (one.before, one.saved) == (digest(THEIRS), True)
    assert any_shop.backup() == {digest(THEIRS): THEIRS}
    assert any_shop.files() == made
    assert (pulled.report.replaced, pulled.report.saved) == (1, 1)


async def test_an_equal_file_is_adopted(shop: Shop):
    made = fill(shop, 1)
    name = next(iter(made))
    shop.put(name, made[name])
    before = (shop.photos / name).stat()
    before = before.st_ino, before.st_mtime_ns
    pulled = await shop.pull()
    assert [*pulled.endings.values()] == ["adopted"]
    after = (shop.photos / name).stat()
    assert (after.st_ino, after.st_mtime_ns) == before
    assert shop.backup() == {}
    assert [*shop.manifest().values()] == [name]
    assert (await shop.pull()).outcomes == {}


async def test_a_changed_picture_replaces_its_file_in_one_step(shop: Shop):
    made = fill(shop)
    await shop.pull()
    shop.record(ONE).set_picture(OTHERS)
    shop.log.clear()
    pulled = await shop.pull()
    assert pulled.endings == {ONE: "downloaded"}
    one = pulled.outcomes[ONE]
    assert one.step.replaces is Replaces.OURS
    assert one.before == digest(made[f"{ONE}.png"])
    assert shop.requests() == {"list": 1, "record": 1, "read": 1}
    assert shop.files() == made | {f"{ONE}.png": OTHERS}
    assert [*shop.backup().values()] == [made[f"{ONE}.png"]]
    assert len(shop.manifest()) == 8


async def test_a_record_that_moved_alone_costs_one_reading(shop: Shop):
    made = fill(shop)
    await shop.pull()
    shop.record(ONE).touch()
    pulled = await shop.pull()
    assert pulled.endings == {ONE: "adopted"}
    assert pulled.outcomes[ONE].note == Why.EQUAL
    assert len(shop.manifest()) == 8  # however young the files are
    assert shop.files() == made
    assert shop.backup() == {}
    assert (await shop.pull()).outcomes == {}


async def test_a_picture_of_another_kind_replaces_the_linked_file(shop: Shop):
    made = fill(shop, 2)
    await shop.pull()
    first = shop.numbers[0]
    shop.record(first).set_picture(JPEG)
    pulled = await shop.pull()
    assert pulled.endings == {first: "downloaded"}
    old = made.pop(f"{first}.png")
    assert shop.files() == made | {f"{first}.jpg": JPEG}
    assert [*shop.backup().values()] == [old]
    assert shop.manifest()[first] == f"{first}.jpg"
    assert (await shop.pull()).outcomes == {}


async def test_a_file_that_somebody_changed_is_saved_and_replaced(shop: Shop):
    made = fill(shop)
    await shop.pull()
    shop.put(f"{ONE}.png", THEIRS)
    pulled = await shop.pull()
    assert pulled.endings == {ONE: "downloaded"}
    assert pulled.outcomes[ONE].reason == Why.FILE_CHANGED_HERE
    assert shop.files() == made
    assert [*shop.backup().values()] == [THEIRS]


async def test_a_file_that_changes_after_the_plan_is_saved_as_well(shop: Shop):
    made = fill(shop, 1)
    await shop.pull()
    number = shop.numbers[0]
    shop.record(number).set_picture(OTHERS)
    async with shop.box as box:
        plan = await box.plan_pull(shop.photos)
        assert plan.downloads[0].replaces is Replaces.OURS
        shop.put(f"{number}.png", THEIRS)
        async with box.run(plan) as run:
            [one] = [it async for it in run]
    assert one.ending is Ending.DOWNLOADED
    assert one.before == digest(THEIRS)
    assert Why.FILE_CHANGED_HERE in one.note
    assert [*shop.backup().values()] == [THEIRS]
    assert shop.files() == dict.fromkeys(made, OTHERS)


async def test_our_file_of_another_kind_stays_if_somebody_changed_it(shop: Shop):
    fill(shop, 1)
    await shop.pull()
    number = shop.numbers[0]
    shop.record(number).set_picture(JPEG)
    async with shop.box as box:
        plan = await box.plan_pull(shop.photos)
        shop.put(f"{number}.png", THEIRS)
        async with box.run(plan) as run:
            [one] = [it async for it in run]
    assert one.ending is Ending.DOWNLOADED
    assert one.note.startswith(f"{number}.png stays")
    assert shop.files() == {f"{number}.png": THEIRS, f"{number}.jpg": JPEG}


async def test_a_file_that_appears_may_be_one_too_many(shop: Shop):
    fill(shop, 1)
    async with shop.box as box:
        plan = await box.plan_pull(shop.photos)
        number = shop.numbers[0]
        shop.put(f"{number}.png", THEIRS)
        plan = attrs.evolve(plan, options=PullOptions(max_replace=0))
        async with box.run(plan) as run:
            [one] = [it async for it in run]
    assert isinstance(one.error, BrakeError)
    assert shop.files() == {f"{number}.png": THEIRS}


async def test_a_file_that_appears_after_the_plan_is_saved_as_well(shop: Shop):
    made = fill(shop, 12)
    async with shop.box as box:
        plan = await box.plan_pull(shop.photos, PullOptions(max_replace=None))
        shop.put(f"{shop.numbers[3]}.png", THEIRS)
        async with box.run(plan) as run:
            report = await run.finish()
    assert report.counts == {Ending.DOWNLOADED: 12}
    assert shop.files() == made
    assert list(shop.backup().values()) == [THEIRS]


async def test_a_gone_picture_takes_its_file_along_only_if_asked_to(shop: Shop):
    made = fill(shop)
    await shop.pull()
    shop.record(ONE).set_picture(None)
    kept = await shop.pull()
    assert kept.endings == {ONE: "kept"}
    assert shop.files() == made
    pulled = await shop.pull(delete=True, max_delete=1)
    assert pulled.endings == {ONE: "removed"}
    data = made.pop(f"{ONE}.png")
    assert shop.files() == made
    assert [*shop.backup().values()] == [data]
    assert ONE not in shop.manifest()
    assert (await shop.pull(delete=True)).outcomes == {}


async def test_a_file_that_changes_before_its_removal_stays(shop: Shop):
    fill(shop)
    await shop.pull()
    shop.record(ONE).set_picture(None)
    async with shop.box as box:
        plan = await box.plan_pull(shop.photos, PullOptions(delete=True, max_delete=1))
        assert len(plan.removals) == 1
        shop.put(f"{ONE}.png", THEIRS)
        async with box.run(plan) as run:
            [one] = [it async for it in run]
    assert (one.ending, one.note) == (Ending.KEPT, Why.REMOVED_AND_CHANGED)
    assert shop.files()[f"{ONE}.png"] == THEIRS


async def test_more_removals_than_allowed_are_a_brake(shop: Shop):
    fill(shop)
    await shop.pull()
    for number in shop.numbers[:3]:
        shop.record(number).set_picture(None)
    with pytest.raises(BrakeError, match="files would be deleted"):
        await shop.pull(delete=True)
    assert len(shop.files()) == 8


async def test_a_renumbered_record_gets_a_file_of_its_new_name(shop: Shop):
    fill(shop, 2)
    await shop.pull()
    number = shop.numbers[0]
    shop.server.store.company(COMPANY).rename(number, "NEW-1")
    pulled = await shop.pull()
    assert pulled.endings == {"NEW-1": "downloaded"}
    assert {f"{number}.png", "NEW-1.png"} <= set(shop.files())
    assert shop.manifest()["NEW-1"] == "NEW-1.png"
    assert number not in shop.manifest()


@pytest.mark.parametrize("number", ["../../x", "CON", "A/B", "x" * 300, ".hidden"])
async def test_dangerous_numbers_stay_in_the_folder(
    shop: Shop, tmp_path: Path, number: str
):
    shop.server.store.company(COMPANY).rename(ONE, number)
    shop.record(number).set_picture(THEIRS)
    before = pictures(tmp_path)
    pulled = await shop.pull()
    assert pulled.endings == {number: "downloaded"}
    [(name, data)] = shop.files().items()
    assert data == THEIRS
    assert shop.manifest() == {number: name}
    assert pictures(tmp_path) - before == {shop.photos / name}
    assert (await shop.pull()).outcomes == {}


async def test_a_large_picture_is_streamed_into_its_place(shop: Shop):
    large = png("large", side=16) + bytes(3_000_000)
    shop.record(ONE).set_picture(large)
    pulled = await shop.pull()
    assert pulled.endings == {ONE: "downloaded"}
    assert shop.files() == {f"{ONE}.png": large}
    shop.record(ONE).set_picture(THEIRS)
    await shop.pull()
    assert shop.files() == {f"{ONE}.png": THEIRS}
    assert [*shop.backup().values()] == [large]


async def test_bytes_of_no_known_kind_are_kept_as_such(shop: Shop):
    shop.record(ONE).set_picture(b"\x00\x01 whatever")
    await shop.pull()
    assert shop.files() == {f"{ONE}.bin": b"\x00\x01 whatever"}
    shop.manifest()
    assert (await shop.pull()).outcomes == {}


# -- the folder


async def test_a_new_folder_is_made_by_the_run_and_not_by_the_plan(
    shop: Shop, tmp_path: Path
):
    fill(shop, 1)
    target = tmp_path / "new" / "copies"
    async with shop.box as box:
        plan = await box.plan_pull(target)
        assert not target.exists()
        async with box.run(plan) as run:
            await run.finish()
    assert sorted(path.name for path in target.iterdir()) == [
        f"{shop.numbers[0]}.png",
        "manifest.json",
    ]


async def test_a_folder_that_is_gone_is_not_filled_anew(shop: Shop):
    fill(shop, 2)
    await shop.pull()
    shop.photos.rename(shop.photos.with_name("elsewhere"))
    with pytest.raises(SourceError, match="2 files were pulled into it"):
        await shop.pull(delete=True)
    shop.photos.with_name("elsewhere").rename(shop.photos)
    assert (await shop.pull(delete=True)).outcomes == {}


async def test_a_folder_that_disappears_stops_the_run(open_shop: OpenShop):
    async with open_shop(items=200) as shop:
        fill(shop, 200)
        away = shop.photos.with_name("away")
        async with shop.box as box:
            plan = await box.plan_pull(shop.photos)
            async with box.run(plan, width=2) as run:
                assert (await anext(run)).ending is Ending.DOWNLOADED
                shop.photos.rename(away)
                shop.photos.mkdir()  # as below a mounted share
                # Whoever looks between the two calls finds none at all.
                told = "another one than when the run began|connect it again"
                with pytest.raises(TargetError, match=told):
                    await run.finish()
        assert run.report.stopped
        assert [*shop.photos.iterdir()] == []
        shop.photos.rmdir()
        away.rename(shop.photos)
        await shop.pull()
        assert len(shop.files()) == len(shop.manifest()) == 200


async def test_left_overs_of_ours_are_swept_and_of_others_are_not(shop: Shop):
    fill(shop, 1)
    async with shop.box as box:
        mark = (await box.kit.folder(shop.photos)).mark
    ours = shop.photos / f".{mark}-0123456789abcdef.part"
    others = [
        shop.photos / ".1896-S.png.0123456789abcdef.part",
        shop.photos / ".0123456789ab-0123456789abcdef.part",
    ]
    for path in (ours, *others):
        path.write_bytes(b"half")
    await shop.pull()
    assert not ours.exists()
    assert all(path.exists() for path in others)


async def test_a_link_is_not_replaced(shop: Shop, tmp_path: Path):
    fill(shop, 1)
    name = f"{shop.numbers[0]}.png"
    real = tmp_path / "real.png"
    real.write_bytes(THEIRS)
    (shop.photos / name).symlink_to(real)
    pulled = await shop.pull()
    [one] = pulled.outcomes.values()
    assert isinstance(one.error, FileExistsError)
    assert real.read_bytes() == THEIRS
    assert (shop.photos / name).is_symlink()


async def test_somebody_elses_manifest_is_saved_first(shop: Shop):
    fill(shop, 1)
    (shop.photos / "manifest.json").write_text('{"name": "a web app"}')
    await shop.pull()
    assert [*shop.backup().values()] == [b'{"name": "a web app"}']
    assert len(shop.manifest()) == 1


async def test_a_lost_manifest_is_written_again(shop: Shop):
    fill(shop)
    await shop.pull()
    text = (shop.photos / "manifest.json").read_text()
    (shop.photos / "manifest.json").unlink()
    await shop.pull()
    assert (shop.photos / "manifest.json").read_text() == text


async def test_the_state_may_not_lie_among_the_pictures(shop: Shop):
    with pytest.raises(UsageError, match="one in the other"):
        await shop.pull(target=shop.state)


async def test_a_stopped_pull_has_a_true_manifest_and_is_finished_later(
    open_shop: OpenShop,
):
    async with open_shop(items=100) as shop:
        made = fill(shop, 100)
        async with shop.box as box:
            plan = await box.plan_pull(shop.photos)
            async with box.run(plan) as run:
                async for _ in run:
                    run.stop()
        assert run.report.stopped
        done = run.report.counts[Ending.DOWNLOADED]
        assert 0 < done < 100
        assert len(shop.manifest()) == len(shop.files()) == done
        pulled = await shop.pull()
        assert pulled.report.counts == {Ending.DOWNLOADED: 100 - done}
        assert shop.files() == made


async def test_a_cancelled_pull_leaves_nothing_half(open_shop: OpenShop):
    async with open_shop(items=100) as shop:
        made = fill(shop, 100)
        async with shop.box as box:
            plan = await box.plan_pull(shop.photos)
            async with box.run(plan) as run:
                async for _ in run:
                    break
        assert not [*shop.photos.glob(".*")]
        assert all(made[name] == data for name, data in shop.files().items())
        await shop.pull()
        assert shop.files() == made
        async with shop.box as box:
            runs = await box.kit.journal.runs()
            steps = [it for run in runs for it in await box.kit.journal.steps(run.id)]
        assert {step.state for step in steps} <= {State.DONE, State.FAILED}


async def test_rebase_compares_everything_and_removes_nothing(shop: Shop):
    made = fill(shop)
    await shop.pull()
    shop.record(ONE).set_picture(None)
    shop.log.clear()
    pulled = await shop.pull(rebase=True, delete=True)
    assert shop.requests()["read"] == 7
    assert set(pulled.endings.values()) == {"adopted"}
    assert shop.files() == made
    assert (await shop.pull()).outcomes == {}
