"""In what the API versions differ: one frozen value each, and nothing else anywhere.

Sources: Microsoft's end-to-end tests of the picture pages (BCApps,
``APIV1PicturesE2E`` and ``APIV2PicturesE2E``) and the page objects that they test.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from bcpicture.errors import UsageError

BUSINESS_CENTRAL_SCOPE = "https://api.businesscentral.dynamics.com/.default"
GRAPH_SCOPE = "https://graph.microsoft.com/.default"


@attrs.frozen(cache_hash=True)  # every handle looks itself up in a set of them
class Parent:
    """A kind of record that can have a picture."""

    kind: str
    """In words, singular: ``item``, ``item variant``."""

    segment: str
    """Name of its entity set in the address."""

    key: str
    """Field that holds the number people know it by."""


ITEM = Parent("item", "items", "number")
CUSTOMER = Parent("customer", "customers", "number")
VENDOR = Parent("vendor", "vendors", "number")
EMPLOYEE = Parent("employee", "employees", "number")
CONTACT = Parent("contact", "contacts", "number")
ITEM_VARIANT = Parent("item variant", "itemVariants", "code")


@attrs.frozen(kw_only=True)
class Dialect:
    """The facts of one API version."""

    name: str
    """As people call it: ``v2.0``, ``v1.0``, ``beta``, ``graph``."""

    stream: str
    """Name of the picture's stream property."""

    keyed: bool
    """Whether the picture is addressed with its parent's id: ``picture({id})``."""

    tails: tuple[str, ...]
    """How an address of this version may end."""

    parents: frozenset[Parent]
    """Which records have a picture in this version."""

    scope: str = BUSINESS_CENTRAL_SCOPE
    """OAuth scope that a token needs for it."""

    vouches: bool = False
    """Whether each modification of a record moves its etag and its time stamp. In v2.0
    the stamp is the platform's own (``SystemModifiedAt``); in v1.0 it is a field that
    only table triggers keep up, and Business Central's own import of pictures skips
    them (BCApps, ``ItemPictureBuffer``)."""


_FOUR = frozenset({ITEM, CUSTOMER, VENDOR, EMPLOYEE})

V2 = Dialect(
    name="v2.0",
    stream="pictureContent",
    keyed=False,
    tails=("/api/v2.0",),
    parents=_FOUR | {CONTACT, ITEM_VARIANT},
    vouches=True,
)
V1 = Dialect(
    name="v1.0", stream="content", keyed=True, tails=("/api/v1.0",), parents=_FOUR
)
BETA = attrs.evolve(V1, name="beta", tails=("/api/beta",))
GRAPH = attrs.evolve(
    V1, name="graph", tails=("/businesscentral", "/financials"), scope=GRAPH_SCOPE
)

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {dialect.name: dialect for dialect in (V2, V1, BETA, GRAPH)}
)
"""Every dialect by its name."""


def require(dialect: Dialect, parent: Parent) -> None:
    """Refuse what an API version does not have, before anything is sent.

    Raises:
        UsageError: It has no pictures of such records; the error says which has.
    """
    if parent not in dialect.parents:
        able = [one.name for one in DIALECTS.values() if parent in one.parents]
        raise UsageError(
            f"API {dialect.name} has no picture of a {parent.kind}.",
            advice=f"It is there in {', '.join(able)}.",
        )
