"""Addresses: which API, for which tenant, and what lies behind its root."""

import re

import attrs

from bcpicture.emulator.problems import (
    ServiceError,
    bad_request,
    no_segment,
    query_syntax,
)
from bcpicture.emulator.query import decode

APIS = frozenset({"v2.0", "v1.0", "beta"})
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

    on_premises: bool
    """Whether the path begins with the name of a server instance."""

    segments: tuple[Segment, ...]
    """What is behind the root."""

    @property
    def is_graph(self) -> bool:
        """Whether it is Microsoft Graph's address."""
        return self.api == "graph"


def check_length(url_length: int) -> None:
    """Refuses a URL that is too long, as the service does."""
    if url_length >= FAR_TOO_LONG:
        raise ServiceError(500, "Internal_ServerError", "An error occurred.")
    if url_length > TOO_LONG:
        raise bad_request("The request URL is too long.")


def understand(raw_path: str) -> Address:
    """Reads a path as it came over the wire.

    Raises:
        ServiceError: it leads to nothing that the emulator serves.
    """
    raw = raw_path.strip("/").split("/")
    parts = [decode(part) for part in raw]
    if tuple(parts[:2]) in GRAPH_ROOTS:
        behind = _slash_keys(parts[2:])
        return _address("graph", raw[:2], None, behind, on_premises=False)
    if "api" not in parts:
        raise ServiceError(404, "", "", bare=True)
    at = parts.index("api")
    if len(parts) < at + 2 or parts[at + 1] not in APIS:
        raise no_segment(parts[-1])
    prefix = parts[:at]
    return _address(
        parts[at + 1],
        raw[: at + 2],
        _tenant_of(prefix),
        parts[at + 2 :],
        on_premises=prefix[:1] not in (["v1.0"], ["v2.0"]),
    )


def _address(
    api: str,
    root: list[str],
    tenant: str | None,
    parts: list[str],
    *,
    on_premises: bool,
) -> Address:
    return Address(
        api=api,
        root="/" + "/".join(root),
        tenant=tenant,
        on_premises=on_premises,
        segments=tuple(_segment(part) for part in parts if part),
    )


def _tenant_of(prefix: list[str]) -> str | None:
    """The tenant that a cloud prefix names; refuses prefixes that do not exist."""
    match prefix:
        case ["v2.0", _] | ["v1.0"] | ["v1.0", "sandbox"] | [_]:
            return None
        case ["v2.0", tenant, _] | ["v1.0", tenant] | ["v1.0", tenant, "sandbox"]:
            return tenant
        case _:
            raise ServiceError(404, "", "", bare=True)


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
