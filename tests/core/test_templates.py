"""Names are read by a template, or the template is refused."""

from __future__ import annotations

import pytest

from bcpicture.core.templates import parse_template
from bcpicture.errors import UsageError


@pytest.mark.parametrize(
    ("template", "name", "key", "pick"),
    [
        pytest.param("{number}", "1896-S.jpg", "1896-S", "", id="the plain one"),
        pytest.param("{number}_{pick}.jpg", "A_1.JPG", "A", "1", id="any case"),
        pytest.param("{number}_{pick}", "A_B_1.png", "A_B", "1", id="the longest"),
        pytest.param("{pick}_{number}.*", "1_A.png", "A", "1", id="any extension"),
        pytest.param("{pick}_{number}", "1_A_B.png", "A_B", "1", id="a short pick"),
        pytest.param("{gtin}-*", "4006381333931-front-2.jpg", "4006381333931", ""),
        pytest.param("img?{number}", "IMG7A.jpg", "A", "", id="one sign"),
        pytest.param("{number}.5", "A.5.jpg", "A", "", id="no extension"),
        pytest.param("{{{number}}}", "{A}.jpg", "A", "", id="braces"),
        pytest.param("{number}", "x/y/A.jpg", "A", "", id="in whatever folder"),
        pytest.param("{number}/{pick}.jpg", "A/1.jpg", "A", "1", id="a folder"),
        pytest.param("**/{number}.jpg", "x/y/A.jpg", "A", "", id="any folders"),
        pytest.param("**/{number}.jpg", "A.jpg", "A", "", id="or none"),
        pytest.param("x\u00e4_{number}", "XA\u0308_A.jpg", "A", "", id="decomposed"),
        pytest.param(
            "{id}*",
            "5d115c9c-44e3-ea11-bb43-000d3a2feda1 (2).jpg",
            "5d115c9c-44e3-ea11-bb43-000d3a2feda1",
            "",
            id="an id",
        ),
    ],
)
def test_a_name_that_fits_tells_its_record(
    template: str, name: str, key: str, pick: str
):
    assert parse_template(template).read(name) == (key, pick)


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{number}_{pick}.jpg", "A_1.png"),
        ("{number}_{pick}.jpg", "A.jpg"),
        ("{number}_{pick}.jpg", "_1.jpg"),
        ("{gtin}-*", "A-1.jpg"),
        ("{gtin}", "\u0661\u0662.jpg"),
        ("{id}", "A.jpg"),
        ("{number}/{pick}.jpg", "1.jpg"),
        ("{number}/*.jpg", "A/B/1.jpg"),
    ],
)
def test_a_name_that_does_not_fit_tells_nothing(template: str, name: str):
    assert parse_template(template).read(name) is None


@pytest.mark.parametrize(
    ("template", "what"),
    [
        ("", "has to be there"),
        ("{pick}.jpg", "has to be there"),
        ("{number}_{gtin}", "has to be there, once"),
        ("{number}_{number}", "has to be there, once"),
        ("{no}.jpg", "{no} is unknown"),
        ("{number", "a brace stands alone"),
        ("number}", "a brace stands alone"),
        ("{number}_{pick}_{pick}", "{pick} is there twice"),
        ("{number}{pick}", "where {number} ends and {pick} begins"),
        ("{number}*.jpg", "where {number} ends and * begins"),
        ("*{number}.jpg", "where * ends and {number} begins"),
    ],
)
def test_a_template_that_cannot_tell_is_refused(template: str, what: str):
    with pytest.raises(UsageError, match="is not clear") as told:
        parse_template(template)
    assert what in str(told.value)
    assert str(told.value).endswith("or {number}/*.jpg.")
