"""Addresses that people write, read with care."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import quote

from yarl import URL

from bcpicture.core.guards import clean
from bcpicture.errors import ConfigurationError

_STANDARD = ("v2.0", "v1.0")
"""The standard APIs, the newest first."""


def is_loopback(host: str | None) -> bool:
    """Whether *host* can only be this very machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def segment(value: str, what: str) -> str:
    """*value* as a part of a path.

    Raises:
        ConfigurationError: It is none that has a name.
    """
    if not value or value in {".", ".."}:
        raise ConfigurationError(
            f"The {what} is {value!r}.", advice=f"Give the {what} its real name."
        )
    return quote(clean(value, what), safe="")


def parsed(url: str | URL) -> URL:
    """*url* in full, without a slash at its end.

    Raises:
        ConfigurationError: It is no address, or holds what does not belong there.
    """
    if isinstance(url, str):
        url = clean(url.strip(), "address")
    try:
        base = URL(url)
    except (ValueError, TypeError) as exc:
        raise ConfigurationError(
            f"The address {str(url)!r} cannot be read: {exc}.",
            advice="Give it in full, such as https://bc.example.com:7048/BC/api/v2.0.",
        ) from exc
    if base.scheme not in {"http", "https"} or not base.host:
        raise ConfigurationError(
            f"The address {str(base)!r} has no scheme or host.",
            advice="Give it in full, such as https://bc.example.com:7048/BC/api/v2.0.",
        )
    if base.user is not None or base.password is not None or base.fragment:
        raise ConfigurationError(
            "The address holds a user, a password or a fragment.",
            advice="Hand credentials over separately, as BasicKey(user, key).",
        )
    return base.with_path(base.raw_path.rstrip("/"), encoded=True, keep_query=True)


_API = re.compile(r"/api(?:/.*)?$")


def candidates(url: str | URL) -> list[str]:
    """Where the standard APIs would be at *url*, the newest first.

    Args:
        url: Up to the server instance or environment, or any longer address.
    """
    base = parsed(url)
    place = _API.sub("", base.raw_path.rstrip("/"))
    return [
        str(base.with_path(f"{place}/api/{api}", encoded=True, keep_query=True))
        for api in _STANDARD
    ]
