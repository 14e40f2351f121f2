"""A picture's bytes on their way in, chunk by chunk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from types import TracebackType
from typing import Protocol, Self

from bcpicture.core.guards import require_within
from bcpicture.core.meanings import error_for
from bcpicture.core.wire import CONTENT_TYPE, ETAG
from bcpicture.errors import BcPictureError, ClosedError, StalledError
from bcpicture.net.exchange import Exchange
from bcpicture.net.session import Session
from bcpicture.net.transport import BrokenError


class Holdable(Protocol):
    """Something that is given back."""

    @property
    def closed(self) -> bool:
        """Whether it has been."""

    def close(self) -> None:
        """Give it back, at once; more than once is fine."""


class Hold:
    """What a reader holds, and for which task: if that is cancelled, nobody reads on.

    Web frameworks do not close an iterator that they were given, and a cancelled task
    may keep it, in the frames of its traceback, until the garbage is collected.
    """

    __slots__ = ("held", "left", "task")

    def __init__(self, held: Holdable) -> None:
        self.held = held
        self.task: asyncio.Task[object] | None = None
        self.left = False
        self.hand_to(asyncio.current_task())

    def hand_to(self, task: asyncio.Task[object] | None) -> None:
        """*task* has it now; nobody any more, if that is None."""
        if task is not self.task:
            if self.task is not None:
                self.task.remove_done_callback(self._ended)
            if task is not None:
                task.add_done_callback(self._ended)
            self.task = task

    def _ended(self, task: asyncio.Task[object]) -> None:
        # One that ended well may have handed the stream on, and one that failed must
        # not be asked for its exception: then nobody would hear of it.
        if task.cancelled():
            self.left = not self.held.closed
            self.end()

    def end(self) -> None:
        """Give it back."""
        self.held.close()
        self.hand_to(None)


class PictureStream:
    """The bytes of a picture, chunk by chunk.

    It holds a connection and one of the places in the quota until it has ended,
    failed, been closed, been dropped, or not been read for `Timeouts.idle` seconds, or
    until the task that has it, by opening or reading it, was cancelled.
    """

    def __init__(
        self, session: Session, exchange: Exchange, max_bytes: int | None = None
    ) -> None:
        self._session = session
        self._exchange = exchange
        self._max_bytes = max_bytes
        self._size = 0
        self._loop = asyncio.get_running_loop()
        self._ended = False
        self._hold = Hold(exchange)
        self._rest()

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
        if self._exchange.closed:
            raise self._closed()
        if (task := asyncio.current_task()) is not self._hold.task:
            self._hold.hand_to(task)
        try:
            chunk = await self._exchange.next_chunk()
            if self._max_bytes is not None:
                self._size += len(chunk)
                require_within(self._max_bytes, self._size)
        except BrokenError as exc:
            self._hold.end()
            raise error_for(self._session.broken(self._exchange, exc)) from exc
        except BaseException:
            self._hold.end()
            raise
        if not chunk:
            self._ended = True
            self._hold.end()
            raise StopAsyncIteration
        self._rest()
        return chunk

    def _rest(self) -> None:
        """It is the reader's turn, for a while."""
        transport = self._session.transport
        self._exchange.put_down(transport.clock() + transport.timeouts.idle)

    def _closed(self) -> BcPictureError:
        if self._hold.left:
            return ClosedError(
                "The picture's stream is closed: the task that had it was cancelled.",
                advice="Open it in the task that reads it.",
            )
        if not self._exchange.expired:
            return ClosedError(
                "The picture's stream is closed.",
                advice="Read it inside its `async with` block.",
            )
        idle = self._session.transport.timeouts.idle
        return StalledError(
            f"The picture's stream was closed: nobody read it for {idle:g} seconds.",
            advice="Read it sooner, save it first, or raise `Timeouts.idle`.",
        )

    async def aclose(self) -> None:
        """Give back the connection and the place."""
        self._hold.end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._hold.end()

    def __del__(self) -> None:
        # Whoever collects the garbage may be another thread than the loop's.
        held = self._hold.task is not None or not self._exchange.closed
        if held and not self._loop.is_closed():
            _ = self._loop.call_soon_threadsafe(self._hold.end)


async def detach(exchange: Exchange, max_bytes: int | None = None) -> Exchange:
    """The reply itself, unread; whoever gets it closes it.

    Raises:
        AnswerError: It says that it is longer than *max_bytes*.
    """
    require_within(max_bytes, exchange.length or 0)
    exchange.detached = True
    return exchange


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
