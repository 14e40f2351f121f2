"""Does the visitor have these bytes already? (RFC 9110, sections 8.8.3 and 13.1.2)."""

from __future__ import annotations

import re

_ENTITY_TAG = re.compile(r'[ \t,]*+(?:W/)?("[\x21\x23-\x7e\x80-\xff]*+")[ \t]*+(?=,|$)')


def strong_etag(sha256: str) -> str:
    """The entity tag of the bytes with this digest."""
    return f'"{sha256}"'


def not_modified(if_none_match: str | None, etag: str | None) -> bool:
    """Whether 304 is the answer to a GET or HEAD for something that is there.

    Args:
        if_none_match: The header as it came; several lines are joined by commas.
        etag: The strong entity tag of what is there; None if it has none.
    """
    if if_none_match is None:
        return False
    if if_none_match.strip(" \t") == "*":
        return True
    # The comparison is weak, so that `W/` does not count. A cache on the way may have
    # weakened our tag, because it packed the bytes.
    return etag is not None and etag in _tags(if_none_match)


def _tags(text: str) -> set[str]:
    """The opaque parts of a list of entity tags; none if it is no such list."""
    tags: set[str] = set()
    at, end = 0, len(text.rstrip(" \t,"))
    while at < end:
        found = _ENTITY_TAG.match(text, at)
        if found is None:
            return set()
        tags.add(found[1])
        at = found.end()
    return tags
