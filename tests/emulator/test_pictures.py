"""The facts about pictures, request by request."""

import hashlib
from typing import Any, TypeAlias

import pytest

from bcpicture.emulator.artwork import jpeg, png

# What the fixtures of conftest.py hand out; a test module cannot import it.
Client: TypeAlias = Any

CRONUS = "CRONUS USA, Inc."
DIALECTS = [
    pytest.param("v2.0", "picture/pictureContent", id="v2.0"),
    pytest.param("v1.0", "picture({id})/content", id="v1.0"),
    pytest.param("beta", "picture({id})/content", id="beta"),
    pytest.param("graph", "picture({id})/content", id="graph"),
]
PARENTS = [
    pytest.param("items", "1896-S", "Item", id="item"),
    pytest.param("customers", "10000", "Customer", id="customer"),
    pytest.param("vendors", "10000", "Vendor", id="vendor"),
    pytest.param("employees", "EH", "Employee", id="employee"),
    pytest.param("contacts", "CT000001", "Contact", id="contact"),
    pytest.param("itemVariants", "1900-S/BLACK", "Item_x0020_Variant", id="variant"),
]


def stream_of(client: Client, form: str) -> str:
    item = client.server.store.company(CRONUS).item("1896-S")
    return f"{client.path()}/{form.format(id=item.id)}"


def the_one(api: str, shown: dict[str, Any]) -> dict[str, Any]:
    return shown if api == "v2.0" else shown["value"][0]


@pytest.mark.parametrize(("api", "form"), DIALECTS)
async def test_without_a_picture_metadata_are_zeros_and_the_content_is_204(
    client: Client, api: str, form: str
):
    told = await client.get(f"{client.path()}/picture", api=api)
    picture = the_one(api, told.json)
    assert told.status == 200
    assert (picture["width"], picture["height"]) == (0, 0)
    assert picture["contentType"] == ""
    assert picture["id"] == client.server.store.company(CRONUS).item("1896-S").id
    name = "pictureContent" if api == "v2.0" else "content"
    assert f"{name}@odata.mediaReadLink" in picture

    content = await client.get(stream_of(client, form), api=api)
    assert (content.status, content.body) == (204, b"")


@pytest.mark.parametrize(("api", "form"), DIALECTS)
async def test_a_picture_goes_up_and_comes_back_unaltered(
    client: Client, api: str, form: str
):
    data = png("up and back", side=128)
    stream = stream_of(client, form)
    up = await client.send(
        "PATCH", stream, api=api, data=data, headers={"If-Match": "*"}
    )
    assert (up.status, up.body) == (204, b"")
    assert "ETag" not in up.headers

    down = await client.get(stream, api=api)
    assert down.status == 200
    assert down.body == data
    assert down.headers["Content-Length"] == str(len(data))

    picture = the_one(api, (await client.get(f"{client.path()}/picture", api=api)).json)
    assert (picture["width"], picture["height"]) == (128, 128)
    assert picture["contentType"] == "image/jpeg"


@pytest.mark.parametrize(("api", "form"), DIALECTS)
async def test_deletion_leaves_an_empty_picture(client: Client, api: str, form: str):
    stream = stream_of(client, form)
    await client.send("PATCH", stream, api=api, data=b"x", headers={"If-Match": "*"})
    target = stream.rpartition("/")[0]
    gone = await client.send("DELETE", target, api=api, headers={"If-Match": "*"})
    assert gone.status == 204
    assert (await client.get(stream, api=api)).status == 204


@pytest.mark.parametrize(("parent", "number", "spelled"), PARENTS)
async def test_every_parent_of_v2_has_a_picture(
    client: Client, parent: str, number: str, spelled: str
):
    data = jpeg(parent, 64, 40)
    path = client.path(number, parent)
    up = await client.send(
        "PATCH",
        f"{path}/picture/pictureContent",
        data=data,
        headers={"If-Match": "*"},
    )
    told = (await client.get(f"{path}/picture")).json
    assert up.status == 204
    assert told["parentType"] == spelled
    assert (told["width"], told["height"]) == (64, 40)
    assert (await client.get(f"{path}/picture/pictureContent")).body == data


@pytest.mark.parametrize("parent", ["contacts", "itemVariants"])
@pytest.mark.parametrize("api", ["v1.0", "beta", "graph"])
async def test_older_apis_lack_contacts_and_variants(
    client: Client, api: str, parent: str
):
    company = client.server.store.company(CRONUS).id
    told = await client.get(f"companies({company})/{parent}", api=api)
    assert (told.status, told.code) == (404, "BadRequest_ResourceNotFound")


async def test_a_variant_is_found_below_its_item_too(client: Client):
    variant = client.server.store.company(CRONUS).parent("itemVariants", "1900-S/RED")
    listed = await client.get(f"{client.path('1900-S')}/itemVariants")
    assert [row["code"] for row in listed.json["value"]] == ["BLACK", "RED"]
    deep = f"{client.path('1900-S')}/itemVariants({variant.id})/picture"
    assert (await client.get(deep)).json["id"] == variant.id
    wrong = f"{client.path('1908-S')}/itemVariants({variant.id})/picture"
    assert (await client.get(wrong)).status == 404


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="missing"),
        pytest.param({"If-Match": "no etag"}, id="malformed"),
        pytest.param({"If-Match": ""}, id="empty"),
    ],
)
async def test_an_upload_without_a_good_if_match_is_a_400(
    client: Client, headers: dict[str, str]
):
    told = await client.send("PATCH", client.stream(), data=b"x", headers=headers)
    assert (told.status, told.code) == (400, "BadRequest_InvalidToken")
    assert told.message.startswith("Could not validate the client concurrency token")
    assert client.server.store.company(CRONUS).item("1896-S").blob is None


async def test_a_stale_etag_is_a_409_that_changes_nothing(client: Client):
    stale = (await client.get(f"{client.path()}/picture")).json["@odata.etag"]
    item = client.server.store.company(CRONUS).item("1896-S")
    item.set_picture(png("somebody else", side=16))
    up = await client.put_picture(png("mine"), headers={"If-Match": stale})
    gone = await client.send(
        "DELETE", f"{client.path()}/picture", headers={"If-Match": stale}
    )
    for told in (up, gone):
        assert (told.status, told.code) == (409, "Request_EntityChanged")
        assert "Another user has already changed the record." in told.message
    assert item.picture_bytes() == png("somebody else", side=16)


async def test_a_fresh_etag_is_accepted(client: Client):
    etag = (await client.get(f"{client.path()}/picture")).json["@odata.etag"]
    assert (await client.put_picture(b"x", headers={"If-Match": etag})).status == 204


async def test_etags_are_weak_and_stay_while_nothing_changes(client: Client):
    first = (await client.get(f"{client.path()}/picture")).json["@odata.etag"]
    again = (await client.get(f"{client.path()}/picture")).json["@odata.etag"]
    assert first == again
    assert first.startswith('W/"')


async def test_a_replacement_of_equal_size_keeps_the_pictures_etag(client: Client):
    await client.put_picture(png("one", side=32))
    before = (await client.get(f"{client.path()}/picture")).json["@odata.etag"]
    await client.put_picture(png("two", side=32))
    after = (await client.get(f"{client.path()}/picture")).json["@odata.etag"]
    assert before == after


async def test_an_upload_and_a_removal_modify_the_item(client: Client):
    seen = []
    for method, path in (
        ("PATCH", client.stream()),
        ("DELETE", f"{client.path()}/picture"),
    ):
        seen.append((await client.get(client.path())).json)
        await client.send(method, path, data=b"x", headers={"If-Match": "*"})
    seen.append((await client.get(client.path())).json)
    assert len({it["@odata.etag"] for it in seen}) == 3
    stamps = [it["lastModifiedDateTime"] for it in seen]
    assert stamps == sorted(stamps)
    assert len(set(stamps)) == 3


@pytest.mark.parametrize(("api", "form"), DIALECTS)
async def test_post_on_the_stream_is_refused_in_these_words(
    client: Client, api: str, form: str
):
    told = await client.send("POST", stream_of(client, form), api=api, data=b"x")
    name = "pictureContent" if api == "v2.0" else "content"
    assert (told.status, told.code) == (405, "BadRequest_MethodNotAllowed")
    assert told.message.startswith(
        f"'POST' requests for '{name}' of EdmType 'Primitive' are not allowed within "
        "Dynamics 365 Business Central OData web services.  CorrelationId:  "
    )


async def test_metadata_cannot_be_inserted_or_written(client: Client):
    path = f"{client.path()}/picture"
    posted = await client.send("POST", path, json={"width": 1})
    written = await client.send(
        "PATCH", path, json={"contentType": "x"}, headers={"If-Match": "*"}
    )
    assert posted.status == 405
    assert (written.status, written.code) == (400, "BadRequest_InvalidOperation")
    assert "is read-only" in written.message


async def test_the_v1_collection_takes_neither_patch_nor_delete(client: Client):
    for method in ("PATCH", "DELETE"):
        told = await client.send(
            method, f"{client.path()}/picture", api="v1.0", headers={"If-Match": "*"}
        )
        assert told.status == 405
        assert "of EdmType 'Collection'" in told.message


async def test_v1_shows_one_picture_by_its_key(client: Client):
    item = client.server.store.company(CRONUS).item("1896-S")
    told = await client.get(f"{client.path()}/picture({item.id})", api="v1.0")
    assert told.json["id"] == item.id
    other = client.server.store.company(CRONUS).item("1900-S")
    wrong = await client.get(f"{client.path()}/picture({other.id})", api="v1.0")
    assert wrong.status == 404


@pytest.mark.parametrize(
    ("api", "form", "status", "code"),
    [
        pytest.param(
            "v2.0", "picture({id})/pictureContent", 400, "BadRequest_NotFound", id="key"
        ),
        pytest.param(
            "v2.0", "picture/content", 404, "BadRequest_ResourceNotFound", id="old name"
        ),
        pytest.param("v1.0", "picture/content", 400, "BadRequest", id="no key"),
        pytest.param(
            "v1.0",
            "picture({id})/pictureContent",
            404,
            "BadRequest_ResourceNotFound",
            id="new name",
        ),
    ],
)
async def test_the_path_of_another_version_is_refused(
    client: Client, api: str, form: str, status: int, code: str
):
    told = await client.get(stream_of(client, form), api=api)
    assert (told.status, told.code) == (status, code)


async def test_the_root_set_of_pictures_asks_for_a_parent(client: Client):
    told = await client.get("pictures")
    assert (told.status, told.code) == (400, "Application_DialogException")
    assert "You must get to the parent first" in told.message


async def test_links_are_absolute_and_lead_to_the_stream(client: Client):
    await client.put_picture(b"linked")
    told = (await client.get(f"{client.path()}/picture")).json
    link = told["pictureContent@odata.mediaReadLink"]
    assert link == told["pictureContent@odata.mediaEditLink"]
    assert link == str(client.url(client.stream()))


async def test_an_empty_upload_blanks_the_picture(client: Client):
    await client.put_picture(png("before"))
    assert (await client.put_picture(b"")).status == 204
    assert (await client.get(client.stream())).status == 204
    assert client.server.log[-2].received == 0


async def test_bytes_that_are_no_picture_are_stored_with_zeros(client: Client):
    await client.put_picture(b"<svg/>")
    told = (await client.get(f"{client.path()}/picture")).json
    assert (told["width"], told["height"]) == (0, 0)
    assert told["contentType"] == "image/jpeg"


async def test_the_log_has_what_came_over_the_wire(client: Client):
    data = png("logged")
    await client.put_picture(data)
    seen = client.server.log[-1]
    assert (seen.method, seen.status) == ("PATCH", 204)
    assert seen.target.endswith("/picture/pictureContent")
    assert seen.received == len(data)
    assert seen.sha256 == hashlib.sha256(data).hexdigest()
    assert seen.headers["if-match"] == "*"
    assert seen.headers["Authorization"].startswith("Bearer ")
    assert seen.principal == client.server.client_id
    assert seen.fault is None
    assert seen.started <= seen.finished


async def test_one_guid_belongs_to_one_item_in_each_company(client: Client):
    ours = client.server.store.company(CRONUS).item("1896-S")
    theirs = client.server.store.company("O'Neil & Sons / Ltd.").item("1896-S")
    assert ours.id == theirs.id
    await client.put_picture(b"ours")
    assert theirs.picture_bytes() is None
