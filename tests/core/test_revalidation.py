"""If-None-Match, as RFC 9110 has it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcpicture.core.revalidation import not_modified, strong_etag

TAG = strong_etag("abc")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param(None, False, id="absent"),
        pytest.param("", False, id="empty"),
        pytest.param('"abc"', True, id="the-same"),
        pytest.param('W/"abc"', True, id="weakened-on-the-way"),
        pytest.param('"xyz"', False, id="another"),
        pytest.param("abc", False, id="unquoted"),
        pytest.param('"x", "abc"', True, id="in-a-list"),
        pytest.param('"x",W/"y","abc"', True, id="without-blanks"),
        pytest.param('  , "x" ,, "abc" , ', True, id="with-empty-elements"),
        pytest.param('"x, \\"abc\\""', False, id="inside-of-another"),
        pytest.param('"x" "abc"', False, id="no-list"),
        pytest.param('w/"abc"', False, id="small-w"),
        pytest.param("*", True, id="anything"),
        pytest.param(" * ", True, id="anything-with-blanks"),
        pytest.param('*, "x"', False, id="star-in-a-list"),
        pytest.param('"*"', False, id="quoted-star"),
    ],
)
def test_the_header_is_read_as_a_list_of_entity_tags(
    header: str | None, *, expected: bool
):
    assert not_modified(header, TAG) is expected


@pytest.mark.parametrize(
    ("header", "expected"), [('"abc"', False), ('"None"', False), ("*", True)]
)
def test_what_has_no_tag_matches_only_the_star(header: str, *, expected: bool):
    assert not_modified(header, None) is expected


@given(st.text(st.sampled_from('W/",*ab \t'), max_size=40))
def test_what_matches_has_the_tag_in_it(header: str):
    if not_modified(header, '"a"'):
        assert '"a"' in header or header.strip() == "*"
