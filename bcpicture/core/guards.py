"""What must never reach an address or a header."""

from __future__ import annotations

import re

from bcpicture.errors import UsageError

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
