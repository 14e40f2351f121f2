"""Tokens of Microsoft Entra, asked of the emulator: what it refuses, and how often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from bcpicture import (
    AccessDeniedError,
    AnswerError,
    AuthenticationError,
    ClientSecret,
    Quota,
    StaticToken,
    Timeouts,
)
from bcpicture.emulator import Emulator, Fault

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Paired: TypeAlias = Callable[..., Any]
Leftovers: TypeAlias = Any

TOKEN = "/oauth2/"


def secret(server: Emulator, **other: str) -> ClientSecret:
    known = {
        "client_id": server.client_id,
        "client_secret": server.client_secret,
        "token_url": server.token_url,
    }
    return ClientSecret(**known | other)


async def test_a_thousand_cold_requests_cost_one_token(paired: Paired):
    async with paired() as pair:
        handle = pair.bc.company("CRONUS USA, Inc.").item(number="1896-S")
        await asyncio.gather(*(handle.picture.info() for _ in range(1000)))
        assert pair.server.identity.tokens_issued == 1


async def test_a_thousand_late_refusals_of_one_token_cost_one_more(pair: Pair):
    pair.server.identity.revoke_all()
    await asyncio.gather(*(pair.picture.info() for _ in range(1000)))
    assert len(pair.seen("POST", TOKEN)) == 1


async def test_a_token_that_was_refused_is_replaced_at_once(pair: Pair):
    pair.server.identity.expire_all()
    assert (await pair.picture.upload(b"new", preflight=False)).attempts == 2
    assert pair.stored == b"new"
    statuses = [one.status for one in pair.server.log]
    assert statuses == [401, 200, 204]


async def test_a_reply_without_a_token_is_told_with_the_request(pair: Pair):
    pair.server.identity.revoke_all()
    pair.server.faults.add(Fault("truncate_clean", path=TOKEN, at=20, times=None))
    with pytest.raises(AnswerError, match="holds no token") as caught:
        await pair.picture.info()
    assert caught.value.failure
    assert TOKEN in caught.value.failure.path


async def test_an_app_that_business_central_does_not_know_is_told_so(pair: Pair):
    pair.server.identity.unregister_app(pair.server.client_id)
    with pytest.raises(AccessDeniedError, match="Register the app inside") as caught:
        await pair.picture.read()
    assert caught.value.failure.status == 401
    assert len(pair.seen("GET")) == 2


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        pytest.param(
            {"client_secret": "nonsense"}, "use its value, not its id", id="secret"
        ),
        pytest.param(
            {"client_id": "nobody"}, "client id is unknown in this tenant", id="client"
        ),
        pytest.param(
            {"scope": "https://elsewhere/.default"}, "scope is wrong", id="scope"
        ),
    ],
)
async def test_what_entra_refuses_is_one_error_that_says_what_to_check(
    paired: Paired, wrong: dict[str, str], advice: str
):
    """Bad credentials are not tried again."""
    async with paired() as pair:
        async with pair.known_as(secret(pair.server, **wrong)) as picture:
            with pytest.raises(AuthenticationError, match=advice) as caught:
                await picture.info()
        assert not isinstance(caught.value, AccessDeniedError)
        assert "AADSTS" in str(caught.value)
        assert "nonsense" not in str(caught.value)
        assert len(pair.seen("POST", TOKEN)) == 1


async def test_an_unknown_tenant_is_named(paired: Paired):
    async with paired() as pair:
        url = f"{pair.server.url}/nowhere.example/oauth2/v2.0/token"
        async with pair.known_as(secret(pair.server, token_url=url)) as picture:
            with pytest.raises(AuthenticationError, match="tenant is unknown"):
                await picture.info()


async def test_conditional_access_is_named(paired: Paired):
    async with paired() as pair:
        pair.server.identity.conditional_access = '{"x": 1}'
        with pytest.raises(AuthenticationError, match="conditional access policy"):
            await pair.picture.info()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(
            Fault("status", status=429, retry_after="0", path=TOKEN), id="429"
        ),
        pytest.param(Fault("status", status=500, path=TOKEN), id="500"),
        pytest.param(Fault("status", status=503, path=TOKEN), id="503"),
        pytest.param(Fault("reset_before", path=TOKEN), id="reset"),
        pytest.param(Fault("reset_after", path=TOKEN), id="reset-after-the-body"),
        pytest.param(Fault("malformed", path=TOKEN), id="malformed"),
        pytest.param(Fault("truncate", at=10, path=TOKEN), id="truncated"),
    ],
)
async def test_a_token_endpoint_in_trouble_is_asked_again(paired: Paired, fault: Fault):
    async with paired() as pair:
        pair.server.faults.add(fault)
        assert await pair.picture.info()
        assert len(pair.seen("POST", TOKEN)) == 2


async def test_a_stalled_token_endpoint_is_asked_again(paired: Paired):
    async with paired(timeouts=Timeouts(reply=0.5, stall=0.5)) as pair:
        pair.server.faults.add(Fault("stall", path=TOKEN))
        assert await pair.picture.info()
        assert len(pair.seen("POST", TOKEN)) == 2


async def test_a_token_endpoint_that_answers_a_web_page_is_named(
    paired: Paired,
):
    async with paired() as pair:
        pair.server.faults.add(Fault("html", path=TOKEN, times=None))
        with pytest.raises(Exception, match="web page"):
            await pair.picture.info()


async def test_the_claims_of_a_challenge_are_passed_on(pair: Pair):
    claims = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}'
    pair.server.identity.demand_claims(claims)
    await pair.picture.info()
    statuses = [one.status for one in pair.server.log]
    assert statuses == [401, 200, 200]


async def test_a_token_is_renewed_in_the_background_and_no_request_waits(
    paired: Paired,
):
    async with paired({"token_seconds": 1.0}) as pair:
        await pair.warm_up()
        pair.server.faults.add(Fault("stall", path=TOKEN, times=None))
        await asyncio.sleep(0.76)
        await pair.picture.info()
        assert [one.status for one in pair.seen("GET")] == [200]
        await pair.has_seen("POST", TOKEN)
        assert len(pair.seen("POST", TOKEN)) == 1


async def test_closing_ends_a_token_request_that_is_under_way(
    paired: Paired, leftovers: Leftovers
):
    async with paired() as pair:
        pair.server.faults.add(Fault("stall", path=TOKEN, times=None))
        waiting = asyncio.create_task(pair.picture.info())
        await pair.has_seen("POST", TOKEN)
        await pair.bc.aclose()
        await asyncio.wait([waiting], timeout=2)
        assert waiting.done()
        assert waiting.cancelled() or waiting.exception()
    assert await leftovers.are_gone()


async def test_two_tenants_never_share_a_token(paired: Paired):
    async with paired() as pair:
        server = pair.server
        server.identity.add_tenant("fabrikam.com")
        await pair.picture.info()
        there = ClientSecret(
            client_id=server.client_id,
            client_secret=server.client_secret,
            authority=server.url,
            tenant="fabrikam.com",
        )
        async with pair.known_as(there, session=pair.http) as picture:
            await picture.info()
        assert len(pair.seen("POST", TOKEN)) == 2


async def test_a_fixed_token_that_is_refused_is_not_tried_again(
    paired: Paired,
):
    async with paired(credential=StaticToken("wrong")) as pair:
        with pytest.raises(AccessDeniedError, match="there is no other token"):
            await pair.picture.info()
        assert len(pair.server.log) == 1


async def test_a_token_is_not_sent_after_it_ended_in_the_queue(
    paired: Paired,
):
    """It may have been good when the caller got in line; the line may be long."""
    async with paired({"token_seconds": 0.3}, quota=Quota(concurrent=1)) as pair:
        pair.stored = b"x" * 10
        await pair.warm_up()
        async with pair.picture.open():
            waiting = asyncio.create_task(pair.picture.info())
            await asyncio.sleep(0.35)
        await waiting
        assert [one.status for one in pair.seen("GET") if one.status == 401] == []
