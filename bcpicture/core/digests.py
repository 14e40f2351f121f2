"""SHA-256 digests that a caller gives: bytes that need not come a second time."""

from __future__ import annotations

import re
from enum import Enum
from typing import Final, TypeAlias

from bcpicture.core.models import Downloaded, Uploaded
from bcpicture.errors import UsageError


class AlreadyThere(Enum):
    """The type of `ALREADY_THERE`."""

    ALREADY_THERE = "already there"

    def __repr__(self) -> str:
        return "ALREADY_THERE"


ALREADY_THERE: Final = AlreadyThere.ALREADY_THERE
"""For ``unless``: the file that is there has the same bytes."""

Unless: TypeAlias = str | Uploaded | Downloaded | AlreadyThere
"""Which bytes are not wanted: a digest, or what an earlier call returned."""

_DIGEST = re.compile(r"[0-9a-fA-F]{64}")


def read_unless(unless: Unless | None) -> str | AlreadyThere | None:
    """The digest that is meant, in lower case.

    Raises:
        UsageError: It is no SHA-256 digest in hexadecimal.
    """
    if unless is None or unless is ALREADY_THERE:
        return unless
    if isinstance(unless, Uploaded | Downloaded):
        if unless.sha256 is None:
            raise UsageError(
                f"This {type(unless).__name__} has no digest.",
                advice="Ask for one where it is made: digest=True.",
            )
        return unless.sha256
    # Whatever it is that somebody without a type checker gives.
    if not _DIGEST.fullmatch(str(unless)):
        raise UsageError(
            f"unless={_short(unless)} is no SHA-256 digest in hexadecimal.",
            advice="Give its 64 digits, or what upload() or download() returned.",
        )
    return unless.lower()


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:80] + "…"
