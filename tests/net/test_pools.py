"""Several app registrations share the work, each with a quota of its own."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from bcpicture import (
    AccessDeniedError,
    AuthenticationError,
    ClientSecret,
    ConfigurationError,
    CredentialPool,
    Quota,
    StaticToken,
)
from bcpicture.emulator import Fault

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Paired: TypeAlias = Callable[..., Any]


def pool(pair: Pair, size: int, **wrong: str) -> CredentialPool:
    members = []
    for number in range(size):
        client = f"app-{number}"
        pair.server.identity.register(client, "secret")
        members.append(
            ClientSecret(
                client_id=client,
                client_secret=wrong.get(f"app_{number}", "secret"),
                token_url=pair.server.token_url,
            )
        )
    return CredentialPool(tuple(members))


def principals(pair: Pair) -> Counter[str]:
    return Counter(one.principal for one in pair.server.log if one.principal)


async def test_members_take_turns(paired: Paired):
    async with paired() as pair, pair.known_as(pool(pair, 3)) as picture:
        await picture.info()
        pair.server.log.clear()
        for _ in range(30):
            await picture.info()
        assert principals(pair) == {"app-0": 10, "app-1": 10, "app-2": 10}


async def test_each_member_has_its_own_five_places(paired: Paired):
    async with paired() as pair:
        chosen = pool(pair, 2)
        async with pair.known_as(chosen, quota=Quota(concurrent=5)) as picture:
            await picture.info()
            pair.server.faults.add(Fault("stall", times=None, path="picture"))
            calls = [asyncio.create_task(picture.info()) for _ in range(30)]
            await asyncio.sleep(0.1)
            arrived = len(pair.seen("GET", "picture"))
            for one in calls:
                one.cancel()
            await asyncio.wait(calls)
            assert arrived == 1 + 10


async def test_a_member_that_gets_no_token_is_set_aside(paired: Paired):
    async with paired() as pair:
        async with pair.known_as(pool(pair, 3, app_1="wrong")) as picture:
            for _ in range(30):
                await picture.info()
        assert set(principals(pair)) == {"app-0", "app-2"}
        wrong = [one for one in pair.seen("POST", "/oauth2/") if one.status != 200]
        assert len(wrong) == 1


async def test_a_member_that_business_central_refuses_is_set_aside_and_reported(
    paired: Paired, caplog: pytest.LogCaptureFixture
):
    async with paired() as pair:
        chosen = pool(pair, 3)
        pair.server.identity.unregister_app("app-1")
        async with pair.known_as(chosen) as picture:
            await asyncio.gather(*(picture.info() for _ in range(60)))
            pair.server.log.clear()
            await asyncio.gather(*(picture.info() for _ in range(30)))
        assert not [one for one in pair.server.log if one.status == 401]
    assert "member 2 of the pool is set aside" in caplog.text


async def test_a_token_that_merely_ended_sets_nobody_aside(paired: Paired):
    async with paired() as pair, pair.known_as(pool(pair, 3)) as picture:
        for _ in range(3):
            await asyncio.gather(*(picture.info() for _ in range(30)))
            pair.server.identity.revoke_all()
        pair.server.log.clear()
        for _ in range(9):
            await picture.info()
        good = Counter(one.principal for one in pair.server.log if one.status == 200)
        assert {"app-0", "app-1", "app-2"} <= set(good)


async def test_when_the_last_member_is_refused_the_caller_is_told(paired: Paired):
    async with paired() as pair:
        chosen = pool(pair, 2)
        pair.server.identity.unregister_app("app-0")
        pair.server.identity.unregister_app("app-1")
        async with pair.known_as(chosen) as picture:
            with pytest.raises(AccessDeniedError):
                await picture.info()


async def test_when_no_member_gets_a_token_the_caller_is_told(paired: Paired):
    async with (
        paired() as pair,
        pair.known_as(pool(pair, 2, app_0="x", app_1="x")) as picture,
    ):
        with pytest.raises(AuthenticationError):
            await picture.info()


async def test_one_member_that_is_held_back_does_not_hold_back_the_other(
    paired: Paired,
):
    async with paired() as pair, pair.known_as(pool(pair, 2)) as picture:
        for _ in range(4):
            await picture.info()
        pair.server.faults.add(Fault("status", status=429, retry_after="30"))
        pair.server.log.clear()
        async with asyncio.timeout(5):
            held = asyncio.create_task(picture.info())
            await pair.has_seen("GET", "picture")
            await asyncio.gather(*(picture.info() for _ in range(20)))
        held.cancel()
        await asyncio.wait([held])
        assert len([one for one in pair.server.log if one.status == 200]) >= 20


@pytest.mark.parametrize(
    "members",
    [(), (CredentialPool((StaticToken("t"),)),)],
    ids=["empty", "nested"],
)
def test_a_pool_that_is_none_is_refused(members: tuple[Any, ...]):
    with pytest.raises(ConfigurationError, match="pool"):
        CredentialPool(members)


def test_a_pool_shows_no_secret():
    shown = repr(CredentialPool((StaticToken("hush-hush"),)))
    assert "hush-hush" not in shown
