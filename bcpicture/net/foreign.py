"""Objects that others made: what they can do is found out by asking them."""

from __future__ import annotations

import inspect
from typing import Any, TypeAlias

Foreign: TypeAlias = Any
"""A file object, a reply, a value: of whatever make, and of whatever type."""


async def awaited(value: Foreign) -> Foreign:
    """The *value*, which some hand out at once and others when they are awaited."""
    return await value if inspect.isawaitable(value) else value


async def closed(source: Foreign) -> None:
    """Close *source*, in whatever way it is closed."""
    await awaited((getattr(source, "aclose", None) or source.close)())
