"""Https with an authority of its own, and the libraries that insist on it."""

import asyncio
import ssl
import subprocess
import sys
from typing import Any, TypeAlias

import aiohttp
import msal
import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential as SyncCredential
from azure.identity.aio import ClientSecretCredential

from bcpicture.emulator import Emulator

# What the fixtures of conftest.py hand out; a test module cannot import it.
Start: TypeAlias = Any


async def test_https_works_for_whoever_trusts_the_authority(start: Start):
    async with start(tls=True) as client:
        assert client.server.url.startswith("https://127.0.0.1:")
        assert client.server.connection()["ca"] == str(client.server.ca_path)
        trusting = ssl.create_default_context(cafile=client.server.ca_path)
        assert (await client.get("companies", ssl=trusting)).status == 200
        told = (await client.get("companies", ssl=trusting)).json
        assert told["@odata.context"].startswith("https://")
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await client.get("companies")


async def works(server: Emulator, token: str) -> bool:
    trusting = ssl.create_default_context(cafile=server.ca_path)
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{server.base_urls['v2.0']}/companies"
    async with (
        aiohttp.ClientSession() as http,
        http.get(url, headers=headers, ssl=trusting) as reply,
    ):
        return reply.status == 200


def azure_options(server: Emulator) -> dict[str, Any]:
    return {
        "tenant_id": server.tenant,
        "client_id": server.client_id,
        "authority": server.authority,
        "disable_instance_discovery": True,
        "connection_verify": str(server.ca_path),
    }


async def test_azure_identity_gets_a_token():
    async with Emulator(tls=True) as server:
        async with ClientSecretCredential(
            client_secret=server.client_secret, **azure_options(server)
        ) as credential:
            token = await credential.get_token(server.scope)
        assert await works(server, token.token)


async def test_synchronous_azure_identity_gets_a_token():
    async with Emulator(tls=True) as server:
        credential = SyncCredential(
            client_secret=server.client_secret, **azure_options(server)
        )
        with credential:
            token = await asyncio.to_thread(credential.get_token, server.scope)
        assert await works(server, token.token)


async def test_azure_identity_understands_the_refusal():
    async with (
        Emulator(tls=True) as server,
        ClientSecretCredential(
            client_secret="wrong", **azure_options(server)
        ) as credential,
    ):
        with pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
            await credential.get_token(server.scope)


async def test_msal_gets_a_token():
    async with Emulator(tls=True) as server:

        def acquire() -> dict[str, Any]:
            plain = requests.Session()
            plain.verify, plain.trust_env = str(server.ca_path), False
            app = msal.ConfidentialClientApplication(
                server.client_id,
                client_credential=server.client_secret,
                authority=f"{server.authority}/{server.tenant}",
                instance_discovery=False,
                http_client=plain,
            )
            return app.acquire_token_for_client([server.scope])

        told = await asyncio.to_thread(acquire)
        assert await works(server, told["access_token"])


def test_without_trustme_a_sentence_says_what_to_install():
    code = """
import asyncio, sys
sys.modules["trustme"] = None
from bcpicture.emulator import Emulator

async def main():
    async with Emulator(tls=True):
        pass

asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert 'pip install "bcpicture[emulator]"' in done.stderr


def test_the_emulator_itself_needs_no_extra():
    code = """
import sys
import bcpicture.emulator, bcpicture.emulator.command, bcpicture.emulator.artwork
extras = {"trustme", "PIL", "cyclopts", "rich", "azure", "pytest"}
print(sorted(extras & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
