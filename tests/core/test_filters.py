"""No text breaks out of an OData expression or of a query string."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from bcpicture.core.filters import encode, equals, literal
from bcpicture.errors import UsageError

TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs"]))


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        pytest.param("1896-S", "'1896-S'", id="plain"),
        pytest.param("O'Neil & Sons / Ltd.", "'O''Neil & Sons / Ltd.'", id="O'Neil"),
        pytest.param("", "''", id="nothing"),
        pytest.param("'", "''''", id="only a quote"),
        pytest.param("' or 1 eq 1 or '", "''' or 1 eq 1 or '''", id="an attack"),
    ],
)
def test_quotes_are_doubled(text: str, quoted: str):
    assert literal(text) == quoted


def test_a_field_equals_a_text():
    assert equals("number", "O'Neil") == "number eq 'O''Neil'"


@settings(deadline=None)
@given(TEXT)
def test_a_literal_is_one_literal_and_can_be_read_back(text: str):
    inner = literal(text)[1:-1]
    assert "'" not in inner.replace("''", "")
    assert inner.replace("''", "'") == text


@pytest.mark.parametrize(
    ("options", "query"),
    [
        pytest.param([], "", id="none"),
        pytest.param(
            [("$filter", "number eq 'A+B & C'")],
            "$filter=number%20eq%20%27A%2BB%20%26%20C%27",
            id="a blank is %20, a plus and an ampersand are hidden",
        ),
        pytest.param(
            [("$select", "id,number"), ("$expand", "picture($select=id)")],
            "$select=id,number&$expand=picture($select%3Did)",
            id="two options, in order",
        ),
        pytest.param([("tenant", "a/b?c#d")], "tenant=a%2Fb%3Fc%23d", id="delimiters"),
        pytest.param([("tenant", "Größe")], "tenant=Gr%C3%B6%C3%9Fe", id="UTF-8"),
        pytest.param([("a&b", "%41")], "a%26b=%2541", id="name and percent"),
    ],
)
def test_options_become_a_query(options: list[tuple[str, str]], query: str):
    assert encode(options) == query


@settings(deadline=None)
@given(st.lists(st.tuples(TEXT.filter(bool), TEXT), max_size=4))
def test_a_query_can_be_read_back_by_anybody(options: list[tuple[str, str]]):
    query = encode(options)
    assert "+" not in query
    assert query.isascii()
    pairs = [part.partition("=") for part in query.split("&") if part]
    assert [(unquote(name), unquote(value)) for name, _, value in pairs] == options
    read = URL(f"https://bc/x?{query}", encoded=True).query
    assert list(read.items()) == options


@pytest.mark.parametrize("text", ["A\r\nB", "A\0", "A\nB"])
def test_a_control_character_never_reaches_an_address(text: str):
    with pytest.raises(UsageError, match="control character"):
        encode([("$filter", equals("number", text))])


def test_half_a_character_is_a_usage_error():
    """A file name that is no UTF-8 is read by Python with halves of characters."""
    with pytest.raises(UsageError):
        encode([("$filter", equals("number", "\udcff"))])
