"""Made-up pictures: pleasant to look at, quick to make, the same for the same seed."""

import colorsys
import hashlib
import math
import random
import struct
import zlib

from bcpicture.emulator.mosaic import encode

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png(seed: str, *, side: int = 256, size_hint: int = 0) -> bytes:
    """Paints flowing bands of two or three colours.

    Args:
        seed: Another text gives another picture.
        side: Width and height, in pixels.
        size_hint: At least so many bytes: a chunk that no viewer shows makes up the
            difference.
    """
    dice = _dice(seed)
    header = struct.pack(">IIBBBBB", side, side, 8, 3, 0, 0, 0)
    chunks = [
        _chunk(b"IHDR", header),
        _chunk(b"PLTE", _palette(dice)),
        _chunk(b"tEXt", b"Title\x00" + seed.encode("latin-1", "replace")[:80]),
        _chunk(b"IDAT", zlib.compress(_bands(dice, side), 6)),
        _chunk(b"IEND", b""),
    ]
    missing = size_hint - sum(map(len, chunks)) - len(_SIGNATURE) - 12
    if missing > 0:
        chunks.insert(-1, _chunk(b"boFd", dice.randbytes(missing)))
    return _SIGNATURE + b"".join(chunks)


def jpeg(seed: str, width: int = 512, height: int = 384) -> bytes:
    """Paints soft clouds of two colours.

    Args:
        seed: Another text gives another picture.
        width: In pixels.
        height: In pixels.
    """
    dice = _dice(seed)
    waves = [
        (dice.uniform(0.004, 0.02), dice.uniform(0.004, 0.02), dice.uniform(0, 7))
        for _ in range(3)
    ]
    hues = [(dice.uniform(-60, 60), dice.uniform(-60, 60)) for _ in waves]

    def paint(x: float, y: float) -> tuple[float, float, float]:
        swell = [math.sin(a * x + b * y + c) for a, b, c in waves]
        return (
            30 + 30 * sum(swell),
            sum(s * blue for s, (blue, _) in zip(swell, hues, strict=True)) / 2,
            sum(s * red for s, (_, red) in zip(swell, hues, strict=True)) / 2,
        )

    return encode(width, height, paint)


def dot(note: bytes = b"") -> bytes:
    """Makes the smallest of pictures, one pixel, around bytes that it should hold.

    Args:
        note: Goes into a chunk that no viewer shows; the picture grows by its length.
    """
    chunks = [
        _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
        _chunk(b"boFd", note),
        _chunk(b"IDAT", zlib.compress(b"\0\0")),
        _chunk(b"IEND", b""),
    ]
    return _SIGNATURE + b"".join(chunks)


def _dice(seed: str) -> random.Random:
    digest = hashlib.sha256(seed.encode()).digest()
    return random.Random(int.from_bytes(digest, "big"))  # noqa: S311 - a picture, not a key


def _chunk(name: bytes, data: bytes) -> bytes:
    seal = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", seal)


def _palette(dice: random.Random) -> bytes:
    """A ring of 256 colours, so that no edge shows where the bands wrap around."""
    start, span = dice.random(), dice.uniform(0.08, 0.3)
    colours = bytearray()
    for index in range(256):
        swing = math.sin(index * math.tau / 256)
        hue = (start + span * swing) % 1.0
        light = 0.62 + 0.22 * math.cos(2 * index * math.tau / 256)
        rgb = colorsys.hls_to_rgb(hue, light, 0.62)
        colours += bytes(round(255 * part) for part in rgb)
    return bytes(colours)


def _bands(dice: random.Random, side: int) -> bytes:
    """The pixels: in each row two waves, moved sideways, are added.

    Rows are added as one large number each: no byte exceeds 127, so nothing carries.
    """
    waves = [_wave(dice, 2 * side) for _ in range(2)]
    sways = [
        (dice.uniform(1.5, 4.5) * math.pi / side, dice.uniform(0, math.tau))
        for _ in waves
    ]
    rows = bytearray()
    for y in range(side):
        total = 0
        for wave, (pace, phase) in zip(waves, sways, strict=True):
            shift = int(side / 2 * (1 + math.sin(pace * y + phase)))
            total += int.from_bytes(wave[shift : shift + side], "big")
        rows += b"\x00" + total.to_bytes(side, "big")
    return bytes(rows)


def _wave(dice: random.Random, length: int) -> bytes:
    slow, fast = dice.uniform(2, 5) / length, dice.uniform(6, 14) / length
    phase = dice.uniform(0, math.tau)
    return bytes(
        int(
            63
            + 40 * math.sin(math.tau * slow * x + phase)
            + 23 * math.sin(math.tau * fast * x - phase)
        )
        for x in range(length)
    )
