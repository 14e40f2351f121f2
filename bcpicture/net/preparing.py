"""Preparing pictures in threads, few at a time, whoever asks for how many."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from functools import cache
from importlib import import_module
from weakref import WeakKeyDictionary

from bcpicture.core.preparation import Prepare, Prepared
from bcpicture.errors import ConfigurationError, UsageError
from bcpicture.net.bodies import Body, BytesBody
from bcpicture.net.preflight import named

AT_ONCE = 2
"""Pictures that are worked on at once: one of 80 megapixels takes most of a GB."""

_places: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = (
    WeakKeyDictionary()
)


@cache
def require_pillow() -> None:
    """Refuse to prepare anything without Pillow; blocks the first time.

    Raises:
        ConfigurationError: It is not installed.
    """
    try:
        # Not for everybody: an extra, and a tenth of a second.
        import_module("PIL.Image")
    except ImportError as exc:
        raise ConfigurationError(
            "To prepare pictures needs Pillow, which is not installed.",
            advice='Install the extra: pip install "bcpicture[images]"',
        ) from exc


async def prepare_body(
    body: Body, prepare: Prepare, source: object
) -> tuple[Prepared, Body]:
    """Prepare what is to be sent; what is returned with it is to be sent instead.

    Args:
        body: It; read to its end, and kept if it needs nothing and can be read again.
        prepare: What it has to be.
        source: What the caller gave, to be named in an error.

    Raises:
        SourceError: It cannot be made so.
        ConfigurationError: Pillow is not installed.
        UsageError: *prepare* is nothing of the kind.
    """
    if not isinstance(prepare, Prepare):
        raise UsageError(
            f"prepare={prepare!r} does not say how.",
            advice="Say prepare=Prepare(), or Prepare(max_side=1200) to shrink it.",
        )
    require_pillow()
    loop = asyncio.get_running_loop()
    places = _places.setdefault(loop, asyncio.Semaphore(AT_ONCE))
    await places.acquire()
    try:
        data = await _all_of(body)
        job = loop.run_in_executor(None, _make, data, prepare, named(source))
    except BaseException:
        places.release()
        raise
    # A thread cannot be stopped: its place is free when it has ended, not before.
    job.add_done_callback(lambda _: places.release())
    prepared = await asyncio.shield(job)
    if prepared.changed or not body.replayable:
        await body.aclose()
        return prepared, BytesBody(prepared.data)
    return prepared, body


def _make(data: bytes, prepare: Prepare, what: str) -> Prepared:
    from bcpicture.net.imaging import make

    return make(data, prepare, what)


async def _all_of(body: Body) -> bytes:
    whole = body.whole
    if whole is not None:
        return whole
    async with aclosing(body.blocks()) as blocks:
        return b"".join([bytes(block) async for block in blocks])
