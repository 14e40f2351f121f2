"""Values inside OData expressions, quoted so that no text can break out.

Microsoft, "OData known limitations": ``or`` works on one field only.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from bcpicture.core.guards import clean


def literal(text: str) -> str:
    """*text* as an OData string: in single quotes, its own quotes doubled."""
    return "'" + text.replace("'", "''") + "'"


def equals(field: str, text: str) -> str:
    """The expression that *field* is exactly *text*."""
    return f"{field} eq {literal(text)}"


def encoded(text: str) -> str:
    """*text* as the value of an option: blanks are ``%20``, never ``+``."""
    return quote(text, safe="$:,()")


def encode(options: Iterable[tuple[str, str]]) -> str:
    """Query options as a query string: blanks are ``%20``, never ``+``.

    Raises:
        UsageError: A value has a control character.

    A strict OData server takes ``+`` for a plus sign. ``$`` stays as it is, since some
    proxies do not know ``%24filter``.
    """
    return "&".join(
        f"{quote(name, safe='$@.')}={encoded(clean(value, name))}"
        for name, value in options
    )
