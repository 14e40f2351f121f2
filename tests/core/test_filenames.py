"""Any item number makes a file name, and is found again in it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bcpicture.core.filenames import (
    extension_of,
    number_of,
    safe_name,
    safe_stem,
    stem_of,
)

# What misleads file systems, more often than chance would bring it.
NASTY = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            "aA%./\\:ÅÅK\u030a\u0301éÉ\u017fßẞ\u0131İiI \t\0~ᄀ각가ᅡΣςσϴΘθ\ud800"
        ),
    )
)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        pytest.param("1896-S", "1896-S.jpg", id="an ordinary one"),
        pytest.param("1896.5", "1896.5.jpg", id="a dot inside"),
        pytest.param("ÄPFEL 7", "ÄPFEL 7.jpg", id="capitals beyond ASCII"),
        pytest.param("商品1", "商品1.jpg", id="letters without case"),
        pytest.param("../../x", "%2E.%2F..%2F%78.jpg", id="a way out"),
        pytest.param("a/b", "%61%2F%62.jpg", id="a folder"),
        pytest.param("A\\B", "A%5CB.jpg", id="a Windows folder"),
        pytest.param("CON", "%43ON.jpg", id="a device"),
        pytest.param("NUL.TXT", "%4EUL.TXT.jpg", id="a device with an extension"),
        pytest.param("COM1 .X", "%43OM1 .X.jpg", id="a device with a blank"),
        pytest.param("CONE", "CONE.jpg", id="not a device"),
        pytest.param(".HIDDEN", "%2EHIDDEN.jpg", id="a leading dot"),
        pytest.param("A. ", "A.%20.jpg", id="a blank at the end"),
        pytest.param(" ", "%20.jpg", id="only a blank"),
        pytest.param("", "%.jpg", id="nothing"),
        pytest.param("A\0\n", "A%00%0A.jpg", id="control characters"),
        pytest.param("50%", "50%25.jpg", id="the sign itself"),
        pytest.param("\u212b", "%E2%84%AB.jpg", id="a letter with a twin"),
        pytest.param("\ud800", "%ED%A0%80.jpg", id="half a pair"),
    ],
)
def test_a_number_becomes_a_safe_name_and_comes_back(number: str, name: str):
    assert safe_name(number, ".jpg") == name
    assert number_of(name) == number


@given(NASTY, st.sampled_from([".jpg", ".jpeg", ".webp"]))
@example("%2F", ".jpg")
def test_every_number_comes_back_or_says_that_it_was_cut(number: str, extension: str):
    name = safe_name(number, extension)
    assert number_of(name) == number or "%~" in name


def folded(name: str) -> str:
    """Return what a file system that ignores case and normal form compares."""
    return unicodedata.normalize(
        "NFC", unicodedata.normalize("NFD", name.casefold()).casefold()
    )


@given(NASTY, NASTY)
@example("ABC", "abc")
@example("É", "E\u0301")
@example("K", "\u212a")
@example("Θ", "ϴ")
@example("ß", "SS")
@example("A" * 300, "A" * 301)
def test_two_numbers_never_share_a_name(one: str, other: str):
    same = folded(safe_stem(one)) == folded(safe_stem(other))
    assert same == (one == other)


def test_no_two_letters_that_stay_as_they_are_are_twins():
    kept = [c for c in map(chr, range(0x20000)) if safe_stem(c) == c]
    assert len({folded(c) for c in kept}) == len(kept) > 10_000


@given(NASTY)
def test_every_name_is_one_that_every_file_system_takes(number: str):
    name = safe_name(number, ".jpeg")
    assert len(name.encode()) <= 200
    assert not set(name) & set('<>:"/\\|?*')
    assert name.isprintable()
    assert name[0] not in " ."
    assert stem_of(name)[-1] not in " ."
    assert unicodedata.is_normalized("NFC", name)
    assert stem_of(name).split(".")[0].rstrip() not in {"CON", "NUL", "COM1", "LPT9"}


def test_a_long_number_is_cut_and_told_apart_by_a_digest():
    names = {safe_name("9" * 300 + tail, ".jpg") for tail in "AB"}
    assert len(names) == 2
    assert all(number_of(name) is None for name in names)


@pytest.mark.parametrize(
    ("file_name", "number"),
    [
        pytest.param("50%OFF.jpg", "50%OFF", id="a sign that escapes nothing"),
        pytest.param("A%FF.jpg", "A%FF", id="bytes that are no text"),
        pytest.param("a b.jpg", "a b", id="lower case"),
        pytest.param("A%2fB.JPG", "A/B", id="lower-case digits"),
        pytest.param("1896-S", "1896-S", id="no extension"),
    ],
)
def test_a_name_from_elsewhere_is_read_as_it_stands(file_name: str, number: str):
    assert number_of(file_name) == number


@pytest.mark.parametrize(
    ("name", "stem", "extension"),
    [("A.JPG", "A", ".jpg"), ("A.B.png", "A.B", ".png"), ("A", "A", ""), ("", "", "")],
)
def test_the_last_dot_starts_the_extension(name: str, stem: str, extension: str):
    assert (stem_of(name), extension_of(name)) == (stem, extension)
