"""Query strings: decoded as a strict OData server does, then read option by option."""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import unquote_to_bytes

import attrs

from bcpicture.emulator.filters import Condition, Fields, parse_filter
from bcpicture.emulator.problems import (
    bad_request,
    not_supported,
    syntax_error,
    unknown_property,
)

SUPPORTED = frozenset(
    {"$filter", "$select", "$expand", "$count", "$top", "$skip", "$orderby"}
    | {"$skiptoken"}
)


def decode(text: str) -> str:
    """Percent-decodes; a plus sign stays one.

    Raises:
        ServiceError: a broken escape, or bytes that are no UTF-8.
    """
    if "%" not in text and text.isascii():
        return text
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise bad_request("The request URI contains a broken percent escape.")
    try:
        return unquote_to_bytes(text.encode("utf-8", "surrogateescape")).decode()
    except UnicodeDecodeError:
        raise bad_request("The request URI is not valid UTF-8.") from None


@lru_cache(1024)  # the requests of a batch are mostly alike
def split_query(raw: str, *, strict_plus: bool = True) -> Mapping[str, str]:
    """Reads a raw query string into its decoded options.

    Raises:
        ServiceError: a system option twice.
    """
    options: dict[str, str] = {}
    for part in filter(None, raw.split("&")):
        name, _, value = part.partition("=")
        if not strict_plus:
            value = value.replace("+", "%20")
        key = decode(name)
        if key in options and key.startswith("$"):
            raise bad_request(f"Query option '{key}' was specified more than once.")
        options[key] = decode(value)
    return MappingProxyType(options)


@attrs.frozen(kw_only=True)
class Query:
    """The system query options of one request."""

    condition: Condition | None = None
    """``$filter``."""

    select: frozenset[str] | None = None
    """``$select``; None: everything."""

    expand: bool = False
    """``$expand=picture``."""

    expand_select: frozenset[str] | None = None
    """The fields of the expanded picture; None: everything."""

    order: str | None = None
    """``$orderby``."""

    descending: bool = False
    """``$orderby=… desc``."""

    count: bool = False
    """``$count=true``."""

    top: int | None = None
    """``$top``."""

    skip: int = 0
    """``$skip``."""

    skiptoken: str | None = None
    """Where the page before ended."""


def parse_query(
    options: Mapping[str, str], fields: Fields, kind: str, *, picture: Fields
) -> Query:
    """Reads the system options of a request for an entity or a set of them.

    Args:
        options: Every option, decoded; those without a dollar sign are ignored, as the
            service does.
        fields: The fields of the entity.
        kind: Its type, for messages.
        picture: The fields of its picture; empty when it has none.
    """
    refuse_unsupported(options)
    text = options.get("$filter")
    order, descending = _order(options.get("$orderby"), fields, kind)
    expand, expand_select = _expand(options.get("$expand"), picture)
    return Query(
        condition=parse_filter(text, fields, kind) if text is not None else None,
        select=_select(options.get("$select"), fields, kind),
        expand=expand,
        expand_select=expand_select,
        order=order,
        descending=descending,
        count=_flag(options.get("$count", "false")),
        top=_whole("$top", options.get("$top")),
        skip=_whole("$skip", options.get("$skip")) or 0,
        skiptoken=options.get("$skiptoken"),
    )


def refuse_unsupported(
    options: Mapping[str, str], supported: frozenset[str] = SUPPORTED
) -> None:
    """Answers 501 for a system option that would otherwise be passed over."""
    for name in options:
        if name.startswith("$") and name not in supported:
            raise not_supported(f"the query option '{name}' here")


def _whole(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise bad_request(f"Invalid value '{text}' for {name} query option found.")
    return int(text)


def _flag(text: str) -> bool:
    if text not in {"true", "false"}:
        raise bad_request(f"Invalid value '{text}' for $count query option found.")
    return text == "true"


def _select(text: str | None, fields: Fields, kind: str) -> frozenset[str] | None:
    if text is None:
        return None
    names = [name.strip(" ") for name in text.split(",")]
    if "*" in names:
        return None
    for name in names:
        if name not in fields:
            raise unknown_property(name, kind)
    return frozenset(names)


def _expand(text: str | None, picture: Fields) -> tuple[bool, frozenset[str] | None]:
    if text is None:
        return False, None
    found = re.fullmatch(r"picture(?:\((.*)\))?", text)
    if found is None or not picture:
        raise not_supported(f"$expand={text}")
    if not found.group(1):
        return True, None
    inner = re.fullmatch(r"\$select=([^;()]*)", found.group(1))
    if inner is None:
        raise not_supported(f"$expand={text}")
    return True, _select(inner.group(1), picture, "picture")


def _order(text: str | None, fields: Fields, kind: str) -> tuple[str | None, bool]:
    if text is None:
        return None, False
    name, _, direction = text.partition(" ")
    if "," in text:
        raise not_supported(f"$orderby={text}")
    if direction not in {"", "asc", "desc"}:
        raise syntax_error(len(name), text)
    if name not in fields:
        raise unknown_property(name, kind)
    return name, direction == "desc"
