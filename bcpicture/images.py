"""Pictures as they have to be (extra ``images``): converted, upright, small enough."""

from __future__ import annotations

from bcpicture.core.preparation import Prepare, Prepared
from bcpicture.net.preparing import prepare_body
from bcpicture.net.sources import Source, open_source

__all__ = ["Prepare", "Prepared", "prepare_picture"]


async def prepare_picture(source: Source, prepare: Prepare | None = None) -> Prepared:
    """Prepare a picture without sending it.

    Args:
        source: What an upload takes.
        prepare: What it has to be.

    Raises:
        SourceError: The bytes cannot be had, or cannot be made so.
        ConfigurationError: Pillow is not installed.
    """
    body = await open_source(source)
    try:
        prepared, body = await prepare_body(body, prepare or Prepare(), source)
    finally:
        await body.aclose()
    return prepared
