"""What must not be: in an address or a header, or in too little memory."""

from __future__ import annotations

import re

from bcpicture.errors import AnswerError, UsageError

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def clean(value: str, what: str) -> str:
    """Return *value*, or refuse it if it could split a header or an address.

    Raises:
        UsageError: It has a control character such as CR, LF or NUL, or half a
            character, as file names that are no UTF-8 do.
    """
    if found := _SURROGATE.search(value):
        raise UsageError(
            f"The {what} has half a character at position {found.start()}.",
            advice="It comes from a name that is not UTF-8: give it another one.",
        )
    if found := _CONTROL.search(value):
        raise UsageError(
            f"The {what} has a control character (U+{ord(found.group()):04X}) "
            f"at position {found.start()}.",
            advice="Take it out: it could smuggle a header or a second request.",
        )
    return value


def require_within(max_bytes: int | None, size: int) -> None:
    """Refuse a body of more than *max_bytes*, if there is such a limit.

    Raises:
        AnswerError: It is longer.
    """
    if max_bytes is not None and size > max_bytes:
        raise AnswerError(
            f"The body is longer than max_bytes={max_bytes}.",
            advice="Raise it, or stream the picture with open() or download().",
        )
