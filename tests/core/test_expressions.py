"""Filters that are built, and what is refused while they are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from odata_query import ast
from odata_query.grammar import ODataLexer, ODataParser

from bcpicture import UsageError
from bcpicture.core.expressions import Expression, Raw, either, every
from bcpicture.core.fields import F
from bcpicture.core.filters import encode
from bcpicture.emulator.catalog import KINDS
from bcpicture.emulator.filters import parse_filter
from bcpicture.emulator.query import split_query

GUID = "5d115c9c-44e3-4f70-8a9b-0c1d2e3f4a5b"
MOMENT = datetime(2026, 8, 1, 12, 30, 0, 250_000, tzinfo=timezone(timedelta(hours=2)))
A, B = F.number == "A", F.number == "B"

TEXT = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"]))


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        pytest.param(F.number == "1896-S", "number eq '1896-S'", id="equal"),
        pytest.param(F.number == "O'Neil", "number eq 'O''Neil'", id="quote"),
        pytest.param(F.number != "", "number ne ''", id="empty"),
        pytest.param(F.number == "' or 1 eq 1", "number eq ''' or 1 eq 1'", id="trick"),
        pytest.param(F.inventory < 5, "inventory lt 5", id="int"),
        pytest.param(F.unitPrice <= 1e-7, "unitPrice le 0.0000001", id="float"),
        pytest.param(F.unit_price > Decimal("9.90"), "unitPrice gt 9.90", id="decimal"),
        pytest.param(F.blocked == True, "blocked eq true", id="bool"),  # noqa: E712 - builds
        pytest.param(F.id == UUID(GUID), f"id eq {GUID}", id="UUID"),
        pytest.param(F.id == GUID.upper(), f"id eq {GUID}", id="GUID as text"),
        pytest.param(F.item_id != GUID, f"itemId ne {GUID}", id="GUID of another"),
        pytest.param(F.taxId == "DE1", "taxId eq 'DE1'", id="an id that is no GUID"),
        pytest.param(
            F.last_modified >= MOMENT,
            "lastModifiedDateTime ge 2026-08-01T10:30:00.250000Z",
            id="moment",
        ),
        pytest.param(F.since == date(2026, 1, 2), "since eq 2026-01-02", id="date"),
        pytest.param(
            F["number"].starts_with("O'"), "startswith(number,'O''')", id="starts"
        ),
        pytest.param(F.number.ends_with("S"), "endswith(number,'S')", id="ends"),
        pytest.param(F.gtin.contains("00"), "contains(gtin,'00')", id="contains"),
        pytest.param(A & (F.type == "x"), "number eq 'A' and type eq 'x'", id="and"),
        pytest.param(A | B, "number eq 'A' or number eq 'B'", id="or"),
        pytest.param(A | B | A, "number eq 'A' or number eq 'B'", id="or again"),
        pytest.param(
            (A | B) & (F.type == "x"),
            "(number eq 'A' or number eq 'B') and type eq 'x'",
            id="or inside and",
        ),
        pytest.param(
            (F.number > "A") & (F.number < "C") | (F.number == "X"),
            "(number gt 'A' and number lt 'C') or number eq 'X'",
            id="and inside or",
        ),
        pytest.param(
            F.number.is_in(["A", "B", "A"]), "number eq 'A' or number eq 'B'", id="in"
        ),
        pytest.param(
            F.number.is_in(["A"]) & B, "number eq 'A' and number eq 'B'", id="in1"
        ),
        pytest.param(
            Raw("a eq 1 or a eq 2") & A,
            "(a eq 1 or a eq 2) and number eq 'A'",
            id="raw",
        ),
        pytest.param(F.number.is_in([]) | A, "number eq 'A'", id="or nothing"),
    ],
)
def test_an_expression_as_text(expression: Expression, text: str):
    assert str(expression) == text
    assert repr(expression) == text


def test_nothing_is_in_an_empty_list():
    assert F.number.is_in([]).never
    assert (A & F.number.is_in([])).never
    assert not (A | F.number.is_in([])).never


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        pytest.param(lambda: A | (F.type == "x"), "one field only", id="two fields"),
        pytest.param(lambda: A | Raw("type eq 'x'"), "one field only", id="raw or"),
        pytest.param(
            lambda: ((A | B) & (F.number > "A")) | (F.type == "x"),
            "number and type",
            id="two fields, deep inside",
        ),
        pytest.param(lambda: A and B, "& and |", id="and"),
        pytest.param(lambda: not A, "& and |", id="not"),
        pytest.param(lambda: F.number.is_in("ABC"), "into a list", id="one text"),
        pytest.param(lambda: F.number == 1896, "is text", id="a number that is text"),
        pytest.param(lambda: F.name == None, "not None", id="None"),  # noqa: E711 - builds
        pytest.param(lambda: F.unit <= -float("inf"), "compared", id="nan"),
        pytest.param(lambda: F.unit == Decimal("inf"), "compared", id="infinity"),
        pytest.param(lambda: F.id == "1896-S", "F.number", id="no GUID"),
        pytest.param(
            lambda: F.at > datetime(2026, 1, 1),  # noqa: DTZ001 - that is what is refused
            "time zone",
            id="naive",
        ),
        pytest.param(lambda: F.last_modified > "2026-01-01", "datetime", id="as text"),
        pytest.param(lambda: F["a b"], "no name of a field", id="blank"),
        pytest.param(lambda: F["a eq 1 or b"], "no name of a field", id="trick"),
        pytest.param(lambda: F.number == "a\r\nb", "control character", id="CRLF"),
        pytest.param(lambda: F.number.contains("\udcff"), "half a char", id="half"),
    ],
)
def test_what_the_service_would_refuse_is_refused_with_the_reason(
    build: Callable[[], object], reason: str
):
    with pytest.raises(UsageError, match=reason):
        build()


def test_python_asks_a_field_for_private_things_in_vain():
    assert not hasattr(F, "__array__")
    assert not hasattr(F, "_repr_html_")
    assert repr(F) == "F"
    assert str(F.display_name) == str(F.displayName) == "displayName"
    assert F.number.descending == "number desc"


def read_by_odata_query(text: str) -> Any:  # noqa: ANN401 - untyped library
    return ODataParser().parse(ODataLexer().tokenize(text))


def over_the_wire(expression: Expression) -> str:
    """What a strict server decodes of it."""
    return split_query(encode([("$filter", str(expression))]))["$filter"]


@given(TEXT)
def test_any_text_round_trips_through_two_independent_parsers(text: str):
    received = over_the_wire(F.number == text)
    condition = parse_filter(received, KINDS["items"].fields, "item")
    assert condition.accepts({"number": text}.__getitem__)
    assert not condition.accepts({"number": text + "x"}.__getitem__)
    parsed = read_by_odata_query(received)
    assert isinstance(parsed, ast.Compare)
    assert parsed.right == ast.String(text)


@given(st.lists(TEXT, min_size=2, max_size=8, unique=True))
def test_any_set_of_texts_round_trips(texts: list[str]):
    received = over_the_wire(F.number.is_in(texts))
    condition = parse_filter(received, KINDS["items"].fields, "item")
    assert all(condition.accepts({"number": one}.__getitem__) for one in texts)
    found = []
    node = read_by_odata_query(received)
    while isinstance(node, ast.BoolOp):
        found.append(node.right.right.val)
        node = node.left
    assert sorted([*found, node.right.val]) == sorted(texts)


@given(st.datetimes(min_value=datetime(1753, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bound
def test_any_moment_round_trips(moment: datetime):
    received = over_the_wire(F.last_modified == moment)
    condition = parse_filter(received, KINDS["items"].fields, "item")
    assert condition.accepts({"lastModifiedDateTime": moment}.__getitem__)


def test_joining_keeps_what_is_there():
    assert every([A, A]) == A
    assert either([A]) == A
    assert (A & B) & A == A & B


def test_what_is_no_filter_cannot_be_joined():
    for join in (lambda: A & "b eq 1", lambda: A | "b eq 1"):
        with pytest.raises(TypeError):
            join()
    with pytest.raises(NotImplementedError):
        assert Expression().fields
