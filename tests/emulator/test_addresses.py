"""Where the service is found: every form of its address, and what is none."""

from typing import Any, TypeAlias

import pytest
from yarl import URL

# What the fixtures of conftest.py hand out; a test module cannot import it.
Client: TypeAlias = Any
Start: TypeAlias = Any


async def at(client: Client, path: str) -> int:
    url = URL(client.server.url + path, encoded=True)
    return (await client.get(url)).status


@pytest.mark.parametrize(
    "root",
    [
        "/v2.0/Production/api/v2.0",
        "/v2.0/My%20Sandbox/api/v2.0",
        "/v2.0/contoso.com/Production/api/v2.0",
        "/v2.0/Production/api/v1.0",
        "/v1.0/api/v1.0",
        "/v1.0/api/beta",
        "/v1.0/sandbox/api/v1.0",
        "/v1.0/contoso.com/api/v1.0",
        "/v1.0/contoso.com/sandbox/api/v1.0",
        "/BC/api/v2.0",
        "/BC230/api/v1.0",
    ],
)
async def test_every_documented_root_is_served(client: Client, root: str):
    told = await client.get(URL(f"{client.server.url}{root}/companies", encoded=True))
    assert told.status == 200
    assert told.json["@odata.context"].startswith(client.server.url + root)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/", id="nothing"),
        pytest.param("/companies", id="no root"),
        pytest.param("/a/b/c/api/v2.0/companies", id="too deep"),
        pytest.param("/v2.0/Production/api/v3.0/companies", id="unknown version"),
        pytest.param("/v2.0/Production/api/me/mine/v1.0/things", id="custom API"),
        pytest.param("/v2.0/Production/api/v2.0/salesOrders", id="unknown set"),
        pytest.param("/v2.0/Production/ODataV4/Company('x')/items", id="web service"),
    ],
)
async def test_other_paths_are_a_404(client: Client, path: str):
    assert await at(client, path) == 404


async def test_a_tenant_that_the_path_names_must_be_the_tokens(client: Client):
    assert await at(client, "/v2.0/fabrikam.com/Production/api/v2.0/companies") == 401


@pytest.mark.parametrize("form", ["items({id})", "items/{id}"])
async def test_graph_takes_keys_in_both_forms(client: Client, form: str):
    company = client.server.store.companies[0]
    item = company.item("1896-S")
    path = f"companies/{company.id}/{form.format(id=item.id)}/picture"
    told = await client.get(path, api="graph")
    assert told.json["value"][0]["id"] == item.id
    assert "parentType" not in told.json["value"][0]


@pytest.mark.parametrize(
    ("length", "status"), [(15_700, 200), (15_900, 400), (17_999, 400), (18_000, 500)]
)
async def test_long_urls_are_refused_as_measured(
    client: Client, length: int, status: int
):
    url = str(client.url("companies?x="))
    long = url + "a" * (length - len(url))
    assert (await client.get(URL(long, encoded=True))).status == status


async def test_an_api_that_is_switched_off_is_an_empty_405(start: Start):
    async with start(api_enabled=False) as client:
        told = await client.get("companies")
        assert (told.status, told.body) == (405, b"")


@pytest.mark.parametrize("missing", ["v2.0", "v1.0", "beta", "graph"])
async def test_an_api_version_may_be_missing(start: Start, missing: str):
    every = ("v2.0", "v1.0", "beta", "graph")
    async with start() as client:
        paths = {
            api: url.removeprefix(client.server.url)
            for api, url in client.server.base_urls.items()
        }
    apis = tuple(api for api in every if api != missing)
    async with start(apis=apis) as client:
        assert set(client.server.base_urls) == set(apis)
        got = {}
        for api in every:
            url = URL(f"{client.server.url}{paths[api]}/companies")
            got[api] = (await client.get(url, api=api)).status
    assert got == {api: 404 if api == missing else 200 for api in every}


async def test_without_the_api_there_is_nothing_at_all(start: Start):
    async with start(api_enabled=False) as client:
        url = client.server.url
        batch = await client.send("POST", "$batch", json={"requests": []})
        there = await client.get(URL(f"{url}/environments/v1.2"))
        other = await client.get(URL(f"{url}/BC/api/v1.0/companies"))
    assert [one.status for one in (batch, there, other)] == [405] * 3


async def test_every_reply_is_dated_by_the_emulators_clock(start: Start):
    async with start(clock=lambda: 1_000_000_000.5) as client:
        good, bad = await client.get("companies"), await client.get("nothing")
        await client.put_picture(b"x")
        item = (await client.get(client.path())).json
    assert good.headers["Date"] == bad.headers["Date"]
    assert good.headers["Date"] == "Sun, 09 Sep 2001 01:46:40 GMT"
    assert item["lastModifiedDateTime"] == "2001-09-09T01:46:40.501Z"


async def test_a_tenant_may_be_required_on_premises(start: Start):
    async with start(require_tenant=True) as client:
        base = f"{client.server.url}/BC/api/v2.0/companies"
        without = await client.get(URL(base))
        wrong = await client.get(URL(f"{base}?tenant=other"))
        right = await client.get(URL(f"{base}?tenant=default"))
        cloud = await client.get("companies")
    assert (without.status, without.code) == (400, "Internal_TenantUnavailable")
    assert [wrong.status, right.status, cloud.status] == [400, 200, 200]


async def test_it_can_be_its_own_proxy(client: Client):
    told = await client.get("companies", proxy=client.server.url)
    assert told.status == 200
    assert client.server.log[-1].path == client.url("companies").path


@pytest.mark.parametrize("key", ["1896-S", "number='1896-S'", "'1896-S'", ""])
async def test_a_key_is_a_guid(client: Client, key: str):
    told = await client.get(f"items({key})")
    assert (told.status, told.code) == (400, "BadRequest_NotFound")


async def test_errors_have_the_services_form(client: Client):
    told = await client.get("nothing")
    assert set(told.json) == {"error"}
    assert set(told.json["error"]) == {"code", "message"}
    text, _, correlation = told.message.partition("  CorrelationId:  ")
    assert text == "Resource not found for the segment 'nothing'."
    assert correlation.endswith(".")
    assert len(correlation) == 37
    assert told.headers["request-id"]
    assert told.headers["ms-correlation-x"] == correlation[:-1]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("GET", "companies/items", 400, id="companies without a key"),
        pytest.param("GET", "items/picture", 400, id="items without a key"),
        pytest.param("GET", "{item}/nothing", 404, id="unknown navigation"),
        pytest.param("GET", "{item}/picture/x/y", 404, id="too deep"),
        pytest.param("HEAD", "{item}/picture", 501, id="HEAD of metadata"),
        pytest.param("HEAD", "{item}/picture/pictureContent", 501, id="HEAD of bytes"),
        pytest.param("DELETE", "{item}/picture/pictureContent", 405, id="DELETE bytes"),
        pytest.param("PATCH", "{item}/picture", 400, id="metadata without If-Match"),
        pytest.param("GET", "{item}/picture?$select=id", 501, id="select on a picture"),
        pytest.param("POST", "", 405, id="POST of the root"),
        pytest.param("POST", "companies", 501, id="POST of a company"),
    ],
)
async def test_what_leads_nowhere_or_is_not_done_says_so(
    client: Client, method: str, path: str, status: int
):
    target = path.format(item=client.path())
    assert (await client.send(method, target)).status == status


async def test_an_empty_change_of_metadata_is_not_emulated(client: Client):
    told = await client.send(
        "PATCH", f"{client.path()}/picture", data=b"{}", headers={"If-Match": "*"}
    )
    assert told.status == 501


async def test_the_token_endpoint_takes_only_posts(client: Client):
    async with client.http.get(client.server.token_url) as reply:
        assert reply.status == 405
        assert (await reply.json())["error"] == "invalid_request"


async def test_the_company_may_be_named_in_a_header(client: Client):
    told = await client.get("items", headers={"Company": "Nobody"})
    assert (told.status, told.code) == (404, "Internal_CompanyNotFound")
