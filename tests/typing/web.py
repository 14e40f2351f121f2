"""How a web backend would use it: checked, never executed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import assert_type

from bcpicture import BcPictureError, BusinessCentral, PictureHandle, web
from bcpicture.web import Buffers, Rules, Served, refuse, serve

RULES = Rules(
    cache_control="public, max-age=300",
    cross_origin="cross-origin",
    unshowable="refuse",
)
BUFFERS = Buffers(
    memory=64 << 20,
    disk=1 << 30,
    in_memory=1 << 20,
    longest=16 << 20,
    wait=10.0,
    idle=30.0,
    fresh=5.0,
    folder=Path("/var/tmp"),
)


async def show(picture: PictureHandle, have: str | None) -> AsyncIterator[bytes]:
    """What goes to the visitor."""
    served = await serve(
        picture,
        method="HEAD",
        if_none_match=have,
        name="1896-S",
        rules=RULES,
        buffers=BUFFERS,
    )
    assert_type(served, Served)
    assert_type(served.status, int)
    assert_type(served.headers, dict[str, str])
    assert_type(served.error, BcPictureError | None)
    async with served:
        async for chunk in served:
            yield chunk
    await served.aclose()


async def shortest(bc: BusinessCentral) -> Served:
    """The shortest thing that works, and what there is to see."""
    BUFFERS.forget(bc.company("CRONUS").item(number="1896-S").picture)
    BUFFERS.clear()
    assert_type(BUFFERS.memory_left + BUFFERS.disk_left, int)
    return await web.serve(bc.company("CRONUS").item(number="1896-S").picture)


def tell(error: BcPictureError) -> Served:
    """After an upload that failed."""
    return refuse(error)
