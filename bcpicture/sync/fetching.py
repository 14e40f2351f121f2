"""A picture that is fetched to become a file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import attrs

from bcpicture.core.media import SNIFF_BYTES, Kind, sniff
from bcpicture.core.steps import Download
from bcpicture.resources.pictures import PictureHandle
from bcpicture.resources.streams import PictureStream
from bcpicture.sync.folder import SMALL
from bcpicture.sync.targets import Spool, Staged, Target

_HOP = 1 << 20
"""Bytes of a large picture that are written in one hop of a thread."""

UNKNOWN = ".bin"
"""Extension of a file whose bytes are of no known kind."""


@attrs.frozen(kw_only=True)
class Fetched:
    """A picture that has arrived in full."""

    step: Download
    """What was planned."""

    content: bytes | Staged = attrs.field(repr=False)
    """Its bytes, or where they lie."""

    size: int
    """Their number."""

    digest: str
    """Their SHA-256, hexadecimal."""

    kind: Kind | None
    """What they are; None if nobody knows."""

    seconds: float = 0.0
    """How long it took."""

    @property
    def name(self) -> str:
        """The file that it becomes."""
        return self.step.stem + (self.kind.extension if self.kind else UNKNOWN)


async def fetch(
    picture: PictureHandle,
    step: Download,
    target: Target,
    clock: Callable[[], float],
) -> Fetched:
    """Read a picture: a small one into memory, any other beside its place.

    Args:
        picture: It.
        step: What was planned.
        target: Where it is to be a file.
        clock: Monotonic seconds.

    Raises:
        NoPictureError: There is none.
        BcPictureError: It did not arrive in full.
        OSError: It could not be written.
    """
    started = clock()
    async with picture.open() as stream:
        length = stream.length
        if length is None or length > SMALL:
            spooled = await _spooled(stream, step, target.spool())
            return attrs.evolve(spooled, seconds=clock() - started)
        digest, chunks = hashlib.sha256(), []
        async for chunk in stream:
            digest.update(chunk)
            chunks.append(chunk)
    data = b"".join(chunks)
    return Fetched(
        step=step,
        content=data,
        size=len(data),
        digest=digest.hexdigest(),
        kind=sniff(data),
        seconds=clock() - started,
    )


async def _spooled(stream: PictureStream, step: Download, spool: Spool) -> Fetched:
    head, waiting, gathered = b"", [], 0
    try:
        async for chunk in stream:
            if len(head) < SNIFF_BYTES:
                head += chunk[:SNIFF_BYTES]
            waiting.append(chunk)
            gathered += len(chunk)
            if gathered >= _HOP:
                await spool.write(waiting)
                waiting, gathered = [], 0
        await spool.write(waiting)
        staged = await spool.keep()
    except BaseException:
        await spool.discard()
        raise
    return Fetched(
        step=step,
        content=staged,
        size=staged.size,
        digest=staged.digest,
        kind=sniff(head),
    )
