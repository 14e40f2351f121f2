"""Connections: nothing is sent behind our back, and a stale one costs a retry."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Callable
from typing import Any, TypeAlias

import aiohttp
import pytest

from bcpicture import (
    BcPictureError,
    BusinessCentral,
    ClosedError,
    OutcomeUnknownError,
    Quota,
    RetryPolicy,
    StaticToken,
    TransportError,
)
from bcpicture.emulator import Fault
from bcpicture.emulator.artwork import dot
from bcpicture.resources.pictures import PictureHandle

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Leftovers: TypeAlias = Any
Paired: TypeAlias = Callable[..., Any]
Raw: TypeAlias = Callable[..., Any]
Peer: TypeAlias = Any

ONCE = RetryPolicy(attempts=1)
LARGE = dot(os.urandom(2_000_000))


async def call(picture: PictureHandle, operation: str) -> object:
    if operation == "large-upload":
        return await picture.upload(LARGE)
    if operation == "upload":
        return await picture.upload(b"data", preflight=False)
    return await getattr(picture, operation)()


@pytest.mark.parametrize("operation", ["info", "read", "delete", "upload"])
@pytest.mark.parametrize("fresh", [True, False], ids=["fresh", "pooled"])
async def test_nothing_is_sent_a_second_time_behind_our_back(
    raw: Raw, operation: str, *, fresh: bool
):
    """aiohttp itself sends GET and DELETE again when a connection drops."""

    async def talk(peer: Peer) -> None:
        if not fresh and len(peer.server.heads) == 0:
            await peer.asked()
            await peer.answer(200, b"{}", headers="Content-Type: application/json\r\n")
        if await peer.asked():
            peer.writer.close()

    async with raw(talk) as server, server.picture(retries=ONCE) as picture:
        if not fresh:
            await picture.info()
        before = len(server.heads)
        with pytest.raises((TransportError, OutcomeUnknownError)):
            await call(picture, operation)
        sent = [head.split()[0] for head in server.heads[before:]]
        # A write that may have worked is read back, and a look may be repeated.
        looks = ["GET"] * 3
        expected = {"upload": ["PATCH", *looks], "delete": ["DELETE", *looks]}
        assert sent == expected.get(operation, ["GET"])


async def test_a_delete_that_worked_does_not_come_back_as_not_found(pair: Pair):
    pair.stored = b"data"
    pair.server.faults.add(Fault("apply_then_reset", method="DELETE"))
    await pair.picture.delete()
    assert pair.stored is None


@pytest.mark.parametrize(
    "operation", ["info", "read", "delete", "upload", "large-upload"]
)
async def test_a_pooled_connection_that_was_just_closed_costs_a_retry(
    pair: Pair, operation: str
):
    """The server closes it while the next request is on its way."""
    pair.stored = b"data"
    pair.server.faults.add(Fault("cut_next", method="GET"))
    await pair.picture.info()
    await call(pair.picture, operation)
    assert pair.bc.statistics.retries <= 1
    if operation == "large-upload":
        assert pair.stored == LARGE


async def test_a_connection_that_the_server_closed_in_peace_costs_nothing(pair: Pair):
    pair.server.faults.add(Fault("close_idle", method="GET"))
    await pair.picture.info()
    await asyncio.sleep(0.05)
    await pair.picture.info()
    assert pair.bc.statistics.retries == 0


async def test_connections_are_reused(raw: Raw):
    async def talk(peer: Peer) -> None:
        while head := await peer.asked():
            await peer.answer(
                204 if head.startswith(("PATCH", "DELETE")) else 200, b"x"
            )

    async with raw(talk) as server, server.picture() as picture:
        for _ in range(5):
            await picture.read()
            await picture.upload(b"data", preflight=False)
            await picture.delete()
        assert server.connections == 1


@pytest.mark.parametrize("status", [404, 500, 503])
async def test_a_refusal_gives_its_connection_back_for_reuse(raw: Raw, status: int):
    async def talk(peer: Peer) -> None:
        while await peer.asked():
            await peer.answer(status, b"{}", headers="Retry-After: 0\r\n")

    async with raw(talk) as server, server.picture() as picture:
        with pytest.raises(BcPictureError):
            await picture.read()
        assert server.connections == 1


async def test_redirects_are_not_followed_and_the_token_goes_nowhere_else(raw: Raw):
    heads: list[str] = []

    async def trap(peer: Peer) -> None:
        heads.append(await peer.asked())
        await peer.answer(200, b"trapped")

    async with raw(trap) as elsewhere:

        async def talk(peer: Peer) -> None:
            while await peer.asked():
                there = f"Location: {elsewhere.url}/\r\n"
                await peer.answer(307, headers=there)

        async with raw(talk) as server, server.picture() as picture:
            for operation in ("info", "read", "upload", "delete"):
                with pytest.raises(BcPictureError, match="redirects"):
                    await call(picture, operation)
    assert not heads


async def test_a_reply_sent_twice_is_not_taken_for_the_next_one(pair: Pair):
    pair.stored = b"data"
    pair.server.faults.add(Fault("duplicate_reply", method="GET", path="picture$"))
    await pair.picture.info()
    assert await pair.picture.read() == b"data"


async def test_cookies_are_not_kept(raw: Raw):
    """A sticky session would defeat the service's own balancing."""

    async def talk(peer: Peer) -> None:
        while await peer.asked():
            await peer.answer(200, b"x", headers="Set-Cookie: a=b; Path=/\r\n")

    async with raw(talk) as server, server.picture() as picture:
        await picture.read()
        await picture.read()
        assert not [head for head in server.heads if "cookie" in head.lower()]


async def test_the_request_says_who_asks_for_what(raw: Raw):
    async def talk(peer: Peer) -> None:
        while await peer.asked():
            await peer.answer(200, b"x")

    async with raw(talk) as server, server.picture() as picture:
        await picture.read()
        head = server.heads[0]
        assert "Authorization: Bearer raw-token\r\n" in head
        assert "User-Agent: bcpicture" in head
        assert "Accept: application/octet-stream\r\n" in head
        assert head.splitlines()[0].endswith(
            "/api/v2.0/companies(0e3c5f10-0000-4000-8000-000000000001)/items("
            "0e3c5f10-0000-4000-8000-000000000002)/picture/pictureContent HTTP/1.1"
        )


# -- lent connections


async def test_a_lent_session_stays_open(paired: Paired):
    async with paired() as pair, aiohttp.ClientSession() as lent:
        async with pair.known_as(None, session=lent) as picture:
            await picture.info()
        assert not lent.closed


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"raise_for_status": True}, id="raises"),
        pytest.param({"auto_decompress": True}, id="unpacks"),
        pytest.param({"timeout": aiohttp.ClientTimeout(total=0.0001)}, id="hurries"),
        pytest.param({"headers": {"If-Match": "W/nonsense"}}, id="has-headers"),
        pytest.param({"headers": {"Authorization": "Bearer other"}}, id="has-a-token"),
        pytest.param({"cookies": {"a": "b"}}, id="has-cookies"),
    ],
)
async def test_the_habits_of_a_lent_session_do_not_matter(
    paired: Paired, options: dict[str, Any]
):
    async with (
        paired() as pair,
        aiohttp.ClientSession(**options) as lent,
        pair.known_as(None, session=lent) as picture,
    ):
        await picture.upload(b"data", preflight=False)
        pair.server.faults.add(Fault("status", status=503, retry_after="0"))
        assert await picture.read() == b"data"


async def test_a_lent_session_that_is_closed_is_said_to_be(paired: Paired):
    async with paired() as pair:
        lent = aiohttp.ClientSession()
        await lent.close()
        with pytest.raises(BcPictureError):
            async with pair.known_as(None, session=lent) as picture:
                await picture.info()


# -- the end


@pytest.mark.parametrize("operation", ["info", "read", "delete", "upload"])
async def test_a_handle_of_a_closed_client_says_so(paired: Paired, operation: str):
    async with paired() as pair:
        picture = pair.picture
        await pair.warm_up()
        await pair.bc.aclose()
        with pytest.raises(ClosedError):
            await call(picture, operation)


@pytest.mark.parametrize("operation", ["info", "read", "delete", "upload"])
async def test_closing_ends_requests_that_are_under_way(
    paired: Paired, leftovers: Leftovers, operation: str
):
    """With an error of ours: nobody cancelled the caller."""
    async with paired() as pair:
        await pair.warm_up()
        pair.server.faults.add(Fault("stall", times=None))
        before = len(pair.server.log)
        calling = asyncio.create_task(call(pair.picture, operation))
        await pair.has_seen_more_than(before)
        await pair.bc.aclose()
        await asyncio.wait([calling], timeout=2)
        assert calling.done()
        assert isinstance(calling.exception(), BcPictureError)
        assert len(pair.server.log) == before + 1
    assert await leftovers.are_gone()


async def test_closing_lets_those_go_who_wait_for_a_place(paired: Paired):
    async with paired(quota=Quota(concurrent=1)) as pair:
        pair.stored = LARGE
        await pair.warm_up()
        stream = await pair.picture.open()
        waiting = [asyncio.create_task(pair.picture.info()) for _ in range(3)]
        await asyncio.sleep(0.01)
        await pair.bc.aclose()
        await stream.aclose()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert {type(one) for one in results} == {ClosedError}


# -- TLS and proxies


async def test_a_private_authority_is_trusted_when_it_is_given(paired: Paired):
    async with paired({"tls": True}, retries=ONCE) as pair:
        with pytest.raises(TransportError, match="certificate authority"):
            await pair.picture.info()
        trusting = ssl.create_default_context(cafile=str(pair.server.ca_path))
        async with pair.known_as(None, tls=trusting) as picture:
            await picture.info()


async def test_requests_go_through_the_proxy_that_is_given(raw: Raw):
    async def proxy(peer: Peer) -> None:
        while await peer.asked():
            await peer.answer(200, b"by proxy")

    async with raw(proxy) as between:
        endpoint = between.client().endpoint
        token = StaticToken("raw-token")
        async with BusinessCentral(endpoint, token, proxy=between.url) as bc:
            company = bc.company("0e3c5f10-0000-4000-8000-000000000001")
            item = company.item("0e3c5f10-0000-4000-8000-000000000002")
            assert await item.picture.read() == b"by proxy"
        assert between.heads[0].startswith(f"GET {between.url}/api/v2.0/")


async def test_the_proxy_of_the_environment_is_used_only_when_asked_to(
    raw: Raw, monkeypatch: pytest.MonkeyPatch
):
    async def talk(peer: Peer) -> None:
        while await peer.asked():
            await peer.answer(200, b"x")

    async with raw(talk) as proxy, raw(talk) as server:
        monkeypatch.setenv("http_proxy", proxy.url)
        async with server.picture() as picture:
            await picture.read()
        assert (len(proxy.heads), len(server.heads)) == (0, 1)
        async with server.picture(trust_env=True) as picture:
            await picture.read()
        assert (len(proxy.heads), len(server.heads)) == (1, 1)
