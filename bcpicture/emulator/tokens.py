"""Words of a ``$filter``: strings, GUIDs, dates, numbers, names."""

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal, get_args

import attrs

from bcpicture.emulator.problems import syntax_error

Kind = Literal["name", "string", "guid", "datetime", "number", "mark", "end"]
KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}
"""The groups of the pattern are the kinds of words."""

Value = str | float | bool | datetime | uuid.UUID | None

_WORDS = re.compile(
    r"""
      (?P<space>[ ]+)
    | (?P<string>'(?:[^']|'')*')
    | (?P<guid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})
    | (?P<datetime>\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,7})?)?
          (?:Z|[+-]\d\d:\d\d))?)
    | (?P<number>-?\d+(?:\.\d+)?)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:/[A-Za-z_][A-Za-z0-9_]*)*)
    | (?P<mark>[(),])
    """,
    re.VERBOSE,
)


@attrs.frozen
class Word:
    """One word."""

    kind: Kind
    """What it is."""

    text: str
    """As written."""

    at: int
    """Where it begins."""


def words(text: str) -> Iterator[Word]:
    """Splits a filter into words, and ends with an empty one.

    A plus sign in place of a space is no word: in a query it is a plus sign.
    """
    at = 0
    touching = False
    while at < len(text):
        found = _WORDS.match(text, at)
        kind = found.lastgroup if found else None
        if found is None or (touching and kind not in {"space", "mark"}):
            raise syntax_error(at, text)
        if kind != "space":
            yield Word(KINDS[str(kind)], found.group(), at)
        touching = kind not in {"space", "mark"}
        at = found.end()
    yield Word("end", "", at)


def literal(word: Word, text: str) -> Value:
    """The value of a literal."""
    constants: dict[str, Value] = {"true": True, "false": False, "null": None}
    match word.kind:
        case "string":
            return word.text[1:-1].replace("''", "'")
        case "guid":
            return uuid.UUID(word.text)
        case "number":
            return float(word.text)
        case "datetime":
            return _moment(word, text)
        case "name" if word.text in constants:
            return constants[word.text]
        case _:
            raise syntax_error(word.at, text)


def _moment(word: Word, text: str) -> datetime:
    # The service writes seven digits of a second; Python reads six.
    trimmed = re.sub(r"(\.\d{6})\d+", r"\1", word.text)
    try:
        value = datetime.fromisoformat(trimmed)
    except ValueError:
        raise syntax_error(word.at, text) from None
    return value if value.tzinfo else value.replace(tzinfo=UTC)
