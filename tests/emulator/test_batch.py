"""Many requests in one: what a batch takes, how it ends, what it costs."""

import base64
import json
from typing import Any, TypeAlias

import pytest

from bcpicture.emulator import Answers, Fault, Quota

# What the fixtures of conftest.py hand out; a test module cannot import it.
Client: TypeAlias = Any
Start: TypeAlias = Any
Got: TypeAlias = Any
Option: TypeAlias = Any  # a keyword that is passed on
Json: TypeAlias = Any

ON = {"Prefer": "odata.continue-on-error"}
NOWHERE = "items(00000000-0000-0000-0000-000000000000)"


def reads(*urls: str) -> list[Json]:
    return [
        {"id": str(at), "method": "GET", "url": url} for at, url in enumerate(urls, 1)
    ]


async def send(client: Client, requests: Json, **more: Option) -> Got:
    headers = {"Content-Type": "application/json"} | more.pop("headers", {})
    data = json.dumps({"requests": requests})
    path = more.pop("path", "$batch")
    return await client.send("POST", path, data=data, headers=headers, **more)


async def answers(client: Client, requests: Json, **more: Option) -> list[Json]:
    told = await send(client, requests, **more)
    assert told.status == 200
    return told.json["responses"]


def statuses(told: list[Json]) -> list[int]:
    return [one["status"] for one in told]


async def test_each_request_is_answered_as_if_it_had_come_alone(client: Client):
    await client.put_picture(b"mine")
    picture = f"{client.path()}/picture"
    alone = (await client.get(picture)).json
    [told] = await answers(client, reads(picture))
    assert told["id"] == "1"
    assert told["status"] == 200
    assert told["headers"]["content-type"].startswith("application/json")
    assert told["headers"]["odata-version"] == "4.0"
    assert told["body"] == alone


async def test_a_path_may_begin_at_the_root_at_the_host_or_with_the_scheme(
    client: Client,
):
    whole = str(client.url("companies"))
    urls = ("companies", whole.removeprefix(client.server.url), whole)
    told = await answers(client, reads(*urls, "items?$top=1&$expand=picture"))
    assert statuses(told) == [200] * 4
    assert told[0]["body"] == told[1]["body"] == told[2]["body"]
    assert "picture" in told[3]["body"]["value"][0]


async def test_a_filter_may_be_written_with_spaces(client: Client):
    [told] = await answers(client, reads("items?$filter=number eq '1896-S'"))
    assert [row["number"] for row in told["body"]["value"]] == ["1896-S"]


@pytest.mark.parametrize("api", ["v2.0", "v1.0", "beta"])
async def test_every_api_has_batches_and_its_own_form_of_pictures(
    client: Client, api: str
):
    [told] = await answers(client, reads(f"{client.path()}/picture"), api=api)
    assert ("value" in told["body"]) == (api != "v2.0")


async def test_a_batch_leads_to_its_own_root_alone(client: Client):
    elsewhere = "https://api.businesscentral.dynamics.com/v2.0/Production/api/v2.0"
    urls = ("/v2.0/Production/api/v1.0/companies", f"{elsewhere}/companies")
    told = await answers(client, reads(*urls), headers=ON)
    assert statuses(told) == [400, 400]


async def test_a_header_may_name_the_company_of_a_request(client: Client):
    other = client.server.store.companies[1]
    other.item("1896-S").set_picture(b"x")
    [named, unknown] = [
        {"id": name, "method": "GET", "url": "items", "headers": {"company": name}}
        for name in (other.name, "Nobody")
    ]
    told = await answers(client, [named, unknown])
    assert statuses(told) == [200, 404]
    assert other.id in told[0]["body"]["@odata.context"]
    assert told[1]["body"]["error"]["code"] == "Internal_CompanyNotFound"


async def test_without_a_preference_the_first_failure_is_the_last_answer(
    client: Client,
):
    told = await answers(client, reads("companies", NOWHERE, "companies"))
    assert statuses(told) == [200, 404]


@pytest.mark.parametrize(
    ("prefer", "goes_on"),
    [
        pytest.param("odata.continue-on-error", True, id="OData 4.0"),
        pytest.param("continue-on-error=true", True, id="OData 4.01"),
        pytest.param("odata.maxpagesize=3, odata.continue-on-error", True, id="two"),
        pytest.param("odata.continue-on-error=false", False, id="declined"),
        pytest.param("odata.maxpagesize=3", False, id="another"),
    ],
)
async def test_a_preference_keeps_a_batch_going(
    client: Client, prefer: str, *, goes_on: bool
):
    told = await answers(
        client, reads("companies", NOWHERE, "companies"), headers={"Prefer": prefer}
    )
    assert statuses(told) == ([200, 404, 200] if goes_on else [200, 404])
    assert [one["id"] for one in told] == ["1", "2", "3"][: len(told)]


async def test_a_server_may_go_on_by_itself(start: Start):
    async with start(answers=Answers(batch_stops=False)) as client:
        told = await answers(client, reads(NOWHERE, "companies"))
    assert statuses(told) == [404, 200]


async def test_answers_may_come_in_another_order(start: Start):
    async with start(batch_reversed=True) as client:
        told = await answers(client, reads("companies", "items", NOWHERE))
    assert [one["id"] for one in told] == ["3", "2", "1"]
    assert statuses(told) == [404, 200, 200]


async def test_a_request_without_an_id_is_answered_without_one(client: Client):
    told = await answers(client, [{"method": "get", "url": "companies"}])
    assert told[0]["id"] is None
    assert told[0]["status"] == 200


async def test_a_deletion_takes_effect(client: Client):
    await client.put_picture(b"mine")
    etag = (await client.get(f"{client.path()}/picture")).json["@odata.etag"]
    delete = {"id": "x", "method": "DELETE", "url": f"{client.path()}/picture"}
    stale = delete | {"headers": {"If-Match": 'W/"stale"'}}
    good = delete | {"id": "y", "headers": {"If-Match": etag}}
    told = await answers(client, [stale, good], headers=ON)
    assert statuses(told) == [409, 204]
    assert told[1] == {"id": "y", "status": 204, "headers": {}}
    assert client.server.store.companies[0].item("1896-S").blob is None


@pytest.mark.parametrize("count", [100, 101])
@pytest.mark.parametrize("status", [400, 413])
async def test_a_batch_has_a_hundred_requests_at_most(
    start: Start, count: int, status: int
):
    async with start(answers=Answers(batch_too_long=status)) as client:
        told = await send(client, reads(*["companies"] * count))
    assert told.status == (200 if count == 100 else status)


@pytest.mark.parametrize(
    ("requests", "headers", "status"),
    [
        pytest.param({}, {}, 400, id="no list"),
        pytest.param([1], {}, 400, id="no object"),
        pytest.param([{"id": "1", "method": "GET"}], {}, 400, id="no url"),
        pytest.param([{"id": "1", "url": "items"}], {}, 400, id="no method"),
        pytest.param(
            [{"id": 1, "method": "GET", "url": "items"}], {}, 400, id="id is a number"
        ),
        pytest.param(reads("items") * 2, {}, 400, id="an id twice"),
        pytest.param(
            [{**reads("items")[0], "dependsOn": ["0"]}], {}, 501, id="dependsOn"
        ),
        pytest.param(
            [{**reads("items")[0], "atomicityGroup": "g"}], {}, 501, id="a group"
        ),
        pytest.param(
            reads("items"), {"Content-Type": "multipart/mixed"}, 501, id="multipart"
        ),
        pytest.param(reads("items"), {"Content-Type": "text/plain"}, 415, id="text"),
        pytest.param(reads("items"), {"Isolation": "serial"}, 501, id="isolation"),
    ],
)
async def test_what_is_no_batch_is_refused_as_a_whole(
    client: Client, requests: Json, headers: dict[str, str], status: int
):
    assert (await send(client, requests, headers=headers)).status == status


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[]", b"[" * 100_000])
async def test_a_body_that_is_not_json_is_a_400(client: Client, data: bytes):
    headers = {"Content-Type": "application/json"}
    told = await client.send("POST", "$batch", data=data, headers=headers)
    assert (told.status, told.json["error"]["code"]) == (400, "BadRequest")


async def test_isolation_is_accepted_where_nothing_is_written(client: Client):
    headers = {"Isolation": "snapshot"}
    assert statuses(await answers(client, reads("items"), headers=headers)) == [200]
    delete = {"id": "1", "method": "DELETE", "url": f"{client.path()}/picture"}
    assert (await send(client, [delete], headers=headers)).status == 501


async def test_streams_do_not_go_into_a_batch(client: Client):
    await client.put_picture(b"mine")
    requests = [
        {"id": "1", "method": "GET", "url": client.stream()},
        {"id": "2", "method": "PATCH", "url": client.stream(), "body": "x"},
        {"id": "3", "method": "POST", "url": "$batch", "body": {"requests": []}},
    ]
    assert statuses(await answers(client, requests, headers=ON)) == [501] * 3
    assert client.server.store.companies[0].item("1896-S").picture_bytes() == b"mine"


@pytest.mark.parametrize("api", ["v2.0", "v1.0"])
@pytest.mark.parametrize("taken", [True, False])
async def test_a_picture_in_base64_is_an_open_question(
    start: Start, api: str, *, taken: bool
):
    async with start(answers=Answers(content_value_in_batch=taken)) as client:
        item = client.server.store.companies[0].item("1896-S")
        key = "" if api == "v2.0" else f"({item.id})"
        upload = {
            "id": "1",
            "method": "PATCH",
            "url": f"{client.path()}/picture{key}/contentValue",
            "headers": {"If-Match": "*"},
            "body": {"value": base64.b64encode(b"in a batch").decode()},
        }
        broken = upload | {"id": "2", "body": {"value": "?"}}
        other = upload | {"id": "3", "method": "GET"}
        told = await answers(client, [upload, broken, other], api=api, headers=ON)
        assert statuses(told) == ([204, 400, 501] if taken else [404] * 3)
        assert item.picture_bytes() == (b"in a batch" if taken else None)


async def test_it_is_one_request_of_the_quota(start: Start):
    async with start(quota=Quota(requests=2, seconds=60)) as client:
        await answers(client, reads(*["companies"] * 100))
        await answers(client, reads("companies"))
        assert (await send(client, reads("companies"))).status == 429
        assert client.server.concurrent_peak == 1


async def test_a_server_may_have_no_batch(start: Start):
    async with start(batch=False) as client:
        told = await send(client, reads("companies"))
    assert (told.status, told.code) == (404, "BadRequest_ResourceNotFound")


async def test_only_a_post_is_a_batch(client: Client):
    assert (await client.get("$batch")).status == 405
    assert (await client.get("$batch", api="graph")).status == 404


async def test_a_fault_strikes_the_request_that_it_is_meant_for(client: Client):
    first, second = client.path("1896-S"), client.path("1900-S")
    piece = first.partition("/")[2]
    client.server.faults.add(
        Fault("status", status=429, retry_after="3", path=piece),
        Fault("truncate", path=second.partition("/")[2]),
    )
    told = await answers(client, reads(first, second, first), headers=ON)
    assert statuses(told) == [429, 200, 200]
    assert told[0]["headers"]["retry-after"] == "3"
    assert told[0]["body"]["error"]["code"] == "Application_TooManyRequests"
    assert [fault.action for fault in client.server.faults] == ["truncate"]


async def test_other_faults_are_possible_inside(client: Client):
    faults = client.server.faults
    faults.add(
        Fault("html", path="one"),
        Fault("apply_then_status", path="two"),
        Fault("foreign_links", path="three"),
        Fault("stall", seconds=0.001, path="four"),
    )
    urls = [f"{client.path()}/picture?{n}" for n in ("one", "two", "three", "four")]
    told = await answers(client, reads(*urls), headers=ON)
    assert statuses(told) == [200, 504, 200, 200]
    assert "Sign in" in told[0]["body"]
    link = told[2]["body"]["pictureContent@odata.mediaReadLink"]
    assert link.startswith("https://emulated-elsewhere.invalid/")
    assert not len(faults)


async def test_a_fault_of_the_batch_strikes_all_of_it(client: Client):
    client.server.faults.add(Fault("status", status=503, path=r"\$batch"))
    assert (await send(client, reads("companies"))).status == 503


async def test_the_log_tells_what_was_inside(client: Client):
    await answers(client, reads("companies", NOWHERE))
    seen = client.server.log[-1]
    assert [(one.method, one.status) for one in seen.inner] == [
        ("GET", 200),
        ("GET", 404),
    ]
    assert seen.inner[1].path.endswith(NOWHERE)
    assert seen.inner[0].principal == seen.principal
    assert len(client.server.log) == 1


async def test_the_next_page_is_read_as_usual(client: Client):
    headers = {"Prefer": "odata.maxpagesize=15"}
    request = {"id": "1", "method": "GET", "url": "items", "headers": headers}
    [told] = await answers(client, [request])
    link = told["body"]["@odata.nextLink"]
    [rest] = await answers(client, reads(link))
    assert len(told["body"]["value"]) + len(rest["body"]["value"]) == 20


@pytest.mark.parametrize("api", ["v2.0", "v1.0", "beta"])
async def test_records_with_their_pictures_go_into_a_batch(client: Client, api: str):
    await client.put_picture(b"mine")
    path = f"{client.path()}?$expand=picture&$select=id,number,lastModifiedDateTime"
    [told, missing] = await answers(
        client, reads(path, NOWHERE + "?$expand=picture"), api=api, headers=ON
    )
    alone = (await client.get(path, api=api)).json
    assert told["status"] == 200
    assert told["body"] == alone
    assert set(alone) == {
        *("@odata.context", "@odata.etag", "id", "number", "lastModifiedDateTime"),
        "picture",
    }
    picture = alone["picture"] if api == "v2.0" else alone["picture"][0]
    assert picture["contentType"] == "image/jpeg"
    assert missing["status"] == 404


async def test_a_batch_tells_the_time_by_the_servers_clock(start: Start):
    async with start(clock=lambda: 1_750_000_000.9) as client:
        told = await send(client, reads("companies"))
        assert told.headers["Date"] == "Sun, 15 Jun 2025 15:06:40 GMT"
