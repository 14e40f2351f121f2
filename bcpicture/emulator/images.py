"""What kind of picture some bytes are, and how large: a small header reader.

The service derives width and height from the stored bytes. Only the formats that it is
documented to decode are read here; everything else is 0 by 0.
"""

import struct

import attrs

HEAD_BYTES = 512 * 1024
"""How much of a body must be at hand: a JPEG's size may follow a fat preview."""

# Markers that stand alone, and the frame headers which hold the size.
_LONE_MARKERS = frozenset({0x01, *range(0xD0, 0xD8)})
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@attrs.frozen
class Measured:
    """Type and size of a picture, as its own header tells."""

    content_type: str
    """The real MIME type, or ``application/octet-stream``."""

    width: int = 0
    """In pixels; 0 when unknown."""

    height: int = 0
    """In pixels; 0 when unknown."""


UNKNOWN = Measured("application/octet-stream")


def measure(head: bytes) -> Measured:
    """Reads the header of a picture; never raises, whatever the bytes are."""
    try:
        return _measure(head)
    except (struct.error, IndexError):
        return UNKNOWN


def measured_as(told: object) -> Measured:
    """What the journal remembers of a measurement."""
    match told:
        case [str(content_type), int(width), int(height)]:
            return Measured(content_type, width, height)
        case _:
            return UNKNOWN


def _measure(head: bytes) -> Measured:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Measured("image/png", *struct.unpack_from(">II", head, 16))
    if head.startswith((b"GIF87a", b"GIF89a")):
        return Measured("image/gif", *struct.unpack_from("<HH", head, 6))
    if head.startswith(b"BM"):
        width, height = struct.unpack_from("<ii", head, 18)
        return Measured("image/bmp", abs(width), abs(height))
    if head.startswith(b"\xff\xd8\xff"):
        return _measure_jpeg(head)
    return UNKNOWN


def _measure_jpeg(head: bytes) -> Measured:
    at = 2
    while True:
        while head[at] == 0xFF:
            at += 1
        marker, at = head[at], at + 1
        if marker in _FRAME_MARKERS:
            height, width = struct.unpack_from(">HH", head, at + 3)
            return Measured("image/jpeg", width, height)
        if marker not in _LONE_MARKERS:
            (length,) = struct.unpack_from(">H", head, at)
            at += max(length, 2)
