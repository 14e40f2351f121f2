"""The pictures of known items, a hundred a request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeAlias
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
from aiohttp import web

from bcpicture import (
    AccessDeniedError,
    AnswerError,
    BcPictureError,
    BusinessCentral,
    Endpoint,
    Item,
    ItemNotFoundError,
    RejectedError,
    StaticToken,
    ThrottledError,
    UnavailableError,
    UsageError,
)
from bcpicture.core.models import PictureInfo
from bcpicture.emulator import Answers, Fault
from bcpicture.emulator.artwork import png

Setup: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
SetUp: TypeAlias = Callable[..., Any]

GHOST = "5d115c9c-44e3-4f70-8a9b-0c1d2e3f4a5b"
MANY = {"items": 250}


async def known(setup: Setup) -> list[Item]:
    return [item async for item in setup.company.items.select("number")]


async def infos(setup: Setup, items: Any) -> list[PictureInfo]:  # noqa: ANN401 - passed on
    return [info async for info in setup.company.items.picture_infos(items)]


def batches(setup: Setup) -> int:
    return sum("$batch" in line for line in setup.sent())


def singles(setup: Setup) -> int:
    return sum(line.endswith("/picture") for line in setup.sent())


async def test_a_few_hundred_known_items_are_a_few_requests(set_up: SetUp):
    async with set_up(server=MANY) as setup:
        setup.record("1900-S").set_picture(png("A", side=64))
        items = await known(setup)
        found = await infos(setup, items)
        assert [info.key for info in found] == [item.number for item in items]
        assert (batches(setup), singles(setup)) == (3, 0)
        [there] = [info for info in found if info.picture and info.picture.exists]
        assert there.key == "1900-S"
        assert there.picture.width == 64
        assert all(info.error is None and info.picture for info in found)


async def test_every_api_version_has_batches(any_api: Setup):
    items = await known(any_api)
    found = await infos(any_api, items)
    assert all(info.picture is not None for info in found)
    assert batches(any_api) == 1


async def test_the_ids_count_not_the_order(set_up: SetUp):
    async with set_up(server=MANY | {"batch_reversed": True}) as setup:
        setup.record("1900-S").set_picture(b"x")
        found = await infos(setup, await known(setup))
        assert [info.key for info in found if info.picture.exists] == ["1900-S"]


async def test_ids_may_be_given_in_any_form_and_twice(setup: Setup):
    [first, *_] = await known(setup)
    found = await infos(setup, [first.id, UUID(first.id), first, first.id.upper()])
    assert [info.id for info in found] == [first.id]
    assert await infos(setup, []) == []


@pytest.mark.parametrize("wrong", ["1896-S", 7, None], ids=str)
async def test_what_is_no_id_is_refused_before_anything_is_sent(
    setup: Setup, wrong: object
):
    with pytest.raises(UsageError):
        setup.company.items.picture_infos([wrong])
    assert setup.sent() == []


async def test_an_item_that_is_not_there_is_an_error_of_its_own(set_up: SetUp):
    async with set_up(server=MANY) as setup:
        items = [*await known(setup), GHOST]
        found = await infos(setup, items)
        [ghost] = [info for info in found if info.error]
        assert len(found) == 251
        assert ghost.picture is None
        assert isinstance(ghost.error, ItemNotFoundError)
        assert ghost.error.key == GHOST
        assert ghost.error.failure
        assert ghost.error.failure.status == 404
        assert singles(setup) == 0


@pytest.mark.parametrize("status", [429, 500, 503, 401])
async def test_what_fails_for_a_while_is_asked_for_again_alone(
    set_up: SetUp, status: int
):
    async with set_up(server=MANY) as setup:
        items = await known(setup)
        fault = Fault(
            "status",
            method="GET",
            path="/picture",
            status=status,
            retry_after="0",
            skip=7,
            times=2,
        )
        setup.server.faults.add(fault)
        found = await infos(setup, items)
        assert all(info.picture is not None for info in found)
        assert len({info.id for info in found}) == 250
        assert (batches(setup), singles(setup)) == (3, 2)


async def test_a_refusal_inside_is_that_items_alone(set_up: SetUp):
    async with set_up(server=MANY) as setup:
        items = await known(setup)
        fault = Fault("status", path="/picture", status=400, skip=3)
        setup.server.faults.add(fault)
        found = await infos(setup, items)
        [one] = [info for info in found if info.error]
        assert isinstance(one.error, RejectedError)
        assert one.key == items[3].number


async def test_a_server_is_told_to_go_on_after_a_failure(set_up: SetUp):
    server = MANY | {"answers": Answers(batch_stops=True)}
    async with set_up(server=server) as setup:
        items = [GHOST, *await known(setup)]
        setup.server.faults.add(Fault("status", path="/picture", status=404, skip=50))
        found = await infos(setup, items)
        assert len(found) == 251
        assert len([info for info in found if info.error]) == 2
        assert (batches(setup), singles(setup)) == (3, 0)


@pytest.fixture
async def forgetful() -> AsyncIterator[tuple[str, list[int]]]:
    """A server that answers half of every batch, and tells how long each was."""
    lengths: list[int] = []

    async def batch(request: web.Request) -> web.Response:
        asked = (await request.json())["requests"]
        lengths.append(len(asked))
        picture = {"id": "x", "width": 1, "height": 1, "contentType": "image/png"}
        half = asked[: len(asked) // 2]
        told = [{"id": one["id"], "status": 200, "body": picture} for one in half]
        return web.json_response({"responses": told})

    async def picture(_: web.Request) -> web.Response:
        lengths.append(0)
        return web.json_response({"id": "x", "width": 1, "height": 1})

    app = web.Application()
    app.router.add_post("/BC/api/v2.0/$batch", batch)
    app.router.add_get("/BC/api/v2.0/{rest:.*}", picture)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}/BC/api/v2.0", lengths
    await runner.cleanup()


async def test_what_a_batch_leaves_out_is_asked_for_again(
    forgetful: tuple[str, list[int]],
):
    base, lengths = forgetful
    ids = [str(uuid5(NAMESPACE_URL, str(n))) for n in range(10)]
    async with BusinessCentral(Endpoint.at(base), StaticToken("t")) as bc:
        company = bc.company(GHOST)
        found = [info async for info in company.items.picture_infos(ids)]
    assert sorted(info.id for info in found) == sorted(ids)
    assert all(info.picture and info.picture.exists for info in found)
    assert lengths == [10, 5, 3, 2, 0]


@pytest.mark.parametrize("status", [None, 400, 404, 405, 501])
async def test_whether_there_is_batch_is_found_out_once(
    set_up: SetUp, status: int | None
):
    async with set_up(server={"items": 30, "batch": status is not None}) as setup:
        if status is not None:
            fault = Fault("status", path="batch", status=status, times=None)
            setup.server.faults.add(fault)
        items = await known(setup)
        other = setup.bc.with_options().company("CRONUS USA, Inc.").items
        both = (
            infos(setup, items),
            infos(setup, items),
        )
        first, second = await asyncio.gather(*both)
        third = [info async for info in other.picture_infos(items)]
        for found in (first, second, third):
            assert all(info.picture is not None for info in found)
        assert batches(setup) == 1
        assert singles(setup) == 90


async def test_a_batch_that_takes_too_long_is_made_shorter(set_up: SetUp):
    server = MANY | {"metadata_seconds": 0.001, "operation_seconds": 0.05}
    async with set_up(server=server) as setup:
        found = await infos(setup, await known(setup))
        assert len({info.id for info in found}) == len(found) == 250
        assert all(info.picture is not None for info in found)
        assert 6 <= batches(setup) <= 20


async def test_one_known_item_needs_no_batch(setup: Setup):
    [item, *_] = await known(setup)
    [info] = await infos(setup, [item])
    assert info.picture
    assert (batches(setup), singles(setup)) == (0, 1)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("status", path="batch", status=403), AccessDeniedError),
        (Fault("status", path="batch", status=503, times=None), UnavailableError),
        (Fault("status", path="batch", status=429, times=None), ThrottledError),
        (Fault("html", path="batch", status=200), AnswerError),
    ],
    ids=["403", "503", "429", "web page"],
)
async def test_what_concerns_all_is_raised_and_those_who_go_on_lose_nothing(
    set_up: SetUp, fault: Fault, error: type[Exception]
):
    async with set_up(server=MANY) as setup:
        items = await known(setup)
        setup.server.faults.add(fault)
        walk = setup.company.items.picture_infos(items)
        with pytest.raises(error):
            await anext(walk)
        setup.server.faults.clear()
        assert len([info async for info in walk]) == 250


async def test_who_is_refused_item_by_item_is_told_once(set_up: SetUp):
    async with set_up(server={"batch": False}) as setup:
        items = await known(setup)
        setup.server.faults.add(
            Fault("status", path="/picture", status=403, times=None)
        )
        with pytest.raises(AccessDeniedError):
            await infos(setup, items)


async def test_variants_and_customers_are_told_of_too(setup: Setup):
    variants = setup.company.item(number="1900-S").variants
    for query in (variants, setup.company.customers):
        records = [record async for record in query]
        found = [info async for info in query.picture_infos(records)]
        assert found
        assert all(info.picture is not None for info in found)


@pytest.mark.parametrize(
    ("path", "some"), [("batch", 3), ("/picture", 1)], ids=["batch", "alone"]
)
async def test_what_is_no_json_is_told_with_the_request(
    setup: Setup, path: str, some: int
):
    items = (await known(setup))[:some]
    setup.server.faults.add(Fault("truncate_clean", path=path, at=20, times=None))
    errors: list[BcPictureError | None] = []
    try:
        errors += [info.error for info in await infos(setup, items)]
    except AnswerError as error:
        errors.append(error)
    assert errors
    for error in errors:
        assert isinstance(error, AnswerError)
        assert error.failure
        assert path.strip("/") in error.failure.path
