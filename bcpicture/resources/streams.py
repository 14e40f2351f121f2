"""A picture's bytes on their way in, and the way into a file."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from types import TracebackType
from typing import Self

import attrs

from bcpicture.core import media
from bcpicture.core.meanings import error_for
from bcpicture.core.models import Downloaded
from bcpicture.core.wire import CONTENT_TYPE, ETAG
from bcpicture.net.bodies import BLOCK
from bcpicture.net.exchange import Exchange
from bcpicture.net.files import PartFile, in_thread
from bcpicture.net.progress import Meter
from bcpicture.net.session import Session
from bcpicture.net.transport import BrokenError


class PictureStream:
    """The bytes of a picture, chunk by chunk.

    It holds a connection and one of the places in the quota until it has ended,
    failed, been closed, or been dropped.
    """

    def __init__(self, session: Session, exchange: Exchange) -> None:
        self._session = session
        self._exchange = exchange
        self._loop = asyncio.get_running_loop()
        self._ended = False

    @property
    def length(self) -> int | None:
        """Number of bytes, if it is announced."""
        return self._exchange.length

    @property
    def content_type(self) -> str:
        """As told by the service, and often not what the bytes are."""
        return self._exchange.headers.get(CONTENT_TYPE, "")

    @property
    def etag(self) -> str | None:
        """As told with the bytes; Business Central usually tells none."""
        return self._exchange.headers.get(ETAG)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._ended:
            raise StopAsyncIteration
        try:
            chunk = await self._exchange.next_chunk()
        except BrokenError as exc:
            self._exchange.close()
            raise error_for(self._session.broken(self._exchange, exc)) from exc
        except BaseException:
            self._exchange.close()
            raise
        if not chunk:
            self._ended = True
            self._exchange.close()
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        """Give back the connection and the place."""
        self._exchange.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._exchange.close()

    def __del__(self) -> None:
        # Whoever collects the garbage may be another thread than the loop's.
        if not self._exchange.closed and not self._loop.is_closed():
            _ = self._loop.call_soon_threadsafe(self._exchange.close)


class Opening:
    """What `open` returns: await it, or use it with ``async with``."""

    __slots__ = ("_open", "_stream")

    def __init__(self, open_stream: Callable[[], Awaitable[PictureStream]]) -> None:
        self._open = open_stream
        self._stream: PictureStream | None = None

    def __await__(self) -> Generator[object, None, PictureStream]:
        return self._open().__await__()

    async def __aenter__(self) -> PictureStream:
        self._stream = await self._open()
        return self._stream

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._stream is not None:
            await self._stream.aclose()


@attrs.define
class Saving:
    """One picture on its way into a file, attempt after attempt.

    Chunks are gathered to blocks, and a block is hashed and written in one hop into a
    thread. The last block waits for `finish`, after the connection was given back, so
    a picture that fits into one block touches the disk only when it is whole.
    """

    _file: PartFile
    _digest: bool
    _meter: Meter | None = None
    _attempts: int = 1
    _size: int = 0
    _head: bytes = b""
    _rest: bytes = b""
    _sha256: "hashlib._Hash" = attrs.field(factory=hashlib.sha256)  # noqa: UP037 - the name is private to the stub

    async def consume(self, exchange: Exchange) -> bool:
        """Read a reply; False if it says that there is no picture."""
        await self._restart()
        self._attempts = exchange.number
        if exchange.status == 204:
            return False
        meter = self._meter
        if meter is not None:
            await meter.begin(exchange.number, exchange.length)
        gathered: list[bytes] = []
        waiting = 0
        while chunk := await exchange.next_chunk():
            gathered.append(chunk)
            waiting += len(chunk)
            if meter is not None and meter.add(len(chunk)):
                await meter.tell()
            if waiting >= BLOCK:
                await in_thread(self._write, gathered)
                gathered, waiting = [], 0
        self._rest = b"".join(gathered)
        return bool(self._size or self._rest)

    async def _restart(self) -> None:
        if self._size:
            await in_thread(self._file.restart)
            self._sha256 = hashlib.sha256()
            self._size = 0

    def _note(self, chunks: list[bytes]) -> None:
        if not self._size:
            self._head = b"".join(chunks)[: media.SNIFF_BYTES]
        self._size += sum(map(len, chunks))
        if self._digest:
            for chunk in chunks:
                self._sha256.update(chunk)

    def _write(self, chunks: list[bytes]) -> None:
        self._note(chunks)
        self._file.write(*chunks)

    def _finish(self, *, sniff_extension: bool) -> Downloaded:
        self._note([self._rest])
        kind = media.sniff(self._head)
        if sniff_extension and kind is not None:
            target = self._file.target
            self._file.target = target.with_name(target.stem + kind.extension)
        path = self._file.commit(self._rest)
        return Downloaded(
            path=path,
            size=self._size,
            sha256=self._sha256.hexdigest() if self._digest else None,
            content_type=kind.content_type if kind is not None else None,
            attempts=self._attempts,
        )

    async def finish(self, *, sniff_extension: bool) -> Downloaded:
        """Put the file in its place; not if the caller objects to the last news."""
        if self._meter is not None:
            await self._meter.finish(self._attempts, self._size + len(self._rest))
        return await in_thread(lambda: self._finish(sniff_extension=sniff_extension))

    def discard(self) -> None:
        """Leave nothing behind; not awaited, since it must happen on the way out."""
        _ = asyncio.get_running_loop().run_in_executor(None, self._file.discard)
