"""Making a picture anew with Pillow; all of it blocks, so it runs in threads."""

from __future__ import annotations

import contextlib
import importlib
import io
import struct
from collections.abc import Iterator

from PIL import Image, ImageCms

from bcpicture.core import media
from bcpicture.core.preflight import refusal
from bcpicture.core.preparation import Prepare, Prepared, Seen, reasons
from bcpicture.errors import Misfit, SourceError

_QUALITIES = (75, 65, 55, 45)
"""Below that it shows, and fewer pixels are the lesser evil."""

_SHRINK = 0.85
"""From one try to the next; it takes 4 to get to half the side."""

_LEAST_SIDE = 16

_METADATA = frozenset({"exif", "xmp", "XML:com.adobe.xmp", "photoshop", "comment"})

_ORIENTATION = 0x0112
"""Number of the EXIF field that says how to turn a picture."""

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_DAMAGES = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error)
"""What Pillow raises for damaged files; `UnidentifiedImageError` is an OSError."""


def make(data: bytes, prepare: Prepare, what: str) -> Prepared:
    """Make of *data* what *prepare* asks for.

    Args:
        data: The whole file.
        prepare: What it has to be.
        what: What the caller calls it, to be named in an error.

    Raises:
        SourceError: It is no picture, damaged, too large, or cannot be so small.
    """
    kind = media.sniff(data)
    if kind is None or not kind.picture or kind is media.SVG:
        misfit = Misfit.NO_PICTURE if kind else Misfit.UNKNOWN
        misfit = Misfit.UNPROVEN if kind is media.SVG else misfit
        raise refusal(misfit, kind, what, len(data), 0)
    _require_pixels(media.measure(kind, data), prepare, what)
    with _told(what), _opened(data, kind) as image:
        _require_pixels(image.size, prepare, what)
        seen = _seen(image, kind, len(data))
        why = reasons(seen, prepare)
        if not why:
            width, height = image.size
            return Prepared(
                data=data, content_type=kind.content_type, width=width, height=height
            )
        fresh = _upright(image, prepare)
    return _fitting(fresh, kind, prepare, why, what)


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    try:
        yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        raise SourceError(
            f"{what} has more pixels than Pillow takes.",
            advice="Raise PIL.Image.MAX_IMAGE_PIXELS if it is meant to be so large.",
        ) from exc
    except _DAMAGES as exc:
        raise SourceError(
            f"{what} cannot be decoded: {exc}.",
            advice="Is it whole? Open it in a viewer, and save it anew.",
        ) from exc


def _opened(data: bytes, kind: media.Kind) -> Image.Image:
    if kind in {media.HEIC, media.HEIF}:
        try:
            importlib.import_module("pillow_heif").register_heif_opener()
        except ImportError as exc:
            raise SourceError(
                "HEIC needs pillow-heif, which is not installed.",
                advice="Install it (pip install pillow-heif), or convert the file.",
            ) from exc
    return Image.open(io.BytesIO(data))


def _require_pixels(size: tuple[int, int] | None, prepare: Prepare, what: str) -> None:
    most = prepare.max_pixels
    if size is not None and size[0] * size[1] > most:
        raise SourceError(
            f"{what} has {size[0]} x {size[1]} pixels, more than {most:,}.",
            advice="Say Prepare(max_pixels=...) if it is meant to be so large.",
        )


def _seen(image: Image.Image, kind: media.Kind, length: int) -> Seen:
    return Seen(
        kind=kind,
        length=length,
        width=image.width,
        height=image.height,
        mode=image.mode,
        orientation=_orientation(image),
        metadata=not _METADATA.isdisjoint(image.info),
    )


def _orientation(image: Image.Image) -> int:
    told = image.getexif().get(_ORIENTATION)
    return told if told in _TURNS else 1


# -- pixels


def _upright(image: Image.Image, prepare: Prepare) -> Image.Image:
    """The pixels as they are seen: upright, in a screen's colours, small enough."""
    if prepare.max_side:
        # A JPEG is unpacked no larger than twice what is wanted of it.
        image.draft(None, (2 * prepare.max_side, 2 * prepare.max_side))
    base, alpha = image, None
    if image.has_transparency_data:
        base = image.convert("RGBA")
        channel = base.getchannel("A")
        alpha = channel if channel.getextrema() != (255, 255) else None
    fresh = _in_srgb(base)
    if alpha is not None:
        fresh.putalpha(alpha)
    turn = _TURNS.get(_orientation(image))
    if turn is not None:
        fresh = fresh.transpose(turn)
    if prepare.max_side:
        fresh.thumbnail((prepare.max_side, prepare.max_side), Image.Resampling.LANCZOS)
    return fresh


def _in_srgb(image: Image.Image) -> Image.Image:
    """Its colours as a screen shows them, by its own profile if that makes sense."""
    if image.mode.startswith("I"):  # 16 bits of grey
        return image.convert("I").point(lambda level: level * (1 / 257)).convert("L")
    plain = image if image.mode in {"CMYK", "LAB"} else image.convert("RGB")
    profile = image.info.get("icc_profile")
    made = _by_profile(plain, profile) if profile else None
    if made is not None:
        return made
    return image.convert("L" if image.mode in {"1", "L"} else "RGB")


def _by_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    """None if the profile is damaged, or of other colours than the picture."""
    with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):
        return ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
        )
    return None


# -- bytes


def _fitting(
    image: Image.Image,
    kind: media.Kind,
    prepare: Prepare,
    why: tuple[str, ...],
    what: str,
) -> Prepared:
    """The first of all tries that is short enough."""
    image.info.clear()  # or it would be written again
    for target, data, size in _tries(image, kind, prepare):
        if prepare.max_bytes is None or len(data) <= prepare.max_bytes:
            return Prepared(
                data=data,
                content_type=target.content_type,
                width=size[0],
                height=size[1],
                changed=True,
                why=why,
            )
    raise SourceError(
        f"{what} cannot be made to fit into {prepare.max_bytes} bytes.",
        advice="Allow it more: Prepare(max_bytes=...).",
    )


def _tries(
    image: Image.Image, kind: media.Kind, prepare: Prepare
) -> Iterator[tuple[media.Kind, bytes, tuple[int, int]]]:
    """What could be sent, the best first."""
    lossless = kind in {media.PNG, media.GIF}
    alpha = image.mode in {"LA", "RGBA"}
    if lossless and not alpha:
        yield media.PNG, _png(image), image.size
    qualities = [prepare.quality, *(it for it in _QUALITIES if it < prepare.quality)]
    while True:
        if alpha:
            yield media.PNG, _png(image), image.size
        else:
            for quality in qualities:
                yield media.JPEG, _jpeg(image, quality), image.size
        side = int(max(image.size) * _SHRINK)
        if side < _LEAST_SIDE:
            return
        image = image.copy()
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
        qualities = qualities[-1:]


def _png(image: Image.Image) -> bytes:
    sink = io.BytesIO()
    image.save(sink, "PNG", optimize=True)
    return sink.getvalue()


def _jpeg(image: Image.Image, quality: int) -> bytes:
    sink = io.BytesIO()
    image.save(sink, "JPEG", quality=quality, optimize=True)
    return sink.getvalue()
