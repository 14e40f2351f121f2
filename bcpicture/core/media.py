"""What some bytes are, by their signature, and how large a picture they hold.

File extensions and the service's content types say what somebody hoped for: Business
Central names every picture ``.jpg``. Only the bytes are to be believed.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping

import attrs

SNIFF_BYTES = 4096
"""Bytes from the start that `sniff` wants; an SVG may begin with a long comment."""

_RASTER_BYTES = 32
"""Bytes that are enough for the usual kinds."""

PICTURE_EXTENSIONS = frozenset(
    {
        *{".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".dib"},
        *{".webp", ".heic", ".heif", ".avif", ".tif", ".tiff", ".svg"},
    }
)
"""Extensions, in lower case, of files that are taken for pictures."""


@attrs.frozen(kw_only=True, eq=False)
class Kind:
    """A kind of file that is known by its first bytes; there is one value of each."""

    name: str
    """As people call it."""

    content_type: str
    """Its media type."""

    extension: str
    """The usual one, with its dot."""

    shown: bool = False
    """Whether Business Central is proven to show it."""

    picture: bool = True
    """Whether it is a picture at all."""


JPEG = Kind(name="JPEG", content_type="image/jpeg", extension=".jpg", shown=True)
PNG = Kind(name="PNG", content_type="image/png", extension=".png", shown=True)
GIF = Kind(name="GIF", content_type="image/gif", extension=".gif", shown=True)
BMP = Kind(name="BMP", content_type="image/bmp", extension=".bmp", shown=True)
WEBP = Kind(name="WebP", content_type="image/webp", extension=".webp")
HEIC = Kind(name="HEIC", content_type="image/heic", extension=".heic")
HEIF = Kind(name="HEIF", content_type="image/heif", extension=".heif")
AVIF = Kind(name="AVIF", content_type="image/avif", extension=".avif")
TIFF = Kind(name="TIFF", content_type="image/tiff", extension=".tiff")
SVG = Kind(name="SVG", content_type="image/svg+xml", extension=".svg")
HTML = Kind(
    name="HTML page", content_type="text/html", extension=".html", picture=False
)
JSON = Kind(
    name="JSON", content_type="application/json", extension=".json", picture=False
)
XML = Kind(name="XML", content_type="application/xml", extension=".xml", picture=False)
PDF = Kind(name="PDF", content_type="application/pdf", extension=".pdf", picture=False)
ZIP = Kind(name="ZIP", content_type="application/zip", extension=".zip", picture=False)

_BMP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
"""Every length that the header after a bitmap's file header has ever had."""

_BRANDS: Mapping[bytes, Kind] = {
    **dict.fromkeys((b"avif", b"avis"), AVIF),
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis"), HEIC),
    **dict.fromkeys((b"mif1", b"msf1"), HEIF),
}

# Possessive, so that no input makes them slow; DOTALL for comments over many lines.
# Compiled, and remembered by `re`, when the first text comes, which is rare.
_MARKUP_PREFIX = (
    r"(?:\s++|<\?.*?\?>|<!--.*?-->|<!doctype\s++svg[^>\[]*+(?:\[.*?\])?+\s*+>)*+"
)
_SVG = r"<(?:\w++:)?svg[\s>/]"
_HTML = r"<(?:!doctype\s++html|(?:html|head|body|title|script|meta|style)[\s>/])"
_JSON = r'\{\s*+(?:"|\}\s*+$)|\[\s*+(?:[\[{"\d]|-\d|true|false|null|\]\s*+$)'


def sniff(head: bytes) -> Kind | None:
    """Tell what a file is by its first `SNIFF_BYTES` bytes; None if it is unknown."""
    kind = _raster(bytes(head[:_RASTER_BYTES]))
    if kind is not None:
        return kind
    head = bytes(head[:SNIFF_BYTES])
    return _container(head) or _document(head) or _text(head)


def _raster(head: bytes) -> Kind | None:
    if head.startswith(b"\xff\xd8\xff") and head[3:4] >= b"\xc0":
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if head.startswith(b"BM") and number(head, "<I", 14) in _BMP_HEADERS:
        return BMP
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0\x08\0", b"MM\0+\0\x08")):
        return TIFF
    return None


def _container(head: bytes) -> Kind | None:
    if head.startswith(b"RIFF") and head[8:15] == b"WEBPVP8":
        return WEBP
    if head[4:8] != b"ftyp":
        return None
    kinds = [_BRANDS.get(brand) for brand in _brands(head)]
    # The generic HEIF brands come along with the special ones, in any order.
    return next((kind for kind in (AVIF, HEIC, HEIF) if kind in kinds), None)


def _document(head: bytes) -> Kind | None:
    if head.startswith(b"%PDF-"):
        return PDF
    # A local file, an archive of none, or the first part of several.
    return ZIP if head.startswith((b"PK\3\4", b"PK\5\6", b"PK\7\x08")) else None


def _brands(head: bytes) -> Iterator[bytes]:
    end = min(number(head, ">I", 0) or 0, len(head))
    yield head[8:12]
    for at in range(16, end - 3, 4):
        yield head[at : at + 4]


def _text(head: bytes) -> Kind | None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head.decode("utf-16", "replace")
    else:
        text = head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    prefix = re.match(_MARKUP_PREFIX, text, re.DOTALL | re.IGNORECASE)
    markup = text[prefix.end() :] if prefix else text
    if re.match(_SVG, markup, re.IGNORECASE):
        return SVG
    if re.match(_HTML, markup, re.IGNORECASE):
        return HTML
    if text.startswith("<?xml"):
        return XML
    return JSON if re.match(_JSON, text.lstrip()) else None


def number(head: bytes, layout: str, at: int) -> int | None:
    """The number at a place, by its `struct` layout; None where *head* ends before."""
    size = struct.calcsize(layout)
    part = head[at : at + size]
    return int(struct.unpack(layout, part)[0]) if len(part) == size else None


def dimensions(head: bytes) -> tuple[int, int] | None:
    """Tell width and height in pixels, as the header states them.

    Args:
        head: The file's start. Most kinds need 32 bytes; in a JPEG the size comes
            after profiles and thumbnails, often beyond 64 KiB.

    Returns:
        None where the kind has no such header, or `head` ends before it.
    """
    kind = sniff(head)
    return measure(kind, head) if kind else None


def measure(kind: Kind, head: bytes) -> tuple[int, int] | None:
    """Tell width and height like `dimensions`, of a kind that is known already."""
    reader = _READERS.get(kind)
    try:
        size = reader(head) if reader else None
    except struct.error:
        return None  # cut short
    return size if size and size[0] > 0 and size[1] > 0 else None


def jpeg_segment(head: bytes, wanted: frozenset[int]) -> int | None:
    """Where the first of a JPEG's segments stands whose marker is *wanted*."""
    at = 2
    try:
        marker, length = _PAIR(head, at)
        while marker not in wanted:
            if marker in _LONG:
                at += 2 + (length or 2)
            elif marker == 0xFFFF:  # a fill byte
                at += 1
            elif marker == 0xFF01 or 0xFFD0 <= marker <= 0xFFD8:  # without a length
                at += 2
            else:  # the end, or the scan, or no marker: no segment comes
                return None
            marker, length = _PAIR(head, at)
    except struct.error:
        return None
    return at


_FRAMES = frozenset(range(0xFFC0, 0xFFD0)) - {0xFFC4, 0xFFC8, 0xFFCC}
_LONG = frozenset(range(0xFF00, 0xFFFF)) - {0xFF01, *range(0xFFD0, 0xFFDB)}
"""Markers of segments that tell their length, except the scan's."""

_PAIR = struct.Struct(">HH").unpack_from


def measure_jpeg(head: bytes) -> tuple[int, int] | None:
    """Tell width and height like `dimensions`, of what is a JPEG."""
    at = jpeg_segment(head, _FRAMES)
    if at is None or at + 9 > len(head):
        return None
    height, width = _PAIR(head, at + 5)
    return (width, height) if width and height else None


def _png(head: bytes) -> tuple[int, int] | None:
    # Apple's own variant has a chunk of its own before the header.
    at = head.find(b"IHDR", 12, 64)
    return None if at < 0 else struct.unpack_from(">II", head, at + 4)


def _gif(head: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", head, 6)
    return width, height


def _bmp(head: bytes) -> tuple[int, int]:
    if number(head, "<I", 14) == 12:
        width, height = struct.unpack_from("<HH", head, 18)
    else:
        width, height = struct.unpack_from("<ii", head, 18)
    return width, abs(height)  # a negative height means top row first


def _webp(head: bytes) -> tuple[int, int] | None:
    if head[12:16] == b"VP8X":
        low, high = struct.unpack_from("<I3s", head, 23)
        return (low >> 8) + 1, int.from_bytes(high, "little") + 1
    if head[12:16] == b"VP8L":
        (bits,) = struct.unpack_from("<I", head, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if head[12:16] != b"VP8 " or head[23:26] != b"\x9d\x01\x2a":
        return None
    width, height = struct.unpack_from("<HH", head, 26)
    return width & 0x3FFF, height & 0x3FFF


_READERS: Mapping[Kind, Callable[[bytes], tuple[int, int] | None]] = {
    JPEG: measure_jpeg,
    PNG: _png,
    GIF: _gif,
    BMP: _bmp,
    WEBP: _webp,
}
