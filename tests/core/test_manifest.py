"""A manifest is written the same way every time, and read with patience."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcpicture.core.manifest import Entry, Manifest, read_manifest, write_manifest

DIGEST = "0123456789abcdef" * 4
ENTRY = Entry(file="A.jpg", sha256=DIGEST, size=3, type="image/jpeg")
GOOD: dict[str, Any] = {"file": "A.jpg", "sha256": DIGEST, "size": 3}
ENTRIES = st.builds(
    Entry,
    file=st.text(
        st.characters(exclude_characters="/\\:\0", exclude_categories=[]), min_size=1
    ).filter(lambda name: name not in {".", ".."}),
    sha256=st.just(DIGEST),
    size=st.integers(0, 2**40),
    type=st.text(),
)


def test_there_is_a_line_for_each_record_in_order():
    other = Entry(file="x/B.png", sha256=DIGEST, size=4)
    text = write_manifest(Manifest({"B\u00e4": other, "A": ENTRY}))
    assert text == (
        '{"version": 1, "items": {\n'
        f'"A": {{"file": "A.jpg", "sha256": "{DIGEST}", "size": 3, '
        '"type": "image/jpeg"},\n'
        f'"B\\u00e4": {{"file": "x/B.png", "sha256": "{DIGEST}", "size": 4, '
        '"type": ""}\n'
        "}}\n"
    )


def test_nothing_is_a_manifest_as_well():
    assert json.loads(write_manifest(Manifest())) == {"version": 1, "items": {}}
    assert read_manifest(write_manifest(Manifest())) == Manifest()


@given(st.dictionaries(st.text(), ENTRIES, max_size=4))
def test_what_was_written_is_read_back(entries: dict[str, Entry]):
    text = write_manifest(Manifest(entries))
    assert text.isascii()
    assert read_manifest("\ufeff" + text) == Manifest(entries)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "3", '{"items": []}', '{"version": 1}', "[" * 100_000, "\0"],
)
def test_what_is_no_manifest_is_an_empty_one(text: str):
    assert read_manifest(text) == Manifest()


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        {"file": 3},
        {"file": "../A.jpg"},
        {"file": "/A.jpg"},
        {"file": "x//A.jpg"},
        {"file": "C:A.jpg"},
        {"file": "..\\A.jpg"},
        {"file": "A\0.jpg"},
        {"file": ""},
        {"sha256": DIGEST[1:]},
        {"sha256": DIGEST.upper()},
        {"sha256": None},
        {"size": "3"},
        {"size": -1},
        {"size": True},
        {"size": 1.0},
        {"type": None},
    ],
)
def test_an_entry_that_is_not_understood_is_left_out(wrong: Any):  # noqa: ANN401 - any JSON
    told = GOOD | wrong if isinstance(wrong, dict) and wrong else wrong
    text = json.dumps({"items": {"bad": told, "A": GOOD | {"colour": "red"}}})
    expected = Entry(file="A.jpg", sha256=DIGEST, size=3)
    assert read_manifest(text) == Manifest({"A": expected})


def test_entries_come_and_go():
    other = Entry(file="B.jpg", sha256=DIGEST, size=3)
    old = Manifest({"A": ENTRY, "B": other, "OLD": Entry(file="C.jpg", **DETAILS)})
    new = {"NEW": Entry(file="C.jpg", **DETAILS)}
    assert old.changed(new, {"B"}) == Manifest({"A": ENTRY} | new)
    assert old.changed({}) == old


DETAILS: dict[str, Any] = {"sha256": DIGEST, "size": 1}
