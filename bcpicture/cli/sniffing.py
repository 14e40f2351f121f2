"""The first bytes of many pictures: what they really are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from bcpicture.core.inspections import Sniffed
from bcpicture.core.media import SNIFF_BYTES, sniff
from bcpicture.core.models import Item
from bcpicture.errors import MissingError, RejectedError, TransportError
from bcpicture.resources.companies import CompanyHandle
from bcpicture.resources.streams import PictureStream

_AT_ONCE = 50
"""Pictures that are asked for together; the quota lets a few at a time through."""

_READ_ON = 1 << 16
"""Bytes up to which a picture is read to its end: that keeps the connection."""


async def sniff_all(
    company: CompanyHandle, items: Sequence[Item]
) -> AsyncGenerator[tuple[Item, Sniffed | None], None]:
    """Tell what the pictures of *items* are, in their order; None without a picture."""
    for start in range(0, len(items), _AT_ONCE):
        some = items[start : start + _AT_ONCE]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_sniffed(company, item)) for item in some]
        for item, task in zip(some, tasks, strict=True):
            yield item, task.result()


async def _sniffed(company: CompanyHandle, item: Item) -> Sniffed | None:
    if item.picture is None or not item.picture.exists:
        return None
    try:
        async with company.item(item).picture.open() as stream:
            head, length = await _head(stream), stream.length
    except (MissingError, RejectedError, TransportError) as error:
        return Sniffed(error=error.what)
    return Sniffed(kind=sniff(head), size=length)


async def _head(stream: PictureStream) -> bytes:
    head = bytearray()
    short = stream.length is not None and stream.length <= _READ_ON
    async for chunk in stream:
        head += chunk[: SNIFF_BYTES - len(head)]
        if len(head) >= SNIFF_BYTES and not short:
            break
    return bytes(head)
