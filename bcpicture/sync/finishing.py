"""Waiting that a cancellation does not shorten, for what must not be left half-way."""

from __future__ import annotations

import asyncio
from typing import TypeVar

T = TypeVar("T")


async def finished(future: asyncio.Future[T]) -> T:
    """Wait for the end of *future*; if cancelled meanwhile, be so afterwards.

    Only for what ends soon by itself: a thread that closes a file.
    """
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as exc:
            cancelled = exc
    if cancelled is not None:
        _ = future.cancelled() or future.exception()  # so that nobody misses it
        raise cancelled
    return future.result()
