"""What a push costs, counted by the server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from bcpicture.core.steps import LocalFile
from bcpicture.emulator import Fault
from bcpicture.emulator.artwork import png
from bcpicture.sync.folder import Folder
from bcpicture.sync.sources import Loaded

Shop: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
OpenShop: TypeAlias = Callable[..., Any]

MANY = 500
ITEMS = 2000


async def test_onto_nothing_a_picture_is_hardly_more_than_a_request(
    open_shop: OpenShop,
):
    async with open_shop(items=MANY) as shop:
        data = png("all alike", side=16)
        for number in shop.numbers:
            shop.put(f"{number}.png", data)
        pushed = await shop.push()
        assert pushed.report.done == MANY
        requests = shop.requests()
        assert requests["list"] == 3  # and two of these tell of pictures
        assert sum(requests.values()) - 1 <= 1.05 * MANY
        assert requests["upload"] == MANY


async def test_what_pages_do_not_tell_is_asked_for_in_batches(open_shop: OpenShop):
    async with open_shop(items=MANY) as shop:
        for number in shop.numbers:
            shop.put(f"{number}.png", png("all alike", side=16))
        # The second page of those with pictures never arrives.
        most = "/items?$select=id,number,lastModifiedDateTime&$expand=picture"
        shop.server.faults.add(
            Fault("status", path=most, status=500, skip=1, times=None)
        )
        pushed = await shop.push()
        assert pushed.report.done == MANY
        assert all(shop.all_there().values())
        assert 0 < shop.requests()["batch"] - MANY // 50 <= MANY // 100


async def test_onto_foreign_pictures_it_is_hardly_more_than_two(open_shop: OpenShop):
    async with open_shop(items=MANY) as shop:
        ours, theirs = png("ours", side=16), png("theirs", side=16)
        for number in shop.numbers:
            shop.put(f"{number}.png", ours)
            shop.record(number).set_picture(theirs)
        pushed = await shop.push(max_replace=None)
        assert pushed.report.replaced == MANY
        requests = shop.requests()
        assert sum(requests.values()) - requests["list"] <= 2.1 * MANY
        assert list(shop.backup().values()) == [theirs]


class Counting(Folder):
    """A folder that counts which of its files are read."""

    def __init__(self, path: Path) -> None:
        super().__init__(path=path)
        self.read: set[str] = set()

    async def load(self, files: Sequence[LocalFile]) -> list[Loaded]:
        self.read |= {file.name for file in files}
        return await super().load(files)

    async def digests(self, files: Sequence[LocalFile]) -> list[Loaded]:
        self.read |= {file.name for file in files}
        return await super().digests(files)


async def test_of_many_items_only_what_changed_costs_anything(open_shop: OpenShop):
    async with open_shop(items=ITEMS) as shop:
        data = png("all alike", side=16)
        for number in shop.numbers[:MANY]:
            shop.put(f"{number}.png", data)
            shop.record(number).set_picture(data)
        first = await shop.push(max_replace=None)
        assert set(first.endings.values()) == {"adopted"}
        assert "upload" not in shop.requests()

        shop.log.clear()
        folder = Counting(shop.photos)
        nothing = await shop.push(source=folder)
        assert nothing.plan.unchanged == MANY
        assert shop.requests() == {"list": 1}
        assert folder.read == set()

        shop.log.clear()
        shop.put(f"{shop.numbers[7]}.png", "anew")
        one = await shop.push(source=folder)
        assert one.endings == {shop.numbers[7]: "uploaded"}
        assert sum(shop.requests().values()) <= 8
        assert folder.read == {f"{shop.numbers[7]}.png"}


async def test_items_that_only_moved_cost_no_picture(open_shop: OpenShop):
    """Such as after new prices for all of them."""
    async with open_shop(items=MANY) as shop:
        data = png("all alike", side=16)
        for number in shop.numbers:
            shop.put(f"{number}.png", data)
        await shop.push()
        for number in shop.numbers:
            shop.record(number).touch()
        shop.log.clear()
        pushed = await shop.push()
        assert set(pushed.endings.values()) == {"adopted"}
        assert "upload" not in shop.requests()
        shop.log.clear()
        assert (await shop.push()).plan.unchanged == MANY
        assert shop.requests() == {"list": 1}
