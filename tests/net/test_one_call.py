"""Verb, path and headers of one call each, without a server.

aioresponses 0.7.9 makes replies that lack what aiohttp 3.14 wants; a class of our own
adds it. It skips client middlewares, and it cannot tell ``%20`` from
``+``: everything else is tested over sockets.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import aiohttp
import pytest
from aioresponses import aioresponses
from yarl import URL

from bcpicture import BusinessCentral, Endpoint, StaticToken
from bcpicture.emulator.artwork import dot
from bcpicture.resources.pictures import PictureHandle

COMPANY_ID = "0e3c5f10-0000-4000-8000-000000000001"
ITEM_ID = "0e3c5f10-0000-4000-8000-000000000002"
PLACE = f"companies({COMPANY_ID})/items({ITEM_ID})/picture"

ENDPOINTS = {
    "v2.0": Endpoint.cloud("contoso.com", "Production"),
    "v1.0": Endpoint.cloud("contoso.com", "Production", api="v1.0"),
    "beta": Endpoint.legacy("contoso.com"),
    "graph": Endpoint.graph("contoso.com"),
}
ROOTS = {
    "v2.0": "https://api.businesscentral.dynamics.com/v2.0/contoso.com/Production/api/v2.0",
    "v1.0": "https://api.businesscentral.dynamics.com/v2.0/contoso.com/Production/api/v1.0",
    "beta": "https://api.businesscentral.dynamics.com/v1.0/api/beta",
    "graph": "https://graph.microsoft.com/v1.0/businesscentral",
}


class Reply(aiohttp.ClientResponse):
    """What aiohttp 3.14 wants to know beyond what aioresponses tells it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed on
        kwargs.setdefault("stream_writer", Mock(output_size=0))
        super().__init__(*args, **kwargs)


@pytest.fixture
def wire() -> Iterator[aioresponses]:
    with aioresponses() as wire:
        yield wire


async def call(picture: PictureHandle, name: str) -> object:
    arguments = [dot()] if name == "upload" else []
    return await getattr(picture, name)(*arguments)


@pytest.mark.parametrize(
    ("name", "verb", "keyed", "unkeyed", "headers"),
    [
        pytest.param(
            *("info", "GET", "", ""), {"Accept": "application/json"}, id="info"
        ),
        pytest.param(
            *("read", "GET", f"({ITEM_ID})/content", "/pictureContent"),
            {"Accept": "application/octet-stream", "Accept-Encoding": "identity"},
            id="read",
        ),
        pytest.param(
            *("upload", "PATCH", f"({ITEM_ID})/content", "/pictureContent"),
            {"If-Match": "*", "Content-Type": "application/octet-stream"},
            id="upload",
        ),
        pytest.param(
            *("delete", "DELETE", f"({ITEM_ID})", ""), {"If-Match": "*"}, id="delete"
        ),
    ],
)
@pytest.mark.parametrize("api", ENDPOINTS)
async def test_a_call_is_this_request(
    wire: aioresponses,
    api: str,
    name: str,
    verb: str,
    keyed: str,
    unkeyed: str,
    headers: dict[str, str],
):
    tail = unkeyed if api == "v2.0" else keyed
    url = f"{ROOTS[api]}/{PLACE}{tail}"
    status = 200 if verb == "GET" else 204
    getattr(wire, verb.lower())(
        url, status=status, body=b"{}", response_class=Reply, repeat=True
    )
    async with BusinessCentral(ENDPOINTS[api], StaticToken("raw-token")) as bc:
        await call(bc.company(COMPANY_ID).item(ITEM_ID).picture, name)
    ((key, (sent,)),) = wire.requests.items()
    assert key == (verb, URL(url, encoded=True))
    assert sent.kwargs["headers"]["Authorization"] == "Bearer raw-token"
    for header, value in headers.items():
        assert sent.kwargs["headers"][header] == value
    assert sent.kwargs["allow_redirects"] is False
