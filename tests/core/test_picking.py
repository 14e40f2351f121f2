"""One of several is picked, always the same one."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcpicture.core.picking import best


@pytest.mark.parametrize(
    ("texts", "order", "first"),
    [
        (["10", "2", "1a"], (), "1a"),
        (["10", "2"], (), "2"),
        (["02", "1"], (), "1"),
        (["front", "9"], (), "9"),
        (["front", "", "1"], (), ""),
        (["front", "", "1"], ("back", "Front", "1"), "front"),
        (["b", "a"], ("a", "b", "a"), "a"),
        (["x2y10", "x2y9"], (), "x2y9"),
        (["9" * 5000, "1" + "0" * 5000], (), "9" * 5000),
    ],
)
def test_the_first_is_picked(texts: list[str], order: tuple[str, ...], first: str):
    assert best([(text, text) for text in texts], order) == first


@pytest.mark.parametrize("texts", [["1", "01"], ["a", "A"], ["", "", "x"]])
def test_two_that_nothing_tells_apart_are_not_decided(texts: list[str]):
    assert best([(text, text) for text in texts], ()) is None


@given(st.lists(st.text("aA1209_"), min_size=1), st.lists(st.text("a1")), st.randoms())
def test_the_order_of_files_does_not_matter(
    texts: list[str], order: list[str], random: Random
):
    candidates = [(text, at) for at, text in enumerate(texts)]
    picked = best(candidates, order)
    random.shuffle(candidates)
    assert best(candidates, order) == picked
