"""From whatever a caller names to something that takes a picture's bytes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol, TypeAlias

from bcpicture.core.digests import AlreadyThere
from bcpicture.errors import UsageError
from bcpicture.net.parts import PathSink
from bcpicture.net.sinks import Sink


class Writable(Protocol):
    """A file object that is open for writing bytes, or no more than its `write`."""

    def write(self, data: bytes, /) -> object:
        """Append *data*, at once or when it is awaited."""


class OpensItsSink(Protocol):
    """What knows how it is written, such as an object in a bucket."""

    def open_sink(self) -> Sink:
        """What fills it."""


Target: TypeAlias = str | os.PathLike[str] | Writable | OpensItsSink
"""Where a picture can be saved; a `str` is a path."""


async def open_target(
    target: Target,
    *,
    sniff_extension: bool = False,
    unless: str | AlreadyThere | None = None,
) -> Sink:
    """Make a sink of *target*; nothing is written yet.

    Args:
        target: A path, a file object that is open for writing bytes, or what opens
            its own sink.
        sniff_extension: Take a path's extension from the bytes.
        unless: Bytes that it must not be touched for.

    Raises:
        UsageError: It is nothing that takes bytes.
    """
    if isinstance(target, str | os.PathLike):
        if "\0" in os.fspath(target):
            raise UsageError(
                f"{target!r} is no path: there is a NUL in it.",
                advice="Give a path that the system can have.",
            )
        return PathSink(Path(target), sniff_extension=sniff_extension)
    if sniff_extension:
        raise UsageError(
            f"A {type(target).__name__} has no extension to choose.",
            advice="Leave sniff_extension out; the result tells the content_type.",
        )
    if (open_sink := getattr(target, "open_sink", None)) is not None:
        sink: Sink = open_sink()
        return sink
    # Not for everybody: most pictures go to paths.
    from bcpicture.net.held import Held
    from bcpicture.net.writers import open_writer

    sink = await open_writer(target, unless)
    return sink if unless is None else Held(sink)
