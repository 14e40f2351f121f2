"""What crosses the seam between decisions and the network: nothing of aiohttp."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

import attrs
from multidict import istr
from yarl import URL

# Names that are looked up in every reply: an `istr` is folded only once.
AUTHORIZATION = istr("Authorization")
CONTENT_ENCODING = istr("Content-Encoding")
CONTENT_LENGTH = istr("Content-Length")
CONTENT_TYPE = istr("Content-Type")
DATE = istr("Date")
ETAG = istr("ETag")


class Operation(Enum):
    """What a request is for; retries and read-backs are decided by it."""

    READ = "read"
    """Changes nothing."""

    LIST = "list"
    """Reads many records at once: what takes too long is asked for in pieces."""

    WRITE = "write"
    """Replaces or clears: to repeat it with ``If-Match: *`` changes nothing more."""

    TOKEN = "token"  # noqa: S105 - a kind of request, no secret
    """Asks the identity provider for a token."""


@attrs.frozen(kw_only=True)
class Request:
    """One request, before it has a token."""

    method: str
    """HTTP verb."""

    url: URL
    """Absolute, percent-encoded."""

    headers: Mapping[str, str]
    """Without Authorization, Content-Length and Host."""

    operation: Operation = Operation.READ
    """What it is for."""

    earlier: int = 0
    """How often the same was sent before, to an address that turned out to be old."""

    @property
    def path(self) -> str:
        """Path and query, for people: an address without its origin."""
        return self.url.raw_path_qs


READ_JSON: Mapping[str, str] = MappingProxyType(
    {
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
    }
)
"""Headers of a request for metadata."""

READ_BYTES: Mapping[str, str] = MappingProxyType(
    {
        "Accept": "application/octet-stream",
        # A picture does not shrink further, and a length can be checked only unzipped.
        "Accept-Encoding": "identity",
    }
)
"""Headers of a request for the bytes of a picture."""

WRITE_BYTES: Mapping[str, str] = MappingProxyType(
    {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Content-Type": "application/octet-stream",
    }
)
"""Headers of an upload, as Microsoft's own test client sends them (LibraryGraphMgt)."""

WRITE_BYTES_ANY: Mapping[str, str] = MappingProxyType({**WRITE_BYTES, "If-Match": "*"})
"""Headers of an upload that replaces whatever is there."""

RECURRING = (READ_BYTES, WRITE_BYTES_ANY, READ_JSON)
"""Headers that many requests have in common."""
