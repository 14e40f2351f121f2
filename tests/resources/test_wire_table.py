"""For each API version, each kind of record and each verb: exactly what is sent.

The table below is written by hand, from Microsoft's end-to-end tests of the picture
pages (BCApps, `APIV1PicturesE2E`, `APIV2PicturesE2E`, `LibraryGraphMgt`). The server
only writes down what arrives, byte for byte, and answers the same to everything.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from unittest.mock import Mock

import aiohttp
import attrs
import pytest
from aiohttp import web
from aioresponses import aioresponses

from bcpicture import (
    BusinessCentral,
    CompanyNotFoundError,
    Endpoint,
    StaticToken,
    UsageError,
)
from bcpicture.core.fields import F
from bcpicture.resources.companies import CompanyHandle

COMPANY = "c0000000-0000-4000-8000-00000000000c"
RECORD = "a0000000-0000-4000-8000-00000000000a"
ITEM = "b0000000-0000-4000-8000-00000000000b"
ETAG = 'W/"JzIwOzE2NTQ7MTswMDsn"'

ROOTS = {
    "v2.0": "/v2.0/contoso.com/Production/api/v2.0",
    "v1.0": "/v2.0/contoso.com/Production/api/v1.0",
    "beta": "/v1.0/api/beta",
    "graph": "/v1.0/businesscentral",
}
EVERYWHERE = ["items", "customers", "vendors", "employees"]
PARENTS = {
    "v2.0": [*EVERYWHERE, "contacts", "itemVariants"],
    "v1.0": EVERYWHERE,
    "beta": EVERYWHERE,
    "graph": EVERYWHERE,
}
CELLS = [
    pytest.param(api, plural, id=f"{api}-{plural}")
    for api, plurals in PARENTS.items()
    for plural in plurals
]
LACKING = [
    pytest.param(api, plural, id=f"{api}-{plural}")
    for api in PARENTS
    for plural in ("contacts", "itemVariants")
    if plural not in PARENTS[api]
]

JSON = {"Accept": "application/json", "Accept-Encoding": "gzip"}
EMPTY = {**JSON, "Content-Length": "0"}
BYTES = {"Accept": "application/octet-stream", "Accept-Encoding": "identity"}
UPLOAD = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "Content-Type": "application/octet-stream",
    "Content-Length": "7",
}
OF_EVERY_REQUEST = {"Host", "User-Agent", "Authorization"}


@attrs.frozen
class Sent:
    """One request, as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""


@attrs.define
class Recorder:
    """A server that writes down what arrives."""

    url: str = ""
    sent: list[Sent] = attrs.field(factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer t"
        headers = {
            name: value
            for name, value in request.headers.items()
            if name not in OF_EVERY_REQUEST
        }
        body = await request.read()
        self.sent.append(Sent(request.method, request.raw_path, headers, body))
        if request.method in {"PATCH", "DELETE"}:
            return web.Response(status=204)
        if "/content" in request.path or request.path.endswith("pictureContent"):
            return web.Response(body=b"picture")
        row = {"id": RECORD, "name": "1", "number": "1", "code": "1", "width": 1}
        return web.json_response({"value": [row], "@odata.etag": ETAG, **row})


class Reply(aiohttp.ClientResponse):
    """What aiohttp 3.14 wants to know beyond what aioresponses 0.7.9 tells it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed on
        kwargs.setdefault("stream_writer", Mock(output_size=0))
        super().__init__(*args, **kwargs)


@pytest.fixture
async def recorder() -> AsyncIterator[Recorder]:
    recorder = Recorder()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", recorder.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    recorder.url = f"http://{host}:{port}"
    yield recorder
    await runner.cleanup()


def handle(company: CompanyHandle, plural: str) -> Any:  # noqa: ANN401 - handles of records
    if plural == "itemVariants":
        return company.item(ITEM).variant(RECORD)
    return getattr(company, plural.removesuffix("s"))(RECORD)


def listing(company: CompanyHandle, plural: str) -> Any:  # noqa: ANN401 - listings of records
    if plural == "itemVariants":
        return company.item(ITEM).variants
    return getattr(company, plural)


async def done(
    recorder: Recorder, api: str, work: Callable[[CompanyHandle], Awaitable[object]]
) -> list[Sent]:
    endpoint = Endpoint.at(f"{recorder.url}{ROOTS[api]}")
    assert endpoint.dialect.name == api
    async with BusinessCentral(endpoint, StaticToken("t")) as bc:
        await work(bc.company(COMPANY))
    return recorder.sent


def paths(api: str, plural: str) -> dict[str, str]:
    """Where each verb goes, with the two forms spelled out."""
    metadata = f"{ROOTS[api]}/companies({COMPANY})/{plural}({RECORD})/picture"
    if api == "v2.0":
        content, entity = f"{metadata}/pictureContent", metadata
    else:
        content, entity = f"{metadata}({RECORD})/content", f"{metadata}({RECORD})"
    return {"metadata": metadata, "content": content, "entity": entity}


@pytest.mark.parametrize(("api", "plural"), CELLS)
async def test_every_verb_of_a_picture(recorder: Recorder, api: str, plural: str):
    async def work(company: CompanyHandle) -> None:
        picture = handle(company, plural).picture
        await picture.info()
        await picture.read()
        await picture.upload(b"picture", preflight=False)
        await picture.upload(b"picture", preflight=False, if_match=ETAG)
        await picture.delete()
        await picture.delete(if_match=ETAG)

    where = paths(api, plural)
    assert await done(recorder, api, work) == [
        Sent("GET", where["metadata"], JSON),
        Sent("GET", where["content"], BYTES),
        Sent("PATCH", where["content"], {**UPLOAD, "If-Match": "*"}, b"picture"),
        Sent("PATCH", where["content"], {**UPLOAD, "If-Match": ETAG}, b"picture"),
        Sent("DELETE", where["entity"], {**EMPTY, "If-Match": "*"}),
        Sent("DELETE", where["entity"], {**EMPTY, "If-Match": ETAG}),
    ]


@pytest.mark.parametrize(("api", "plural"), CELLS)
async def test_every_way_to_ask_for_records(recorder: Recorder, api: str, plural: str):
    async def work(company: CompanyHandle) -> None:
        query = listing(company, plural)
        assert [record async for record in query]
        assert [record async for record in query.page_size(7)]
        assert await query.find("A+B C") is None
        assert [record async for record in query.filter(F.blocked == "O'Neil & Co")]
        assert [record async for record in query.pictures()]

    key = "code" if plural == "itemVariants" else "number"
    own = f"itemId%20eq%20{ITEM}" if plural == "itemVariants" else ""
    first = f"?$filter={own}" if own else ""
    also = f"{own}%20and%20" if own else ""
    also_own = f"%20and%20{own}" if own else ""
    blocked = "blocked%20eq%20%27O%27%27Neil%20%26%20Co%27"
    short = {"items": "displayName,gtin", "itemVariants": "description"}
    fields = f"id,{key},{short.get(plural, 'displayName')},lastModifiedDateTime"
    base = f"{ROOTS[api]}/companies({COMPANY})/{plural}"
    expanded = f"{first or '?'}{'&' if own else ''}$select={fields}&$expand=picture"
    assert await done(recorder, api, work) == [
        Sent("GET", f"{base}{first}", JSON),
        Sent("GET", f"{base}{first}", {**JSON, "Prefer": "odata.maxpagesize=7"}),
        Sent("GET", f"{base}?$filter={also}{key}%20eq%20%27A%2BB%20C%27", JSON),
        Sent("GET", f"{base}?$filter={blocked}{also_own}", JSON),
        Sent("GET", f"{base}{expanded}", {**JSON, "Prefer": "odata.maxpagesize=100"}),
    ]


@pytest.mark.parametrize(("api", "plural"), CELLS)
async def test_a_batch_of_metadata(recorder: Recorder, api: str, plural: str):
    """The answer has nothing in it, so each one is asked for alone after that."""

    async def work(company: CompanyHandle) -> None:
        query = listing(company, plural)
        with pytest.raises(Exception, match="responses"):
            assert [info async for info in query.picture_infos([RECORD, ITEM])]

    [sent] = await done(recorder, api, work)
    assert (sent.method, sent.target) == ("POST", f"{ROOTS[api]}/$batch")
    assert sent.headers == {
        **JSON,
        "Content-Type": "application/json",
        "Content-Length": str(len(sent.body)),
        "Prefer": "odata.continue-on-error",
    }
    inner = f"companies({COMPANY})/{plural}({RECORD})/picture"
    assert f'"method": "GET", "url": "{inner}"'.encode() in sent.body


@pytest.mark.parametrize(("api", "plural"), CELLS)
async def test_a_batch_of_records(recorder: Recorder, api: str, plural: str):
    async def work(company: CompanyHandle) -> None:
        query = listing(company, plural)
        with pytest.raises(Exception, match="responses"):
            assert [now async for now in query.refreshed([RECORD, ITEM])]

    [sent] = await done(recorder, api, work)
    assert (sent.method, sent.target) == ("POST", f"{ROOTS[api]}/$batch")
    key = "code" if plural == "itemVariants" else "number"
    inner = (
        f"companies({COMPANY})/{plural}({RECORD})"
        f"?$select=id,{key},lastModifiedDateTime&$expand=picture"
    )
    assert f'"method": "GET", "url": "{inner}"'.encode() in sent.body


@pytest.mark.parametrize("api", PARENTS)
async def test_a_company_by_its_id(recorder: Recorder, api: str):
    async def work(company: CompanyHandle) -> None:
        with pytest.raises(CompanyNotFoundError):
            await company.info()

    [sent] = await done(recorder, api, work)
    assert sent == Sent("GET", f"{ROOTS[api]}/companies", JSON)


@pytest.mark.parametrize(("api", "plural"), LACKING)
async def test_what_an_api_version_has_not_is_refused_before_anything_is_sent(
    recorder: Recorder, api: str, plural: str
):
    async def work(company: CompanyHandle) -> None:
        for ask in (handle, listing):
            with pytest.raises(UsageError, match=r"It is there in v2\.0\."):
                ask(company, plural)

    assert await done(recorder, api, work) == []


async def test_a_tenant_goes_with_every_address(recorder: Recorder):
    endpoint = Endpoint.at(f"{recorder.url}/BC/api/v2.0?tenant=a%20b")
    async with BusinessCentral(endpoint, StaticToken("t")) as bc:
        company = bc.company(COMPANY)
        await company.item(RECORD).picture.read()
        assert [item async for item in company.items.filter(F.number == "1")]
    base = f"/BC/api/v2.0/companies({COMPANY})/items"
    assert [one.target for one in recorder.sent] == [
        f"{base}({RECORD})/picture/pictureContent?tenant=a%20b",
        f"{base}?$filter=number%20eq%20%271%27&tenant=a%20b",
    ]


@pytest.mark.parametrize(("api", "plural"), CELLS)
async def test_verbs_and_paths_as_another_library_sees_them(api: str, plural: str):
    """Without a socket; it cannot tell a blank as %20 from one as +."""
    origin = "https://bc.example.com"
    where = {name: f"{origin}{path}" for name, path in paths(api, plural).items()}
    endpoint = Endpoint.at(f"{origin}{ROOTS[api]}")
    with aioresponses() as mocked:
        told = {"id": RECORD, "width": 1, "height": 1}
        mocked.get(where["metadata"], payload=told, response_class=Reply)
        mocked.patch(where["content"], status=204, response_class=Reply)
        mocked.delete(where["entity"], status=204, response_class=Reply)
        async with BusinessCentral(endpoint, StaticToken("t")) as bc:
            picture = handle(bc.company(COMPANY), plural).picture
            assert (await picture.info()).exists
            await picture.upload(b"picture", preflight=False)
            await picture.delete()
        assert sorted(method for method, _ in mocked.requests) == [
            *("DELETE", "GET", "PATCH")
        ]
