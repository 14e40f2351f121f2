"""Each open question about the service, with each possible answer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import pytest

from bcpicture.emulator import Answers
from bcpicture.emulator.artwork import png

# What the fixtures of conftest.py hand out; a test module cannot import it.
Client: TypeAlias = Any
Start: TypeAlias = Any

CRONUS = "CRONUS USA, Inc."
NOBODY = "00000000-0000-0000-0000-00000000000a"


async def picture(client: Client):
    return (await client.get(f"{client.path()}/picture")).json


async def test_the_etag_may_cover_the_bytes(start: Start):
    async with start(answers=Answers(etag_covers_bytes=True)) as client:
        await client.put_picture(png("one", side=32))
        before = (await picture(client))["@odata.etag"]
        await client.put_picture(png("two", side=32))
        assert (await picture(client))["@odata.etag"] != before


async def test_stale_may_be_a_412(start: Start):
    async with start(answers=Answers(stale=412)) as client:
        told = await client.put_picture(b"x", headers={"If-Match": 'W/"b2xk"'})
        assert (told.status, told.code) == (412, "Request_EntityChanged")


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        pytest.param(Answers(), 204, id="accepted"),
        pytest.param(Answers(delete_without_if_match="refused"), 400, id="refused"),
    ],
)
async def test_delete_without_if_match(start: Start, answers: Answers, status: int):
    async with start(answers=answers) as client:
        await client.put_picture(b"x")
        told = await client.send("DELETE", f"{client.path()}/picture")
        assert told.status == status


@pytest.mark.parametrize("status", [204, 404])
async def test_delete_of_nothing(start: Start, status: int):
    async with start(answers=Answers(delete_of_nothing=status)) as client:
        told = await client.send(
            "DELETE", f"{client.path()}/picture", headers={"If-Match": "*"}
        )
        assert told.status == status


@pytest.mark.parametrize("status", [404, 400])
async def test_an_unknown_parent(start: Start, status: int):
    async with start(answers=Answers(unknown_parent=status)) as client:
        company = client.server.store.company(CRONUS).id
        path = f"companies({company})/items({NOBODY})/picture"
        assert (await client.get(path)).status == status
        upload = await client.send(
            "PATCH", f"{path}/pictureContent", data=b"x", headers={"If-Match": "*"}
        )
        assert upload.status == status


async def test_an_upload_for_nobody_may_be_confirmed(start: Start):
    async with start(answers=Answers(silent_unknown_upload=True)) as client:
        company = client.server.store.company(CRONUS).id
        path = f"companies({company})/items({NOBODY})/picture/pictureContent"
        told = await client.send("PATCH", path, data=b"x", headers={"If-Match": "*"})
        assert told.status == 204
        assert (await client.get(path)).status == 404


@pytest.mark.parametrize(
    ("kind", "told"),
    [("jpeg", "image/jpeg"), ("sniffed", "image/png"), ("empty", "")],
)
async def test_what_the_metadata_call_a_png(start: Start, kind: str, told: str | None):
    async with start(answers=Answers(content_type=kind)) as client:
        await client.put_picture(png("a png"))
        assert (await picture(client))["contentType"] == told


async def test_what_cannot_be_decoded_may_be_refused(start: Start):
    async with start(answers=Answers(undecodable="refused")) as client:
        told = await client.put_picture(b"text")
        assert (told.status, told.code) == (400, "Application_DialogException")
        assert (await client.get(client.stream())).status == 204


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("jpeg", "image/jpeg"),
        ("sniffed", "image/png"),
        ("octet-stream", "application/octet-stream"),
        ("absent", None),
    ],
)
async def test_the_type_of_the_bytes(start: Start, kind: str, told: str | None):
    async with start(answers=Answers(content_header=kind)) as client:
        await client.put_picture(png("a png"))
        assert (await client.get(client.stream())).headers.get("Content-Type") == told


@pytest.mark.parametrize("size", [1000, 300_000])
async def test_the_bytes_may_come_chunked_and_with_an_etag(start: Start, size: int):
    answers = Answers(content_length=False, content_etag=True)
    async with start(answers=answers) as client:
        await client.put_picture(bytes(size))
        told = await client.get(client.stream())
        assert told.headers["Transfer-Encoding"] == "chunked"
        assert "Content-Length" not in told.headers
        assert told.headers["ETag"] == (await picture(client))["@odata.etag"]
        assert told.body == bytes(size)


@pytest.mark.parametrize("size", [1000, 300_000])
async def test_ranges_may_be_honoured(start: Start, size: int):
    data = png("ranges", side=32, size_hint=size)
    async with start(answers=Answers(ranges=True)) as client:
        await client.put_picture(data)
        part = await client.get(client.stream(), headers={"Range": "bytes=10-19"})
        rest = await client.get(client.stream(), headers={"Range": "bytes=900-"})
        past = await client.get(client.stream(), headers={"Range": "bytes=999999-"})
    assert (part.status, part.body) == (206, data[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(data)}"
    assert rest.body == data[900:]
    assert past.status == 416


async def test_ranges_are_ignored_otherwise(client: Client):
    await client.put_picture(b"0123456789")
    told = await client.get(client.stream(), headers={"Range": "bytes=2-3"})
    assert (told.status, told.body) == (200, b"0123456789")


@pytest.mark.parametrize(
    ("answer", "status"), [("accepted", 204), (411, 411), (400, 400)]
)
async def test_chunked_uploads(start: Start, answer: str | int, status: int):
    async def body() -> AsyncIterator[bytes]:
        yield b"in "
        await asyncio.sleep(0)
        yield b"pieces"

    async with start(answers=Answers(chunked_upload=answer)) as client:
        assert (await client.put_picture(body())).status == status
        stored = client.server.store.company(CRONUS).item("1896-S").picture_bytes()
        assert stored == (b"in pieces" if status == 204 else None)


@pytest.mark.parametrize("status", [405, 204])
async def test_put_on_the_stream(start: Start, status: int):
    async with start(answers=Answers(put=status)) as client:
        told = await client.send(
            "PUT", client.stream(), data=b"x", headers={"If-Match": "*"}
        )
        assert told.status == status


async def test_the_old_pages_reply_to_an_upload(start: Start):
    async with start(answers=Answers(upload_reply=200)) as client:
        told = await client.put_picture(png("told", side=48))
        assert told.status == 200
        assert told.json["width"] == 48


async def test_the_spelling_of_a_variants_parent_type(start: Start):
    answers = Answers(variant_parent_type="Item Variant")
    async with start(answers=answers) as client:
        path = client.path("1900-S/RED", "itemVariants")
        told = await client.get(f"{path}/picture")
        assert told.json["parentType"] == "Item Variant"
