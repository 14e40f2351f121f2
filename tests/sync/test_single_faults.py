"""One thing goes wrong, here or on the way: it is told, and nothing is lost."""

from __future__ import annotations

import hashlib
import resource
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from bcpicture.core.report import Ending
from bcpicture.emulator import Fault, Quota
from bcpicture.emulator.artwork import png
from bcpicture.errors import (
    AuthenticationError,
    BackupError,
    BrakeError,
    ItemNotFoundError,
    JournalError,
    UnavailableError,
)
from bcpicture.sync.kit import Clocks
from bcpicture.sync.workspace import Workspace

Shop: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
OpenShop: TypeAlias = Callable[..., Any]

COMPANY, OTHER = "CRONUS USA, Inc.", "O'Neil & Sons / Ltd."
ONE, TWO = "1896-S", "1900-S"
LARGE = 3_000_000
THEIRS = png("theirs", side=16)
both_ways = pytest.mark.parametrize("way", ["push", "pull"])


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def fill(shop: Shop, way: str, count: int | None = None) -> dict[str, bytes]:
    """Something to transfer for some records."""
    made = {it: png(f"ours {it}", side=16) for it in shop.numbers[:count]}
    for number, data in made.items():
        if way == "push":
            shop.put(f"{number}.png", data)
        else:
            shop.record(number).set_picture(data)
    return made


def arrived(shop: Shop, way: str) -> dict[str, bytes]:
    """What is at the other end."""
    if way == "push":
        return {number: data for number, data in shop.all_there().items() if data}
    return {name.removesuffix(".png"): data for name, data in shop.files().items()}


async def run(shop: Shop, way: str, **options: Any) -> Any:  # noqa: ANN401 - a report of either way
    return await getattr(shop, way)(**options)


@contextmanager
def full_beyond(size: int) -> Iterator[None]:
    """No file can grow beyond a size, as on a disk without room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def litter(shop: Shop) -> list[Path]:
    hidden = [*shop.photos.glob(".*"), *shop.state.rglob("*.part")]
    return [*hidden, *shop.state.rglob("*.new")]


# -- no room


async def test_a_picture_for_which_there_is_no_room_leaves_the_old_file(shop: Shop):
    fill(shop, "pull", 3)
    await shop.pull()
    old = shop.files()
    large = png("large", side=16, size_hint=LARGE)
    shop.record(ONE).set_picture(large)
    with full_beyond(1_000_000):
        pulled = await shop.pull()
    assert pulled.endings == {ONE: "failed"}
    assert isinstance(pulled.outcomes[ONE].error, OSError)
    assert shop.files() == old
    assert litter(shop) == []
    assert (await shop.pull()).endings == {ONE: "downloaded"}
    assert shop.files()[f"{ONE}.png"] == large


@both_ways
async def test_without_room_for_a_backup_nothing_is_replaced(shop: Shop, way: str):
    large = png("theirs", side=16, size_hint=LARGE)
    made = fill(shop, way, 3)
    if way == "push":
        shop.record(ONE).set_picture(large)
    else:
        shop.put(f"{ONE}.png", large)
    with full_beyond(1_000_000), pytest.raises(BackupError):
        await run(shop, way)
    assert arrived(shop, way)[ONE] == large
    assert shop.backup() == {}
    assert litter(shop) == []
    await run(shop, way)
    assert arrived(shop, way) == made
    assert shop.backup() == {digest(large): large}


async def fill_up(shop: Shop, way: str) -> None:
    """Run until the disk of the journal is full, after some transfers."""
    async with shop.box as box:
        plan = await getattr(box, f"plan_{way}")(shop.photos)
        database = box.kit.journal._database

        def full(connection: sqlite3.Connection) -> None:
            connection.execute("PRAGMA max_page_count = 1").close()

        kind = "upload" if way == "push" else "read"
        shop.at(kind, lambda: database.do_later(full), skip=10)
        async with box.run(plan) as running:
            await running.finish()


@both_ways
async def test_without_room_for_the_journal_nothing_is_written(
    open_shop: OpenShop, way: str
):
    async with open_shop(items=200) as shop:
        made = fill(shop, way)
        with pytest.raises(JournalError, match="full"):
            await fill_up(shop, way)
        shop.log.listener = None
        assert 0 < len(arrived(shop, way)) < 200
        assert not (await run(shop, way)).report.failures
        assert arrived(shop, way) == made
        assert litter(shop) == []


# -- the other side


@pytest.mark.parametrize("what", ["item", "picture"])
async def test_what_goes_during_a_pull_is_told(shop: Shop, what: str):
    made = fill(shop, "pull", 3)
    store = shop.server.store.company(COMPANY)

    def go() -> None:
        if what == "item":
            store.remove(ONE)
        else:
            shop.record(ONE).set_picture(None)

    shop.at("read", go)
    pulled = await shop.pull()
    one = pulled.outcomes[ONE]
    if what == "item":
        assert isinstance(one.error, ItemNotFoundError)
    else:
        assert one.ending is Ending.UNCHANGED
    del made[ONE]
    assert arrived(shop, "pull") == made
    assert {*shop.manifest()} == {*made}
    assert litter(shop) == []


async def test_a_pull_from_a_listing_that_fails_half_way_changes_nothing(
    open_shop: OpenShop,
):
    async with open_shop(items=50, page_size=20) as shop:
        made = fill(shop, "pull")
        await shop.pull()
        before = shop.files()
        shop.record(shop.numbers[0]).set_picture(THEIRS)
        fault = Fault("status", path="skiptoken", status=503, times=None)
        shop.server.faults.add(fault)
        with pytest.raises(UnavailableError):
            await shop.pull(delete=True, max_delete=None)
        assert shop.files() == before
        assert len(shop.manifest()) == len(made)


async def test_the_quota_makes_a_pull_slow_and_nothing_else(open_shop: OpenShop):
    quota = Quota(concurrent=3, requests=40, seconds=0.2)
    async with open_shop(items=60, quota=quota) as shop:
        made = fill(shop, "pull")
        assert not (await shop.pull()).report.failures
        assert arrived(shop, "pull") == made


async def test_a_token_that_is_revoked_ends_a_pull_and_loses_nothing(
    open_shop: OpenShop,
):
    async with open_shop(items=100) as shop:
        made = fill(shop, "pull")

        def revoke() -> None:
            shop.server.identity.unregister_app(shop.server.client_id)
            shop.server.identity.revoke_all()

        shop.at("read", revoke, skip=30)
        with pytest.raises(AuthenticationError):
            await shop.pull()
        shop.log.listener = None
        there = arrived(shop, "pull")
        assert there.items() <= made.items()
        assert {*shop.manifest()} == {*there}
        assert litter(shop) == []
        shop.server.identity.register(shop.server.client_id, shop.server.client_secret)
        assert not (await shop.pull()).report.failures
        assert arrived(shop, "pull") == made


# -- our own memory


@both_ways
async def test_our_own_clock_may_be_set_back(shop: Shop, way: str):
    made = fill(shop, way, 3)
    await run(shop, way)
    early = datetime(2001, 1, 1, tzinfo=UTC)
    shop.clocks = Clocks(wall=lambda: early, files=lambda: 10**18)
    fill_one = {"push": lambda: shop.put(f"{ONE}.png", THEIRS)}
    fill_one["pull"] = lambda: shop.record(ONE).set_picture(THEIRS)
    fill_one[way]()
    done = await run(shop, way)
    assert {*done.endings} == {ONE}
    assert arrived(shop, way) == made | {ONE: THEIRS}
    assert shop.backup() == {digest(made[ONE]): made[ONE]}
    assert not (await run(shop, way)).report.done


@both_ways
@pytest.mark.parametrize("damage", ["cut", "flipped"])
async def test_a_damaged_journal_is_refused_until_it_is_set_aside(
    shop: Shop, way: str, damage: str
):
    made = fill(shop, way, 5)
    await run(shop, way)
    [path] = shop.state.glob("*/journal.sqlite")
    data = bytearray(path.read_bytes())
    if damage == "cut":
        del data[len(data) // 2 :]
    else:
        data[20] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(JournalError, match="rebase"):
        await run(shop, way)
    shop.rebase = True
    again = await run(shop, way, rebase=True, delete=True)
    assert {*again.endings.values()} == {"adopted"}
    assert arrived(shop, way) == made
    assert shop.backup() == {}


async def test_a_journal_that_was_copied_to_another_host_loses_nothing(
    open_shop: OpenShop, tmp_path: Path
):
    async with open_shop(items=40) as shop:
        ours = fill(shop, "push")
        assert await shop.kill("push", "upload", 15)
        here, there = shop.state, tmp_path / "there"
        shutil.copytree(here, there)
        shop.state = there
        assert not (await shop.push()).report.failures
        assert shop.all_there() == ours
        # What the first one remembers is old by now, and somebody else came as well.
        shop.record(ONE).set_picture(THEIRS)
        shop.put(f"{TWO}.png", "anew")
        await shop.push(backup="foreign")
        shop.record(TWO).set_picture(png("others", side=16))
        shop.state = here
        uploads = shop.log.kinds()["upload"]
        pushed = await shop.push(backup="foreign")
        assert pushed.endings[TWO] == "uploaded"
        assert shop.log.kinds()["upload"] == uploads + 1
        assert digest(png("others", side=16)) in shop.backup()
        assert not (await shop.push()).outcomes


async def test_a_journal_of_another_company_is_refused_and_both_are_named(shop: Shop):
    fill(shop, "push", 3)
    await shop.push()
    [mine] = shop.state.glob("*/journal.sqlite")
    items = shop.bc.company(OTHER).items
    async with Workspace(items, state_dir=shop.state):
        pass
    [others] = {*shop.state.glob("*/journal.sqlite")} - {mine}
    shutil.copy(mine, others)
    with pytest.raises(JournalError) as refusal:
        async with Workspace(items, state_dir=shop.state):
            pass
    assert COMPANY in str(refusal.value)
    assert OTHER in str(refusal.value)
    assert not (await shop.push()).outcomes


@both_ways
async def test_a_source_that_is_not_the_right_one_is_a_brake(shop: Shop, way: str):
    fill(shop, way, 3)
    with pytest.raises(BrakeError, match=r"marker\.txt"):
        await run(shop, way, require_file="marker.txt")
    assert arrived(shop, way) == {}
