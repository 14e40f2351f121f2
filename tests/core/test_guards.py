"""Nothing that could split a header or an address gets through."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcpicture.core.guards import clean
from bcpicture.errors import UsageError


@pytest.mark.parametrize(
    ("value", "code", "position"),
    [
        pytest.param("a\r\nX: y", "U+000D", 1, id="CR"),
        pytest.param("ab\nX: y", "U+000A", 2, id="LF"),
        pytest.param("\0", "U+0000", 0, id="NUL"),
        pytest.param("a\tb", "U+0009", 1, id="tab"),
        pytest.param("a\x1b[31m", "U+001B", 1, id="escape"),
        pytest.param("a\x7f", "U+007F", 1, id="delete"),
    ],
)
def test_a_control_character_is_refused_with_its_code_and_place(
    value: str, code: str, position: int
):
    with pytest.raises(UsageError) as caught:
        clean(value, "etag")
    assert str(caught.value) == (
        f"The etag has a control character ({code}) at position {position}. "
        "Take it out: it could smuggle a header or a second request."
    )


@pytest.mark.parametrize("half", [0xD800, 0xDCFF, 0xDFFF], ids=hex)
def test_half_a_character_is_refused_with_its_place(half: int):
    with pytest.raises(UsageError) as caught:
        clean(f"ab{chr(half)}", "number")
    assert str(caught.value) == (
        "The number has half a character at position 2. "
        "It comes from a name that is not UTF-8: give it another one."
    )


def test_the_value_itself_is_never_quoted():
    with pytest.raises(UsageError) as caught:
        clean("hush-hush\n", "client_secret")
    assert "hush" not in str(caught.value)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_every_other_text_comes_back_as_it_is(value: str):
    assert clean(value, "name") == value
