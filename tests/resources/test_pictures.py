"""What a user says to one picture, in every API version."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from PIL import Image

from bcpicture import (
    BcPictureError,
    CompanyNotFoundError,
    ItemNotFoundError,
    NoPictureError,
    UsageError,
)
from bcpicture.emulator import Answers, Fault
from bcpicture.resources.pictures import PictureHandle

Setup: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
SetUp: TypeAlias = Callable[..., Any]


def jpeg(width: int, height: int) -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(sink, "JPEG")
    return sink.getvalue()


PICTURE = jpeg(40, 30)

PARENTS = [
    pytest.param("item", "items", "1896-S", id="item"),
    pytest.param("customer", "customers", "10000", id="customer"),
    pytest.param("vendor", "vendors", "10000", id="vendor"),
    pytest.param("employee", "employees", "AH", id="employee"),
    pytest.param("contact", "contacts", "CT000001", id="contact"),
]


async def get(picture: PictureHandle, way: str, folder: Path) -> None:
    if way == "read":
        await picture.read()
    elif way == "open":
        await (await picture.open()).aclose()
    else:
        await picture.download(folder / "a.jpg")


async def test_the_life_of_a_picture(any_api: Setup, tmp_path: Path):
    """Set, look at, read in three ways, replace, take away."""
    picture = any_api.company.item(number="1896-S").picture
    nothing = await picture.info()
    assert (nothing.exists, nothing.width, nothing.height) == (False, 0, 0)

    done = await picture.upload(PICTURE)
    assert (done.size, done.attempts) == (len(PICTURE), 1)
    assert any_api.stored() == PICTURE

    info = await picture.info()
    assert (info.exists, info.width, info.height) == (True, 40, 30)
    assert info.content_type == "image/jpeg"
    assert info.etag
    assert info.id == any_api.record("1896-S").id
    assert info.edit_link
    assert info.read_link

    assert await picture.read() == PICTURE
    async with picture.open() as stream:
        assert b"".join([chunk async for chunk in stream]) == PICTURE
    saved = await picture.download(tmp_path / "a.jpg")
    assert (tmp_path / "a.jpg").read_bytes() == PICTURE
    assert saved.size == len(PICTURE)

    await picture.upload(jpeg(8, 8), if_match=info)
    assert any_api.stored() == jpeg(8, 8)

    await picture.delete()
    assert any_api.stored() is None
    assert not (await picture.info()).exists


@pytest.mark.parametrize(("kind", "plural", "number"), PARENTS)
async def test_every_kind_of_record_that_has_a_picture(
    any_api: Setup, kind: str, plural: str, number: str
):
    company = any_api.company
    known = {one.segment for one in any_api.bc.endpoint.dialect.parents}
    if plural not in known:
        with pytest.raises(UsageError, match="has no picture of a contact") as caught:
            getattr(company, kind)(number=number)
        assert "v2.0" in str(caught.value)
        assert not any_api.server.log
        return
    number = next(iter(any_api.server.store.companies[0].table(plural).records)).number
    picture = getattr(company, kind)(number=number).picture
    await picture.upload(PICTURE)
    assert any_api.stored(number, plural) == PICTURE
    assert (await picture.info()).width == 40
    assert await picture.read() == PICTURE
    await picture.delete()
    assert any_api.stored(number, plural) is None


async def test_each_call_is_one_request_to_the_address_of_its_api(any_api: Setup):
    item = any_api.company.item(number="1896-S")
    await item.id()
    any_api.server.log.clear()
    await item.picture.upload(PICTURE)
    await item.picture.info()
    await item.picture.read()
    await item.picture.delete()
    root = any_api.bc.endpoint.base.path
    company, record = await any_api.company.id(), await item.id()
    key = "" if any_api.bc.endpoint.dialect.name == "v2.0" else f"({record})"
    stream = "content" if key else "pictureContent"
    place = f"{root}/companies({company})/items({record})/picture"
    assert any_api.sent() == [
        f"PATCH {place}{key}/{stream}",
        f"GET {place}",
        f"GET {place}{key}/{stream}",
        f"DELETE {place}{key}",
    ]


async def test_an_upload_says_what_microsofts_own_test_client_says(any_api: Setup):
    await any_api.company.item(number="1896-S").picture.upload(PICTURE)
    headers = any_api.server.log[-1].headers
    assert headers["If-Match"] == "*"
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Accept"] == "application/json"
    assert headers["Content-Length"] == str(len(PICTURE))
    assert "Transfer-Encoding" not in headers


@pytest.mark.parametrize("way", ["read", "open", "download"])
async def test_without_a_picture_its_bytes_are_an_error(
    any_api: Setup, tmp_path: Path, way: str
):
    picture = any_api.company.item(number="1896-S").picture
    with pytest.raises(NoPictureError, match='item "1896-S"') as caught:
        await get(picture, way, tmp_path)
    assert caught.value.of == 'item "1896-S" in company "CRONUS USA, Inc."'
    assert not os.listdir(tmp_path)  # noqa: PTH208 - a test may look where it stands


async def test_read_has_a_default_for_those_who_want_one(setup: Setup):
    picture = setup.company.item(number="1896-S").picture
    assert await picture.read(default=None) is None
    assert await picture.read(default=b"none") == b"none"
    await picture.upload(PICTURE)
    assert await picture.read(default=None) == PICTURE


async def test_deleting_a_picture_that_is_not_there_is_no_error(any_api: Setup):
    await any_api.company.item(number="1896-S").picture.delete()


@pytest.mark.parametrize(
    "answers",
    [
        Answers(etag_covers_bytes=True),
        Answers(stale=412),
        Answers(delete_without_if_match="refused"),
        Answers(content_type="sniffed"),
        Answers(content_type="empty"),
        Answers(content_header="absent", content_length=False),
        Answers(content_header="octet-stream", content_etag=True),
        Answers(ranges=True),
        Answers(chunked_upload=411),
        Answers(chunked_upload=400),
        Answers(put=204),
        Answers(variant_parent_type="Item Variant"),
        Answers(upload_reply=200),
    ],
    ids=lambda answers: str(answers)[8:-1].split(", ")[0],
)
async def test_whatever_the_answers_to_the_open_questions_it_works(
    set_up: SetUp, tmp_path: Path, answers: Answers
):
    async with set_up(server={"answers": answers}) as setup:
        picture = setup.company.item(number="1896-S").picture
        await picture.upload(PICTURE)
        info = await picture.info()
        assert info.exists
        assert await picture.read() == PICTURE
        async with await picture.open() as stream:
            assert b"".join([chunk async for chunk in stream]) == PICTURE
        await picture.download(tmp_path / "a.jpg")
        with pytest.raises(BcPictureError, match="Somebody else changed"):
            await picture.upload(PICTURE, if_match='W/"bm90aGluZw=="')
        await picture.delete(if_match=info)
        assert setup.stored() is None


async def test_deleting_nothing_is_no_error_even_if_the_service_calls_it_missing(
    set_up: SetUp,
):
    """The record is there, so it must not be called missing."""
    async with set_up(server={"answers": Answers(delete_of_nothing=404)}) as setup:
        await setup.company.item(number="1896-S").picture.delete()


async def test_what_the_service_cannot_decode_exists_all_the_same(setup: Setup):
    picture = setup.company.item(number="1896-S").picture
    await picture.upload(b"\x00\x01\x02 no picture at all", preflight=False)
    info = await picture.info()
    assert (info.width, info.height) == (0, 0)
    assert info.exists
    assert await picture.read() == b"\x00\x01\x02 no picture at all"


# -- what is not there


UNKNOWN = "00000000-0000-4000-8000-00000000dead"


@pytest.mark.parametrize("call", ["info", "read", "upload", "delete", "download"])
@pytest.mark.parametrize(
    "key",
    [
        pytest.param({"number": "nope"}, id="number"),
        pytest.param({"item": UNKNOWN}, id="id"),
    ],
)
async def test_a_record_that_is_not_there_is_named(
    any_api: Setup, tmp_path: Path, call: str, key: dict[str, str]
):
    item = any_api.company.item(**key)
    arguments = {"upload": [PICTURE], "download": [tmp_path / "a.jpg"]}.get(call, [])
    with pytest.raises(ItemNotFoundError, match="There is no item") as caught:
        await getattr(item.picture, call)(*arguments)
    assert caught.value.company == "CRONUS USA, Inc."
    assert caught.value.kind == "item"


@pytest.mark.parametrize("call", ["info", "read", "delete"])
async def test_a_company_that_is_not_there_is_named_with_those_that_are(
    any_api: Setup, call: str
):
    item = any_api.bc.company("CRONUS").item(number="1896-S")
    with pytest.raises(CompanyNotFoundError, match=r"O'Neil & Sons / Ltd\.") as caught:
        await getattr(item.picture, call)()
    assert caught.value.known == ("CRONUS USA, Inc.", "O'Neil & Sons / Ltd.")


async def test_a_company_id_that_is_not_there_is_named(any_api: Setup):
    item = any_api.bc.company(UNKNOWN).item(UNKNOWN)
    with pytest.raises(CompanyNotFoundError):
        await item.picture.info()


async def test_business_logic_that_refuses_an_upload_is_told_in_its_words(setup: Setup):
    setup.server.faults.add(
        Fault(
            "status",
            status=400,
            code="Application_DialogException",
            message="Item 1896-S is blocked.",
            method="PATCH",
        )
    )
    with pytest.raises(BcPictureError, match="Item 1896-S is blocked") as caught:
        await setup.company.item(number="1896-S").picture.upload(PICTURE)
    assert "ask whoever maintains its extensions" in str(caught.value)
    assert caught.value.failure.correlation_id
    assert "CorrelationId" not in caught.value.failure.message


async def test_json_that_is_none_is_an_error_that_names_the_place(setup: Setup):
    item = setup.company.item(number="1896-S")
    await item.id()
    setup.server.faults.add(Fault("truncate_clean", at=20, path="picture"))
    with pytest.raises(BcPictureError, match="no JSON") as caught:
        await item.picture.info()
    failure = caught.value.failure
    assert failure is not None
    assert (failure.method, failure.status) == ("GET", 200)
    assert failure.path.endswith("/picture")
