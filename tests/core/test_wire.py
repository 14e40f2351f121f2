"""What crosses the seam to the network."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from yarl import URL

from bcpicture.core import wire


def test_a_request_tells_people_its_address_without_the_origin():
    url = URL("https://bc/api/v2.0/companies?$filter=a%20eq%20'b'", encoded=True)
    request = wire.Request(method="GET", url=url, headers=wire.READ_JSON)
    assert request.path == "/api/v2.0/companies?$filter=a%20eq%20'b'"
    assert request.operation is wire.Operation.READ


def test_an_upload_looks_like_that_of_microsofts_test_client():
    assert wire.WRITE_BYTES_ANY == {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Content-Type": "application/octet-stream",
        "If-Match": "*",
    }
    assert "If-Match" not in wire.WRITE_BYTES


def test_bytes_are_asked_for_unpacked_since_their_length_is_checked():
    assert wire.READ_BYTES["Accept-Encoding"] == "identity"
    assert wire.READ_BYTES["Accept"] == "application/octet-stream"


@pytest.mark.parametrize("headers", [*wire.RECURRING, wire.WRITE_BYTES])
def test_headers_that_requests_share_cannot_be_changed(headers: object):
    assert isinstance(headers, MappingProxyType)
    assert "Authorization" not in headers
