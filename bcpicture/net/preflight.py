"""Looking at a body's two ends before anything of it leaves."""

from __future__ import annotations

import os
from contextlib import aclosing

from bcpicture.core.endings import END_MARKS, scan_start
from bcpicture.core.media import SNIFF_BYTES, sniff
from bcpicture.core.preflight import Examined, examine, refusal
from bcpicture.errors import Misfit
from bcpicture.net.bodies import Blocks, Body, TwoEnded


class PeekedBody:
    """A body of which the beginning was looked at; it is not read twice for that."""

    def __init__(self, inner: Body) -> None:
        self._inner = inner
        self._begun: Blocks | None = None
        self._ahead: list[bytes | memoryview] = []

    @property
    def size(self) -> int:
        """Exact number of bytes."""
        return self._inner.size

    @property
    def replayable(self) -> bool:
        """Whether they can be read a second time."""
        return self._inner.replayable

    @property
    def whole(self) -> bytes | None:
        """All of them, where they are few and in memory."""
        return self._inner.whole

    async def peek(self) -> bytes:
        """So many of the first bytes as it takes to know what they are."""
        self._begun, head = self._inner.blocks(), b""
        async for block in self._begun:
            self._ahead.append(block)
            head += block[:SNIFF_BYTES]
            if len(head) >= SNIFF_BYTES or sniff(head) is not None:
                break
        return head

    async def blocks(self) -> Blocks:
        """All of them, from their start."""
        begun, self._begun = self._begun, None
        ahead, self._ahead = self._ahead, []
        async with aclosing(begun or self._inner.blocks()) as blocks:
            for block in ahead:
                yield block
            del ahead
            async for block in blocks:
                yield block

    async def stop(self) -> None:
        """Read no further."""
        begun, self._begun = self._begun, None
        if begun is not None:
            await begun.aclose()

    async def aclose(self) -> None:
        """Let go of what was opened for it."""
        await self.stop()
        await self._inner.aclose()


async def inspect(body: Body, limit: int, source: object) -> tuple[Examined, Body]:
    """Look at what is to be sent; what is returned with it is to be sent instead.

    Args:
        body: It.
        limit: Bytes that the service takes.
        source: What the caller gave, to be named in an error.

    Raises:
        UnfitPictureError: It is not to be sent.
        SourceError: It cannot be read.
    """
    whole = body.whole
    if whole is not None:
        examined = examine(whole, len(whole), whole, limit)
    elif isinstance(body, TwoEnded):
        examined = await _examined(body, limit)
    else:
        peeked = PeekedBody(body)
        try:
            examined = examine(await peeked.peek(), body.size, None, limit)
            _refuse(examined, body.size, limit, source)
        except BaseException:
            await peeked.stop()
            raise
        return examined, peeked
    _refuse(examined, body.size, limit, source)
    return examined, body


async def _examined(body: TwoEnded, limit: int) -> Examined:
    head, tail = await body.ends()
    examined = examine(head, body.size, tail, limit)
    if examined.misfit is Misfit.CUT and await _ends_inside(body, examined, head):
        return examined._replace(misfit=None)
    return examined


def _refuse(examined: Examined, length: int, limit: int, source: object) -> None:
    if examined.misfit is not None:
        what = named(source)
        raise refusal(examined.misfit, examined.kind, what, length, limit)


def named(source: object) -> str:
    """What to call a source in an error."""
    if isinstance(source, str | os.PathLike):
        return f"The file {os.fspath(source)!s}"
    return "What was given"


async def _ends_inside(body: Body, examined: Examined, head: bytes) -> bool:
    """Whether a picture ends long before its file does: a film may stand behind it."""
    mark = END_MARKS.get(examined.kind) if examined.kind else None
    if mark is None or len(head) == body.size:
        return False
    at, skip, last = 0, scan_start(head) or 0, b""
    async with aclosing(body.blocks()) as blocks:
        async for block in blocks:
            window = last + bytes(block)
            if window.find(mark, max(0, skip - at)) >= 0:
                return True
            last = window[1 - len(mark) :]
            at += len(window) - len(last)
    return False
