"""Credentials of other libraries, the real ones, against the emulator over TLS."""

from __future__ import annotations

import asyncio
import os
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeAlias

import aiohttp
import azure.identity
import azure.identity.aio
import msal
import pytest
from azure.core.pipeline.transport import AioHttpTransport

from bcpicture import (
    AuthenticationError,
)

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Paired: TypeAlias = Callable[..., Any]

TOKEN = "/oauth2/"


@pytest.fixture
async def over_tls(
    paired: Paired, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Pair]:
    """An emulator that speaks TLS; foreign libraries find its authority."""
    async with paired({"tls": True}) as pair:
        authority = str(pair.server.ca_path)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority)
        monkeypatch.setenv("SSL_CERT_FILE", authority)
        pair.options["tls"] = ssl.create_default_context(cafile=authority)
        yield pair


def azure_options(pair: Pair) -> dict[str, Any]:
    return {
        "tenant_id": pair.server.tenant,
        "client_id": pair.server.client_id,
        "client_secret": pair.server.client_secret,
        "authority": pair.server.authority,
        "disable_instance_discovery": True,
    }


async def test_azure_identity_async(over_tls: Pair):
    pair = over_tls
    trusting = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting))
    async with http:
        transport = AioHttpTransport(session=http, session_owner=False)
        credential = azure.identity.aio.ClientSecretCredential(
            **azure_options(pair), transport=transport
        )
        async with credential, pair.known_as(credential) as picture:
            await asyncio.gather(
                *(picture.upload(b"by azure", preflight=False) for _ in range(20))
            )
    assert pair.stored == b"by azure"
    assert len(pair.seen("POST", TOKEN)) == 1


async def test_azure_identity_sync_runs_in_a_thread(over_tls: Pair):
    pair = over_tls
    credential = azure.identity.ClientSecretCredential(
        **azure_options(pair), connection_verify=os.environ["REQUESTS_CA_BUNDLE"]
    )
    with credential:
        async with pair.known_as(credential) as picture:
            await asyncio.gather(
                *(picture.upload(b"by azure", preflight=False) for _ in range(20))
            )
    assert pair.stored == b"by azure"
    assert len(pair.seen("POST", TOKEN)) == 1


async def test_azure_identitys_own_error_is_the_cause_of_ours(over_tls: Pair):
    pair = over_tls
    options = azure_options(pair) | {"client_secret": "nonsense"}
    credential = azure.identity.ClientSecretCredential(
        **options, connection_verify=os.environ["REQUESTS_CA_BUNDLE"]
    )
    with credential:
        async with pair.known_as(credential) as picture:
            with pytest.raises(AuthenticationError, match="ClientAuthentication") as it:
                await picture.info()
    assert "AADSTS7000215" in str(it.value.__cause__)
    assert "nonsense" not in str(it.value)


async def test_msal_through_a_callable(over_tls: Pair):
    pair = over_tls
    threads = set()

    def make() -> msal.ConfidentialClientApplication:
        return msal.ConfidentialClientApplication(
            pair.server.client_id,
            client_credential=pair.server.client_secret,
            authority=f"{pair.server.authority}/{pair.server.tenant}",
            instance_discovery=False,
            verify=os.environ["REQUESTS_CA_BUNDLE"],
        )

    app = await asyncio.to_thread(make)

    def token() -> dict[str, Any]:
        threads.add(threading.current_thread())
        return app.acquire_token_for_client(scopes=[pair.server.scope])

    async with pair.known_as(token) as picture:
        await asyncio.gather(
            *(picture.upload(b"by msal", preflight=False) for _ in range(20))
        )
    assert pair.stored == b"by msal"
    assert threading.current_thread() not in threads
    assert len(pair.seen("POST", TOKEN)) == 1


async def test_msals_refusal_is_told_in_its_own_words(over_tls: Pair):
    pair = over_tls
    app = await asyncio.to_thread(
        lambda: msal.ConfidentialClientApplication(
            pair.server.client_id,
            client_credential="nonsense",
            authority=f"{pair.server.authority}/{pair.server.tenant}",
            instance_discovery=False,
            verify=os.environ["REQUESTS_CA_BUNDLE"],
        )
    )

    def token() -> dict[str, Any]:
        return app.acquire_token_for_client(scopes=[pair.server.scope])

    async with pair.known_as(token) as picture:
        with pytest.raises(AuthenticationError, match="AADSTS7000215"):
            await picture.info()
