"""Whether what came back is what went up, by the bytes on the disk alone."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path

from bcpicture.core.models import Downloaded
from bcpicture.core.pairing import PushPlan
from bcpicture.sync import Outcome


class Comparison:
    """Compares the digests of files that were sent with those of files that came."""

    def __init__(self, plan: PushPlan) -> None:
        self._sent: Mapping[str, str] = {
            step.number: step.file.path for step in plan.uploads
        }
        self.identical = 0

    @property
    def different(self) -> int:
        """Pictures that came back changed, or not at all."""
        return len(self._sent) - self.identical

    async def add(self, outcome: Outcome) -> None:
        """Compare one picture that came back."""
        sent = self._sent.get(outcome.number)
        saved = outcome.result
        if sent and isinstance(saved, Downloaded) and saved.path is not None:
            came = Path(saved.path)
            self.identical += await asyncio.to_thread(_same, Path(sent), came)


def _same(one: Path, other: Path) -> bool:
    return _digest(one) == _digest(other)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
