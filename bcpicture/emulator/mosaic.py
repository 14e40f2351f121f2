"""A small baseline JPEG encoder for soft pictures.

Each block of 8 by 8 pixels is a plane: its mean and its two slopes, three of the 64
coefficients. That needs no cosine transform, and suits pictures without edges. Codes of
one fixed length, which the format allows, take the place of real Huffman tables.
"""

import struct
from collections.abc import Callable

Paint = Callable[[float, float], tuple[float, float, float]]
"""Brightness, blueness and redness at a place, each from -128 to 127."""

_STEP = 4
# What a slope of one per pixel amounts to in the first cosine of eight samples.
_SLOPE = -18.2217
_DC_BITS, _AC_BITS = 4, 5
_DC_SYMBOLS = bytes(range(12))
# The end of a block; a coefficient of some size at once; one behind a zero.
_AC_SYMBOLS = bytes([0x00, *range(0x01, 0x0B), *range(0x11, 0x1B)])


def encode(width: int, height: int, paint: Paint) -> bytes:
    """Makes a JPEG of any size out of a function that says what is where."""
    return b"".join(
        (
            b"\xff\xd8",
            _segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"),
            _segment(0xDB, b"\x00" + bytes([_STEP]) * 64),
            _segment(0xC0, _frame(width, height)),
            _segment(0xC4, _table(0x00, _DC_BITS, _DC_SYMBOLS)),
            _segment(0xC4, _table(0x10, _AC_BITS, _AC_SYMBOLS)),
            _segment(0xDA, b"\x03\x01\x00\x02\x00\x03\x00\x00\x3f\x00"),
            _scan(width, height, paint),
            b"\xff\xd9",
        )
    )


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _frame(width: int, height: int) -> bytes:
    components = b"".join(bytes([each, 0x11, 0]) for each in (1, 2, 3))
    return struct.pack(">BHHB", 8, height, width, 3) + components


def _table(place: int, bits: int, symbols: bytes) -> bytes:
    """A table in which every code is *bits* long."""
    counts = [len(symbols) if length == bits else 0 for length in range(1, 17)]
    return bytes([place, *counts]) + symbols


def _scan(width: int, height: int, paint: Paint) -> bytes:
    pieces: list[str] = []
    before = [0, 0, 0]
    for y in range(0, height, 8):
        for x in range(0, width, 8):
            here = paint(x + 3.5, y + 3.5)
            right, below = paint(x + 7.5, y + 3.5), paint(x + 3.5, y + 7.5)
            for part in range(3):
                mean = _level(8 * here[part])
                pieces.append(_dc(mean - before[part]))
                before[part] = mean
                across = _level(_SLOPE * (right[part] - here[part]) / 4)
                down = _level(_SLOPE * (below[part] - here[part]) / 4)
                pieces.append(_ac(across, down))
    return _packed("".join(pieces))


def _level(value: float) -> int:
    return max(-255, min(255, round(value / _STEP)))


def _dc(value: int) -> str:
    size = abs(value).bit_length()
    return f"{size:0{_DC_BITS}b}{_magnitude(value, size)}"


def _ac(across: int, down: int) -> str:
    code = ""
    if across:
        code += _coefficient(0, across)
    if down:
        code += _coefficient(0 if across else 1, down)
    return code + "0" * _AC_BITS


def _coefficient(zeros: int, value: int) -> str:
    size = abs(value).bit_length()
    index = zeros * 10 + size
    return f"{index:0{_AC_BITS}b}{_magnitude(value, size)}"


def _magnitude(value: int, size: int) -> str:
    """The low bits of a number; of a negative one, those of its complement."""
    if not size:
        return ""
    return f"{value if value > 0 else value + (1 << size) - 1:0{size}b}"


def _packed(bits: str) -> bytes:
    """Bits as bytes, filled up with ones; a zero goes behind every 255."""
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8, "big")
    return data.replace(b"\xff", b"\xff\x00")
