"""When a text from a file's name and a value of a record are the same.

In this order: exactly as `safe_name` would write it, literally, in the same Unicode
normal form, in upper case. Upper case, since that is how Business Central keeps its
codes, letter by letter: ``casefold`` would take ``STRASSE`` for ``straße`` and send a
picture to a stranger.
"""

from __future__ import annotations

import unicodedata

from bcpicture.core.filenames import safe_stem

RULES = 4
"""How many rules there are; `rule` returns their numbers, the best is 0."""


def nfc(text: str) -> str:
    """*text* in the normal form in which letters are composed."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def upper(text: str) -> str:
    """*text* in upper case; a letter without exactly one capital stays as it is.

    Whatever is the same by any rule is the same here, so that one index finds all.
    """
    if text.isascii():
        return text.upper()
    return "".join(map(_upper_letter, unicodedata.normalize("NFC", text)))


def rule(text: str, value: str, *, escaped: bool) -> int:
    """The first rule by which *text* and *value* are the same.

    Args:
        text: From the file's name; its `upper` is that of *value*, or of its stem.
        value: The record's.
        escaped: Whether the text may be as `safe_stem` writes it.
    """
    if escaped and nfc(text) == safe_stem(value):
        return 0  # what `pull` wrote, on a file system that decomposes too
    if text == value:
        return 1
    return 2 if nfc(text) == nfc(value) else 3


def _upper_letter(char: str) -> str:
    """Return the capital, where there is exactly one and it leads back."""
    capital = char.upper()
    return capital if len(capital) == 1 and capital.lower() == char else char
