"""What narrows a listing, on its way through the service."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias

import pytest

from bcpicture import ItemNotFoundError, MissingError, UsageError
from bcpicture.core.expressions import Expression
from bcpicture.core.fields import F
from bcpicture.emulator import Fault

Setup: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
SetUp: TypeAlias = Callable[..., Any]


async def numbers(query: Any) -> list[str]:  # noqa: ANN401 - a query
    return [record.number async for record in query]


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        pytest.param(F.number == "1896-S", ["1896-S"], id="equal"),
        pytest.param(F.number.is_in(["1896-S", "x"]), ["1896-S"], id="in"),
        pytest.param(F.number.starts_with("189"), ["1896-S"], id="starts"),
        pytest.param(
            (F.number > "1988") & (F.number < "1999"), ["1988-S", "1996-S"], id="and"
        ),
        pytest.param(
            (F.number == "2000-S") | (F.number == "1896-S"),
            ["1896-S", "2000-S"],
            id="or",
        ),
        pytest.param(F.last_modified > datetime.max.replace(tzinfo=UTC), [], id="when"),
    ],
)
async def test_a_filter_means_what_it_says(
    any_api: Setup, expression: Expression, found: list[str]
):
    assert await numbers(any_api.company.items.filter(expression)) == found


async def test_a_filter_by_id(setup: Setup):
    item = await setup.company.items.by_number("1900-S")
    assert await numbers(setup.company.items.filter(F.id == item.id)) == ["1900-S"]


async def test_thousands_of_numbers_are_a_few_requests_and_each_record_comes_once(
    set_up: SetUp,
):
    async with set_up(server={"items": 3000}) as setup:
        every = await numbers(setup.company.items)
        setup.server.log.clear()
        # The service compares numbers in capitals; a spelling twice is one record.
        wanted = [*every, *(number.lower() for number in every[:500]), "absent"]
        query = setup.company.items.filter(F.number.is_in(wanted))
        found = await numbers(query.page_size(100))
        assert sorted(found) == sorted(every)
        assert await query.count() == 3000
        assert max(len(one.target) for one in setup.server.log) < 15_800


async def test_the_greatest_first(setup: Setup):
    query = setup.company.items.order_by(F.number.descending).top(2)
    assert await numbers(query) == ["2000-S", "1996-S"]
    assert "$orderby=number%20desc&$top=2" in setup.sent()[-1]


async def test_top_holds_over_pages_and_over_requests(set_up: SetUp):
    async with set_up(server={"items": 900}) as setup:
        assert len(await numbers(setup.company.items.top(7).page_size(3))) == 7
        every = await numbers(setup.company.items)
        long = setup.company.items.filter(F.number.is_in(every)).top(450)
        assert await numbers(long) == every[:450]
        with pytest.raises(UsageError, match="1 or more"):
            setup.company.items.top(0)


async def test_an_order_over_several_requests_is_refused(setup: Setup):
    long = F.number.is_in(map(str, range(3000)))
    with pytest.raises(UsageError, match="its own order"):
        await numbers(setup.company.items.filter(long).order_by("number"))


async def test_records_are_counted_without_being_sent(any_api: Setup):
    items = any_api.company.items
    assert await items.count() == 20
    assert await items.top(3).count() == 3
    assert await items.filter(F.number == "1896-S").count() == 1
    assert await items.filter(F.number.is_in([])).count() == 0
    assert "$top=1&$count=true" in any_api.sent()[1]


async def test_pages_tell_the_count_if_they_are_asked(setup: Setup):
    query = setup.company.items.page_size(15)
    assert [page.count async for page in query.with_count().pages()] == [20, 20]
    assert [page.count async for page in query.pages()] == [None, None]


async def test_pictures_can_be_expanded(any_api: Setup):
    query = any_api.company.items.expand("picture").top(1)
    [item] = [item async for item in query]
    assert item.picture is not None
    assert "unitPrice" in item.extra


async def test_variants_of_one_item(setup: Setup):
    variants = setup.company.item(number="1900-S").variants
    assert await numbers(variants) == ["BLACK", "RED"]
    black = await variants.by_number("BLACK")
    assert black.display_name == "PARIS Guest Chair, black leather"
    assert await variants.find("BLUE") is None
    assert await variants.count() == 2
    picture = setup.company.item(number="1900-S").variant(black).picture
    assert not (await picture.info()).exists


async def test_what_has_no_variants_says_so(setup: Setup, set_up: SetUp):
    with pytest.raises(UsageError, match="no variants"):
        assert setup.company.customer(number="10000").variants
    async with set_up("v1.0") as older:
        with pytest.raises(UsageError, match=r"v2\.0"):
            assert older.company.item(number="1900-S").variants
        assert older.sent() == []


async def test_an_item_by_its_gtin(any_api: Setup):
    items = any_api.company.items
    some = await items.by_number("1900-S")
    assert some.gtin
    assert (await items.by_gtin(some.gtin)).number == "1900-S"
    assert await items.find_gtin("00000000") is None
    with pytest.raises(ItemNotFoundError, match="GTIN"):
        await items.by_gtin("00000000")
    with pytest.raises(UsageError, match="empty"):
        await items.find_gtin("")
    with pytest.raises(UsageError, match="no GTIN"):
        await any_api.company.customers.by_gtin("1")


async def test_a_gtin_that_two_items_share_names_both(setup: Setup):
    gtin = setup.record("1900-S").values["gtin"]
    setup.record("1896-S").values["gtin"] = gtin
    with pytest.raises(MissingError, match=r"1896-S, 1900-S"):
        await setup.company.items.by_gtin(gtin)


async def test_a_listing_of_a_company_that_was_made_anew_is_found(setup: Setup):
    await setup.company.id()
    setup.server.faults.add(Fault("status", path="items", status=404))
    assert len(await numbers(setup.company.items)) == 20
    setup.server.faults.add(Fault("status", path="items", status=404, times=2))
    with pytest.raises(MissingError):
        await numbers(setup.company.items)


async def test_a_page_that_failed_is_where_a_listing_goes_on(setup: Setup):
    pages = setup.company.items.page_size(8).pages()
    found = list((await anext(pages)).values)
    setup.server.faults.add(Fault("status", path="items", status=400))
    with pytest.raises(Exception, match="does not accept"):
        await anext(pages)
    found += [item async for page in pages for item in page.values]
    assert len({item.id for item in found}) == len(found) == 20
