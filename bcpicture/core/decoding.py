"""From the service's JSON to values, tolerant of more, exact about what is needed.

Unknown fields are kept in ``extra``. What is missing or of the wrong kind becomes an
`AnswerError` that names the place, such as ``$.value[3].id``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Generic, TypeVar

import attrs
from cattrs import Converter, transform_error
from cattrs.gen import make_dict_structure_fn, override

from bcpicture.core.models import Company, Environment, Item, Picture
from bcpicture.errors import AnswerError

T = TypeVar("T")
_OBJECT = Mapping[str, Any]

NO_PICTURE = Picture(exists=False, width=0, height=0)
"""What is known of a picture that the service answered with nothing at all."""


@attrs.frozen
class Page(Generic[T]):
    """One page of a listing."""

    values: tuple[T, ...]
    """Its records, in the service's order."""

    next_link: str | None = None
    """Where the next page is, as told; None on the last one."""

    count: int | None = None
    """Number of records on all pages, if it was asked for."""


def _text(value: object, _: type[str]) -> str:
    # The default hook would turn null into the text "None".
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {type(value).__name__}")
    return value


def _whole(value: object, _: type[int]) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"expected a whole number, got {type(value).__name__}")
    return value


def _moment(value: object, _: type[datetime]) -> datetime:
    if not isinstance(value, str):
        raise TypeError(f"expected a date and time, got {type(value).__name__}")
    return datetime.fromisoformat(value)


_NAMES: Mapping[type, Mapping[str, str]] = {
    Company: {"display_name": "displayName"},
    Environment: {"tenant": "aadTenantId", "url": "webServiceUrl"},
    Picture: {
        "content_type": "contentType",
        "etag": "@odata.etag",
        "parent_type": "parentType",
    },
    Item: {
        "display_name": "displayName",
        "etag": "@odata.etag",
        "last_modified": "lastModifiedDateTime",
    },
}
"""Names on the wire, where they are not our own."""

_THEIRS = {ours: name for names in _NAMES.values() for ours, name in names.items()}
_OURS = re.compile(rf"\.({'|'.join(_THEIRS)})\b")


def _surplus(kind: type[Any]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    renamed = _NAMES[kind]
    known = {renamed.get(field.name, field.name) for field in attrs.fields(kind)}
    return lambda raw: {
        name: value
        for name, value in raw.items()
        if name not in known and "@odata." not in name
    }


def _media_link(raw: Mapping[str, Any], ending: str) -> str | None:
    # The property is `content` or `pictureContent`, and the docs mix them up.
    for name, value in raw.items():
        if name.endswith(ending) and isinstance(value, str):
            return value
    return None


def _completed(kind: type[Any]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """How the JSON of *kind* is filled up before it becomes a value."""
    surplus = _surplus(kind)

    def plain(raw: Mapping[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in raw.items() if value is not None}
        return {**given, "extra": surplus(raw)}

    def item(raw: Mapping[str, Any]) -> dict[str, Any]:
        filled = plain(raw)
        if "code" in raw:  # a variant is known by its code, and has a description
            filled.setdefault("number", raw["code"])
            filled.setdefault("displayName", raw.get("description") or "")
        if "picture" in raw:
            filled["picture"] = _unwrapped(raw["picture"])
        return filled

    def picture(raw: Mapping[str, Any]) -> dict[str, Any]:
        filled = plain(raw)
        width, height = filled.setdefault("width", 0), filled.setdefault("height", 0)
        filled["exists"] = bool((width and height) or filled.get("contentType"))
        filled["read_link"] = _media_link(raw, "@odata.mediaReadLink")
        filled["edit_link"] = _media_link(raw, "@odata.mediaEditLink")
        return filled

    return {Item: item, Picture: picture}.get(kind, plain)


def _unwrapped(found: object) -> object:
    """The one picture of an array (v1.0, beta), an object (v2.0), or nothing."""
    if isinstance(found, Mapping) and isinstance(found.get("value"), list):
        found = found["value"]
    if isinstance(found, list):
        found = found[0] if found else None
    return {} if found is None else found


@cache  # built when first needed: that takes longer than a request's own work
def _converter(*, detailed: bool) -> Converter:
    converter = Converter(detailed_validation=detailed)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(int, _whole)
    converter.register_structure_hook(bool, lambda value, _: bool(value))
    converter.register_structure_hook(datetime, _moment)
    converter.register_structure_hook_func(lambda kind: kind == _OBJECT, _object)
    for kind, names in _NAMES.items():
        renamed = {ours: override(rename=theirs) for ours, theirs in names.items()}
        # cattrs takes the overrides as keywords beside its own options.
        build: Any = make_dict_structure_fn(kind, converter, **renamed)  # type: ignore[arg-type]  # the stub does not know that mix
        converter.register_structure_hook(kind, _filling(kind, build))
    return converter


def _object(value: object, _: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected an object, got {type(value).__name__}")
    return value


def _filling(kind: type[Any], build: Callable[..., Any]) -> Callable[..., Any]:
    complete = _completed(kind)
    return lambda raw, _: build(complete(_object(raw, kind)), kind)


def _structured(raw: object, kind: type[T], place: str) -> T:
    try:
        return _converter(detailed=False).structure(raw, kind)
    except Exception:  # noqa: BLE001 - whatever it is, the exact one names the place
        try:
            # Slower, so it is asked only when the other one fails, to find out where.
            return _converter(detailed=True).structure(raw, kind)
        except Exception as exc:
            problem = "; ".join(transform_error(exc, path=place)[:3])
            problem = problem.replace(f"{Item.__module__}.", "")
            problem = _OURS.sub(lambda found: "." + _THEIRS[found[1]], problem)
            raise unexpected(problem) from exc


def unexpected(problem: str) -> AnswerError:
    """The error for JSON that is not as it should be."""
    return AnswerError(
        f"The service's JSON is not as expected: {problem}.",
        advice="Check that the address is a Business Central API.",
    )


def read_json(body: bytes) -> object:
    """Parse *body*.

    Raises:
        AnswerError: It is no JSON.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as exc:
        raise AnswerError(
            f"The service's answer is no JSON: {exc}.",
            advice="Check that the address is a Business Central API.",
        ) from exc


_KINDS = {list: "an array", str: "text", int: "a whole number"}


def _found(raw: object, name: str, kind: type[T], *, needed: bool = False) -> T | None:
    """The value of *name* in the object *raw*; if it is there, it must be a *kind*."""
    if not isinstance(raw, Mapping):
        raise unexpected(f"expected an object, got {type(raw).__name__} @ $")
    value = raw.get(name)
    if isinstance(value, kind) or (value is None and not needed):
        return value
    raise unexpected(f"expected {_KINDS[kind]}, got {type(value).__name__} @ $.{name}")


def read_page(body: bytes, kind: type[T]) -> Page[T]:
    """Read one page of companies, items or other records."""
    raw = read_json(body)
    rows = _found(raw, "value", list, needed=True) or []
    values = []
    for index, row in enumerate(rows):
        values.append(_structured(row, kind, f"$.value[{index}]"))
        rows[index] = None  # of a long page, both would be held in full
    next_link = _found(raw, "@odata.nextLink", str) or None
    return Page(tuple(values), next_link, _found(raw, "@odata.count", int))


def read_picture(body: bytes) -> Picture:
    """Read a picture's metadata, as an object or inside an array."""
    return picture_of(read_json(body))


def picture_of(told: object) -> Picture:
    """A picture's metadata, from JSON that has been read."""
    return _structured(_unwrapped(told), Picture, "$")


def item_of(told: object) -> Item:
    """One item, or one other record, from JSON that has been read."""
    return _structured(told, Item, "$")
