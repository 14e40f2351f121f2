"""The emulator, seen by plain aiohttp: it is never judged by the project's client."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias

import aiohttp
import attrs
import pytest
from multidict import CIMultiDictProxy
from yarl import URL

from bcpicture.emulator import Emulator

Json: TypeAlias = Any  # whatever JSON holds
Option: TypeAlias = Any  # a keyword that is passed on

CRONUS = "CRONUS USA, Inc."


@attrs.frozen
class Got:
    """A reply, read to its end."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def json(self) -> Json:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The error's code."""
        return self.json["error"]["code"]

    @property
    def message(self) -> str:
        """The error's text."""
        return self.json["error"]["message"]


@attrs.frozen
class Client:
    """A logged-in client of one emulator."""

    server: Emulator
    http: aiohttp.ClientSession

    def path(self, number: str = "1896-S", parent: str = "items") -> str:
        company = self.server.store.company(CRONUS)
        record = company.parent(parent, number)
        return f"companies({company.id})/{parent}({record.id})"

    def stream(self, number: str = "1896-S", parent: str = "items") -> str:
        return f"{self.path(number, parent)}/picture/pictureContent"

    def url(self, path: str = "", api: str = "v2.0") -> URL:
        """An address, sent exactly as it is written."""
        return URL(f"{self.server.base_urls[api]}/{path}", encoded=True)

    async def send(
        self, method: str, path: str | URL, *, api: str = "v2.0", **more: Option
    ) -> Got:
        scope = "https://graph.microsoft.com/.default" if api == "graph" else None
        headers = {"Authorization": f"Bearer {self.server.identity.token(scope)}"}
        headers |= more.pop("headers", {})
        url = path if isinstance(path, URL) else self.url(path, api)
        async with self.http.request(
            method, url, headers=headers, allow_redirects=False, **more
        ) as reply:
            return Got(reply.status, reply.headers, await reply.read())

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits for something that happens in a moment."""
        for _ in range(1000):
            if condition():
                return
            await asyncio.sleep(0.005)
        pytest.fail("it never happened")

    async def get(self, path: str | URL, **more: Option) -> Got:
        return await self.send("GET", path, **more)

    async def put_picture(
        self, data: Option, number: str = "1896-S", **more: Option
    ) -> Got:
        headers = {"If-Match": "*"} | more.pop("headers", {})
        if isinstance(data, bytes):
            data = io.BytesIO(data)
        return await self.send(
            "PATCH", self.stream(number), data=data, headers=headers, **more
        )


@asynccontextmanager
async def _start(**options: Option) -> AsyncIterator[Client]:
    async with Emulator(**options) as server, aiohttp.ClientSession() as http:
        yield Client(server, http)


@pytest.fixture
def start() -> Callable[..., AbstractAsyncContextManager[Client]]:
    """Starts an emulator with options of the test's own."""
    return _start


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A logged-in client of an emulator with default options."""
    async with _start() as it:
        yield it
