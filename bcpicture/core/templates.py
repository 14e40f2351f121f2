"""How the names of a merchant's files are built: ``{number}_{pick}.jpg``.

``{number}``, ``{gtin}`` or ``{id}`` stands for what tells the record, exactly one of
them; ``{pick}`` for what tells a record's files apart. ``*`` is anything but a slash,
``**/`` any folders or none, ``?`` one sign, ``{{`` and ``}}`` are braces. Everything
else stands for itself, in upper or lower case.

A template that ends in a picture's extension, or in ``.*``, is about the whole name;
any other is about the name without its extension. One with a slash is about the path
in the folder. A number is as long as it can be: of ``A_B_1`` by ``{number}_{pick}``
the number is ``A_B``. A GTIN consists of digits, an id is a GUID.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import Literal, get_args

import attrs

from bcpicture.core.filenames import extension_of, stem_of
from bcpicture.core.keys import nfc
from bcpicture.core.media import PICTURE_EXTENSIONS
from bcpicture.errors import UsageError

Field = Literal["number", "gtin", "id"]
"""What may tell which record is meant."""

_FIELDS: dict[str, str] = {
    "number": r"(?P<key>[^/]+)",
    "gtin": r"(?P<key>[0-9]+)",
    "id": r"(?P<key>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})",
    "pick": r"(?P<pick>[^/]+?)",
}
_WILD = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]", "{{": r"\{", "}}": r"\}"}
_TOKEN = re.compile(r"\{\{|\}\}|\{(?P<field>[^{}]*)\}|\*\*/|[*?]|[^{}*?]+|.", re.DOTALL)
_OPEN_ENDED = {"{number}", "{pick}", "*", "**/"}
"""What could go on for ever, so that two in a row leave open where one ends."""


@attrs.frozen
class Template:
    """A template that was understood."""

    text: str
    """As it was given."""

    field: Field
    """What tells which record is meant."""

    picks: bool
    """Whether something tells a record's files apart."""

    _pattern: re.Pattern[str] = attrs.field(repr=False, eq=False)
    _whole: bool
    """Whether it is about the extension as well."""

    @property
    def deep(self) -> bool:
        """Whether it is about a path with folders."""
        return "/" in self.text

    def read(self, name: str) -> tuple[str, str] | None:
        """Return what tells the record and what tells its files apart, if it fits.

        Args:
            name: The file, relative to its folder.
        """
        if not self.deep:
            name = name.rpartition("/")[2]
        if not self._whole:
            name = stem_of(name)
        fits = self._pattern.fullmatch(name) or self._pattern.fullmatch(nfc(name))
        if not fits:
            return None
        return fits["key"], fits["pick"] if self.picks else ""


@lru_cache(maxsize=32)
def parse_template(text: str) -> Template:
    """Understand a template.

    Raises:
        UsageError: It cannot tell which record a file belongs to.
    """
    tokens = list(_TOKEN.finditer(nfc(text)))
    fields = [token["field"] for token in tokens if token["field"] is not None]
    _check(text, tokens, fields)
    (field,) = [one for one in get_args(Field) if one in fields]
    extension = extension_of(text)
    return Template(
        text,
        field,
        "pick" in fields,
        re.compile("".join(map(_translated, tokens)), re.IGNORECASE | re.DOTALL),
        extension in PICTURE_EXTENSIONS or extension == ".*",
    )


def _translated(token: re.Match[str]) -> str:
    if token["field"] is not None:
        return _FIELDS[token["field"]]
    return _WILD.get(token.group()) or re.escape(token.group())


def _check(text: str, tokens: list[re.Match[str]], fields: list[str]) -> None:
    strange = [name for name in fields if name not in _FIELDS]
    if strange or any(token.group() in {"{", "}"} for token in tokens):
        what = f"{{{strange[0]}}} is unknown" if strange else "a brace stands alone"
        raise _unclear(text, what)
    keys = [name for name in fields if name != "pick"]
    if len(keys) != 1:
        raise _unclear(text, "one of {number}, {gtin} and {id} has to be there, once")
    if fields.count("pick") > 1:
        raise _unclear(text, "{pick} is there twice")
    for one, other in pairwise(tokens):
        if {one.group(), other.group()} <= _OPEN_ENDED and one.group() != "**/":
            what = f"nothing tells where {one.group()} ends and {other.group()} begins"
            raise _unclear(text, what)


def _unclear(text: str, what: str) -> UsageError:
    return UsageError(
        f"The template {text!r} is not clear: {what}.",
        advice="Write one like {number}_{pick}.jpg, {gtin}-* or {number}/*.jpg.",
    )
