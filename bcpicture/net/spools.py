"""Bodies from streams, which can be read once and have no length of their own."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import threading
from contextlib import aclosing
from typing import IO

import attrs

from bcpicture.errors import SourceError, UnavailableError
from bcpicture.net.bodies import BLOCK, Blocks, Body, BytesBody, require_bytes
from bcpicture.net.files import in_thread
from bcpicture.net.gathering import Stream
from bcpicture.net.objects import object_body

SPOOL_MEMORY = 2_000_000
"""Bytes of a stream that are kept in memory; what is longer goes to a file."""

Gathered = list[bytes | memoryview]


@attrs.define(eq=False)
class OnceBody:
    """A stream that is sent as it comes, once, with a length that the caller knows."""

    _stream: Stream = attrs.field(repr=False)
    size: int
    """Exact number of bytes, as the caller says."""

    _blocks: Blocks | None = attrs.field(default=None, init=False, repr=False)

    replayable: bool = attrs.field(default=False, init=False)
    """Never."""

    whole: None = attrs.field(default=None, init=False, repr=False)
    """It is never read whole."""

    async def blocks(self) -> Blocks:
        """All of them; the last one is held back until the stream has ended."""
        self._blocks = self._stream.blocks()
        held: bytes | memoryview = b""
        left = self.size
        async for block in self._blocks:
            left -= len(block)
            if left < 0:
                break
            if held and block:
                yield held
            held = block or held
        if left:
            word = "more" if left < 0 else "fewer"
            raise SourceError(
                f"The stream has {word} bytes than its length of {self.size}.",
                advice="Give the right length=, or let it be counted.",
            )
        yield held

    async def aclose(self) -> None:
        """Read no more from it; whoever made it closes it."""
        # While the transport is still inside of it, its cancellation ends it as well.
        with contextlib.suppress(RuntimeError):
            if self._blocks is not None:
                await self._blocks.aclose()
        await self._stream.aclose()


class _Spool:
    """A temporary file that is filled and closed in threads, one after the other."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._closed = False
        self._lock = threading.Lock()

    def write(self, gathered: Gathered) -> None:
        try:
            with self._lock:
                self._write(gathered)
        except OSError as exc:
            raise UnavailableError(
                f"The temporary file of an upload cannot be written: {exc.strerror}.",
                advice=f"Make room in {tempfile.gettempdir()}, or give length= and "
                "spool=False.",
            ) from exc

    def _write(self, gathered: Gathered) -> None:
        if self._closed:
            return
        if self._file is None:
            # Closed by `close`, or by the body that it becomes.
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - as told above
        self._file.writelines(gathered)
        self._file.flush()

    def body(self, gathered: Gathered) -> Body:
        if self._file is None:
            data = b"".join(gathered)
            require_bytes(len(data), "the stream")
            return BytesBody(data)
        self.write(gathered)
        self._file.seek(0)
        return object_body(self._file, owned=True)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._file is not None:
                # A full disk refuses the last bytes once more; nobody wants them now.
                with contextlib.suppress(OSError):
                    self._file.close()


async def spooled(stream: Stream) -> Body:
    """Read a stream to its end, so that it has a length and can be sent again."""
    spool = _Spool()
    try:
        rest = await _filled(spool, stream)
        return await in_thread(spool.body, rest)
    except BaseException:
        # Behind the thread that may be at work on it still.
        _ = asyncio.get_running_loop().run_in_executor(None, spool.close)
        raise


async def _filled(spool: _Spool, stream: Stream) -> Gathered:
    """Fill *spool*; return what has not been written yet."""
    gathered: Gathered = []
    waiting, most = 0, SPOOL_MEMORY
    async with aclosing(stream), aclosing(stream.blocks()) as blocks:
        async for block in blocks:
            gathered.append(block)
            waiting += len(block)
            if waiting > most:
                await in_thread(spool.write, gathered)
                gathered, waiting, most = [], 0, BLOCK
    return gathered
