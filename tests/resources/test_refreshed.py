"""Known items as they are now, with their pictures, in few requests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, TypeAlias

import pytest
from aiohttp import web

from bcpicture import (
    AccessDeniedError,
    AnswerError,
    BusinessCentral,
    Endpoint,
    Item,
    ItemNotFoundError,
    RecordInfo,
    RetryPolicy,
    StaticToken,
    UnavailableError,
)
from bcpicture.emulator import Fault
from bcpicture.emulator.artwork import png

Setup: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
SetUp: TypeAlias = Callable[..., Any]

GHOST = "5d115c9c-44e3-4f70-8a9b-0c1d2e3f4a5b"
MANY = {"items": 250}
WITHOUT = MANY | {"batch": False}


async def known(setup: Setup) -> list[Item]:
    return [item async for item in setup.company.items.select("number")]


async def refreshed(setup: Setup, items: Iterable[Item | str]) -> list[RecordInfo]:
    return [now async for now in setup.company.items.refreshed(items)]


def counted(setup: Setup) -> dict[str, int]:
    kinds = setup.server.log.kinds()
    return {kind: kinds[kind] for kind in ("batch", "list", "record", "metadata")}


async def test_it_tells_of_record_and_picture_in_every_version(any_api: Setup):
    any_api.record("1900-S").set_picture(png("A", side=64))
    items = await known(any_api)
    now = {one.key: one for one in await refreshed(any_api, items)}
    assert list(now) == [item.number for item in items]
    assert counted(any_api)["batch"] == 1
    item = now["1900-S"].item
    assert item.number == "1900-S"
    assert item.etag == any_api.record("1900-S").etag
    assert item.last_modified == any_api.record("1900-S").last_modified
    assert item.picture.exists
    assert item.picture.width == 64
    assert item.picture.etag == any_api.record("1900-S").picture_etag
    assert not now["1896-S"].item.picture.exists


async def test_a_listing_and_it_tell_the_same_signs(any_api: Setup):
    fields = ("number", "lastModifiedDateTime")
    listed = [item async for item in any_api.company.items.select(*fields)]
    for item, now in zip(listed, await refreshed(any_api, listed), strict=True):
        assert (item.etag, item.last_modified) == (
            now.item.etag,
            now.item.last_modified,
        )


@pytest.mark.parametrize("server", [MANY, WITHOUT], ids=["batch", "pages"])
async def test_few_requests_tell_of_many(set_up: SetUp, server: dict[str, Any]):
    async with set_up(server=server) as setup:
        setup.record("1900-S").set_picture(png("A", side=64))
        items = [*await known(setup), GHOST]
        setup.server.log.clear()
        now = await refreshed(setup, items)
        assert [one.id for one in now] == [*(item.id for item in items[:-1]), GHOST]
        [ghost] = [one for one in now if one.error]
        assert isinstance(ghost.error, ItemNotFoundError)
        assert ghost.item is None
        assert [one.key for one in now if one.item and one.item.picture.exists] == [
            "1900-S"
        ]
        pages = 3 if server is WITHOUT else 0
        batches = 1 if server is WITHOUT else 3
        assert counted(setup) == {
            "batch": batches,
            "list": pages,
            "record": 0,
            "metadata": 0,
        }


async def test_one_item_is_one_request(setup: Setup):
    [first, *_] = await known(setup)
    setup.server.log.clear()
    [now] = await refreshed(setup, [first])
    assert now.item.number == first.number
    assert counted(setup) == {"batch": 0, "list": 0, "record": 1, "metadata": 0}


async def test_what_fails_for_a_while_is_asked_for_again(set_up: SetUp):
    async with set_up(server=MANY) as setup:
        items = await known(setup)
        fault = Fault("status", path="expand", status=503, skip=7, times=2)
        setup.server.faults.add(fault)
        now = await refreshed(setup, items)
        assert len(now) == 250
        assert all(one.item is not None for one in now)


async def test_pages_that_take_too_long_are_made_shorter(set_up: SetUp):
    slow = {"expand_seconds": 0.001, "operation_seconds": 0.05}
    async with set_up(server=WITHOUT | slow) as setup:
        now = await refreshed(setup, await known(setup))
        assert len({one.id for one in now}) == 250
        assert all(one.item is not None for one in now)
        assert counted(setup)["record"] == 0


async def test_a_server_that_refuses_the_filter_is_asked_item_by_item(set_up: SetUp):
    async with set_up(server={"items": 20, "batch": False}) as setup:
        items = await known(setup)
        refusal = Fault("status", path="filter", status=400, times=None)
        setup.server.faults.add(refusal)
        now = await refreshed(setup, items)
        assert all(one.item is not None for one in now)
        assert counted(setup)["record"] == 20


async def test_what_concerns_all_is_raised(set_up: SetUp):
    async with set_up(server=MANY) as setup:
        items = await known(setup)
        setup.server.faults.add(Fault("status", path="batch", status=403))
        with pytest.raises(AccessDeniedError):
            await refreshed(setup, items)


@pytest.fixture
async def broken() -> AsyncIterator[str]:
    """A server whose batches answer every record with what is no record."""

    async def batch(request: web.Request) -> web.Response:
        asked = (await request.json())["requests"]
        told = [{"id": one["id"], "status": 200, "body": {"id": 1}} for one in asked]
        return web.json_response({"responses": told})

    app = web.Application()
    app.router.add_post("/BC/api/v2.0/$batch", batch)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}/BC/api/v2.0"
    await runner.cleanup()


async def test_what_cannot_be_read_is_that_records_error(broken: str):
    async with BusinessCentral(Endpoint.at(broken), StaticToken("t")) as bc:
        records = bc.company(GHOST).items
        ids = [GHOST, GHOST.replace("5", "6")]
        now = [one async for one in records.refreshed(ids)]
    assert [one.id for one in now] == ids
    assert all(isinstance(one.error, AnswerError) for one in now)


async def test_the_bulk_view_stands_behind_others(set_up: SetUp):
    async with set_up(server={"items": 3}, queue_wait=0.0) as setup:
        records = setup.company.items.in_bulk()
        assert records.company.session.bulk
        assert not setup.company.items.company.session.bulk
        assert [item.number async for item in records] == [
            item.number async for item in setup.company.items
        ]
        assert (
            records.company.directory.batch
            is setup.company.items.company.directory.batch
        )
        [item, *_] = [item async for item in records]
        await records.picture_of(item).upload(b"bulk", preflight=False)
        assert setup.stored(item.number) == b"bulk"


async def test_an_upload_tells_when_it_was_answered(set_up: SetUp):
    server = {"clock": lambda: 1_750_000_000.9}
    async with set_up(server=server, retries=RetryPolicy(attempts=1)) as setup:
        done = await setup.company.item(number="1896-S").picture.upload(
            b"x", preflight=False
        )
        assert done.date.timestamp() == 1_750_000_000.0
        setup.server.faults.add(Fault("apply_then_reset", method="PATCH"))
        done = await setup.company.item(number="1896-S").picture.upload(
            b"y", preflight=False
        )
        assert done.date is None


async def test_trouble_that_stays_is_raised(set_up: SetUp):
    async with set_up(server=WITHOUT) as setup:
        items = await known(setup)
        trouble = Fault("status", path="filter", status=503, times=None)
        setup.server.faults.add(trouble)
        with pytest.raises(UnavailableError):
            await refreshed(setup, items)
