"""From the service's JSON to values: tolerant of more, exact about what is needed."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcpicture.core.decoding import (
    NO_PICTURE,
    Page,
    read_json,
    read_page,
    read_picture,
)
from bcpicture.core.models import Company, Item, Picture
from bcpicture.errors import AnswerError

ADVICE = "Check that the address is a Business Central API."
ID = "5d115c9c-44e3-4ea3-a89a-7edd8d0bfb7d"
LINK = f"https://bc/api/v2.0/items({ID})/picture/pictureContent"
TOLD = {
    "@odata.etag": 'W/"JzQ0O2E9MTswMDsn"',
    "id": ID,
    "width": 516,
    "height": 466,
    "contentType": "image/jpeg",
}
KNOWN = Picture(
    exists=True,
    width=516,
    height=466,
    content_type="image/jpeg",
    etag='W/"JzQ0O2E9MTswMDsn"',
    id=ID,
)


def body(value: object) -> bytes:
    return json.dumps(value).encode()


def page(*values: object, **more: object) -> bytes:
    return body({"value": values, **more})


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({**TOLD, "@odata.context": "x"}, id="an object, v2.0"),
        pytest.param({"value": [TOLD]}, id="an array, v1.0 and beta"),
        pytest.param([TOLD], id="a bare array"),
        pytest.param(TOLD | {"parentType": None}, id="null for nothing"),
    ],
)
def test_a_picture_is_read_from_an_object_or_an_array(told: object):
    assert read_picture(body(told)) == KNOWN


def test_the_page_of_2018_escapes_its_slashes():
    """The answer of Microsoft's documentation, with its own escapes."""
    told = rb"""{
      "@odata.context": "https:\/\/api.businesscentral.dynamics.com\/v1.0\/api\/beta",
      "value": [{
        "@odata.etag": "W\/\"JzQ0O0VUTk0vVEl\u0031MDA7Jw==\"",
        "id": "5d115c9c-44e3-4ea3-a89a-7edd8d0bfb7d",
        "width": 500, "height": 500, "contentType": "image\/png",
        "content@odata.mediaEditLink": "https:\/\/bc\/picture(x)\/content",
        "content@odata.mediaReadLink": "https:\/\/bc\/picture(x)\/content"
      }]
    }"""
    picture = read_picture(told)
    assert picture.content_type == "image/png"
    assert picture.etag == 'W/"JzQ0O0VUTk0vVEl1MDA7Jw=="'
    assert picture.edit_link == picture.read_link == "https://bc/picture(x)/content"


@pytest.mark.parametrize("name", ["content", "pictureContent"])
def test_media_links_are_found_whatever_the_property_is_called(name: str):
    picture = read_picture(
        body(
            {
                **TOLD,
                f"{name}@odata.mediaReadLink": LINK,
                f"{name}@odata.mediaEditLink": f"{LINK}?edit",
            }
        )
    )
    assert (picture.read_link, picture.edit_link) == (LINK, f"{LINK}?edit")


@pytest.mark.parametrize("link", [None, 5, {}])
def test_a_media_link_that_is_no_text_is_none(link: object):
    assert read_picture(body({"content@odata.mediaReadLink": link})).read_link is None


@pytest.mark.parametrize(
    ("told", "exists"),
    [
        pytest.param({"width": 0, "height": 0, "contentType": ""}, False, id="zeros"),
        pytest.param({"width": 0, "height": 0}, False, id="no content type"),
        pytest.param({"width": 1, "height": 1}, True, id="a size"),
        pytest.param({"width": 1, "height": 0}, False, id="half a size"),
        pytest.param(
            {"width": 0, "height": 0, "contentType": "image/webp"},
            True,
            id="what the service cannot decode",
        ),
        pytest.param({}, False, id="an empty object"),
    ],
)
def test_a_picture_exists_if_it_has_a_size_or_a_type(
    told: dict[str, object], *, exists: bool
):
    assert read_picture(body(told)).exists is exists


@pytest.mark.parametrize("told", [None, [], {}, {"value": []}, {"width": None}])
def test_no_picture_at_all_is_a_picture_that_does_not_exist(told: object):
    assert read_picture(body(told)) == NO_PICTURE


def test_unknown_fields_of_a_picture_are_kept_apart():
    told = {
        **TOLD,
        "@odata.context": "x",
        "rating": 5,
        "mood": None,
        "content@odata.x": 1,
    }
    picture = read_picture(body(told))
    assert picture == Picture(
        exists=True,
        width=516,
        height=466,
        content_type="image/jpeg",
        etag=TOLD["@odata.etag"],
        id=ID,
        extra={"rating": 5, "mood": None},
    )


def test_what_is_known_is_not_repeated_among_the_unknown():
    picture = read_picture(body({**TOLD, "content@odata.mediaReadLink": LINK}))
    assert picture.extra == {}


def test_no_field_of_the_service_passes_for_one_of_ours():
    """`exists`, `extra` and the links are ours to say."""
    forged = {"exists": True, "extra": 5, "read_link": "x", "etag": "x"}
    assert not read_picture(body(forged)).exists
    assert read_picture(body(forged)).read_link is None
    assert read_picture(body(forged)).etag is None


def test_a_page_of_companies():
    told = page(
        {"id": "c1", "name": "CRONUS", "displayName": "CRONUS USA", "systemVersion": 5},
        {"id": "c2", "name": "O'Neil & Sons / Ltd.", "displayName": None},
        **{"@odata.nextLink": "companies?x", "@odata.count": 7},
    )
    first = Company(
        id="c1", name="CRONUS", display_name="CRONUS USA", extra={"systemVersion": 5}
    )
    second = Company(id="c2", name="O'Neil & Sons / Ltd.")
    assert read_page(told, Company) == Page((first, second), "companies?x", 7)


@pytest.mark.parametrize("more", [{}, {"@odata.nextLink": None, "@odata.count": None}])
def test_the_last_page_has_no_next_one(more: dict[str, object]):
    assert read_page(page(**more), Item) == Page((), None, None)


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        pytest.param({}, None, id="not asked for"),
        pytest.param({"picture": TOLD}, KNOWN, id="an object, v2.0"),
        pytest.param({"picture": [TOLD]}, KNOWN, id="an array, v1.0"),
        pytest.param({"picture": []}, NO_PICTURE, id="an empty array"),
        pytest.param({"picture": None}, NO_PICTURE, id="null"),
    ],
)
def test_an_expanded_picture(picture: dict[str, object], expected: Picture | None):
    told = page({"id": ID, "number": "1896-S", **picture})
    assert read_page(told, Item).values[0].picture == expected


def test_an_item_with_everything():
    told = {
        "@odata.etag": "W/x",
        "id": ID,
        "number": "1896-S",
        "displayName": "ATHENS Desk",
        "gtin": "4006381333931",
        "lastModifiedDateTime": "2024-05-01T10:20:30.1234567Z",
        "unitPrice": 1000.8,
        "picture@odata.context": "x",
    }
    (item,) = read_page(page(told), Item).values
    assert item == Item(
        id=ID,
        number="1896-S",
        display_name="ATHENS Desk",
        gtin="4006381333931",
        etag="W/x",
        last_modified=datetime(2024, 5, 1, 10, 20, 30, 123456, tzinfo=UTC),
        extra={"unitPrice": 1000.8},
    )


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        pytest.param("2024-05-01T00:00:00Z", datetime(2024, 5, 1, tzinfo=UTC), id="Z"),
        pytest.param("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC), id="never"),
        pytest.param(
            "2024-05-01T02:00:00+02:00",
            datetime(2024, 5, 1, 2, tzinfo=timezone(timedelta(hours=2))),
            id="offset",
        ),
    ],
)
def test_a_moment_keeps_its_time_zone(text: str, moment: datetime):
    told = page({"id": ID, "number": "1", "lastModifiedDateTime": text})
    assert read_page(told, Item).values[0].last_modified == moment


def test_a_variant_is_known_by_its_code():
    told = page({"id": ID, "code": "RED"}, {"id": ID, "number": None, "code": "BLUE"})
    assert [item.number for item in read_page(told, Item).values] == ["RED", "BLUE"]


GOOD = {"id": ID, "number": "1"}


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        pytest.param({}, "@ $.value", id="no value"),
        pytest.param({"value": {}}, "@ $.value", id="an object for the array"),
        pytest.param({"value": None}, "@ $.value", id="null for the array"),
        pytest.param([], "@ $", id="an array for the page"),
        pytest.param("x", "@ $", id="a text for the page"),
        pytest.param(
            {"value": [GOOD, GOOD, GOOD, {"number": "1"}]},
            "required field missing @ $.value[3].id",
            id="no id",
        ),
        pytest.param(
            {"value": [GOOD, {**GOOD, "id": 5}]},
            "expected str @ $.value[1].id",
            id="a number for the id",
        ),
        pytest.param({"value": [GOOD, {"id": "x"}]}, "$.value[1].number", id="no key"),
        pytest.param({"value": [GOOD, 5]}, "@ $.value[1]", id="no record"),
        pytest.param(
            {"value": [{**GOOD, "picture": {"width": "5"}}]},
            "expected int @ $.value[0].picture.width",
            id="a text for a number",
        ),
        pytest.param(
            {"value": [{**GOOD, "picture": {"width": True}}]},
            "expected int @ $.value[0].picture.width",
            id="a truth for a number",
        ),
        pytest.param(
            {"value": [{**GOOD, "picture": "x"}]},
            "@ $.value[0].picture",
            id="no object",
        ),
        pytest.param(
            {"value": [{**GOOD, "displayName": 5}]},
            "@ $.value[0].displayName",
            id="a number for a name",
        ),
        pytest.param(
            {"value": [{**GOOD, "lastModifiedDateTime": "yesterday"}]},
            "@ $.value[0].lastModifiedDateTime",
            id="no moment",
        ),
        pytest.param(
            {"value": [{**GOOD, "lastModifiedDateTime": 5}]},
            "@ $.value[0].lastModifiedDateTime",
            id="a number for a moment",
        ),
        pytest.param(
            {"value": [], "@odata.nextLink": 5}, "@ $.@odata.nextLink", id="no link"
        ),
        pytest.param(
            {"value": [], "@odata.count": "5"}, "@ $.@odata.count", id="no count"
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_place_in_the_json(told: object, problem: str):
    with pytest.raises(AnswerError) as caught:
        read_page(body(told), Item)
    text = str(caught.value)
    assert text.startswith("The service's JSON is not as expected: ")
    assert text.endswith(f"{problem}. {ADVICE}")
    assert "bcpicture" not in text


@pytest.mark.parametrize("told", [5, "x", [5], {"value": [5]}, {"width": 1.5}])
def test_a_picture_that_is_none_is_an_answer_error(told: object):
    with pytest.raises(AnswerError, match=r"The service's JSON is not as expected: "):
        read_picture(body(told))


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>", id="a web page"),
        pytest.param(b'{"value": [', id="cut"),
        pytest.param(b'{"a": "\xff"}', id="not UTF-8"),
        pytest.param(b"[" * 60_000, id="a tower of brackets"),
    ],
)
def test_what_is_no_json_is_an_answer_error(told: bytes):
    with pytest.raises(AnswerError) as caught:
        read_json(told)
    assert str(caught.value).startswith("The service's answer is no JSON: ")
    assert str(caught.value).endswith(ADVICE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["value", "id", "number", "width", "height", "picture", "@odata.etag"]
            )
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(JSON)
def test_whatever_json_comes_it_is_read_or_an_answer_error(told: object):
    with suppress(AnswerError):
        read_picture(body(told))
    with suppress(AnswerError):
        read_page(body(told), Item)


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=8).filter(
            lambda name: name not in {*TOLD, "parentType"} and "@" not in name
        ),
        JSON,
        max_size=4,
    )
)
def test_unknown_fields_never_disturb(more: dict[str, object]):
    picture = read_picture(body({**more, **TOLD, "value": 1}))
    assert (picture.exists, picture.width, picture.etag) == (
        True,
        516,
        TOLD["@odata.etag"],
    )
