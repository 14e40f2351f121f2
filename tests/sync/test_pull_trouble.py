"""What goes wrong during a pull is told, and loses no file."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import pytest

from bcpicture.core.options import PullOptions
from bcpicture.core.report import Ending
from bcpicture.emulator import Fault
from bcpicture.emulator.artwork import png
from bcpicture.emulator.seen import Seen
from bcpicture.errors import BackupError, JournalError, TargetError
from bcpicture.sync.folder import Folder
from bcpicture.sync.staging import Nameless, Part
from bcpicture.sync.target_folder import TargetFolder

Shop: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
OpenShop: TypeAlias = Callable[..., Any]

ITEMS = 100
THEIRS = png("theirs", side=16)


def fill(shop: Shop) -> dict[str, bytes]:
    made = {}
    for number in shop.numbers:
        made[f"{number}.png"] = png(f"there {number}", side=16)
        shop.record(number).set_picture(made[f"{number}.png"])
    return made


class Disk:
    """Room for so many files."""

    def __init__(self, room: int) -> None:
        self.room = room


class Small(Part):
    """A file on a small disk."""

    disk: Disk

    def write(self, *chunks: bytes, hashed: bool = True) -> None:
        super().write(*(chunk[:100] for chunk in chunks), hashed=hashed)
        self.disk.room -= 1
        if self.disk.room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().write(*(chunk[100:] for chunk in chunks), hashed=hashed)


class SmallNameless(Small, Nameless):
    """The same, without any name."""


@attrs.define(kw_only=True)
class SmallFolder(TargetFolder):
    """A folder on a small disk."""

    disk: Disk

    def _part(self) -> Part:
        return self._on_disk(Small)

    def _nameless(self) -> Part:
        return self._on_disk(SmallNameless)

    def _on_disk(self, kind: type[Small]) -> Part:
        part = kind(self.path, self.mark, wall=self.wall)
        part.disk = self.disk
        return part


async def test_a_full_disk_stops_the_run_and_loses_nothing(open_shop: OpenShop):
    async with open_shop(items=ITEMS) as shop:
        made = fill(shop)
        theirs = {name: shop.put(name, THEIRS) for name in [*made][:5]}
        folder = await Folder.at(shop.photos)
        small = SmallFolder(folder=folder, mark="0123456789ab", disk=Disk(30))
        async with shop.box as box:
            plan = await box.plan_pull(small, PullOptions(max_replace=None))
            async with box.run(plan) as run:
                with pytest.raises(TargetError, match="No space left"):
                    await run.finish()
        assert run.report.stopped
        assert 0 < run.report.counts[Ending.DOWNLOADED] <= 30
        assert not [*shop.photos.glob(".*")]
        for name, data in shop.files().items():
            assert data in (made[name], theirs.get(name))
        shop.log.clear()
        pulled = await shop.pull(max_replace=None)
        assert not pulled.report.failures
        assert shop.files() == made
        assert len(shop.manifest()) == ITEMS
        assert set(shop.backup().values()) == {THEIRS}
        assert shop.requests()["read"] <= ITEMS - run.report.counts[Ending.DOWNLOADED]


async def test_a_disk_that_a_large_picture_fills_stops_the_run(shop: Shop):
    for number in shop.numbers:
        shop.record(number).set_picture(png(number, side=16) + bytes(3_000_000))
    folder = await Folder.at(shop.photos)
    small = SmallFolder(folder=folder, mark="0123456789ab", disk=Disk(2))
    async with shop.box as box:
        plan = await box.plan_pull(small)
        async with box.run(plan, width=1) as run:
            with pytest.raises(TargetError, match="No space left"):
                await run.finish()
    assert run.report.stopped
    assert not [*shop.photos.glob(".*")]
    assert run.report.counts[Ending.FAILED] == 1


class Old(Nameless):
    """A file of a file system that has none without a name."""

    def _new(self) -> int:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")


class OldFolder(TargetFolder):
    """A folder of such a file system."""

    def _nameless(self) -> Part:
        return Old(self.path, self.mark, wall=self.wall)


async def test_a_file_system_without_nameless_files_will_do(shop: Shop):
    made = fill(shop)
    shop.put(f"{shop.numbers[0]}.png", THEIRS)
    old = OldFolder(folder=await Folder.at(shop.photos), mark="0123456789ab")
    async with shop.box as box:
        plan = await box.plan_pull(old, PullOptions(max_replace=None))
        late = f"{shop.numbers[1]}.png"
        shop.put(late, THEIRS)
        async with box.run(plan) as run:
            report = await run.finish()
    assert report.counts == {Ending.DOWNLOADED: len(made)}
    assert shop.files() == made
    assert list(shop.backup().values()) == [THEIRS]


async def test_without_a_backup_nothing_is_replaced(open_shop: OpenShop):
    async with open_shop(items=ITEMS) as shop:
        made = fill(shop)
        theirs = {name: shop.put(name, THEIRS) for name in [*made][:20]}
        async with shop.box as box:
            plan = await box.plan_pull(shop.photos)
            shutil.rmtree(box.kit.place.backups)
            box.kit.place.backups.write_bytes(b"no folder")
            async with box.run(plan) as run:
                with pytest.raises(BackupError):
                    await run.finish()
        there = shop.files()
        assert {name: there[name] for name in theirs} == theirs
        assert not [*shop.photos.glob(".*")]


async def test_a_journal_that_cannot_be_written_stops_before_the_next_file(
    open_shop: OpenShop,
):
    async with open_shop(items=4 * ITEMS) as shop:
        made = fill(shop)
        with pytest.raises(JournalError, match="full"):
            await fill_up(shop)
        assert 0 < len(shop.files()) < 3 * ITEMS
        assert all(made[name] == data for name, data in shop.files().items())
        shop.log.listener = None
        assert not (await shop.pull()).report.failures
        assert shop.files() == made
        assert len(shop.manifest()) == 4 * ITEMS


async def fill_up(shop: Shop) -> None:
    """Pull until the disk of the journal is full, after some files."""

    def full(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA max_page_count = 1").close()

    async with shop.box as box:
        plan = await box.plan_pull(shop.photos)
        left = [40]

        def heard(seen: Seen) -> None:
            left[0] -= seen.kind == "read"
            if left[0] == 0:
                box.kit.journal._database.do_later(full)

        shop.log.listener = heard
        async with box.run(plan) as run:
            await run.finish()


async def test_a_picture_that_breaks_off_is_fetched_once_more(shop: Shop):
    made = fill(shop)
    shop.server.faults.add(Fault("truncate", path="pictureContent"))
    pulled = await shop.pull()
    assert set(pulled.endings.values()) == {"downloaded"}
    assert shop.files() == made


async def test_a_record_that_is_gone_is_a_failure_of_its_own(shop: Shop):
    made = fill(shop)
    async with shop.box as box:
        plan = await box.plan_pull(shop.photos)
        gone, without, *_ = shop.numbers
        record = shop.record(gone)
        shop.server.store.company("CRONUS USA, Inc.").table("items").discard(record)
        shop.record(without).set_picture(None)
        async with box.run(plan) as run:
            endings = {it.number: it.ending async for it in run}
    assert endings.pop(gone) is Ending.FAILED
    assert endings.pop(without) is Ending.UNCHANGED
    assert set(endings.values()) == {Ending.DOWNLOADED}
    assert len(shop.files()) == len(made) - 2


async def test_a_listing_that_breaks_off_plans_nothing(shop: Shop):
    fill(shop)
    await shop.pull()
    kept = shop.files()
    shop.server.faults.add(Fault("status", path=r"/items\?", status=400, times=None))
    with pytest.raises(Exception, match="400"):
        await shop.pull(delete=True)
    assert shop.files() == kept


async def test_a_folder_in_the_place_of_a_file_is_not_replaced(
    shop: Shop, tmp_path: Path
):
    made = fill(shop)
    name = next(iter(made))
    folder = tmp_path / "photos" / name
    folder.mkdir()
    pulled = await shop.pull()
    failed = [it for it in pulled.outcomes.values() if it.error]
    assert [type(it.error) for it in failed] == [IsADirectoryError]
    assert pulled.report.counts == {Ending.DOWNLOADED: 19, Ending.FAILED: 1}
