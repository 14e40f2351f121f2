"""Which environments there are, and which API a server has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import aiohttp
import pytest

from bcpicture import (
    AccessDeniedError,
    AnswerError,
    ApiSwitchedOffError,
    BusinessCentral,
    ClientSecret,
    ConfigurationError,
    Endpoint,
    MissingError,
    RetryPolicy,
    StaticToken,
    TransportError,
    UsageError,
)
from bcpicture.emulator import Emulator, Fault
from bcpicture.resources.detection import detect
from bcpicture.resources.discovery import environments

Setup: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
SetUp: TypeAlias = Callable[..., Any]

PLACES = [
    *("/BC", "/BC/", "/BC/api", "/BC/api/v1.0", "/BC/api/v2.0/", "/BC/api/beta"),
    *("/v2.0/Production", "/v2.0/Production/api/v2.0", "/BC/api/me/mine/v1.0"),
]


def secret_of(server: Emulator) -> ClientSecret:
    return ClientSecret(
        client_id=server.client_id,
        client_secret=server.client_secret,
        token_url=server.token_url,
    )


@pytest.mark.parametrize("known", [True, False], ids=["known", "nobody"])
@pytest.mark.parametrize("place", PLACES)
async def test_the_newest_api_at_an_address(
    emulator: Emulator, place: str, *, known: bool
):
    credential = secret_of(emulator) if known else None
    endpoint = await Endpoint.detect(f"{emulator.url}{place}", credential)
    assert endpoint.dialect.name == "v2.0"
    root = place.partition("/api")[0].rstrip("/")
    assert str(endpoint.base) == f"{emulator.url}{root}/api/v2.0"


async def test_what_was_detected_works():
    async with Emulator(apis=("v1.0", "beta")) as server:
        url = f"{server.url}/BC?tenant=default"
        endpoint = await Endpoint.detect(url, secret_of(server), tenant="contoso.com")
        assert (endpoint.dialect.name, endpoint.tenant) == ("v1.0", "contoso.com")
        assert endpoint.query == (("tenant", "default"),)
        async with BusinessCentral(endpoint, secret_of(server)) as bc:
            assert [company.name async for company in bc.companies]


@pytest.mark.parametrize("known", [True, False], ids=["known", "nobody"])
async def test_a_server_whose_apis_are_off_says_what_to_switch_on(*, known: bool):
    async with Emulator(api_enabled=False) as server:
        credential = StaticToken("t") if known else None
        with pytest.raises(ApiSwitchedOffError, match="ApiServicesEnabled"):
            await Endpoint.detect(f"{server.url}/BC", credential)
        assert len(server.log) == 2


async def test_a_server_without_a_standard_api_says_what_to_look_at():
    async with Emulator(apis=("beta",)) as server:
        with pytest.raises(MissingError, match="ApiServicesEnabled") as caught:
            await Endpoint.detect(f"{server.url}/BC", secret_of(server))
        assert "no API v2.0 or v1.0" in caught.value.what
        assert caught.value.failure


async def test_a_credential_that_is_not_accepted_is_no_missing_api(emulator: Emulator):
    with pytest.raises(AccessDeniedError):
        await Endpoint.detect(f"{emulator.url}/BC", StaticToken("wrong"))


async def test_a_server_that_is_not_there_is_named():
    with pytest.raises(TransportError, match="cannot be reached"):
        await Endpoint.detect("http://127.0.0.1:9/BC", retries=RetryPolicy(attempts=1))


async def test_lent_connections_are_used_and_stay_open(emulator: Emulator):
    async with aiohttp.ClientSession() as lent:
        await detect(f"{emulator.url}/BC", secret_of(emulator), session=lent)
        assert not lent.closed


async def test_an_address_that_is_none_is_refused():
    with pytest.raises(ConfigurationError, match="no scheme or host"):
        await detect("bc.example.com/BC")
    with pytest.raises(ConfigurationError, match="unencrypted"):
        await detect("http://bc.example.com/BC")


# -- environments


async def test_the_environments_of_the_tenant(setup: Setup):
    found = await environments(setup.bc._opened())
    assert [one.name for one in found] == ["Production", "Sandbox"]
    assert {one.type for one in found} == {"Production", "Sandbox"}
    assert all(one.tenant and one.url and one.extra["countryCode"] for one in found)
    assert setup.sent() == ["GET /environments/v1.2"]


async def test_environments_that_are_no_json_are_told_with_the_request(setup: Setup):
    setup.server.faults.add(Fault("truncate_clean", path="environments", at=20))
    with pytest.raises(AnswerError) as caught:
        await environments(setup.bc._opened())
    assert caught.value.failure
    assert "environments" in caught.value.failure.path


async def test_an_older_list_will_do(setup: Setup):
    setup.server.faults.add(Fault("status", path="v1.2", status=404, times=None))
    assert len(await environments(setup.bc._opened())) == 2
    setup.server.faults.add(Fault("status", path="v1.1", status=404))
    with pytest.raises(MissingError):
        await environments(setup.bc._opened())


@pytest.mark.parametrize("place", ["BC/api/v2.0", "v1.0/businesscentral"])
async def test_what_is_not_the_online_service_has_no_environments(
    emulator: Emulator, place: str
):
    endpoint = Endpoint.at(f"{emulator.url}/{place}")
    async with BusinessCentral(endpoint, StaticToken("t")) as bc:
        with pytest.raises(UsageError, match="online service"):
            await environments(bc._opened())
    assert not emulator.log
