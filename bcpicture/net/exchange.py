"""One sending of one request, and the reading of its reply."""

from __future__ import annotations

import asyncio
import io
import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from math import inf
from types import MappingProxyType
from typing import TypeVar

import aiohttp
from multidict import CIMultiDict

from bcpicture.core.encodings import PLAIN, Unpacker, unpacker
from bcpicture.core.guards import require_within
from bcpicture.core.wire import CONTENT_ENCODING, CONTENT_LENGTH, Request
from bcpicture.errors import AnswerError, ClosedError, Trouble
from bcpicture.net.bodies import Body
from bcpicture.net.lanes import Lane
from bcpicture.net.progress import MeteredBody
from bcpicture.net.transport import (
    FOREIGN,
    BrokenError,
    Outgoing,
    Transport,
    broken,
)
from bcpicture.net.watchdog import Watched

T = TypeVar("T")

_NONE: Mapping[str, str] = MappingProxyType({})

_NOTHING: Iterator[bytes] = iter(())

_AT_ONCE = 1 << 20
"""Bytes up to which a body is read in one wait; longer ones show signs of life."""


class Exchange(Watched):
    """A request that is under way, then its reply, until `close`.

    It owns the connection and, through *leave*, a place in the quota; closing gives
    both back, at once and without waiting.
    """

    # Defaults on the class: one is made for every request, and most stay as they are.
    outgoing: Outgoing | None = None
    """A long body on its way."""

    status = 0
    """HTTP status; 0 before there is one."""

    headers: Mapping[str, str] = _NONE
    """Of the reply."""

    received = 0
    """Bytes of the reply's body so far, as they came over the wire."""

    counted = True
    """Whether the service can have seen the request."""

    detached = False
    """Whether somebody else will close it."""

    well = False
    """Whether it was answered as it should be."""

    _response: aiohttp.ClientResponse | None = None
    _unpacker: Unpacker | None = None
    _plain: Iterator[bytes] = _NOTHING
    _whole = 0
    _seen = 0

    def __init__(
        self,
        transport: Transport,
        request: Request,
        number: int,
        leave: Callable[[Exchange], None],
        lane: Lane,
    ) -> None:
        self._transport = transport
        self._leave: Callable[[Exchange], None] | None = leave
        self.request = request
        self.number = number
        self.lane = lane
        transport.watchdog.add(self)

    # -- sending

    async def send(self, headers: CIMultiDict[str], body: Body | None) -> None:
        """Send the request and wait for the beginning of its reply.

        Raises:
            BrokenError: There is none.
        """
        transport = self._transport
        # aiohttp takes the length from all of these: never chunked encoding.
        data: bytes | Outgoing | None = None
        if body is not None:
            data = body.whole
            if data is None:
                data = self._in_pieces(body)
            else:
                self._whole = len(data)
        timeouts, request = transport.timeouts, self.request
        patience = timeouts.stall if self.outgoing is not None else timeouts.reply
        self.begin(transport.clock() + patience)
        try:
            response = await transport.http.request(
                request.method,
                request.url,
                data=data,
                headers=headers,
                **transport.options[request.method],
            )
        except asyncio.CancelledError:
            self._claim("no reply in time")
            raise
        except RuntimeError:
            if not transport.http.closed:
                raise
            trouble: BaseException = _closed()
        except FOREIGN as exc:
            own = self.outgoing.error if self.outgoing is not None else None
            trouble = own or broken(exc)
        else:
            self._response = response
            self.status = response.status
            self.headers = response.headers
            return
        finally:
            self.until = inf
        # Out here, since aiohttp's error may hold the request with its token, and would
        # be remembered as the context of this one.
        raise trouble

    def _in_pieces(self, body: Body) -> Outgoing:
        if isinstance(body, MeteredBody):
            body = body.sending(self.number, self)
        self.outgoing = Outgoing(body, self._moved)
        return self.outgoing

    def _moved(self) -> None:
        outgoing, transport = self.outgoing, self._transport
        left = outgoing is not None and outgoing.sent < (outgoing.size or 0)
        timeouts = transport.timeouts
        patience = timeouts.stall if left else timeouts.reply
        self.until = transport.clock() + patience

    @property
    def sent(self) -> int:
        """Bytes of the body that have been handed to the network."""
        return self._whole if self.outgoing is None else self.outgoing.sent

    @property
    def body_left(self) -> bool:
        """Whether the whole body has been handed to the network."""
        outgoing = self.outgoing
        return outgoing is None or outgoing.sent >= (outgoing.size or 0)

    # -- reading

    @property
    def length(self) -> int | None:
        """Announced number of bytes of the reply, if it is announced and plain."""
        headers = self.headers
        text = headers.get(CONTENT_LENGTH, "")
        if not (text.isascii() and text.isdigit()):
            return None
        plain = headers.get(CONTENT_ENCODING, "identity") == "identity"
        return int(text) if plain else None

    async def read(self, max_bytes: int | None = None) -> bytes:
        """The whole body.

        Args:
            max_bytes: More than this is an error instead of memory.

        Raises:
            BrokenError: It is not whole.
            AnswerError: It is longer than *max_bytes*, or packed in an unknown way.
        """
        response, length = self._response, self.length
        if response is None or length is None or length > _AT_ONCE:
            # A 204 has no length and no bytes; it ends at once.
            return await self._collect(max_bytes)
        if max_bytes is not None:
            require_within(max_bytes, length)
        try:
            # A small body has often come together with its headers.
            content = response.content
            body = content.read_nowait() if content.is_eof() else b""
        except FOREIGN as exc:
            raise broken(exc, reading=True) from exc
        if not body:
            return await self._wait(response.read)
        self.received += len(body)
        return body

    async def _collect(self, max_bytes: int | None) -> bytes:
        collected = io.BytesIO()  # hands its bytes over without a copy
        while chunk := await self.next_chunk():
            collected.write(chunk)
            require_within(max_bytes, collected.tell())
        return collected.getvalue()

    def next_chunk(self) -> Awaitable[bytes]:
        """The next bytes, unpacked; none at the end of a whole body.

        Raises:
            BrokenError: The body is not whole.
        """
        unpack = self._unpacker or self._choose_unpacker()
        if unpack is PLAIN:
            # The usual case, in as few steps as can be: each chunk takes them all.
            return self._wait(self._content.readany)
        return self._unpacked(unpack)

    async def _unpacked(self, unpack: Unpacker) -> bytes:
        try:
            while not (plain := next(self._plain, b"")):
                if not (raw := await self._wait(self._content.readany)):
                    break
                self._plain = unpack.feed(raw)
        except zlib.error as exc:
            raise BrokenError(Trouble.CUT, f"wrongly packed: {exc}") from exc
        if not plain and not unpack.complete:
            raise BrokenError(Trouble.CUT, "the packed body ended too early")
        return plain

    def _choose_unpacker(self) -> Unpacker:
        encoding = self.headers.get(CONTENT_ENCODING, "").strip().lower()
        self._unpacker = unpacker(encoding)
        if self._unpacker is None:
            raise AnswerError(
                f"The answer is packed as {encoding!r}, which nobody asked for.",
                advice="Look at what stands between you and Business Central.",
            )
        return self._unpacker

    @property
    def _content(self) -> aiohttp.StreamReader:
        if self._response is None:
            raise ClosedError(
                "The picture's stream is closed.",
                advice="Read it inside its `async with` block.",
            )
        return self._response.content

    async def _wait(self, read: Callable[[], Awaitable[bytes]]) -> bytes:
        transport = self._transport
        self.begin(transport.clock() + transport.timeouts.stall)
        try:
            raw = await read()
        except asyncio.CancelledError:
            self._claim("the body does not go on")
            raise
        except FOREIGN as exc:
            raise broken(exc, reading=True) from exc
        finally:
            self.until = inf
        self.received += len(raw)
        return raw

    def moved(self, now: float) -> bool:
        """Whether bytes of the reply came since the last look; then it may go on."""
        if self._response is None or self.resting:
            return False
        total = self._response.content.total_bytes
        if total == self._seen:
            return False
        self._seen = total
        self.until = now + self._transport.timeouts.stall
        return True

    def _claim(self, text: str) -> None:
        """Make a cancellation by our own watchdog what it is."""
        if self.claim():
            raise BrokenError(Trouble.STALLED, text) from None

    # -- ending

    @property
    def closed(self) -> bool:
        """Whether connection and place have been given back."""
        return self._leave is None

    def close(self) -> None:
        """Give back the connection and the place in the quota; more than once is fine.

        A reply that was not read to its end takes its connection with it.
        """
        leave, self._leave = self._leave, None
        if leave is None:
            return
        self._transport.watchdog.discard(self)
        response, self._response = self._response, None
        if response is not None and not response.closed:
            _ = response.release()
        leave(self)

    lapse = close


def _closed() -> ClosedError:
    return ClosedError(
        "The connections are closed.", advice="Keep the client open meanwhile."
    )
