"""Handles: free to make, resolved on first use, once for all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias
from uuid import UUID

import pytest

from bcpicture import CompanyNotFoundError, ItemNotFoundError, UsageError
from bcpicture.emulator import Fault

Setup: TypeAlias = Any  # the harness is in conftest.py, which nobody can import

UNKNOWN = "00000000-0000-4000-8000-00000000dead"


async def test_a_handle_costs_no_request(setup: Setup):
    item = setup.company.item(number="1896-S")
    assert item.picture
    assert (item.key, setup.company.name) == ("1896-S", "CRONUS USA, Inc.")
    assert not setup.server.log


async def test_names_and_numbers_are_resolved_once(any_api: Setup):
    picture = any_api.company.item(number="1896-S").picture
    for _ in range(3):
        await picture.info()
        await any_api.company.item(number="1896-S").picture.info()
    assert len(any_api.sent()) == 2 + 6


async def test_many_at_once_resolve_a_name_and_a_number_once(any_api: Setup):
    await asyncio.gather(
        *(any_api.company.item(number="1896-S").picture.info() for _ in range(100))
    )
    sent = any_api.sent()
    assert len([one for one in sent if one.endswith("/companies")]) == 1
    assert len([one for one in sent if "$filter" in one]) == 1
    assert len(sent) == 102


async def test_different_numbers_are_resolved_one_by_one(setup: Setup):
    numbers = [item.number async for item in setup.company.items]
    setup.server.log.clear()
    await asyncio.gather(
        *(setup.company.item(number=number).picture.info() for number in numbers)
    )
    assert len(setup.sent()) == 40


async def test_who_is_cancelled_while_resolving_disturbs_no_other(setup: Setup):
    await setup.company.id()
    calls = [
        asyncio.create_task(setup.company.item(number="1896-S").id()) for _ in range(5)
    ]
    await asyncio.sleep(0)
    calls[0].cancel()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert set(results[1:]) == {setup.record("1896-S").id}


async def test_a_resolution_that_failed_is_tried_again_by_the_next_caller(
    setup: Setup,
):
    setup.server.faults.add(Fault("status", status=403, path="companies"))
    with pytest.raises(Exception, match="does not allow"):
        await setup.company.id()
    assert await setup.company.id()


async def test_many_that_ask_for_what_is_not_there_are_all_told(setup: Setup):
    results = await asyncio.gather(
        *(setup.company.item(number="nope").id() for _ in range(20)),
        return_exceptions=True,
    )
    assert {type(one) for one in results} == {ItemNotFoundError}


async def test_ids_cost_no_lookup(any_api: Setup):
    company = await any_api.bc.companies.by_name("CRONUS USA, Inc.")
    item = await any_api.company.items.by_number("1896-S")
    any_api.server.log.clear()
    for one in (
        any_api.bc.company(company.id).item(item.id),
        any_api.bc.company(UUID(company.id)).item(UUID(item.id)),
        any_api.bc.company(company).item(item),
        any_api.bc.company(company.id.upper()).item(item.id.upper()),
    ):
        assert await one.id() == item.id
        await one.picture.info()
    assert len(any_api.sent()) == 4


async def test_the_same_number_in_two_companies_is_two_items(setup: Setup):
    here = await setup.company.item(number="1896-S").id()
    there = await setup.bc.company("O'Neil & Sons / Ltd.").item(number="1896-S").id()
    await setup.company.item(here).picture.upload(b"here", preflight=False)
    assert setup.stored() == b"here"
    other = setup.server.store.companies[1].item("1896-S")
    assert other.id == there
    assert other.picture_bytes() is None


async def test_a_number_that_got_another_id_is_looked_up_again(setup: Setup):
    """The item was deleted and made anew: only its number is the same."""
    picture = setup.company.item(number="1896-S").picture
    assert (await picture.upload(b"old", preflight=False)).attempts == 1
    setup.server.store.companies[0].recreate("1896-S")
    done = await picture.upload(b"new", preflight=False)
    assert setup.stored() == b"new"
    assert done.attempts == 2


async def test_a_number_that_is_gone_is_said_to_be(setup: Setup):
    picture = setup.company.item(number="1896-S").picture
    await picture.info()
    setup.server.store.companies[0].remove("1896-S")
    with pytest.raises(ItemNotFoundError, match="1896-S"):
        await picture.info()


async def test_info_of_a_record_is_asked_anew(any_api: Setup):
    item = any_api.company.item(number="1896-S")
    before = await item.info()
    await item.picture.upload(b"x", preflight=False)
    after = await any_api.company.item(before).info()
    assert after.etag != before.etag
    assert after.id == before.id
    with pytest.raises(ItemNotFoundError):
        await any_api.company.item(UNKNOWN).info()


async def test_info_of_a_company(any_api: Setup):
    known = await any_api.company.info()
    assert (await any_api.bc.company(known.id).info()).name == "CRONUS USA, Inc."
    with pytest.raises(CompanyNotFoundError):
        await any_api.bc.company(UNKNOWN).info()


@pytest.mark.parametrize(
    ("arguments", "keywords", "hint"),
    [
        pytest.param([], {}, "by its id or by its number", id="nothing"),
        pytest.param([UNKNOWN], {"number": "1"}, "by its id or", id="both"),
        pytest.param(["1896-S"], {}, "number='1896-S'", id="number-as-id"),
        pytest.param([], {"number": ""}, "is no number", id="empty"),
        pytest.param([], {"number": 1896}, "Numbers are text", id="int"),
        pytest.param([17], {}, "is no id", id="int-as-id"),
    ],
)
async def test_a_call_that_names_no_record_is_refused(
    setup: Setup, arguments: list[Any], keywords: dict[str, Any], hint: str
):
    with pytest.raises(UsageError, match=hint):
        setup.company.item(*arguments, **keywords)
    assert not setup.server.log


@pytest.mark.parametrize("name", ["", None, 17])
async def test_a_company_without_a_name_is_refused(setup: Setup, name: object):
    with pytest.raises(UsageError):
        setup.bc.company(name)


@pytest.mark.parametrize("text", [repr, str], ids=["repr", "str"])
async def test_a_handle_shows_in_one_line_what_it_is(
    setup: Setup, text: Callable[[object], str]
):
    for handle in (
        setup.bc,
        setup.company,
        setup.company.items,
        setup.company.item(number="1896-S"),
        setup.company.item(number="1896-S").picture,
    ):
        shown = text(handle)
        assert "\n" not in shown
        assert len(shown) < 400, shown


async def test_a_variant_of_an_item(setup: Setup):
    """Since 2026, in API v2.0 only."""
    (variant, *_) = setup.server.store.companies[0].table("itemVariants").records
    item, code = variant.number.rsplit("/", 1)
    handle = setup.company.item(number=item).variant(number=code)
    await handle.picture.upload(b"of a variant", preflight=False)
    assert variant.picture_bytes() == b"of a variant"
