"""Companies and items: addresses, lists, pages, query options."""

from datetime import timedelta
from typing import Any, TypeAlias
from urllib.parse import quote

import pytest
from yarl import URL

from bcpicture.emulator import Seen

# What the fixtures of conftest.py hand out; a test module cannot import it.
Client: TypeAlias = Any
Start: TypeAlias = Any
Got: TypeAlias = Any

CRONUS = "CRONUS USA, Inc."
ONEIL = "O'Neil & Sons / Ltd."


def items(client: Client, query: str = "") -> str:
    company = client.server.store.company(CRONUS).id
    return f"companies({company})/items{'?' if query else ''}{query}"


def numbers(got: Got) -> list[str]:
    return [row["number"] for row in got.json["value"]]


async def test_companies_are_listed_with_their_names(client: Client):
    told = (await client.get("companies")).json
    assert [row["name"] for row in told["value"]] == [CRONUS, ONEIL]
    one = told["value"][1]
    again = (await client.get(f"companies({one['id']})")).json
    assert again["name"] == ONEIL


async def test_an_unknown_company_is_named_as_such(client: Client):
    nobody = "companies(00000000-0000-0000-0000-000000000001)"
    for path in (nobody, f"{nobody}/items", "items?company=Nobody"):
        told = await client.get(path)
        assert (told.status, told.code) == (404, "Internal_CompanyNotFound")


async def test_a_company_may_be_named_in_the_query(client: Client):
    client.server.store.company(ONEIL).add("items", "ONLY-HERE")
    by_name = await client.get(f"items?company={quote(ONEIL, safe='')}")
    guid = client.server.store.company(ONEIL).id
    by_guid = await client.get(f"items?company={guid}")
    default = await client.get("items")
    assert "ONLY-HERE" in numbers(by_name)
    assert "ONLY-HERE" in numbers(by_guid)
    assert "ONLY-HERE" not in numbers(default)


async def test_without_a_default_company_one_must_be_named(start: Start):
    async with start(default_company=False) as client:
        told = await client.get("items")
        assert (told.status, told.code) == (404, "Internal_CompanyNotFound")


async def test_items_have_the_numbers_of_the_demo_company(start: Start):
    async with start(items=22) as client:
        found = numbers(await client.get(items(client)))
    assert found[:3] == ["1896-S", "1900-S", "1906-S"]
    assert found[19:] == ["2000-S", "B000020", "B000021"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("$filter=number%20eq%20'1896-S'", ["1896-S"], id="eq"),
        pytest.param(
            "$filter=number%20eq%20'1900-S'%20or%20number%20eq%20'1896-S'",
            ["1896-S", "1900-S"],
            id="or",
        ),
        pytest.param("$filter=number%20gt%20'1996-S'", ["2000-S"], id="gt"),
        pytest.param(
            "$filter=number%20ge%20'1988-S'%20and%20number%20ne%20'1996-S'",
            ["1988-S", "2000-S"],
            id="and",
        ),
        pytest.param(
            "$filter=(number%20lt%20'1900-S'%20or%20number%20gt%20'1996-S')",
            ["1896-S", "2000-S"],
            id="parentheses",
        ),
        pytest.param("$filter=startswith(number,'199')", ["1996-S"], id="startswith"),
        pytest.param("$filter=number%20eq%20'nobody'", [], id="nothing"),
        pytest.param("$orderby=number%20desc&$top=2", ["2000-S", "1996-S"], id="desc"),
        pytest.param("$top=2&$skip=1", ["1900-S", "1906-S"], id="skip"),
        pytest.param("$top=0", [], id="top 0"),
        pytest.param("whatever=1&$top=1", ["1896-S"], id="custom options are ignored"),
    ],
)
async def test_items_are_filtered_and_ordered(
    client: Client, query: str, expected: list[str]
):
    assert numbers(await client.get(items(client, query))) == expected


async def test_items_are_filtered_by_guid_and_by_time(client: Client):
    item = client.server.store.company(CRONUS).item("1964-S")
    by_id = await client.get(items(client, f"$filter=id%20eq%20{item.id}"))
    item.stamp += 60
    when = (item.last_modified - timedelta(seconds=1)).isoformat()
    moment = when.replace("+00:00", "Z")
    later = await client.get(
        items(client, f"$filter=lastModifiedDateTime%20gt%20{moment}")
    )
    offset = quote(when, safe=":")
    same = await client.get(
        items(client, f"$filter=lastModifiedDateTime%20gt%20{offset}")
    )
    assert numbers(by_id) == numbers(later) == numbers(same) == ["1964-S"]


async def test_a_quote_is_doubled_and_a_plus_sign_is_itself(client: Client):
    client.server.store.company(CRONUS).add("items", "O'Neil+1 & 50%")
    text = quote("number eq 'O''Neil+1 & 50%'", safe="")
    assert numbers(await client.get(items(client, f"$filter={text}"))) == [
        "O'Neil+1 & 50%"
    ]
    raw = text.replace("%2B", "+")
    assert len(numbers(await client.get(items(client, f"$filter={raw}")))) == 1


async def test_a_plus_sign_in_place_of_a_space_does_not_parse(
    client: Client, start: Start
):
    query = "$filter=number+eq+'1896-S'"
    strict = await client.get(items(client, query))
    assert (strict.status, strict.code) == (400, "BadRequest")
    async with start(strict_plus=False) as lax:
        assert numbers(await lax.get(items(lax, query))) == ["1896-S"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        pytest.param("$filter=number%20eq%20", 400, id="half a filter"),
        pytest.param("$filter=number%20eq%20'x", 400, id="open quote"),
        pytest.param("$filter=number%20eq%20'x'%20'y'", 400, id="too much"),
        pytest.param("$filter=number%20eq'x'", 400, id="no space"),
        pytest.param("$filter=(number%20eq%20'x'", 400, id="open parenthesis"),
        pytest.param("$filter=number%20eq%203", 400, id="number for a string"),
        pytest.param("$filter=blocked%20eq%20'x'", 400, id="string for a flag"),
        pytest.param("$filter=nothing%20eq%20'x'", 400, id="unknown field"),
        pytest.param("$filter=%zz", 400, id="broken escape"),
        pytest.param("$filter=%ff", 400, id="no utf-8"),
        pytest.param("$select=nothing", 400, id="unknown selection"),
        pytest.param("$orderby=nothing", 400, id="unknown order"),
        pytest.param("$orderby=number%20down", 400, id="unknown direction"),
        pytest.param("$top=x", 400, id="top"),
        pytest.param("$top=1&$top=2", 400, id="twice"),
        pytest.param("$count=maybe", 400, id="count"),
        pytest.param("$skiptoken=x", 400, id="skiptoken"),
        pytest.param("$filter=not%20blocked", 501, id="not"),
        pytest.param("$filter=number%20in%20('x')", 501, id="in"),
        pytest.param("$filter=picture/width%20gt%200", 501, id="path"),
        pytest.param("$filter=tolower(number)%20eq%20'x'", 501, id="function"),
        pytest.param(
            "$filter=number%20eq%20'x'%20or%20displayName%20eq%20'x'",
            501,
            id="or on distinct fields",
        ),
        pytest.param("$search=x", 501, id="unknown option"),
        pytest.param("$schemaversion=2.1", 501, id="schema version"),
        pytest.param("$expand=unitOfMeasure", 501, id="unknown expansion"),
        pytest.param("$orderby=number,displayName", 501, id="two orders"),
    ],
)
async def test_what_is_not_understood_is_an_error_never_a_wrong_result(
    client: Client, query: str, status: int
):
    told = await client.get(items(client, query))
    assert told.status == status
    assert "CorrelationId:  " in told.message


async def test_or_on_distinct_fields_says_what_the_documentation_says(client: Client):
    query = "$filter=number%20eq%20'x'%20or%20displayName%20eq%20'x'"
    told = await client.get(items(client, query))
    assert told.message.startswith(
        "The 'OR' operator is not supported on distinct fields on an OData filter."
    )


async def test_selection_leaves_only_the_chosen_fields_and_the_etag(client: Client):
    told = await client.get(items(client, "$select=id,number&$top=1"))
    assert set(told.json["value"][0]) == {"@odata.etag", "id", "number"}


@pytest.mark.parametrize("api", ["v2.0", "v1.0", "beta"])
async def test_expansion_brings_the_picture_in_the_dialects_shape(
    client: Client, api: str
):
    told = (await client.get(items(client, "$expand=picture&$top=1"), api=api)).json
    picture = told["value"][0]["picture"]
    one = picture if api == "v2.0" else picture[0]
    assert isinstance(picture, dict if api == "v2.0" else list)
    assert one["width"] == 0
    assert "@odata.etag" in one


async def test_an_expanded_picture_may_be_narrowed(client: Client):
    query = "$top=1&$select=number&$expand=picture($select=id,width)"
    row = (await client.get(items(client, query))).json["value"][0]
    assert set(row) == {"@odata.etag", "number", "picture"}
    assert set(row["picture"]) == {"@odata.etag", "id", "width"}
    one = await client.get(f"{client.path()}?$expand=picture")
    assert one.json["picture"]["id"] == one.json["id"]


async def test_the_count_is_of_all_pages(client: Client):
    query = "$count=true&$top=1&$filter=number%20gt%20'1988-S'"
    told = (await client.get(items(client, query))).json
    assert told["@odata.count"] == 2
    assert len(told["value"]) == 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("", 20, id="all"),
        pytest.param("?$top=13", 13, id="top over pages"),
        pytest.param("?$skip=4", 16, id="skip over pages"),
        pytest.param("?$orderby=displayName%20desc", 20, id="another order"),
        pytest.param("?$filter=number%20gt%20'1936-S'", 11, id="filtered"),
    ],
)
async def test_pages_follow_each_other_without_gaps(
    client: Client, query: str, expected: int
):
    url, found, pages = client.url(items(client) + query), [], 0
    while url is not None:
        told = await client.get(url, headers={"Prefer": "odata.maxpagesize=3"})
        assert told.headers["Preference-Applied"] == "odata.maxpagesize=3"
        found += numbers(told)
        pages += 1
        link = told.json.get("@odata.nextLink")
        url = URL(link, encoded=True) if link else None
    assert len(found) == len(set(found)) == expected
    assert pages == -(-expected // 3)


async def test_the_server_has_a_page_size_of_its_own(start: Start):
    async with start(page_size=4, honour_maxpagesize=False) as client:
        told = await client.get(
            items(client), headers={"Prefer": "odata.maxpagesize=2"}
        )
        assert len(numbers(told)) == 4
        assert "Preference-Applied" not in told.headers
        assert "@odata.nextLink" in told.json


async def test_a_removed_row_does_not_break_the_next_page(client: Client):
    prefer = {"Prefer": "odata.maxpagesize=3"}
    first = await client.get(items(client), headers=prefer)
    client.server.store.company(CRONUS).remove("1900-S")
    client.server.store.company(CRONUS).remove("1906-S")
    link = URL(first.json["@odata.nextLink"], encoded=True)
    assert numbers(await client.get(link, headers=prefer)) == [
        "1908-S",
        "1920-S",
        "1925-W",
    ]


@pytest.mark.parametrize("keep", ["tenant=default", ""])
async def test_next_links_keep_the_tenant_or_lose_it(start: Start, keep: str):
    async with start(page_size=5, links_keep_tenant=bool(keep)) as client:
        told = await client.get(items(client, "tenant=default&$select=number"))
        link = told.json["@odata.nextLink"]
        assert ("tenant=default" in link) is bool(keep)
        assert "$select=number" in link


async def test_writing_anything_but_pictures_is_not_supported(client: Client):
    for method in ("POST", "PATCH", "DELETE"):
        told = await client.send(method, client.path(), json={"number": "X"})
        assert (told.status, told.code) == (501, "BadRequest_MethodNotImplemented")
    told = await client.send("PATCH", items(client), json={})
    assert told.status == 405


async def test_records_can_be_renamed_recreated_and_removed(client: Client):
    company = client.server.store.company(CRONUS)
    old = company.item("1896-S")
    path = client.path()
    company.rename("1896-S", "RENAMED")
    assert (await client.get(path)).json["number"] == "RENAMED"
    new = company.recreate("RENAMED")
    assert new.id != old.id
    told = await client.get(path)
    assert (told.status, told.code) == (404, "BadRequest_ResourceNotFound")
    company.remove("RENAMED")
    with pytest.raises(KeyError):
        company.item("RENAMED")


async def test_the_service_document_lists_the_sets(client: Client):
    v2 = (await client.get("")).json["value"]
    v1 = (await client.get("", api="v1.0")).json["value"]
    assert {"companies", "items", "contacts"} <= {row["name"] for row in v2}
    assert "contacts" not in {row["name"] for row in v1}


async def test_what_is_not_emulated_yet_says_so(client: Client):
    assert (await client.get("$metadata")).status == 501


async def test_items_may_have_numbers_of_somebodys_choice(start: Start):
    numbers = ["ZEBRA", "1896-S", "ZEBRA", "a/b"]

    async def found(**options: object) -> list[str]:
        async with start(**options) as client:
            rows = (await client.get("items")).json["value"]
            return [row["number"] for row in rows]

    assert await found(numbers=iter(numbers)) == ["1896-S", "ZEBRA", "a/b"]
    assert await found(numbers=numbers, items=2) == ["1896-S", "ZEBRA", "a/b"]
    more = await found(numbers=["B000001", "B000003"], items=4)
    assert more == ["B000001", "B000002", "B000003", "B000004"]


async def test_a_page_of_twenty_thousand_is_no_matter(start: Start):
    async with start(items=20_000) as client:
        rows = (await client.get("items")).json["value"]
        assert len({row["number"] for row in rows}) == 20_000
        expanded, link = 0, client.url("items?$expand=picture&$select=number")
        headers = {"Prefer": "odata.maxpagesize=2500"}
        while link:
            told = (await client.get(link, headers=headers)).json
            expanded += sum("picture" in row for row in told["value"])
            following = told.get("@odata.nextLink")
            link = URL(following, encoded=True) if following else None
        assert expanded == 20_000


async def test_hundreds_of_numbers_fit_into_a_filter(start: Start):
    async with start(items=2_000) as client:
        wanted = [f"B{at:06d}" for at in range(100, 500)]
        text = "%20or%20".join(f"number%20eq%20'{each}'" for each in wanted)
        rows = (await client.get(f"items?$filter={text}")).json["value"]
    assert [row["number"] for row in rows] == wanted


async def test_a_filter_that_is_nested_too_deeply_is_a_400(client: Client):
    told = await client.get(f"items?$filter={'(' * 10_000}")
    assert (told.status, told.code) == (400, "BadRequest")


async def test_the_log_counts_requests_by_what_they_are_for(client: Client):
    record = client.path()
    await client.get("companies")
    await client.get(record)
    await client.get(f"{record}/picture")
    await client.get(client.stream())
    await client.put_picture(b"x")
    await client.send("DELETE", f"{record}/picture", headers={"If-Match": "*"})
    await client.send("POST", record)
    await client.send("POST", "$batch", json={"requests": []})
    keyed = f"{record}/picture({record[-37:-1]})"
    await client.get(f"{keyed}/content", api="v1.0")
    await client.get(f"{record}/picture", api="v1.0")
    assert client.server.log.kinds() == {
        "list": 1,
        "record": 1,
        "metadata": 2,
        "read": 2,
        "upload": 1,
        "delete": 1,
        "batch": 1,
        "other": 1,
    }


async def test_a_listener_may_change_what_a_request_will_find(client: Client):
    heard = []

    def change(seen: Seen) -> None:
        heard.append(seen.kind)
        client.server.store.company("CRONUS USA, Inc.").item("1896-S").set_picture(b"x")

    client.server.log.listener = change
    assert (await client.get(client.stream())).body == b"x"
    assert heard == ["read"]
