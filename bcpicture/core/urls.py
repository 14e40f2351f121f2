"""Every address that is ever asked, built by a function named after the thing.

Paths of the picture, from Microsoft's end-to-end tests of both API versions:

======  =========================  ==============================  ==============
API     metadata                   bytes                           delete
======  =========================  ==============================  ==============
v1.0    ``picture``                ``picture({id})/content``       ``picture({id})``
v2.0    ``picture``                ``picture/pictureContent``      ``picture``
======  =========================  ==============================  ==============

beta and Graph are like v1.0; ``{id}`` is the parent's own id.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import quote, unquote
from uuid import UUID

from yarl import URL

from bcpicture.core.dialects import Parent
from bcpicture.core.endpoints import Endpoint
from bcpicture.core.filters import encode
from bcpicture.errors import AnswerError, UsageError

Options = Sequence[tuple[str, str]]

# As other programs write it: in braces, or without hyphens.
_LOOSE_GUID = re.compile(
    r"\{[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}|[0-9a-fA-F]{32}"
)
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


LIMIT = 15_000
"""Characters of an address that is sent.

Others measured 400 from 15.8 KB on; what is left is for the mark in a link to the next
page, which repeats the whole address.
"""


def guid(value: object, what: str = "id") -> str:
    """Return *value* as the service writes GUIDs, or refuse it.

    Raises:
        UsageError: It is no GUID.
    """
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str):
        if is_guid(value):
            return value.lower()
        if _LOOSE_GUID.fullmatch(value):
            return str(UUID(value))
    raise UsageError(
        f"{value!r} is no {what}: a GUID is expected.",
        advice="A number or a name goes by keyword, such as item(number='1896-S').",
    )


def is_guid(text: str) -> bool:
    """Whether *text* is a GUID in its usual form."""
    return _GUID.fullmatch(text) is not None


def _url(endpoint: Endpoint, path: str, options: Options = ()) -> URL:
    if not options and not endpoint.query:
        return URL(f"{endpoint.root}{path}", encoded=True)
    query = _query((*options, *endpoint.query))
    return URL(f"{endpoint.root}{path}?{query}", encoded=True)


@lru_cache(32)  # those of a batch are all alike
def _query(options: tuple[tuple[str, str], ...]) -> str:
    return encode(options)


def companies(endpoint: Endpoint, options: Options = ()) -> URL:
    """The companies of the environment."""
    return _url(endpoint, "/companies", options)


def records(
    endpoint: Endpoint, company_id: str, parent: Parent, options: Options = ()
) -> URL:
    """All records of one kind in a company."""
    return _url(endpoint, f"/companies({company_id})/{parent.segment}", options)


def record(
    endpoint: Endpoint,
    company_id: str,
    parent: Parent,
    record_id: str,
    options: Options = (),
) -> URL:
    """One record by its id."""
    path = f"/companies({company_id})/{parent.segment}({record_id})"
    return _url(endpoint, path, options)


def batch(endpoint: Endpoint) -> URL:
    """Where many requests are sent in one."""
    return _url(endpoint, "/$batch")


def environments(endpoint: Endpoint, version: str) -> URL:
    """The list of a tenant's environments: beside the API, at the same origin."""
    return endpoint.origin / "environments" / version


def inner(endpoint: Endpoint, url: URL) -> str:
    """*url* as a request inside a batch names it: relative to the service root."""
    return url.raw_path_qs[len(endpoint.base.raw_path.rstrip("/")) + 1 :]


def _picture(company_id: str, parent: Parent, record_id: str) -> str:
    return f"/companies({company_id})/{parent.segment}({record_id})/picture"


def picture(endpoint: Endpoint, company_id: str, parent: Parent, record_id: str) -> URL:
    """The picture's metadata."""
    return _url(endpoint, _picture(company_id, parent, record_id))


def _entity(endpoint: Endpoint, company_id: str, parent: Parent, record_id: str) -> str:
    path = _picture(company_id, parent, record_id)
    return f"{path}({record_id})" if endpoint.dialect.keyed else path


def picture_entity(
    endpoint: Endpoint, company_id: str, parent: Parent, record_id: str
) -> URL:
    """The picture as a thing that can be deleted."""
    return _url(endpoint, _entity(endpoint, company_id, parent, record_id))


def picture_content(
    endpoint: Endpoint, company_id: str, parent: Parent, record_id: str
) -> URL:
    """The picture's bytes, for reading and for replacing."""
    # On the way of every picture, so written out.
    dialect = endpoint.dialect
    key = f"({record_id})" if dialect.keyed else ""
    path = (
        f"/companies({company_id})/{parent.segment}({record_id})"
        f"/picture{key}/{dialect.stream}"
    )
    return _url(endpoint, path)


def follow(endpoint: Endpoint, link: str) -> URL:
    """The address of a link in a reply, moved to the configured place.

    A service behind a proxy tells its inner name (Microsoft: navcontainerhelper issue
    2137, nav-docker issue 460), so origin, instance and tenant are ours: what counts is
    the part after the API version. A relative link is relative to the service root.

    Raises:
        AnswerError: It is no address, or leads out of the API: nothing is sent there.
    """
    try:
        # What no address may hold (blanks, line breaks, other alphabets) is encoded;
        # what is encoded already stays as it is, since a skip token is opaque.
        found = URL(quote(link, safe=string.punctuation), encoded=True)
    except ValueError as exc:
        raise _astray("is no address") from exc
    if not link:
        raise _astray("is no address")
    tail = _tail(endpoint, found)
    # Some servers take a backslash for a slash, and decode before they look.
    steps = unquote(tail).replace("\\", "/").split("/")
    if not {".", ".."}.isdisjoint(steps):
        raise _astray("climbs out of the API")
    ours = {name.lower() for name, _ in endpoint.query}
    theirs = [
        option
        for option in found.raw_query_string.split("&")
        if option and unquote(option.partition("=")[0]).lower() not in ours
    ]
    query = "&".join([*theirs, *filter(None, [encode(endpoint.query)])])
    return URL(f"{endpoint.root}{tail}{'?' * bool(query)}{query}", encoded=True)


def _tail(endpoint: Endpoint, found: URL) -> str:
    """The part of a link's path after the API version."""
    path, root = found.raw_path, endpoint.base.raw_path.rstrip("/")
    if not found.absolute and not path.startswith("/"):
        return "/" + path
    if root and path.startswith(root + "/"):
        return path[len(root) :]
    # A custom API has a longer end than a standard one's.
    own = root[root.find("/api/") :] if "/api/" in root else root
    for tail in (*endpoint.dialect.tails, *filter(None, [own])):
        _, mark, rest = path.rpartition(tail + "/")
        if mark:
            return "/" + rest
    if root:
        raise _astray("leads out of the API")
    return path


def _astray(how: str) -> AnswerError:
    return AnswerError(
        f"The service sent a link that {how}; it was not followed.",
        advice="Look at the server's public address, and at what stands between.",
    )
