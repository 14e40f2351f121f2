"""Credentials in the manner of azure-identity: claims, scopes, odd lives."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from typing import Any, TypeAlias

import attrs
import pytest

from bcpicture import (
    AccessDeniedError,
)

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Paired: TypeAlias = Callable[..., Any]


@attrs.frozen
class AccessToken:
    token: str
    expires_on: float


@attrs.define
class Source:
    """A credential that notes how it is asked."""

    pair: Pair
    asked: list[tuple[Any, ...]] = attrs.field(factory=list)
    life: float = 3600.0

    async def get_token(
        self, *scopes: str, claims: str | None = None, **options: object
    ) -> AccessToken:
        self.asked.append((scopes, claims))
        assert not options
        token = self.pair.server.identity.token(claims=claims)
        return AccessToken(token, time.time() + self.life)


@attrs.define
class SimpleSource(Source):
    """One that knows nothing of claims."""

    async def get_token(self, scope: str) -> AccessToken:  # type: ignore[override]  # that is the point
        self.asked.append(((scope,), None))
        token = self.pair.server.identity.token()
        return AccessToken(token, time.time() + self.life)


async def test_a_credential_is_asked_for_the_endpoints_scope(paired: Paired):
    async with paired() as pair:
        source = Source(pair)
        async with pair.known_as(source) as picture:
            await picture.info()
        assert source.asked == [((pair.server.scope,), None)]


async def test_claims_go_to_a_credential_that_takes_them(paired: Paired):
    claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
    async with paired() as pair:
        source = Source(pair)
        async with pair.known_as(source) as picture:
            await picture.info()
            pair.server.identity.demand_claims(claims)
            await picture.info()
        assert source.asked == [
            ((pair.server.scope,), None),
            ((pair.server.scope,), claims),
        ]


async def test_a_credential_that_takes_no_claims_is_asked_without(paired: Paired):
    async with paired() as pair:
        source = SimpleSource(pair)
        async with pair.known_as(source) as picture:
            await picture.info()
            pair.server.identity.demand_claims('{"a": 1}')
            with pytest.raises(AccessDeniedError):
                await picture.info()
        assert len(source.asked) == 2


async def test_a_token_that_the_credential_says_is_over_is_not_asked_for_endlessly(
    paired: Paired,
):
    """A clock that goes wrong must not turn into a storm."""
    async with paired() as pair:
        source = Source(pair, life=-10.0)
        async with pair.known_as(source) as picture:
            calling = asyncio.create_task(picture.info())
            await asyncio.wait([calling], timeout=0.2)
            calling.cancel()
            await asyncio.wait([calling])
        if not calling.cancelled():
            calling.exception()
        assert len(source.asked) <= 4


def test_a_token_without_a_life_does_not_stop_the_loop_while_many_wait():
    """A caller gets its place, finds the token over, and must not start all over.

    In a process of its own: if the loop stands still, nothing inside could end it.
    """
    program = """
        import asyncio, time, types
        from bcpicture import BusinessCentral, Endpoint, Quota
        from bcpicture.emulator import Emulator

        asked = 0

        async def main():
            async with Emulator() as server:
                class Source:
                    async def get_token(self, *scopes):
                        global asked
                        asked += 1
                        token = server.identity.token()
                        return types.SimpleNamespace(
                            token=token, expires_on=time.time() - 10
                        )

                endpoint = Endpoint.at(
                    server.base_urls["v2.0"], quota=Quota(concurrent=1)
                )
                async with BusinessCentral(endpoint, Source()) as bc:
                    item = bc.company("CRONUS USA, Inc.").item(number="1896-S")
                    await item.id()
                    await asyncio.gather(*(item.picture.info() for _ in range(4)))

        asyncio.run(main())
        print("over", asked < 30)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.stdout == "over True\n", done.stderr
