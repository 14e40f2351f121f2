"""Limits are understood, and told."""

from __future__ import annotations

import pytest

from bcpicture.core.brakes import DELETE, REPLACE, Limit, limit_of
from bcpicture.core.options import PushOptions
from bcpicture.errors import UsageError


@pytest.mark.parametrize(
    ("given", "total", "allowed"),
    [
        (200, 10, 200),
        (0, 10, 0),
        ("200", 10, 200),
        ("5%", 20, 1),
        ("5 %", 21, 2),
        ("0%", 1000, 0),
        ("0.1%", 1000, 1),
        ("100%", 7, 7),
        ("250%", 7, 7),
        (REPLACE, 10, 50),
        (REPLACE, 501, 51),
        (DELETE, 20, 1),
        (DELETE, 100, 5),
        (DELETE, 0, 0),
    ],
)
def test_a_limit_is_a_number_or_a_share(
    given: Limit | int | str, total: int, allowed: int
):
    assert limit_of(given).among(total) == allowed


def test_none_is_no_limit():
    assert limit_of(None).among(10) is None
    assert PushOptions(max_replace=None).max_replace == Limit()


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (REPLACE, "10 %, at least 50"),
        (DELETE, "5 %"),
        (Limit(7), "7"),
        (Limit(), "no limit"),
    ],
)
def test_a_limit_is_told_as_people_say_it(limit: Limit, text: str):
    assert str(limit) == text


@pytest.mark.parametrize("given", ["", "many", "-1", -1, "1.5", "5%%", "1e3", True])
def test_what_is_no_limit_is_refused(given: int | str):
    with pytest.raises(UsageError, match=r"is no limit\. Say how many"):
        limit_of(given)
