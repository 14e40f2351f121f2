"""Whether what came back is what went up, by the bytes on the disk alone."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path

import attrs

from bcpicture.core.filenames import safe_stem
from bcpicture.core.plans import PushPlan


@attrs.frozen
class Comparison:
    """How many pictures came back as they went."""

    identical: int = 0
    """Byte for byte."""

    different: int = 0
    """Changed, or not at all."""


async def compare(plan: PushPlan, up: Path, down: Path) -> Comparison:
    """Compare the files that were sent with those that came back for their numbers."""
    sent = {step.number: up / step.file.name for step in plan.uploads}
    return await asyncio.to_thread(_compare, sent, down)


def _compare(sent: Mapping[str, Path], down: Path) -> Comparison:
    came = {path.stem: path for path in down.iterdir()} if down.is_dir() else {}
    pairs = ((path, came.get(safe_stem(number))) for number, path in sent.items())
    identical = sum(_same(one, other) for one, other in pairs)
    return Comparison(identical, len(sent) - identical)


def _same(one: Path, other: Path | None) -> bool:
    return other is not None and _digest(one) == _digest(other)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
