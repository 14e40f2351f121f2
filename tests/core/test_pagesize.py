"""How long the next page is, played through with made-up services."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcpicture.core.pagesize import PageSize

ITEMS = 20_000


def walked(
    cost: float, time_out: float, *, size: PageSize | None = None, own: float = 0.004
) -> list[int]:
    """Records of each page; negative where it failed."""
    size, left, pages = size or PageSize(), ITEMS, []
    while left:
        records = min(size.size, left)
        assert len(pages) < 50_000
        if records * cost > time_out:
            pages.append(-records)
            size = size.failed(time_out + own)
        else:
            pages.append(records)
            left -= records
            size = size.came(records, records * cost + own)
    return pages


@pytest.mark.parametrize("fits", [50, 97, 200, 333, 400, 500, 750, 1000])
@pytest.mark.parametrize("cost", [0.0005, 0.002, 0.1])
def test_a_quarter_more_requests_than_the_best_at_most(fits: int, cost: float):
    pages = walked(cost, cost * (fits + 0.01))
    assert sum(page for page in pages if page > 0) == ITEMS
    assert len(pages) <= 1.25 * ITEMS / fits
    assert len([page for page in pages if page < 0]) <= 3


@given(st.floats(0.0001, 1.0), st.integers(1, 30_000))
def test_every_listing_ends(cost: float, fits: int):
    pages = walked(cost, cost * (fits + 0.01))
    assert sum(page for page in pages if page > 0) == ITEMS


def test_a_fast_service_gets_the_longest_pages():
    assert walked(0.0, 1.0) == [100, 1000, 10_000, 8900]
    assert max(walked(0.0, 1.0, size=PageSize(most=2000))) == 2000


def test_no_page_is_planned_to_be_slow():
    size = PageSize(slow=10.0).came(100, 4.0)
    assert size.size == 240
    assert size.came(240, 9.6).size == 240


def test_a_slow_reply_makes_the_next_page_shorter():
    size = PageSize(size=200, slow=10.0).came(200, 20.0)
    assert size.size == 96
    assert size.bad == 200


def test_a_short_last_page_changes_nothing():
    size = PageSize(size=500, good=400)
    assert size.came(7, 0.1).size == 500
    assert size.came(0, 0.1) == size


def test_a_failure_that_comes_at_once_is_an_accident():
    """The length was fine before: it is tried shorter, and is back with the next."""
    before = PageSize(size=500, bad=600.0, good=500, each=0.01, limit=6.0)
    after = before.failed(0.01)
    assert after.size == 250
    assert after.bad == 600
    assert after.came(250, 2.5).size == 490


def test_accidents_over_and_over_end_at_one_record():
    size = PageSize(size=500, good=500, each=0.01)
    for _ in range(40):
        size = size.failed(0.0)
    assert size.size == 1
    assert not size.shrinkable


def test_a_page_that_the_service_does_not_send_is_halved():
    size = PageSize(size=1000).refused()
    assert (size.size, size.bad) == (500, 1000)
    assert size.came(500, 0.1).size < 1000


def test_a_service_that_sends_what_it_likes_is_noticed():
    size = PageSize(size=100).came(2000, 1.0)
    assert size.ignored
    assert not size.shrinkable


def test_records_that_became_dearer_make_shorter_pages():
    size = PageSize(size=400, good=400, each=0.001).failed(0.4)
    assert size.size < 400
    assert size.good == 0
