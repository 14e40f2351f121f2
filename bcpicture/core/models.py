"""What the service tells, and what a call achieved: frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from pathlib import PurePath
from typing import Any, Final

import attrs

from bcpicture.core.failures import moment_of
from bcpicture.errors import BcPictureError


class Any_(Enum):  # noqa: N801 - a sentinel's type; `Any` is taken
    """The type of `ANY`."""

    ANY = "*"

    def __repr__(self) -> str:
        return "ANY"


ANY: Final = Any_.ANY
"""For ``if_match``: whatever is there, replace it (the header ``If-Match: *``)."""


class Raise(Enum):
    """The type of `RAISE`."""

    RAISE = "raise"

    def __repr__(self) -> str:
        return "RAISE"


RAISE: Final = Raise.RAISE
"""For ``default``: there is none, raise the error."""


@attrs.frozen(kw_only=True)
class Company:
    """A company of the environment."""

    id: str
    """GUID."""

    name: str
    """The name that addresses it."""

    display_name: str = ""
    """The name that people see, where it differs."""

    extra: Mapping[str, Any] = attrs.field(factory=dict, repr=False, hash=False)
    """Fields that this version of the package does not know, as JSON gave them."""


@attrs.frozen(kw_only=True)
class Picture:
    """What Business Central says about a picture; it says so even if there is none."""

    exists: bool
    """Whether there is one: a size in pixels, or at least a content type, is told."""

    width: int
    """In pixels; 0 without a picture, and for what the service cannot decode."""

    height: int
    """In pixels; 0 like `width`."""

    content_type: str = ""
    """As told, and often ``image/jpeg`` whatever the bytes are."""

    etag: str | None = attrs.field(default=None, repr=False)
    """Opaque. It may not cover the bytes: an equal etag proves nothing."""

    id: str = ""
    """The parent's GUID: it never changes, so it tells nothing about a change."""

    parent_type: str = ""
    """As spelled by the service, only in v2.0."""

    read_link: str | None = attrs.field(default=None, repr=False)
    """Where the service says that the bytes are; kept, never trusted."""

    edit_link: str | None = attrs.field(default=None, repr=False)
    """Where the service says that an upload goes; kept, never trusted."""

    extra: Mapping[str, Any] = attrs.field(factory=dict, repr=False, hash=False)
    """Fields that this version of the package does not know, as JSON gave them."""


@attrs.frozen(kw_only=True)
class Item:
    """An item; or, with the same fields, another record that can have a picture."""

    id: str
    """GUID, unique within its company only."""

    number: str
    """The number that people know it by."""

    display_name: str = ""
    """Its description."""

    gtin: str = ""
    """Bar code number, where the record has one."""

    etag: str | None = attrs.field(default=None, repr=False)
    """Opaque; an upload of the picture changes it."""

    last_modified: datetime | None = None
    """In v2.0 also moved by an upload of the picture."""

    picture: Picture | None = attrs.field(default=None, repr=False)
    """Its picture's metadata, if the query asked for it."""

    extra: Mapping[str, Any] = attrs.field(factory=dict, repr=False, hash=False)
    """Every other field, as JSON gave it."""


@attrs.frozen(kw_only=True)
class PictureInfo:
    """What was found out about the picture of one of many known records."""

    id: str
    """GUID of the record."""

    key: str
    """Its number, or its id where only that was given."""

    picture: Picture | None = attrs.field(default=None, repr=False)
    """What the service says; None if it could not be had."""

    error: BcPictureError | None = None
    """Why it could not be had, such as that there is no such record; None if it was."""


@attrs.frozen(kw_only=True)
class RecordInfo:
    """What one of many known records is now."""

    id: str
    """GUID of the record."""

    key: str
    """Its number, or its id where only that was given."""

    item: Item | None = attrs.field(default=None, repr=False)
    """The record with its picture; None if it could not be had."""

    error: BcPictureError | None = None
    """Why it could not be had, such as that there is no such record; None if it was."""


@attrs.frozen(kw_only=True)
class Environment:
    """An environment of the online service."""

    name: str
    """What addresses it, such as ``Production``."""

    type: str = ""
    """``Production`` or ``Sandbox``."""

    tenant: str = ""
    """GUID of the Microsoft Entra tenant."""

    url: str = attrs.field(default="", repr=False)
    """Where its web services are, as told."""

    extra: Mapping[str, Any] = attrs.field(factory=dict, repr=False, hash=False)
    """Every other field, as JSON gave it."""


@attrs.frozen(kw_only=True)
class Progress:
    """How far a transfer is."""

    done: int
    """Bytes of this attempt so far; equal to `total` only in the very last call."""

    total: int | None
    """Bytes of the picture; None while it is not known."""

    attempt: int = 1
    """Which sending it is: after a failure it begins again from no bytes."""


@attrs.frozen(kw_only=True, slots=False)  # a third faster to make, and many are
class Uploaded:
    """A picture that is in Business Central now."""

    size: int
    """Bytes sent."""

    sha256: str | None = None
    """Hexadecimal digest of those bytes; None unless it was asked for or needed."""

    etag: str | None = attrs.field(default=None, repr=False)
    """The new etag, if the service told it; it usually does not."""

    attempts: int = 1
    """How often the bytes were sent."""

    request_id: str = ""
    """The service's id of the request, for its support."""

    content_type: str | None = None
    """By the bytes' signature; None if it is unknown, or nobody looked."""

    width: int | None = None
    """In pixels, by the bytes' header; None if it does not tell, or nobody looked."""

    height: int | None = None
    """In pixels, like `width`."""

    answered: str = attrs.field(default="", repr=False)
    """When the service answered, by its own clock, as HTTP writes it; see `date`."""

    @property
    def date(self) -> datetime | None:
        """When the service answered, by its own clock; None if it did not tell."""
        # Few want to know, so it is read only now.
        return moment_of(self.answered)


@attrs.frozen(kw_only=True)
class Downloaded:
    """A picture that is in its target now."""

    path: PurePath | None = None
    """Where it is; None if the target is no path."""

    size: int
    """Bytes that arrived."""

    sha256: str | None = None
    """Hexadecimal digest of those bytes; None unless it was asked for or needed."""

    content_type: str | None = None
    """By the first bytes' signature; None if they are none of the known ones."""

    attempts: int = 1
    """How often the request was sent until its whole answer had arrived."""

    unchanged: bool = False
    """Whether they were the bytes that ``unless`` named, and nothing was written."""
