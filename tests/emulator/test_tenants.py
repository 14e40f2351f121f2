"""Many tenants in one emulator, their environments, and who may do what."""

import asyncio
import uuid
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
import pytest
from yarl import URL

from bcpicture.emulator import Answers, Fault, Quota
from bcpicture.emulator.store import Company

# What the fixtures of conftest.py hand out; a test module cannot import it.
Client: TypeAlias = Any
Start: TypeAlias = Any
Got: TypeAlias = Any
Option: TypeAlias = Any  # a keyword that is passed on


async def ask(
    client: Client, path: str, tenant: str, method: str = "GET", **more: Option
) -> Got:
    """Asks with a token of the tenant."""
    token = client.server.identity.token(tenant=tenant)
    headers = {"Authorization": f"Bearer {token}"} | more.pop("headers", {})
    url = URL(client.server.url + path, encoded=True)
    return await client.send(method, url, headers=headers, **more)


def path_of(client: Client, tenant: str, path: str) -> str:
    root = client.server.tenant_url(tenant).removeprefix(client.server.url)
    return f"{root}/{path}"


async def test_every_tenant_has_a_store_of_its_own(client: Client):
    server = client.server
    server.identity.add_tenant("fabrikam.com", "fabrikam.onmicrosoft.com")
    theirs = server.tenant_store("fabrikam.com")
    theirs.company("CRONUS USA, Inc.").item("1896-S").set_picture(b"theirs")
    theirs.add_company("Only theirs")
    assert server.tenant_store("Fabrikam.onmicrosoft.com") is theirs
    assert server.tenant_store("contoso.com") is server.store
    told = await ask(
        client,
        path_of(client, "fabrikam.onmicrosoft.com", client.stream()),
        "fabrikam.com",
    )
    assert told.body == b"theirs"
    assert (await client.get(client.stream())).status == 204
    names = [company.name for company in server.store.companies]
    assert "Only theirs" not in names


async def test_a_path_without_a_tenant_leads_to_the_tokens_tenant(client: Client):
    client.server.identity.add_tenant("fabrikam.com")
    client.server.tenant_store("fabrikam.com").add_company("Only theirs")
    told = await ask(client, "/v2.0/Production/api/v2.0/companies", "fabrikam.com")
    assert told.json["value"][-1]["name"] == "Only theirs"


async def test_a_token_of_another_tenant_is_refused_and_counted(client: Client):
    identity = client.server.identity
    identity.add_tenant("fabrikam.com")
    right = path_of(client, "fabrikam.com", "companies")
    assert (await ask(client, right, "fabrikam.com")).status == 200
    assert identity.foreign_tokens == 0
    assert (await ask(client, right, "contoso.com")).status == 401
    assert identity.foreign_tokens == 1
    made_up = {"Authorization": "Bearer made-up"}
    assert (await ask(client, right, "contoso.com", headers=made_up)).status == 401
    assert identity.foreign_tokens == 1
    client.server.reset()
    assert client.server.identity.foreign_tokens == 0


async def test_the_token_endpoint_of_a_tenant_issues_its_tokens(client: Client):
    server = client.server
    server.identity.add_tenant("fabrikam.com")
    form = {
        "grant_type": "client_credentials",
        "client_id": server.client_id,
        "client_secret": server.client_secret,
        "scope": server.scope,
    }
    url = server.tenant_token_url("fabrikam.com")
    async with client.http.post(url, data=form) as reply:
        token = (await reply.json())["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    told = await ask(
        client, path_of(client, "fabrikam.com", "companies"), "", headers=headers
    )
    assert told.status == 200
    assert server.log[-1].tenant == "fabrikam.com"


async def test_four_hundred_tenants_cost_what_is_asked_of_them(start: Start):
    async with start(items=3) as client:
        server = client.server
        names = [f"tenant-{at}.example" for at in range(400)]
        for name in names:
            server.identity.add_tenant(name)
        assert len(server.stores) == 1
        paths = [path_of(client, name, "items?$expand=picture") for name in names]
        got = await asyncio.gather(
            *(ask(client, path, name) for path, name in zip(paths, names, strict=True))
        )
        assert {one.status for one in got} == {200}
        assert {len(one.json["value"]) for one in got} == {3}
        assert len(server.stores) == 401
        assert server.identity.foreign_tokens == 0
        # The second company of each was never looked into, and holds nothing.
        idle = [store.companies[1] for _, store in server.stores]
        assert not any(list(each.all_records()) for each in idle)


async def test_faults_can_be_meant_for_one_tenant(client: Client):
    for name in ("fabrikam.com", "adatum.com"):
        client.server.identity.add_tenant(name)
    client.server.faults.add(
        Fault("status", status=503, path="/fabrikam.com/", times=None)
    )
    broken = await ask(
        client, path_of(client, "fabrikam.com", "companies"), "fabrikam.com"
    )
    whole = await ask(client, path_of(client, "adatum.com", "companies"), "adatum.com")
    assert (broken.status, whole.status) == (503, 200)


async def test_an_app_has_a_quota_in_every_tenant(start: Start):
    async with start(quota=Quota(requests=1, seconds=60)) as client:
        client.server.identity.add_tenant("fabrikam.com")
        for tenant in ("contoso.com", "fabrikam.com"):
            path = path_of(client, tenant, "companies")
            assert (await ask(client, path, tenant)).status == 200
            assert (await ask(client, path, tenant)).status == 429


async def test_the_state_of_every_tenant_is_found_again(start: Start, tmp_path: Path):
    async def upload(client: Client, tenant: str) -> None:
        path = path_of(client, tenant, client.stream())
        headers = {"If-Match": "*"}
        data = tenant.encode()
        told = await ask(client, path, tenant, "PATCH", data=data, headers=headers)
        assert told.status == 204

    def found(client: Client) -> list[bytes]:
        stores = [client.server.tenant_store(each) for each in tenants]
        companies: list[Company] = [store.companies[0] for store in stores]
        return [each.item("1896-S").picture_bytes() for each in companies]

    tenants = ["contoso.com", "fabrikam.com"]
    async with start(data=tmp_path) as client:
        client.server.identity.add_tenant("fabrikam.com")
        for tenant in tenants:
            await upload(client, tenant)
    async with start(data=tmp_path) as client:
        assert found(client) == [b"contoso.com", b"fabrikam.com"]


# -- environments


@pytest.mark.parametrize("version", ["v1.1", "v1.2"])
async def test_the_environments_of_a_tenant_are_listed(start: Start, version: str):
    async with start(environments=("Live", "My Sandbox")) as client:
        identity = client.server.identity
        identity.add_tenant("fabrikam.com")
        told = await ask(client, f"/environments/{version}", "fabrikam.com")
        rows = told.json["value"]
        assert [(row["name"], row["type"]) for row in rows] == [
            ("Live", "Production"),
            ("My Sandbox", "Sandbox"),
        ]
        assert {row["webServiceUrl"] for row in rows} == {client.server.url}
        assert ("ringName" in rows[0]) == (version == "v1.2")
        guid = rows[0]["aadTenantId"]
        assert str(uuid.UUID(guid)) == guid
        known = await ask(client, path_of(client, guid, "companies"), "fabrikam.com")
        assert known.status == 200


async def test_a_tenant_that_is_known_by_its_guid_is_told_by_it(client: Client):
    told = await client.get(URL(f"{client.server.url}/environments/v1.2"))
    assert told.json["value"][0]["aadTenantId"] == client.server.tenant


async def test_the_list_may_tell_whole_addresses(start: Start):
    async with start(answers=Answers(web_service_url="api")) as client:
        told = await client.get(URL(f"{client.server.url}/environments/v1.2"))
        first = told.json["value"][0]
        assert first["webServiceUrl"] == client.server.base_urls["v2.0"]


async def test_the_list_is_only_read_and_only_by_whoever_may(client: Client):
    url = URL(f"{client.server.url}/environments/v1.2")
    assert (await client.send("POST", url)).status == 405
    assert (await client.send("GET", URL(f"{url}9"))).status == 404
    async with aiohttp.ClientSession() as stranger, stranger.get(url) as reply:
        assert reply.status == 401


async def test_other_environments_may_be_unknown(start: Start):
    async with start(only_environments=True) as client:
        url = client.server.url
        known = [
            (await client.get(URL(f"{url}{path}/companies"))).status
            for path in (
                "/v2.0/Sandbox/api/v2.0",
                "/v1.0/sandbox/api/v1.0",
                "/v1.0/api/beta",
                "/BC/api/v2.0",
            )
        ]
        other = await client.get(URL(f"{url}/v2.0/Other/api/v2.0/companies"))
    assert known == [200] * 4
    assert (other.status, other.code) == (404, "NoEnvironment")


# -- permissions


@pytest.mark.parametrize(
    ("read", "write", "statuses"),
    [
        pytest.param(True, True, [200, 204, 204], id="all"),
        pytest.param(True, False, [200, 403, 403], id="read only"),
        pytest.param(False, True, [403, 204, 204], id="write only"),
        pytest.param(False, False, [403, 403, 403], id="nothing"),
    ],
)
async def test_permissions_are_granted_app_by_app(
    client: Client, *, read: bool, write: bool, statuses: list[int]
):
    item = client.server.store.companies[0].item("1896-S")
    item.set_picture(b"before")
    client.server.identity.permit(client.server.client_id, read=read, write=write)
    delete = f"{client.path()}/picture"
    got = [
        await client.get("companies"),
        await client.put_picture(b"mine"),
        await client.send("DELETE", delete, headers={"If-Match": "*"}),
    ]
    assert [one.status for one in got] == statuses
    refused = {one.code for one in got if one.status == 403}
    assert all(code.startswith("Authorization_") for code in refused)
    assert item.picture_bytes() == (None if write else b"before")


@pytest.mark.parametrize(("first", "status"), [(True, 403), (False, 409)])
async def test_whether_permission_or_version_is_looked_at_first_is_open(
    start: Start, *, first: bool, status: int
):
    async with start(answers=Answers(permission_first=first)) as client:
        client.server.identity.permit(client.server.client_id, write=False)
        stale = await client.put_picture(b"x", headers={"If-Match": 'W/"stale"'})
        fresh = await client.put_picture(b"x")
        assert (stale.status, fresh.status) == (status, 403)
        assert not list(client.server.blobs.folder.iterdir())


async def test_a_batch_may_read_where_it_may_not_write(client: Client):
    client.server.identity.permit(client.server.client_id, write=False)
    url = f"{client.path()}/picture"
    requests = [
        {"id": "1", "method": "GET", "url": url},
        {"id": "2", "method": "DELETE", "url": url},
    ]
    told = await client.send("POST", "$batch", json={"requests": requests})
    assert [one["status"] for one in told.json["responses"]] == [200, 403]
