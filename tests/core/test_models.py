"""Values: equal by content, told in one line, unchangeable, and silent on etags."""

from __future__ import annotations

import copy
import pickle
from pathlib import PurePosixPath

import attrs
import pytest

from bcpicture.core.models import ANY, Company, Downloaded, Item, Picture, Uploaded

PICTURE = Picture(exists=True, width=516, height=466, etag='W/"tag"', read_link="r")
VALUES = [
    pytest.param(Company(id="c", name="CRONUS", extra={"x": [1]}), id="company"),
    pytest.param(PICTURE, id="picture"),
    pytest.param(
        Item(id="i", number="1896-S", etag='W/"tag"', picture=PICTURE), id="item"
    ),
    pytest.param(Uploaded(size=3, sha256="ab", etag='W/"tag"'), id="uploaded"),
    pytest.param(Downloaded(path=PurePosixPath("a.jpg"), size=3), id="downloaded"),
]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_survives_copying_and_pickling(value: object):
    twins = [copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))]
    assert twins == [value] * 3


@pytest.mark.parametrize("value", VALUES)
def test_a_value_cannot_be_changed(value: object):
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        value.size = 5


@pytest.mark.parametrize("value", VALUES)
def test_a_value_can_be_a_key(value: object):
    assert {value: 1}[copy.copy(value)] == 1


@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_told_in_one_line_without_etags_links_and_surplus(value: object):
    assert "\n" not in repr(value)
    assert not any(name in repr(value) for name in ("tag", "link", "extra"))


def test_any_is_itself_wherever_it_goes():
    assert repr(ANY) == "ANY"
    assert copy.deepcopy(ANY) is ANY
    assert pickle.loads(pickle.dumps(ANY)) is ANY
