"""Whether a connection works, check by check; nothing is changed by any of them."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from uuid import uuid4

import attrs

from bcpicture.core import urls
from bcpicture.core.addresses import candidates
from bcpicture.core.credentials import BasicKey, StaticToken
from bcpicture.core.dialects import ITEM
from bcpicture.core.endpoints import Endpoint
from bcpicture.core.findings import (
    Finding,
    Verdict,
    bad,
    clock_finding,
    doubtful,
    good,
    round_trip_finding,
    skipped,
)
from bcpicture.core.retries import RetryPolicy
from bcpicture.core.wire import READ_JSON, WRITE_BYTES, Operation, Request
from bcpicture.errors import (
    AccessDeniedError,
    BcPictureError,
    ConflictError,
    MissingError,
    RejectedError,
)
from bcpicture.net.bodies import BytesBody
from bcpicture.net.exchange import Exchange
from bcpicture.resources.client import BusinessCentral
from bcpicture.resources.companies import CompanyHandle
from bcpicture.resources.detection import ABSENT, probe, session_of

_TIMES = 3
"""Requests that the round trip is measured by."""

# No etag looks like this, and the record does not exist either: whatever the server
# makes of such an upload, there is nothing that it could change.
_NEVER = 'W/"bmV2ZXI="'

_NOTHING_THERE = (MissingError, ConflictError, RejectedError)
"""What an upload to nowhere is answered, if uploads are allowed."""


@attrs.define
class Examination:
    """Checks of an open client, in the order in which they depend on each other."""

    _bc: BusinessCentral
    _company: str | None = None
    _clock: Callable[[], float] = time.monotonic
    _wall: Callable[[], float] = time.time
    _handle: CompanyHandle | None = attrs.field(default=None, init=False)
    _item: str | None = attrs.field(default=None, init=False)
    _date: str | None = attrs.field(default=None, init=False)
    _read_at: float = attrs.field(default=0.0, init=False)

    async def findings(self) -> AsyncGenerator[Finding, None]:
        """Check after check; what depends on one that failed is skipped."""
        once = RetryPolicy(attempts=1)
        self._bc = self._bc.with_options(retries=once)
        failed = ""
        for name, check, decisive in self._checks():
            if failed:
                yield skipped(name, failed)
                continue
            finding = await self._carried_out(name, check)
            yield finding
            if decisive and finding.verdict is Verdict.BAD:
                failed = name

    def _checks(self) -> list[tuple[str, Callable[[], Awaitable[Finding]], bool]]:
        return [
            ("server", self._server, True),
            ("token", self._token, True),
            ("access", self._access, True),
            ("API versions", self._versions, False),
            ("clock", self._clocks, False),
            ("round trip", self._round_trip, False),
            ("company", self._one_company, True),
            ("reading", self._reading, True),
            ("writing", self._writing, False),
        ]

    @staticmethod
    async def _carried_out(
        name: str, check: Callable[[], Awaitable[Finding]]
    ) -> Finding:
        try:
            return await check()
        except BcPictureError as error:
            return bad(name, error)

    async def _server(self) -> Finding:
        await probe(self._bc, anonymous=True)
        return good("server", f"{self._bc.endpoint.base} answers.")

    async def _token(self) -> Finding:
        if isinstance(self._bc.credential, StaticToken | BasicKey):
            return good("token", "None is fetched: the credential is used as it is.")
        lanes = session_of(self._bc).lanes
        lane, header = lanes.next()
        if header is None:
            await lanes.authorized(lane)
        return good("token", "The identity provider gives one.")

    async def _access(self) -> Finding:
        url = urls.companies(self._bc.endpoint, [("$top", "1")])
        request = Request(method="GET", url=url, headers=READ_JSON)
        await session_of(self._bc).call(request, self._note)
        return good("access", "Business Central knows who asks, and lets them in.")

    async def _note(self, exchange: Exchange) -> bytes:
        self._date, self._read_at = exchange.headers.get("Date"), self._wall()
        return await exchange.read()

    async def _versions(self) -> Finding:
        endpoint = self._bc.endpoint
        found = []
        for address in candidates(endpoint.base):
            sibling = Endpoint.at(address, plain_http=endpoint.plain_http)
            sibling = attrs.evolve(sibling, query=endpoint.query)
            url = urls.companies(sibling, [("$top", "1")])
            request = Request(method="GET", url=url, headers=READ_JSON)
            try:
                await session_of(self._bc).call(request, Exchange.read)
            except ABSENT:
                continue
            found.append(sibling.dialect.name)
        told = " and ".join(found) or "Neither v2.0 nor v1.0"
        return good("API versions", f"{told}; {endpoint.dialect.name} is used.")

    async def _clocks(self) -> Finding:
        return clock_finding(self._date, now=self._read_at)

    async def _round_trip(self) -> Finding:
        seconds = []
        for _ in range(_TIMES):
            started = self._clock()
            await probe(self._bc)
            seconds.append(self._clock() - started)
        return round_trip_finding(seconds)

    async def _one_company(self) -> Finding:
        if self._company is not None:
            self._handle = self._bc.company(self._company)
            return good("company", f'"{(await self._handle.info()).name}" is there.')
        names = [company.name async for company in self._bc.companies]
        if not names:
            raise MissingError(
                "There is no company, or none that may be seen.",
                advice="Give the app permission sets for a company.",
            )
        self._handle = self._bc.company(names[0])
        if len(names) == 1:
            return good("company", f'"{names[0]}" is the only one.')
        known = ", ".join(f'"{name}"' for name in names[:12])
        return doubtful(
            "company",
            f"None is chosen; there are {len(names)}: {known}.",
            f'Choose one. The checks go on with "{names[0]}".',
        )

    async def _reading(self) -> Finding:
        if self._handle is None:
            return skipped("reading", "company")
        items = self._handle.items.select("number").top(1)
        item = await anext(aiter(items), None)
        if item is None:
            return doubtful(
                "reading",
                "Items may be read, but there is none.",
                "Look into another company to see more.",
            )
        picture = await self._handle.item(item).picture.info()
        told = "a picture" if picture.exists else "no picture"
        return good("reading", f"Item {item.number} may be read; it has {told}.")

    async def _writing(self) -> Finding:
        if self._handle is None:
            return skipped("writing", "company")
        nobody = str(uuid4())
        url = urls.picture_content(
            self._bc.endpoint, await self._handle.id(), ITEM, nobody
        )
        headers = {**WRITE_BYTES, "If-Match": _NEVER}
        request = Request(
            method="PATCH", url=url, headers=headers, operation=Operation.WRITE
        )
        try:
            await session_of(self._bc).call(request, Exchange.read, BytesBody(b"\0"))
        except AccessDeniedError as error:
            return bad("writing", error)
        except _NOTHING_THERE:
            pass  # as it should be: there is no such item
        return good(
            "writing",
            "An upload to an item that does not exist is not refused for want of "
            "permissions; only a real one proves it.",
        )
