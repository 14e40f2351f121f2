"""Patterns choose files as rclone's do."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcpicture.core.globs import chooser, compile_glob
from bcpicture.errors import UsageError


@pytest.mark.parametrize(
    ("pattern", "fits", "misfits"),
    [
        ("*.jpg", ["A.jpg", "A.JPG", "x/A.jpg", ".jpg"], ["A.jpeg", "A.jpg.txt"]),
        ("/*.jpg", ["A.jpg"], ["x/A.jpg"]),
        ("x/*.jpg", ["x/A.jpg", "y/x/A.jpg"], ["x/y/A.jpg", "xx/A.jpg"]),
        ("/x/**", ["x/A.jpg", "x/y/A.jpg"], ["y/x/A.jpg", "x"]),
        ("x/**/A.jpg", ["x/A.jpg", "x/y/z/A.jpg"], ["x/yA.jpg"]),
        ("A?.jpg", ["AB.jpg"], ["A.jpg", "A/.jpg", "ABC.jpg"]),
        ("[A-C]1", ["A1", "b1"], ["D1"]),
        ("[!A-C]1", ["D1"], ["B1", "x/B1"]),
        ("[^A]1", ["D1"], ["A1"]),
        ("[]]1", ["]1"], ["[1"]),
        ("*.{jpg,pn?}", ["A.jpg", "A.png"], ["A.gif", "A.{jpg"]),
        (r"\*\{\[.jpg", ["*{[.jpg"], ["A.jpg"]),
        ("a,b+(c).jpg", ["a,b+(c).jpg"], ["ab(c).jpg"]),
        ("\u00e4*", ["A\u0308x", "\u00c4"], ["a"]),
    ],
)
def test_a_pattern_fits_what_it_says(pattern: str, fits: list[str], misfits: list[str]):
    chosen = chooser([pattern], [])
    assert [name for name in [*fits, *misfits] if chosen(name)] == fits
    left = chooser([], [pattern])
    assert [name for name in [*fits, *misfits] if left(name)] == misfits


def test_what_is_excluded_is_out_whatever_else_it_is():
    chosen = chooser(["A*", "B*"], ["*.png"])
    names = ["A.jpg", "B.jpg", "C.jpg", "A.png"]
    assert [name for name in names if chosen(name)] == ["A.jpg", "B.jpg"]


@pytest.mark.parametrize(
    "pattern", ["", "/", "{a", "a}", "{a{b}}", "[a", "[", "[z-a]", "a\\"]
)
def test_a_pattern_that_is_not_clear_is_refused(pattern: str):
    with pytest.raises(UsageError, match=r"is not clear\. Close every"):
        compile_glob(pattern)


@given(st.text(st.sampled_from("ab*?[]!^-{},\\/&|~(+.$\n"), max_size=8), st.text())
def test_any_pattern_is_understood_or_refused(pattern: str, name: str):
    with contextlib.suppress(UsageError):
        compile_glob(pattern).fullmatch(name)
