"""Opening, closing, and what a client is made of."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any, TypeAlias

import aiohttp
import pytest

from bcpicture import (
    BusinessCentral,
    ClientSecret,
    ClosedError,
    ConfigurationError,
    Endpoint,
    StaticToken,
)
from bcpicture.emulator import Emulator

SetUp: TypeAlias = Callable[..., Any]

COMPANY = "CRONUS USA, Inc."


def client(
    server: Emulator, session: aiohttp.ClientSession | None = None
) -> BusinessCentral:
    credential = ClientSecret(
        client_id=server.client_id,
        client_secret=server.client_secret,
        token_url=server.token_url,
    )
    endpoint = Endpoint.at(server.base_urls["v2.0"])
    return BusinessCentral(endpoint, credential, session=session)


async def test_a_client_that_is_not_open_says_how_to_open_it(emulator: Emulator):
    bc = client(emulator)
    for use in (lambda: bc.company(COMPANY), lambda: bc.companies):
        with pytest.raises(ClosedError, match="async with"):
            use()


async def test_a_client_can_be_opened_again_after_it_was_closed(emulator: Emulator):
    bc = client(emulator)
    for _ in range(2):
        async with bc:
            assert await bc.company(COMPANY).id()


async def test_a_client_is_opened_once(emulator: Emulator):
    async with client(emulator) as bc:
        with pytest.raises(ClosedError, match="open already"):
            await bc.__aenter__()
        assert await bc.company(COMPANY).id()


async def test_closing_twice_is_fine(emulator: Emulator):
    async with client(emulator) as bc:
        await bc.aclose()
        await bc.aclose()


def test_a_plain_with_asks_whether_async_with_was_meant():
    bc = BusinessCentral(Endpoint.cloud("contoso.com"), StaticToken("t"))
    with pytest.raises(TypeError, match="did you mean `async with`"), bc:
        pass


async def test_a_contradiction_shows_on_opening_and_leaves_nothing_open():
    credential = ClientSecret(
        client_id="app", client_secret="secret", tenant="fabrikam.com"
    )
    bc = BusinessCentral(Endpoint.cloud("contoso.com"), credential)
    with pytest.raises(ConfigurationError, match=r"fabrikam\.com"):
        async with bc:
            pass
    gc.collect()  # an unclosed session would warn here


async def test_nothing_is_left_after_closing(emulator: Emulator):
    before = asyncio.all_tasks()
    async with client(emulator) as bc:
        await bc.company(COMPANY).item(number="1896-S").picture.info()
    await asyncio.sleep(0.05)
    left = [
        task
        for task in asyncio.all_tasks() - before
        if "Server" not in str(task) and "RequestHandler" not in str(task)
    ]
    assert not left


async def test_an_error_inside_the_block_is_the_callers_own(emulator: Emulator):
    with pytest.raises(LookupError):
        async with client(emulator):
            raise LookupError


async def test_from_environment_takes_the_settings_of_the_command_line(
    emulator: Emulator,
):
    environ = {
        "BCPICTURE_URL": emulator.base_urls["v2.0"],
        "BCPICTURE_CLIENT_ID": emulator.client_id,
        "BCPICTURE_CLIENT_SECRET": emulator.client_secret,
        "BCPICTURE_TOKEN_URL": emulator.token_url,
    }
    async with BusinessCentral.from_environment(environ) as bc:
        assert await bc.company(COMPANY).id()


async def test_two_clients_on_one_session_share_token_and_quota(emulator: Emulator):
    async with (
        aiohttp.ClientSession() as http,
        client(emulator, session=http) as one,
        client(emulator, session=http) as two,
    ):
        await asyncio.gather(
            *(bc.company(COMPANY).item(number="1896-S").id() for bc in (one, two) * 20)
        )
        assert emulator.identity.tokens_issued == 1
        assert emulator.concurrent_peak <= 5


async def test_of_two_clients_on_one_session_one_can_be_closed(emulator: Emulator):
    async with aiohttp.ClientSession() as http, client(emulator, session=http) as one:
        async with client(emulator, session=http) as two:
            await two.company(COMPANY).id()
        assert await one.company(COMPANY).item(number="1896-S").picture.info()


async def test_a_view_with_other_options_shares_everything_else(emulator: Emulator):
    async with client(emulator) as bc:
        await bc.company(COMPANY).item(number="1896-S").id()
        emulator.log.clear()
        view = bc.with_options(queue_wait=1.0, bulk=True)
        await view.company(COMPANY).item(number="1896-S").picture.info()
        assert len(emulator.log) == 1
        assert bc.statistics.requests == view.statistics.requests


async def test_a_view_ends_with_its_client(emulator: Emulator):
    async with client(emulator) as bc:
        view = bc.with_options(bulk=True)
        assert await view.company(COMPANY).id()
    with pytest.raises(ClosedError):
        await view.company(COMPANY).item(number="1896-S").picture.info()


async def test_many_tasks_use_one_client(set_up: SetUp):
    async with set_up() as setup:
        numbers = [item.number async for item in setup.company.items]

        async def change(number: str) -> None:
            picture = setup.company.item(number=number).picture
            await picture.upload(number.encode(), preflight=False)
            assert await picture.read() == number.encode()
            await picture.delete()

        async with asyncio.TaskGroup() as group:
            for number in numbers:
                group.create_task(change(number))
        assert setup.server.concurrent_peak <= 5
        assert not [number for number in numbers if setup.stored(number)]
