"""Whether a picture has its end: a file that was cut on its way still begins well.

Decoders are lenient, and so is this. Cameras append previews, films and padding to what
they took, so the end is looked for, and whatever comes behind it is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bcpicture.core.media import BMP, GIF, JPEG, PNG, Kind, jpeg_segment, number

END_MARKS: Mapping[Kind, bytes] = {
    JPEG: b"\xff\xd9",
    PNG: b"IEND\xaeB`\x82",
}
"""What ends a picture wherever it stands: none of its data can look like it."""

_WALKED = 1 << 16
"""Bytes of a GIF that are walked through, block by block; 20 µs at most."""

_SCAN = frozenset({0xFFDA})

_PADDING = b"\0\r\n "


def is_cut(
    kind: Kind, head: bytes, size: int, tail: bytes, *, measured: bool = False
) -> bool:
    """Tell whether a picture lacks its end, as far as *head* and *tail* can tell.

    Args:
        kind: What the bytes are.
        head: The first bytes; all of them, if there are few.
        size: How many there are.
        tail: The last bytes; all of them, if there are few.
        measured: Whether the header tells a width and a height, so that a mark at the
            very end cannot be that of a preview.
    """
    mark = END_MARKS.get(kind)
    if measured and mark is not None and tail.endswith(mark):
        return False
    if kind is BMP:
        return _cut_bmp(head, size)
    cut = _CUT.get(kind) if len(head) == size else None
    if cut is not None:
        return cut(head)
    if kind is GIF:
        return not tail.rstrip(_PADDING).endswith(b";")
    return mark is not None and mark not in tail


def scan_start(head: bytes) -> int | None:
    """Where the compressed pixels of a JPEG begin; None if *head* ends before.

    The preview among its metadata is a JPEG as well, with an end of its own.
    """
    return jpeg_segment(head, _SCAN)


def _cut_jpeg(data: bytes) -> bool:
    start = scan_start(data)
    return start is None or data.rfind(END_MARKS[JPEG], start) < 0


def _cut_png(data: bytes) -> bool:
    return data.rfind(END_MARKS[PNG]) < 0


def _cut_gif(data: bytes) -> bool:
    if len(data) > _WALKED and data.endswith(b"\0;"):
        return False
    try:
        return not _reaches_trailer(data)
    except IndexError:
        return True


def _reaches_trailer(data: bytes) -> bool:
    at = 13 + _colours(data[10])
    while data[at] in b"\0!,":
        if data[at] == 0x21:  # an extension, and its label
            at += 2
        elif data[at] == 0x2C:  # a frame: where, its colours, and the size of its codes
            at += 11 + _colours(data[at + 9])
        while data[at]:
            at += data[at] + 1
        at += 1
    return data[at] == 0x3B


def _colours(packed: int) -> int:
    """Bytes of the colour table that a byte of flags announces."""
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _cut_bmp(head: bytes, size: int) -> bool:
    """By its pixels, where they are not packed: the size in its header often lies."""
    start, header = number(head, "<I", 10) or 0, number(head, "<I", 14)
    if header == 12:
        width, height = number(head, "<H", 18), number(head, "<H", 20)
        bits = number(head, "<H", 24)
    else:
        width, height = number(head, "<i", 18), number(head, "<i", 22)
        bits = number(head, "<H", 28)
    packing = 0 if header in {12, 16} else number(head, "<I", 30)
    if width is None or height is None or bits is None or packing is None:
        return True
    if packing in {0, 3, 6}:
        return start + (width * bits + 31) // 32 * 4 * abs(height) > size
    return start + (number(head, "<I", 34) or 0) > size


_CUT: Mapping[Kind, Callable[[bytes], bool]] = {
    JPEG: _cut_jpeg,
    PNG: _cut_png,
    GIF: _cut_gif,
}
