"""Every item with its picture's metadata, whatever the service makes of a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from bcpicture import (
    AccessDeniedError,
    Item,
    ItemNotFoundError,
    MissingError,
    RejectedError,
    Timeouts,
    UnavailableError,
    UsageError,
)
from bcpicture.core.fields import F
from bcpicture.emulator import Fault
from bcpicture.emulator.artwork import png

Setup: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
SetUp: TypeAlias = Callable[..., Any]

ITEMS = 900
PEOPLE = ["customers", "vendors", "employees", "contacts"]


def expansions(setup: Setup) -> list[str]:
    return [line for line in setup.sent() if "$expand=picture" in line]


async def everything(setup: Setup, **options: Any) -> list[Item]:  # noqa: ANN401 - passed on
    return [item async for item in setup.company.items.pictures(**options)]


async def test_every_item_with_its_picture(any_api: Setup):
    any_api.record("1896-S").set_picture(png("A", side=64))
    found = {item.number: item for item in await everything(any_api)}
    assert len(found) == 20
    assert len(expansions(any_api)) == 1
    picture = found.pop("1896-S").picture
    assert picture
    assert (picture.exists, picture.width, picture.height) == (True, 64, 64)
    assert picture.etag
    for item in found.values():
        assert item.picture
        assert not item.picture.exists
        assert (item.picture.width, item.picture.content_type) == (0, "")


@pytest.mark.parametrize("plural", PEOPLE)
async def test_the_other_parents_have_inventories_too(setup: Setup, plural: str):
    found = [one async for one in getattr(setup.company, plural).pictures()]
    assert len(found) == 3
    assert all(one.picture is not None and one.display_name for one in found)


async def test_variants_of_an_item_have_an_inventory_too(setup: Setup):
    variants = setup.company.item(number="1900-S").variants
    found = [one async for one in variants.pictures()]
    assert found
    assert all(one.picture is not None and one.display_name for one in found)
    assert {one.number for one in found} == {one.number async for one in variants}


async def test_little_is_asked_for_unless_more_is_wanted(setup: Setup):
    query = setup.company.items
    short = [item async for item in query.pictures()]
    more = [item async for item in query.select("unitPrice").pictures()]
    assert "unitPrice" not in short[0].extra
    assert short[0].gtin is not None
    assert "unitPrice" in more[0].extra


async def test_a_filter_narrows_it(setup: Setup):
    query = setup.company.items.filter(F.number.starts_with("19"))
    numbers = [item.number async for item in query.pictures()]
    assert numbers
    assert all(number.startswith("19") for number in numbers)


async def test_it_can_be_walked_twice_and_page_by_page(setup: Setup):
    inventory = setup.company.items.page_size(7).pictures()
    sizes = [len(page.values) async for page in inventory.pages()]
    assert sizes[0] == 7
    assert sum(sizes) == 20
    assert len([item async for item in inventory]) == 20


async def test_what_an_inventory_has_not_is_refused_before_anything_is_sent(
    setup: Setup,
):
    for query in (setup.company.items.top(3), setup.company.items.order_by("number")):
        with pytest.raises(UsageError, match="order_by and top"):
            query.pictures()
    with pytest.raises(UsageError, match="in a list"):
        setup.company.items.pictures(numbers="1896-S")
    assert setup.sent() == []


# -- pages that are too much for the service


async def test_pages_shrink_to_what_the_service_can_do(set_up: SetUp):
    server = {"items": ITEMS, "expand_seconds": 0.0004, "operation_seconds": 0.02}
    async with set_up(server=server) as setup:
        found = await everything(setup)
        assert len(found) == len({item.id for item in found}) == ITEMS
        asked = [
            int(one.headers["Prefer"].partition("=")[2])
            for one in setup.server.log
            if "$expand=picture" in one.target
        ]
        # 50 fit; how near it comes depends on how busy the machine is.
        assert asked[0] == 100
        assert max(asked[1:]) < 100
        assert len([one for one in asked if one > 50]) < 5


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", path="expand", status=408, skip=1, times=2),
        Fault("status", path="expand", status=504, skip=1, times=3),
        Fault("status", path="expand", status=413, skip=1, times=2),
        Fault("status", path="expand", status=503, skip=2, retry_after="0"),
        Fault("status", path="expand", status=429, skip=2, retry_after="0"),
        Fault("status", path="expand", status=500, skip=1, times=2),
        Fault("reset_before", path="expand", skip=2),
        Fault("reset_reply", path="expand", skip=1),
        Fault("truncate", path="expand", at=300, skip=1),
        Fault("html", path="expand", status=504, skip=1),
        Fault("foreign_links", path="expand", times=None),
        Fault("relative_links", path="expand", times=None),
    ],
    ids=lambda fault: f"{fault.action}-{fault.status}",
)
async def test_no_item_is_lost_or_doubled_when_pages_fail(set_up: SetUp, fault: Fault):
    async with set_up(server={"items": ITEMS}) as setup:
        setup.server.faults.add(fault)
        found = await everything(setup)
        assert len(found) == len({item.id for item in found}) == ITEMS
        assert all(item.picture is not None for item in found)


async def test_a_stalled_page_is_asked_for_again_shorter(set_up: SetUp):
    options = {"timeouts": Timeouts(reply=0.2)}
    async with set_up(server={"items": 300}, **options) as setup:
        setup.server.faults.add(Fault("stall", path="expand", skip=1))
        found = await everything(setup)
        assert len({item.id for item in found}) == len(found) == 300


async def test_a_single_record_that_takes_too_long_is_an_error_and_no_endless_loop(
    set_up: SetUp,
):
    server = {"expand_seconds": 0.002, "operation_seconds": 0.001}
    async with set_up(server=server) as setup:
        pages = setup.company.items.pictures().pages()
        with pytest.raises(UnavailableError, match="took too long"):
            await anext(pages)
        assert len(expansions(setup)) < 12
        setup.server.operation_seconds = None
        found = [item async for page in pages for item in page.values]
        assert len(found) == 20


async def test_a_page_that_failed_for_good_is_where_it_goes_on(set_up: SetUp):
    async with set_up(server={"items": 300}) as setup:
        pages = setup.company.items.page_size(50).pictures().pages()
        found = list((await anext(pages)).values)
        setup.server.faults.add(Fault("status", path="expand", status=400))
        with pytest.raises(RejectedError):
            await anext(pages)
        found += [item async for page in pages for item in page.values]
        assert len({item.id for item in found}) == len(found) == 300


@pytest.mark.parametrize("honoured_first", [True, False])
async def test_a_server_that_sends_pages_as_it_likes_is_asked_by_number(
    set_up: SetUp, *, honoured_first: bool
):
    """An on-premises server behind a proxy was seen to ignore the preference."""
    server = {
        "items": 400,
        "honour_maxpagesize": False,
        "page_size": 200,
        "expand_seconds": 0.0002,
        "operation_seconds": 1.0 if honoured_first else 0.02,
    }
    async with set_up(server=server) as setup:
        pages = setup.company.items.page_size(10).pictures().pages()
        found = []
        async for page in pages:
            found += page.values
            setup.server.operation_seconds = 0.02
        assert len({item.id for item in found}) == len(found) == 400
        assert all(item.picture is not None for item in found)


async def test_a_refusal_of_who_asks_is_no_matter_of_length(setup: Setup):
    await setup.company.id()
    setup.server.faults.add(Fault("status", path="expand", status=403, times=None))
    with pytest.raises(AccessDeniedError):
        await everything(setup)
    assert len(expansions(setup)) == 1


async def test_a_company_that_was_made_anew_is_found(setup: Setup):
    await setup.company.id()
    setup.server.faults.add(Fault("status", path="expand", status=404))
    assert len(await everything(setup)) == 20


@pytest.mark.parametrize("numbers", [None, ["1896-S"]])
async def test_a_company_that_is_gone_is_looked_up_once(
    setup: Setup, numbers: list[str] | None
):
    await setup.company.id()
    setup.server.faults.add(Fault("status", path="expand", status=404, times=None))
    with pytest.raises(MissingError):
        await everything(setup, numbers=numbers)
    assert len(expansions(setup)) == 2


# -- only some numbers


async def test_only_the_items_whose_number_is_in_a_set(set_up: SetUp):
    async with set_up(server={"items": ITEMS}) as setup:
        numbers = [item.number async for item in setup.company.items][::2]
        found = await everything(setup, numbers=[*numbers, *numbers, "no such"])
        assert sorted(item.number for item in found) == sorted(numbers)
        assert all(len(line) < 15_900 for line in expansions(setup))
        assert len(expansions(setup)) <= 4


async def test_no_number_is_no_request(setup: Setup):
    assert await everything(setup, numbers=[]) == []
    assert setup.sent() == []


@pytest.mark.parametrize("number", ["O'Neil", "a b+c&d=e", "100%", "ä/ö#ü"])
async def test_any_number_can_be_in_the_set(any_api: Setup, number: str):
    any_api.server.store.companies[0].rename("1896-S", number)
    [item] = await everything(any_api, numbers=[number])
    assert item.number == number


async def test_numbers_that_fail_are_asked_for_again_in_shorter_requests(
    set_up: SetUp,
):
    server = {"items": 300, "expand_seconds": 0.001, "operation_seconds": 0.02}
    async with set_up(server=server) as setup:
        numbers = [item.number async for item in setup.company.items]
        found = await everything(setup, numbers=numbers)
        assert sorted(item.number for item in found) == sorted(numbers)
        fail = Fault("status", path="expand", status=504, skip=3, times=4)
        setup.server.faults.add(fail)
        assert len(await everything(setup, numbers=numbers)) == 300


async def test_a_long_filter_and_many_numbers_go_together(set_up: SetUp):
    async with set_up(server={"items": 300}) as setup:
        numbers = [item.number async for item in setup.company.items]
        long = F.number.is_in([*numbers[:100], *(f"absent {n}" * 5 for n in range(90))])
        query = setup.company.items.filter(long)
        found = [item async for item in query.pictures(numbers=numbers)]
        assert sorted(item.number for item in found) == sorted(numbers[:100])


async def test_an_item_of_the_inventory_leads_to_its_picture(setup: Setup):
    async for item in setup.company.items.pictures(numbers=["1900-S"]):
        await setup.company.item(item).picture.upload(b"picture", preflight=False)
    assert setup.stored("1900-S") == b"picture"
    with pytest.raises(ItemNotFoundError):
        await setup.company.item(number="no such").picture.info()
