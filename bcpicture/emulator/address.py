"""Addresses: which API, for which tenant, and what lies behind its root."""

import re
from collections.abc import Collection
from functools import lru_cache

import attrs

from bcpicture.emulator.problems import (
    ServiceError,
    bad_request,
    no_route,
    no_segment,
    query_syntax,
)
from bcpicture.emulator.query import decode

APIS = frozenset({"v2.0", "v1.0", "beta", "graph"})
GRAPH_ROOTS = frozenset({("v1.0", "businesscentral"), ("beta", "financials")})

_GUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_SEGMENT = re.compile(r"([$A-Za-z][A-Za-z0-9]*)(?:\((.*)\))?")

TOO_LONG = 15_800
"""A URL of more characters is refused with 400 …"""

FAR_TOO_LONG = 18_000
"""… and from here on with 500."""


@attrs.frozen
class Segment:
    """One step of a path: ``items`` or ``items(…)``."""

    name: str
    """What is before the parenthesis."""

    key: str | None = None
    """The GUID in it, in lower case."""


@attrs.frozen(kw_only=True)
class Address:
    """A path, understood."""

    api: str
    """``v2.0``, ``v1.0``, ``beta`` or ``graph``."""

    root: str
    """The path of the service root, as it came, without a slash at the end."""

    tenant: str | None
    """The tenant that the path names; None: it names none."""

    environment: str | None
    """The environment that the path names; None: it has no place for one."""

    on_premises: bool
    """Whether the path begins with the name of a server instance."""

    segments: tuple[Segment, ...]
    """What is behind the root."""

    @property
    def is_graph(self) -> bool:
        """Whether it is Microsoft Graph's address."""
        return self.api == "graph"

    @property
    def is_batch(self) -> bool:
        """Whether it is where batches go."""
        return not self.is_graph and self.segments == (Segment("$batch"),)


def check_length(url_length: int) -> None:
    """Refuses a URL that is too long, as the service does."""
    if url_length >= FAR_TOO_LONG:
        raise ServiceError(500, "Internal_ServerError", "An error occurred.")
    if url_length > TOO_LONG:
        raise bad_request("The request URL is too long.")


def understand(raw_path: str, apis: Collection[str] = APIS) -> Address:
    """Reads a path as it came over the wire.

    Args:
        raw_path: The path, still encoded.
        apis: The API versions that are there.

    Raises:
        ServiceError: it leads to nothing that the emulator serves.
    """
    raw = raw_path.strip("/").split("/")
    parts = [decode(part) for part in raw]
    if tuple(parts[:2]) in GRAPH_ROOTS:
        if "graph" not in apis:
            raise no_segment(parts[1])
        behind = _slash_keys(parts[2:])
        return _address("graph", raw[:2], _Prefix(None, None), behind)
    if "api" not in parts:
        raise ServiceError(404, "", "", bare=True)
    at = parts.index("api")
    if len(parts) < at + 2 or parts[at + 1] not in apis:
        raise no_route(raw_path)
    prefix = _read_prefix(parts[:at])
    return _address(parts[at + 1], raw[: at + 2], prefix, parts[at + 2 :])


@attrs.frozen
class _Prefix:
    """What is in front of ``api``."""

    tenant: str | None
    environment: str | None
    on_premises: bool = False


def _address(api: str, root: list[str], prefix: _Prefix, parts: list[str]) -> Address:
    return Address(
        api=api,
        root="/" + "/".join(root),
        tenant=prefix.tenant,
        environment=prefix.environment,
        on_premises=prefix.on_premises,
        segments=tuple(_segment(part) for part in parts if part),
    )


def _read_prefix(prefix: list[str]) -> _Prefix:
    """The tenant and environment of a prefix; refuses prefixes that do not exist."""
    match prefix:
        case ["v2.0", environment]:
            return _Prefix(None, environment)
        case ["v2.0", tenant, environment]:
            return _Prefix(tenant, environment)
        case ["v1.0", *named, "sandbox"] if len(named) < 2:
            return _Prefix(named[0] if named else None, "Sandbox")
        case ["v1.0", *named] if len(named) < 2:
            return _Prefix(named[0] if named else None, "Production")
        case [_]:
            return _Prefix(None, None, on_premises=True)
        case _:
            raise ServiceError(404, "", "", bare=True)


@lru_cache(1 << 15)  # a push comes to each item twice
def _segment(part: str) -> Segment:
    found = _SEGMENT.fullmatch(part)
    if found is None:
        raise query_syntax()
    name, key = found.groups()
    if key is not None and not _GUID.fullmatch(key):
        raise query_syntax()
    return Segment(name, key.lower() if key else None)


def _slash_keys(parts: list[str]) -> list[str]:
    """Graph writes ``items/{id}`` as well as ``items({id})``."""
    joined: list[str] = []
    for part in parts:
        if joined and _GUID.fullmatch(part):
            joined[-1] += f"({part})"
        else:
            joined.append(part)
    return joined
