"""Puts replies on the wire, in good order or as a fault wants it.

It writes status line, headers and body itself, since most of the faults are replies
that a web framework would rightly refuse to send.
"""

import asyncio
import gzip
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus

import attrs
from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter
from multidict import CIMultiDict

from bcpicture.emulator.exchange import Exchange
from bcpicture.emulator.message import CutError
from bcpicture.emulator.reply import Reply

GARBAGE = b"\x16\x03\x01 This is not HTTP at all\r\n\r\n"
SPOILING = frozenset({"reset_reply", "stall_during", "truncate"})


class Severed(web.StreamResponse):
    """No reply: the connection has been cut."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Tells the server that nobody listens any more."""
        raise ConnectionResetError(f"{request.method}: cut on purpose")


class Answer(web.StreamResponse):
    """A reply, as the server wants it."""

    def __init__(self, reply: Reply, exchange: Exchange) -> None:
        super().__init__(status=reply.status)
        self._reply, self._exchange = reply, exchange
        self._action = reply.fault.action if reply.fault else None
        self._goes_on = exchange.request.keep_alive

    @property
    def keep_alive(self) -> bool | None:
        """Whether the connection stays open."""
        return self._goes_on

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Sends the whole reply."""
        try:
            await self._send(self._exchange.request.writer)
        except CutError:
            self._exchange.reset()
            raise ConnectionResetError(f"{request.method}: cut on purpose") from None
        finally:
            await self._exchange.let_go()
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Does nothing more: the end has been sent."""

    async def _send(self, writer: AbstractStreamWriter) -> None:
        reply = self._reply
        if self._action == "malformed":
            self._close_behind(GARBAGE)
            return
        if reply.chunked and self._exchange.request.version.minor:
            writer.enable_chunking()
        await writer.write_headers(_status_line(reply.status), self._head())
        if self._action == "endless":
            await self._send_endlessly(writer)
        if self._action in SPOILING:
            await self._send_spoiled(writer)
        elif self._exchange.method == hdrs.METH_HEAD:
            await writer.write_eof()
        else:
            await self._send_body(writer)
        self._afterwards()

    async def _send_body(self, writer: AbstractStreamWriter) -> None:
        if self._reply.blob is None:
            await writer.write_eof(self._reply.body)
            return
        async with aclosing(self._pieces()) as pieces:
            async for piece in pieces:
                await writer.write(piece)
        await writer.write_eof()

    async def _send_spoiled(self, writer: AbstractStreamWriter) -> None:
        """Sends the body up to the fault's position, and then spoils it."""
        at = self._reply.fault.at if self._reply.fault else 0
        writer.send_headers()
        sent = 0
        async with aclosing(self._pieces()) as pieces:
            async for piece in pieces:
                if sent <= at < sent + len(piece):
                    await writer.write(piece[: at - sent])
                    await self._spoil()
                    await writer.write(piece[at - sent :])
                else:
                    await writer.write(piece)
                sent += len(piece)
        await writer.write_eof()

    async def _spoil(self) -> None:
        if self._action == "stall_during":
            await self._exchange.stall()
        elif self._action == "reset_reply":
            # Let the bytes leave before the reset overtakes them.
            await asyncio.sleep(0)
            raise CutError
        else:
            self._close_behind(b"")
            raise ConnectionResetError("cut on purpose")

    async def _send_endlessly(self, writer: AbstractStreamWriter) -> None:
        piece = b" " * 65536
        with self._exchange.patience.ticket() as released:
            while not released.done():
                await writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
        raise CutError

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        reply = self._reply
        if reply.blob is None:
            yield reply.body
            return
        left = reply.length
        async with aclosing(reply.blob.chunks(reply.start)) as pieces:
            async for piece in pieces:
                yield piece[:left]
                left -= len(piece)
                if left <= 0:
                    return

    def _afterwards(self) -> None:
        if self._action == "close_idle":
            self._close_behind(b"")
        if self._action == "duplicate_reply" and self._exchange.request.transport:
            head = "".join(f"{k}: {v}\r\n" for k, v in self._head().items())
            line = _status_line(self._reply.status)
            again = f"{line}\r\n{head}\r\n".encode() + self._reply.body
            self._exchange.request.transport.write(again)

    def _close_behind(self, last: bytes) -> None:
        transport = self._exchange.request.transport
        if transport is not None:
            transport.write(last)
            transport.close()
        self._goes_on = False

    def _head(self) -> CIMultiDict[str]:
        reply = self._reply
        headers = CIMultiDict[str](reply.headers)
        if reply.content_type is not None:
            headers[hdrs.CONTENT_TYPE] = reply.content_type
        if reply.chunked:
            headers[hdrs.TRANSFER_ENCODING] = "chunked"
        elif reply.status != 204:
            headers[hdrs.CONTENT_LENGTH] = str(reply.length)
        headers.setdefault("request-id", str(uuid.uuid4()))
        headers["OData-Version"] = "4.0"
        headers["Server"] = "bcpicture-emulator"
        if not self._goes_on:
            headers[hdrs.CONNECTION] = "close"
        return headers


def gzipped_and_cut(reply: Reply, body: bytes) -> Reply:
    """The same reply with a gzip body that lacks its end, and an honest length."""
    packed = gzip.compress(body, mtime=0)
    cut = packed[: max(len(packed) // 2, len(packed) - 64)]
    headers = (*reply.headers, (hdrs.CONTENT_ENCODING, "gzip"))
    return attrs.evolve(reply, blob=None, body=cut, headers=headers, chunked=False)


def _status_line(status: int) -> str:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    return f"HTTP/1.1 {status} {phrase}"
