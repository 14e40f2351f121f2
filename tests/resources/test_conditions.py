"""Only if nobody changed it; only if there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from bcpicture import ANY, ConflictError, Picture, UsageError
from bcpicture.emulator import Answers
from bcpicture.resources.pictures import PictureHandle

Setup: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
SetUp: TypeAlias = Callable[..., Any]

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00%c\x00\x00\x00\x05\x08\x02"
    b"IEND\xaeB`\x82"
)


def png(width: int) -> bytes:
    return PNG % width


async def change(picture: PictureHandle, call: str, if_match: Any) -> None:  # noqa: ANN401 - wrong ones too
    if call == "upload":
        await picture.upload(png(3), if_match=if_match)
    else:
        await picture.delete(if_match=if_match)


@pytest.fixture
def picture(setup: Setup) -> PictureHandle:
    handle: PictureHandle = setup.company.item(number="1896-S").picture
    return handle


async def test_by_default_anything_is_replaced_in_one_request(
    setup: Setup, picture: PictureHandle
):
    await picture.upload(png(1))
    setup.server.log.clear()
    await picture.upload(png(2))
    assert len(setup.server.log) == 1
    assert setup.server.log[0].headers["If-Match"] == "*"


@pytest.mark.parametrize("kind", ["etag", "picture"])
async def test_with_the_present_etag_it_is_replaced(
    setup: Setup, picture: PictureHandle, kind: str
):
    await picture.upload(png(1))
    info = await picture.info()
    await picture.upload(png(2), if_match=info.etag if kind == "etag" else info)
    assert setup.stored() == png(2)
    assert setup.server.log[-1].headers["If-Match"] == info.etag


@pytest.mark.parametrize("stale", [409, 412])
@pytest.mark.parametrize("call", ["upload", "delete"])
async def test_with_an_etag_of_the_past_it_is_left_alone(
    set_up: SetUp, stale: int, call: str
):
    async with set_up(server={"answers": Answers(stale=stale)}) as setup:
        picture = setup.company.item(number="1896-S").picture
        await picture.upload(png(1))
        past = await picture.info()
        await picture.upload(png(2))
        with pytest.raises(ConflictError, match=r"Read `info\(\)` again") as caught:
            await change(picture, call, past)
        assert setup.stored() == png(2)
        assert caught.value.failure.status == stale
        assert caught.value.attempts == 1


@pytest.mark.parametrize(
    "nothing",
    ["", "   ", None, 17, Picture(exists=False, width=0, height=0), b"W/x"],
    ids=["empty", "blank", "None", "number", "picture-without-one", "bytes"],
)
@pytest.mark.parametrize("call", ["upload", "delete"])
async def test_an_empty_condition_is_refused(
    setup: Setup, picture: PictureHandle, call: str, nothing: object
):
    """It would mean nothing to the service, or anything."""
    with pytest.raises(UsageError, match="if_match is empty"):
        await change(picture, call, nothing)
    assert not setup.server.log


async def test_a_first_picture_is_set(setup: Setup, picture: PictureHandle):
    await picture.upload(png(1), only_if_absent=True)
    assert setup.stored() == png(1)
    assert setup.server.log[-1].headers["If-Match"] != "*"


async def test_a_picture_that_is_there_is_no_place_for_a_first_one(
    setup: Setup, picture: PictureHandle
):
    await picture.upload(png(1))
    with pytest.raises(ConflictError, match="There is a picture of item"):
        await picture.upload(png(2), only_if_absent=True)
    assert setup.stored() == png(1)


async def test_of_many_that_want_to_be_first_one_is(
    setup: Setup, picture: PictureHandle
):
    results = await asyncio.gather(
        *(picture.upload(png(width), only_if_absent=True) for width in range(1, 20)),
        return_exceptions=True,
    )
    failed = [one for one in results if isinstance(one, BaseException)]
    assert len(failed) == 18
    assert {type(one) for one in failed} == {ConflictError}
    (first,) = (at for at, one in enumerate(results, 1) if one not in failed)
    assert setup.stored() == png(first)


async def test_two_conditions_exclude_each_other_before_anything_is_asked(
    setup: Setup, picture: PictureHandle
):
    with pytest.raises(UsageError, match="exclude each other"):
        await picture.upload(png(1), only_if_absent=True, if_match='W/"1"')
    assert not setup.server.log


async def test_any_may_be_said_aloud(setup: Setup, picture: PictureHandle):
    await picture.upload(png(1), if_match=ANY)
    await picture.delete(if_match=ANY)
    assert [one.headers["If-Match"] for one in setup.server.log[-2:]] == ["*", "*"]


async def test_an_equal_etag_proves_nothing(setup: Setup, picture: PictureHandle):
    """The docs say so: same size and type, other bytes, same etag."""
    await picture.upload(png(1) + b"one")
    before = await picture.info()
    await picture.upload(png(1) + b"two")
    assert (await picture.info()).etag == before.etag
    await picture.upload(png(1) + b"three", if_match=before)
    assert setup.stored() == png(1) + b"three"
