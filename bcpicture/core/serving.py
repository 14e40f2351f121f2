"""The headers under which a stored picture may appear on a public page.

Whoever may edit an item can store anything as its picture: a web page, or an SVG with a
script in it. Sent under that type from the shop's own address, it would run with the
shop's cookies. So the type comes from the bytes, by a list of what is harmless, and the
rest is handed over as a file to save, or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, get_args
from urllib.parse import quote

import attrs

from bcpicture.core import media
from bcpicture.errors import UsageError

HARMLESS = frozenset(
    {media.JPEG, media.PNG, media.GIF, media.BMP, media.WEBP, media.AVIF}
)
"""Kinds that browsers draw and never execute."""

GUARDS: Mapping[str, str] = MappingProxyType(
    {
        # No browser shall find out by itself that it might be a page after all, and one
        # that is shown the address as a page runs nothing of it.
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        # The service has no ranges, so neither have we: a part would cost the whole.
        "Accept-Ranges": "none",
    }
)
"""What goes with every answer."""

_FILE = "application/octet-stream"
_FIELD_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_UNQUOTED = re.compile(r"[^A-Za-z0-9 !#$&()+,.=@\[\]^_`{}~-]")
_ATTR_CHARS = "!#$&+^`|"
_LONGEST_NAME = 150

CrossOrigin = Literal["same-origin", "same-site", "cross-origin"]
"""Whose pages may show a picture."""

Unshowable = Literal["attachment", "refuse"]
"""What becomes of bytes that are no harmless picture."""


@attrs.frozen(kw_only=True)
class Rules:
    """How pictures appear on a site: the same for all of them."""

    cache_control: str = "no-cache"
    """Who may keep a picture, and for how long. By default it is asked for at every
    use; ``public, max-age=300`` spares most of the requests."""

    cross_origin: CrossOrigin = "same-site"
    """Whose pages may show it (``Cross-Origin-Resource-Policy``)."""

    unshowable: Unshowable = "attachment"
    """What becomes of bytes that are no harmless picture: a file to save, or a 404."""

    def __attrs_post_init__(self) -> None:
        if not _FIELD_VALUE.fullmatch(self.cache_control):
            raise UsageError(
                f"cache_control={self.cache_control!r} is no value of a header.",
                advice="It is printable ASCII on one line, such as 'no-store'.",
            )
        _one_of(get_args(CrossOrigin), "cross_origin", self.cross_origin)
        _one_of(get_args(Unshowable), "unshowable", self.unshowable)

    def shows(self, kind: media.Kind | None) -> bool:
        """Whether bytes of this kind go out at all."""
        return kind in HARMLESS or self.unshowable == "attachment"


def _one_of(allowed: tuple[str, ...], name: str, value: str) -> None:
    if value not in allowed:
        raise UsageError(
            f"{name}={value!r} is unknown.",
            advice=f"It is one of: {', '.join(allowed)}.",
        )


def headers_for(
    kind: media.Kind | None,
    rules: Rules,
    *,
    length: int | None = None,
    etag: str | None = None,
    name: str = "",
) -> dict[str, str]:
    """The headers of an answer with a picture.

    There is no Last-Modified: the service tells nobody when a picture was changed.

    Args:
        kind: What the bytes are; None if nobody knows.
        rules: How pictures appear on the site.
        length: Number of bytes, if it is known.
        etag: A strong one, quoted, if the bytes have been seen.
        name: What the file is called if it is saved; anything at all.
    """
    harmless = kind is not None and kind in HARMLESS
    headers = {"Content-Type": kind.content_type if kind and harmless else _FILE}
    if length is not None:
        headers["Content-Length"] = str(length)
    if name or not harmless:
        headers["Content-Disposition"] = disposition(
            file_name(name or "picture", kind), inline=harmless
        )
    return headers | standing_headers(rules, etag=etag)


def standing_headers(rules: Rules, *, etag: str | None) -> dict[str, str]:
    """The headers that a 304 repeats."""
    headers = {
        "Cache-Control": rules.cache_control,
        "Cross-Origin-Resource-Policy": rules.cross_origin,
        **GUARDS,
    }
    return headers if etag is None else {"ETag": etag, **headers}


def file_name(name: str, kind: media.Kind | None) -> str:
    """*name*, free of what misleads or breaks out, with the extension of its bytes."""
    printable = "".join(
        sign if sign.isprintable() and sign not in '/\\:"' else "_" for sign in name
    )
    printable = printable[:_LONGEST_NAME].strip(" .") or "picture"
    # A page or an SVG that is saved under its own extension would be opened as one.
    inert = kind is not None and kind.picture and kind != media.SVG
    extension = kind.extension if kind and inert else ".bin"
    usual = (extension, ".jpeg") if kind == media.JPEG else (extension,)
    return printable if printable.lower().endswith(usual) else printable + extension


def disposition(name: str, *, inline: bool) -> str:
    """Content-Disposition with a file name (RFC 6266), in ASCII and as it is (8187)."""
    plain = _UNQUOTED.sub("_", name)
    value = f'{"inline" if inline else "attachment"}; filename="{plain}"'
    if plain == name:
        return value
    return f"{value}; filename*=UTF-8''{quote(name, safe=_ATTR_CHARS)}"
