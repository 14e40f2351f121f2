"""An emulator, and clients of it in every API version."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import attrs
import pytest

from bcpicture import BusinessCentral, ClientSecret, Endpoint, Quota, RetryPolicy
from bcpicture.emulator import Emulator
from bcpicture.emulator.records import Record
from bcpicture.resources.companies import CompanyHandle

Option: TypeAlias = Any  # of any type: a keyword that is passed on

COMPANY = "CRONUS USA, Inc."
APIS = ["v2.0", "v1.0", "beta", "graph"]


@attrs.define
class Setup:
    """An emulator and a client of one of its API versions."""

    server: Emulator
    bc: BusinessCentral

    @property
    def company(self) -> CompanyHandle:
        return self.bc.company(COMPANY)

    def record(self, number: str, plural: str = "items") -> Record:
        """A record as the emulator holds it."""
        return self.server.store.company(COMPANY).parent(plural, number)

    def stored(self, number: str = "1896-S", plural: str = "items") -> bytes | None:
        """The picture that the emulator has got."""
        return self.record(number, plural).picture_bytes()

    def sent(self) -> list[str]:
        """Verbs and targets of all requests but those for tokens."""
        return [
            f"{one.method} {one.target}"
            for one in self.server.log
            if "/oauth2/" not in one.target
        ]


@asynccontextmanager
async def _set_up(
    api: str = "v2.0", server: dict[str, Any] | None = None, **options: Option
) -> AsyncIterator[Setup]:
    async with Emulator(**(server or {})) as emulator:
        credential = options.pop("credential", None) or ClientSecret(
            client_id=emulator.client_id,
            client_secret=emulator.client_secret,
            token_url=emulator.token_url,
        )
        chosen = {
            "retries": RetryPolicy(base=0.0, cap=0.0),
            "quota": Quota(concurrent=5, requests=1_000_000, seconds=0.06),
        } | options
        endpoint = Endpoint.at(emulator.base_urls[api])
        async with BusinessCentral(endpoint, credential, **chosen) as bc:
            yield Setup(emulator, bc)


@pytest.fixture
def set_up() -> Callable[..., Any]:
    """Starts an emulator and a client, with options of the test's own."""
    return _set_up


@pytest.fixture
async def setup() -> AsyncIterator[Setup]:
    """An emulator and a client in API v2.0."""
    async with _set_up() as it:
        yield it


@pytest.fixture(params=APIS)
async def any_api(request: pytest.FixtureRequest) -> AsyncIterator[Setup]:
    """An emulator and a client, in each API version in turn."""
    async with _set_up(request.param) as it:
        yield it
