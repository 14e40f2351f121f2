"""Hundreds of endpoints in one process, some of them broken, none in another's way."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import attrs

from bcpicture import (
    AccessDeniedError,
    AnswerError,
    AuthenticationError,
    BcPictureError,
    BusinessCentral,
    ClientSecret,
    CompanyNotFoundError,
    Endpoint,
    MissingError,
    RejectedError,
    RetryPolicy,
    StalledError,
    ThrottledError,
    Timeouts,
    TransportError,
    UnavailableError,
)
from bcpicture.emulator import Emulator, Fault

COMPANY = "CRONUS USA, Inc."
TENANTS = 400
ITEMS = 7
SOCKETS = 40
EVERY = 40
"""Endpoints of which one is broken."""

BROKEN: list[tuple[type[BcPictureError], dict[str, Any]]] = [
    (AuthenticationError, {"secret": "wrong"}),
    (AuthenticationError, {"client_id": "unknown"}),
    (AccessDeniedError, {"client_id": "unregistered"}),
    (CompanyNotFoundError, {"company": "Nobody Ltd."}),
    (MissingError, {"environment": "Nowhere"}),
    (UnavailableError, {"fault": Fault("status", status=503, retry_after="0")}),
    (RejectedError, {"fault": Fault("status", status=400)}),
    (TransportError, {"fault": Fault("reset_before")}),
    (AnswerError, {"fault": Fault("html", status=200)}),
    (StalledError, {"fault": Fault("stall"), "patience": 0.3}),
]


@attrs.frozen(kw_only=True)
class Place:
    """One of the endpoints, and what is wrong with it."""

    tenant: str
    error: type[BcPictureError] | None = None
    secret: str | None = None
    client_id: str | None = None
    company: str = COMPANY
    environment: str = "Production"
    fault: Fault | None = None
    patience: float = 30.0


def places() -> list[Place]:
    found = []
    for number in range(TENANTS):
        which, rest = divmod(number, EVERY)
        error, wrong = BROKEN[which] if rest == 3 else (None, {})
        found.append(Place(tenant=f"tenant{number:03}.com", error=error, **wrong))
    return found


async def inventory(
    server: Emulator, http: aiohttp.ClientSession, place: Place
) -> list[str] | BcPictureError:
    """The numbers of all items of an endpoint, or what it failed with."""
    credential = ClientSecret(
        client_id=place.client_id or server.client_id,
        client_secret=place.secret or server.client_secret,
        token_url=server.tenant_token_url(place.tenant),
    )
    endpoint = Endpoint.at(server.tenant_url(place.tenant, place.environment))
    client = BusinessCentral(
        endpoint,
        credential,
        session=http,
        retries=RetryPolicy(attempts=2, base=0.0, cap=0.0),
        timeouts=Timeouts(reply=place.patience),
    )
    try:
        async with client as bc:
            items = bc.company(place.company).items
            return [item.number async for item in items.pictures()]
    except BcPictureError as error:
        return error


async def test_ten_broken_endpoints_of_four_hundred_disturb_none_of_the_others():
    options = {"items": ITEMS, "companies": (COMPANY,), "only_environments": True}
    async with Emulator(**options) as server:
        server.identity.register("unregistered", server.client_secret)
        server.identity.unregister_app("unregistered")
        for place in places():
            server.identity.add_tenant(place.tenant)
            if place.fault is not None:
                fault = attrs.evolve(
                    place.fault, path=f"/v2.0/{place.tenant}/", times=None
                )
                server.faults.add(fault)
        connector = aiohttp.TCPConnector(limit=SOCKETS)
        async with aiohttp.ClientSession(connector=connector) as http:
            found = await asyncio.gather(
                *(inventory(server, http, place) for place in places())
            )
            # The server may not have noticed yet that a broken one was closed.
            assert len(server._web.connections) <= SOCKETS + 2 * len(BROKEN)
        for place, told in zip(places(), found, strict=True):
            if place.error is None:
                assert isinstance(told, list), (place, told)
                assert len(told) == len(set(told)) == ITEMS
            else:
                assert isinstance(told, place.error), (place, told)
                assert len(str(told)) > 40
        assert sum(isinstance(told, list) for told in found) == 390
        assert server.identity.foreign_tokens == 0
        # Two get none, the one that stalls perhaps none either, and the one whose token
        # is refused tries another.
        assert TENANTS - 2 <= server.identity.tokens_issued <= TENANTS - 1


async def test_a_user_who_has_to_wait_in_one_tenant_waits_in_no_other():
    async with Emulator() as server:
        for tenant in ("one.com", "two.com"):
            server.identity.add_tenant(tenant)
        server.faults.add(
            Fault("status", path="one.com/", status=429, retry_after="9999", times=None)
        )
        async with aiohttp.ClientSession() as http:
            refused = await inventory(server, http, Place(tenant="one.com"))
            served = await inventory(server, http, Place(tenant="two.com"))
        assert isinstance(refused, ThrottledError)
        assert isinstance(served, list)
        assert len(served) == 20
