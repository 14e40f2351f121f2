"""Tokens, keys, tenants: who may come in, and what the others are told."""

import base64
import json
from typing import Any, TypeAlias

import pytest
from yarl import URL

from bcpicture.emulator import Emulator

# What the fixtures of conftest.py hand out; a test module cannot import it.
Client: TypeAlias = Any
Start: TypeAlias = Any

CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'


async def ask(client: Client, tenant: str | None = None, **form: str):
    server = client.server
    fields = {
        "grant_type": "client_credentials",
        "client_id": server.client_id,
        "client_secret": server.client_secret,
        "scope": server.scope,
    } | form
    url = f"{server.url}/{tenant or server.tenant}/oauth2/v2.0/token"
    async with client.http.post(url, data=fields) as reply:
        return reply.status, await reply.json()


async def call(client: Client, authorization: str | None, path: str = "companies"):
    headers = {"Authorization": authorization} if authorization else {}
    url = path if path.startswith("http") else client.url(path)
    async with client.http.get(url, headers=headers) as reply:
        return reply.status, reply.headers, await reply.text()


async def test_a_token_is_issued_and_works(client: Client):
    status, told = await ask(client)
    assert status == 200
    assert told["token_type"] == "Bearer"
    assert told["expires_in"] == 3600
    assert (await call(client, f"Bearer {told['access_token']}"))[0] == 200
    assert client.server.identity.tokens_issued == 1


async def test_the_secret_may_come_in_a_basic_header(client: Client):
    server = client.server
    both = f"{server.client_id}:{server.client_secret}".encode()
    form = {"grant_type": "client_credentials", "scope": server.scope}
    headers = {"Authorization": f"Basic {base64.b64encode(both).decode()}"}
    async with client.http.post(server.token_url, data=form, headers=headers) as reply:
        assert reply.status == 200


@pytest.mark.parametrize(
    ("form", "tenant", "status", "error", "number"),
    [
        pytest.param(
            {"client_secret": "wrong"},
            None,
            401,
            "invalid_client",
            7000215,
            id="secret",
        ),
        pytest.param(
            {"client_id": "who"}, None, 400, "unauthorized_client", 700016, id="app"
        ),
        pytest.param({}, "nowhere.com", 400, "invalid_request", 90002, id="tenant"),
        pytest.param({"scope": "x"}, None, 400, "invalid_scope", 70011, id="scope"),
        pytest.param(
            {"grant_type": "password"},
            None,
            400,
            "unsupported_grant_type",
            70003,
            id="grant",
        ),
    ],
)
async def test_refusals_are_entras(
    client: Client,
    form: dict[str, str],
    tenant: str | None,
    status: int,
    error: str,
    number: int,
):
    got, told = await ask(client, tenant, **form)
    assert (got, told["error"], told["error_codes"]) == (status, error, [number])
    assert told["error_description"].startswith(f"AADSTS{number}: ")
    assert client.server.identity.tokens_issued == 0


async def test_conditional_access_demands_claims(client: Client):
    client.server.identity.conditional_access = CLAIMS
    status, told = await ask(client)
    assert (status, told["error"]) == (400, "interaction_required")
    assert told["error_codes"] == [53003]
    assert told["claims"] == CLAIMS
    assert (await ask(client, claims=CLAIMS))[0] == 200


@pytest.mark.parametrize(
    "authorization",
    [
        pytest.param(None, id="nothing"),
        pytest.param("Bearer made-up", id="unknown token"),
        pytest.param("Bearer ", id="no token"),
        pytest.param("Digest x", id="another scheme"),
    ],
)
async def test_without_a_good_token_nobody_comes_in(
    client: Client, authorization: str | None
):
    status, headers, text = await call(client, authorization)
    assert status == 401
    assert headers["WWW-Authenticate"].startswith("Bearer")
    assert json.loads(text)["error"]["code"] == "Authentication_InvalidCredentials"


async def test_tokens_expire_by_the_clock(start: Start):
    now = 1000.0
    async with start(token_seconds=60, clock=lambda: now) as client:
        header = f"Bearer {client.server.identity.token()}"
        assert (await call(client, header))[0] == 200
        now = 1060.0
        assert (await call(client, header))[0] == 401


@pytest.mark.parametrize("way", ["revoke_all", "expire_all"])
async def test_tokens_can_be_ended(client: Client, way: str):
    header = f"Bearer {client.server.identity.token()}"
    getattr(client.server.identity, way)()
    assert (await call(client, header))[0] == 401
    fresh = f"Bearer {client.server.identity.token()}"
    assert (await call(client, fresh))[0] == 200


async def test_an_app_may_be_unknown_to_business_central_alone(client: Client):
    client.server.identity.unregister_app(client.server.client_id)
    status, told = await ask(client)
    assert status == 200
    status, _, text = await call(client, f"Bearer {told['access_token']}")
    assert status == 401
    assert json.loads(text)["error"]["code"] == "Authentication_InvalidCredentials"


async def test_more_apps_can_be_registered(client: Client):
    client.server.identity.register("mine", "hush")
    status, told = await ask(client, client_id="mine", client_secret="hush")
    assert status == 200
    await call(client, f"Bearer {told['access_token']}")
    assert client.server.log[-1].principal == "mine"


async def test_a_user_and_key_are_accepted(client: Client):
    server = client.server
    good = base64.b64encode(f"{server.user}:{server.key}".encode()).decode()
    bad = base64.b64encode(f"{server.user}:wrong".encode()).decode()
    assert (await call(client, f"Basic {good}"))[0] == 200
    assert server.log[-1].principal == server.user
    for header in (f"Basic {bad}", "Basic !!"):
        status, headers, _ = await call(client, header)
        assert status == 401
        assert headers["WWW-Authenticate"].startswith("Basic")


async def test_a_token_is_for_one_service(client: Client):
    graph = f"Bearer {client.server.identity.token(GRAPH)}"
    ours = f"Bearer {client.server.identity.token()}"
    graph_url = client.server.base_urls["graph"] + "/companies"
    assert (await call(client, graph, graph_url))[0] == 200
    assert (await call(client, ours, graph_url))[0] == 401
    assert (await call(client, graph))[0] == 401


GRAPH = "https://graph.microsoft.com/.default"


async def test_a_token_is_for_one_tenant(client: Client):
    identity, url = client.server.identity, client.server.url
    identity.add_tenant("fabrikam.com")
    theirs = f"Bearer {identity.token(tenant='fabrikam.com')}"
    here = f"{url}/v2.0/{client.server.tenant}/Production/api/v2.0/companies"
    alias = f"{url}/v2.0/contoso.com/Production/api/v2.0/companies"
    there = f"{url}/v2.0/fabrikam.com/Production/api/v2.0/companies"
    ours = f"Bearer {identity.token()}"
    found = [
        (await call(client, token, path))[0]
        for token, path in [
            (ours, here),
            (ours, alias),
            (ours, there),
            (theirs, there),
            (theirs, here),
        ]
    ]
    assert found == [200, 200, 401, 200, 401]


async def test_a_claims_challenge_ends_with_a_token_that_answers_it(client: Client):
    old = f"Bearer {client.server.identity.token()}"
    client.server.identity.demand_claims(CLAIMS)
    status, headers, _ = await call(client, old)
    challenge = headers["WWW-Authenticate"]
    assert status == 401
    assert 'error="insufficient_claims"' in challenge
    encoded = challenge.partition('claims="')[2].rstrip('"')
    assert base64.b64decode(encoded).decode() == CLAIMS
    _, told = await ask(client, claims=CLAIMS)
    assert (await call(client, f"Bearer {told['access_token']}"))[0] == 200


async def test_libraries_find_their_documents(client: Client):
    server = client.server
    openid = f"{server.url}/{server.tenant}/v2.0/.well-known/openid-configuration"
    async with client.http.get(openid) as reply:
        assert (await reply.json())["token_endpoint"] == server.token_url
    instance = f"{server.url}/common/discovery/instance"
    async with client.http.get(instance) as reply:
        told = await reply.json()
    assert told["metadata"][0]["aliases"] == [URL(server.url).authority]


async def test_the_connection_is_told_as_json(client: Client):
    told = json.loads(json.dumps(client.server.connection()))
    assert set(told["base_urls"]) == {"v2.0", "v1.0", "beta", "graph"}
    assert told["token_url"] == client.server.token_url
    assert told["ca"] is None


def test_secrets_are_not_shown():
    shown = repr(Emulator())
    assert "emulator-secret" not in shown
    assert "emulator-key" not in shown
