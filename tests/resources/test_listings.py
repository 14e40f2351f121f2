"""Companies and records, page by page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from yarl import URL

from bcpicture import (
    AnswerError,
    BcPictureError,
    BusinessCentral,
    CompanyNotFoundError,
    Endpoint,
    ItemNotFoundError,
    RejectedError,
    UsageError,
)
from bcpicture.emulator import Fault

Setup: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
SetUp: TypeAlias = Callable[..., Any]

ONEIL = "O'Neil & Sons / Ltd."


async def test_all_companies(any_api: Setup):
    names = [company.name async for company in any_api.bc.companies]
    assert names == ["CRONUS USA, Inc.", ONEIL]


async def test_a_company_by_its_name(any_api: Setup):
    company = await any_api.bc.companies.by_name(ONEIL)
    assert company.name == ONEIL
    assert UUID(company.id)
    assert await any_api.bc.companies.find("nowhere") is None
    with pytest.raises(CompanyNotFoundError, match=r"CRONUS USA, Inc\."):
        await any_api.bc.companies.by_name("nowhere")


async def test_the_items_of_a_company_whose_name_has_everything(any_api: Setup):
    company = any_api.bc.company(ONEIL)
    await company.item(number="1896-S").picture.upload(b"picture", preflight=False)
    stored = any_api.server.store.company(ONEIL).item("1896-S").picture_bytes()
    assert stored == b"picture"
    assert any_api.stored() is None


async def test_all_items_over_many_pages(any_api: Setup):
    items = [item async for item in any_api.company.items.page_size(3)]
    assert len(items) == 20
    assert len({item.number for item in items}) == 20
    assert len(any_api.sent()) == 1 + 7
    assert any_api.server.log[-1].headers["Prefer"] == "odata.maxpagesize=3"


async def test_an_item_has_what_the_service_tells(setup: Setup):
    item = await setup.company.items.by_number("1896-S")
    assert item.number == "1896-S"
    assert item.display_name
    assert item.etag
    assert item.last_modified
    assert item.last_modified.tzinfo
    assert "unitPrice" in item.extra or item.extra


async def test_pages_are_fetched_when_they_are_needed(setup: Setup):
    count = 0
    async for _ in setup.company.items.page_size(5):
        count += 1
        if count == 7:
            break
    assert len(setup.sent()) == 1 + 2


async def test_a_listing_can_be_left_and_nothing_stays_open(setup: Setup):
    before = asyncio.all_tasks()
    for _ in range(20):
        async for _ in setup.company.items.page_size(2):
            break
    assert setup.bc._opened().session.lanes.members[0].governor.in_flight == 0
    await asyncio.sleep(0)
    assert not [
        task
        for task in asyncio.all_tasks() - before
        if "bcpicture/net" in str(task.get_coro())
    ]


async def test_a_listing_can_be_walked_twice(setup: Setup):
    items = setup.company.items
    assert len([item async for item in items]) == 20
    assert len([item async for item in items]) == 20


async def test_find_and_by_number(any_api: Setup):
    items = any_api.company.items
    assert (await items.by_number("1900-S")).number == "1900-S"
    assert await items.find("nope") is None
    with pytest.raises(ItemNotFoundError, match="Numbers are compared exactly"):
        await items.by_number("nope")


@pytest.mark.parametrize(
    "number", ["O'Neil", "a b+c&d=e", "100%", "ä/ö#ü", "''", "$filter", "1/2?x"]
)
async def test_any_number_is_found(any_api: Setup, number: str):
    any_api.server.store.companies[0].rename("1896-S", number)
    assert (await any_api.company.items.by_number(number)).number == number
    await any_api.company.item(number=number).picture.upload(
        b"picture", preflight=False
    )
    assert any_api.stored(number) == b"picture"


async def test_only_what_a_filter_lets_through(setup: Setup):
    items = setup.company.items.filter("number ge '1990'").filter("number lt '2000'")
    assert [item.number async for item in items] == ["1996-S"]


async def test_only_the_fields_that_are_asked_for(setup: Setup):
    items = [item async for item in setup.company.items.select("displayName")]
    assert items[0].number
    assert items[0].id
    assert items[0].display_name
    assert items[0].last_modified is None
    assert "$select=id,number,displayName" in setup.sent()[-1]


async def test_a_field_that_does_not_exist_is_the_services_to_refuse(setup: Setup):
    with pytest.raises(RejectedError):
        [item async for item in setup.company.items.filter("nonsense eq 1")]


@pytest.mark.parametrize("size", [0, -1, 20_001])
async def test_a_page_that_cannot_be_had_is_refused(setup: Setup, size: int):
    with pytest.raises(UsageError, match="from 1 to 20,000"):
        setup.company.items.page_size(size)


@pytest.mark.parametrize("plural", ["customers", "vendors", "employees", "contacts"])
async def test_other_records_are_listed_as_well(any_api: Setup, plural: str):
    known = {one.segment for one in any_api.bc.endpoint.dialect.parents}
    if plural not in known:
        with pytest.raises(UsageError):
            getattr(any_api.company, plural)
        return
    records = [record async for record in getattr(any_api.company, plural)]
    assert records
    assert all(record.number and UUID(record.id) for record in records)


async def test_a_listing_that_is_called_says_what_was_meant(setup: Setup):
    with pytest.raises(UsageError, match=r"company\.item"):
        setup.company.items("1896-S")
    with pytest.raises(UsageError, match=r"bc\.company"):
        setup.bc.companies("CRONUS USA, Inc.")


# -- links in replies


async def test_links_to_another_host_are_moved_to_the_configured_one(any_api: Setup):
    """Behind a proxy, the service tells its inner name."""
    any_api.server.faults.add(Fault("foreign_links", method="GET", times=None))
    items = [item async for item in any_api.company.items.page_size(6)]
    assert len(items) == 20
    picture = any_api.company.item(items[0]).picture
    assert "://" in ((await picture.info()).read_link or "")
    await picture.upload(b"x", preflight=False)
    assert await picture.read() == b"x"


async def test_relative_links_are_relative_to_the_service_root(any_api: Setup):
    any_api.server.faults.add(Fault("relative_links", method="GET", times=None))
    assert len([item async for item in any_api.company.items.page_size(6)]) == 20


async def test_a_listing_that_goes_round_in_a_circle_ends(any_api: Setup):
    await any_api.company.id()
    any_api.server.faults.add(Fault("looping_links", method="GET", times=None))
    with pytest.raises(AnswerError, match="circle"):
        async with asyncio.timeout(5):
            [item async for item in any_api.company.items.page_size(6)]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=503, retry_after="0", skip=2),
        Fault("reset_before", skip=2),
        Fault("truncate", at=100, skip=2),
        Fault("bad_gzip", skip=2),
    ],
    ids=lambda fault: fault.action,
)
async def test_a_page_that_fails_is_asked_for_again_and_no_item_is_lost_or_doubled(
    any_api: Setup, fault: Fault
):
    await any_api.company.id()
    any_api.server.faults.add(fault)
    numbers = [item.number async for item in any_api.company.items.page_size(4)]
    assert len(numbers) == len(set(numbers)) == 20


async def test_a_page_that_is_a_web_page_is_named(setup: Setup):
    await setup.company.id()
    setup.server.faults.add(Fault("html", path="items"))
    with pytest.raises(BcPictureError, match="sign-in page"):
        [item async for item in setup.company.items]


@pytest.mark.parametrize("tenant", ["default", "a b&c"])
async def test_an_on_premises_tenant_goes_with_every_request(
    set_up: SetUp, tenant: str
):
    async with set_up(server={"require_tenant": tenant == "default"}) as setup:
        base = URL(f"{setup.server.url}/BC/api/v2.0").with_query(tenant=tenant)
        async with BusinessCentral(Endpoint.at(base), setup.bc.credential) as bc:
            company = bc.company("CRONUS USA, Inc.")
            items = [item async for item in company.items.page_size(7)]
            await company.item(items[0]).picture.upload(b"x", preflight=False)
        assert len(items) == 20
        sent = setup.sent()
        assert len(sent) == 5
        encoded = "tenant=default" if tenant == "default" else "tenant=a%20b%26c"
        assert all(one.count(encoded) == 1 for one in sent)
