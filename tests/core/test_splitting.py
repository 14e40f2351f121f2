"""One filter as several: nothing is lost, nothing is doubled, nothing is too long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcpicture import Endpoint, UsageError
from bcpicture.core import urls
from bcpicture.core.dialects import ITEM
from bcpicture.core.expressions import AnyOf, Expression
from bcpicture.core.fields import F
from bcpicture.core.queries import Query
from bcpicture.core.splitting import length, split

TEXT = st.text(
    st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"]), max_size=30
)
CLOUD = Endpoint.cloud("contoso.com")
COMPANY = "5d115c9c-44e3-4f70-8a9b-0c1d2e3f4a5b"


def members(expression: Expression) -> list[str]:
    parts = expression.parts if isinstance(expression, AnyOf) else (expression,)
    return [str(part) for part in parts]


@given(st.lists(TEXT, max_size=40), st.integers(300, 900))
def test_no_number_is_lost_or_doubled(numbers: list[str], room: int):
    wanted = F.number.is_in(numbers)
    parts = split(wanted, room)
    found = [one for part in parts for one in members(part)]
    assert sorted(found) == sorted({str(F.number == one) for one in numbers})
    assert all(length(part) <= room for part in parts)


@given(
    st.lists(TEXT, min_size=1, max_size=25, unique=True),
    st.lists(TEXT, min_size=1, max_size=25, unique=True),
)
def test_two_lists_are_both_taken_apart(one: list[str], other: list[str]):
    wanted = F.number.is_in(one) & F.type.is_in(other)
    parts = split(wanted, 700)
    assert all(length(part) <= 700 for part in parts)
    pairs = []
    for part in parts:
        numbers, types = (
            [it for it in str(part).split("' ") if f"{field} eq" in it]
            for field in ("number", "type")
        )
        pairs.append((numbers, types))
    assert pairs


def test_requests_are_few():
    numbers = [f"ITEM-{n:05}" for n in range(20_000)]
    parts = split(F.number.is_in(numbers), 10_000)
    least = sum(length(F.number == one) + len("%20or%20") for one in numbers) / 10_000
    assert len(parts) <= least * 1.05 + 1


def test_spellings_that_the_service_may_take_for_one_stay_together():
    wanted = F.number.is_in([*(f"n{n}" for n in range(50)), "N0", "N49"])
    parts = [members(part) for part in split(wanted, 500)]
    assert len(parts) > 3
    for low, high in (("n0", "N0"), ("n49", "N49")):
        [home] = [part for part in parts if str(F.number == low) in part]
        assert str(F.number == high) in home


@pytest.mark.parametrize("last", [True, False])
def test_spellings_that_are_too_long_together_are_taken_apart(*, last: bool):
    long = ["x" * 150, "X" * 150]
    values = ["b", *long] if last else [*long, "b"]
    parts = split(F.number.is_in(values), 250)
    found = [one for part in parts for one in members(part)]
    assert sorted(found) == sorted(str(F.number == value) for value in values)
    assert all(length(part) <= 250 for part in parts)


def test_what_asks_for_nothing_is_no_request():
    assert split(F.number.is_in([]), 100) == []
    assert split(F.number.is_in([]) & (F.type == "x"), 100) == []


@pytest.mark.parametrize(
    "wanted",
    [F.number == "x" * 500, F.number.is_in(["x" * 500, "y"])],
    ids=["single", "member"],
)
def test_a_value_that_is_too_long_by_itself_is_refused(wanted: Expression):
    with pytest.raises(UsageError, match="cannot be split"):
        split(wanted, 300)


@pytest.mark.parametrize("quote", ["'", "ß", "x"])
def test_no_address_is_longer_than_the_limit(quote: str):
    numbers = [f"{quote * 6}{n}" for n in range(3000)]
    query = Query(filter=F.number.is_in(numbers), expand=("picture",))
    addresses = query.addresses(CLOUD, COMPANY, ITEM)
    assert max(len(str(url)) for url in addresses) <= urls.LIMIT
    assert min(len(str(url)) for url in addresses[:-1]) > urls.LIMIT * 0.97


def test_an_order_cannot_be_kept_over_several_requests():
    long = F.number.is_in(map(str, range(3000)))
    with pytest.raises(UsageError, match="its own order"):
        Query(filter=long, order=("number",)).addresses(CLOUD, COMPANY, ITEM)
    short = Query(filter=F.number.is_in(["A"]), order=("number",))
    assert len(short.addresses(CLOUD, COMPANY, ITEM)) == 1


def test_every_option_is_where_it_belongs():
    query = Query(
        filter=F.number == "A+B C",
        select=("displayName",),
        expand=("picture", "picture"),
        order=("number desc",),
        top=5,
        counted=True,
    )
    [url] = query.addresses(CLOUD, COMPANY, ITEM)
    assert url.raw_query_string == (
        "$filter=number%20eq%20%27A%2BB%20C%27&$select=id,number,displayName"
        "&$expand=picture&$orderby=number%20desc&$top=5&$count=true"
    )
