"""Item numbers as file names that every file system takes, and back again.

A number may hold anything: ``../../x``, ``CON``, ``a/b``. What is dangerous on some
system becomes ``%XX``, byte by byte of its UTF-8, as in an address. What could meet a
twin on a file system that ignores case or Unicode's normal forms is treated alike:
Business Central's numbers are upper case, so lower-case letters are the rare ones and
get the ``%``. The result depends on the number alone, so that a second run writes to
the same names, in whatever order.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

_LONGEST = 195
"""Bytes of a name without its extension. Systems allow 255 for all of it, and a
temporary neighbour of the file needs some of them."""

_CUT = "%~"
"""Before the digest that stands for the end of a number too long for a name."""

_EMPTY = "%"
"""The name of the empty number: a lone sign that no other number can give."""

_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !#$&'()+,-.;=@[]^_`{}~")
_ORDINARY = re.compile(r"[A-Z0-9_-]{1,100}")
_DEVICE = re.compile(
    r"(?:CON|PRN|AUX|NUL|CLOCK\$|CON(?:IN|OUT)\$|(?:COM|LPT)\d) *(?:\.|$)"
)
_ESCAPE = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


def safe_name(number: str, extension: str) -> str:
    """Return a file name for *number*.

    Two numbers never share a name, not even where case and normal form do not count.

    Args:
        number: Anything at all.
        extension: With its dot.
    """
    return safe_stem(number) + extension


def safe_stem(number: str) -> str:
    """Return the file name for *number* without an extension."""
    if _ORDINARY.fullmatch(number) and not _DEVICE.match(number):
        return number
    stem = "".join(map(_written, number)) or _EMPTY
    if not unicodedata.is_normalized("NFC", stem):
        stem = "".join(c if c in _PLAIN or c == "%" else _escaped(c) for c in stem)
    stem = _guarded(stem)
    return stem if len(stem.encode()) <= _LONGEST else _cut(stem, number)


def number_of(file_name: str) -> str | None:
    """Return the number that `safe_name` made *file_name* of.

    A name that it would never write is read as it stands; None stands for a name that
    was cut and does not tell any more.
    """
    stem = stem_of(file_name)
    if _CUT in stem:
        return None
    if stem == _EMPTY:
        return ""
    return _ESCAPE.sub(lambda found: _unescaped(found.group()), stem)


def stem_of(file_name: str) -> str:
    """Return *file_name* without its extension; the last dot starts one."""
    stem, dot, extension = file_name.rpartition(".")
    return stem if dot else extension


def extension_of(file_name: str) -> str:
    """Return the extension of *file_name* with its dot, in lower case, or nothing."""
    _, dot, extension = file_name.rpartition(".")
    return (dot + extension).lower() if dot else ""


def _written(char: str) -> str:
    return char if char in _PLAIN or _is_safe_letter(char) else _escaped(char)


def _is_safe_letter(char: str) -> bool:
    """Whether a letter beyond ASCII has no twin that a file system takes for it."""
    if char.isascii():
        return False
    if not char.isdecimal() and unicodedata.category(char) not in {"Lu", "Lo"}:
        return False
    lower = char.lower()
    return len(lower) == 1 and lower.upper() == char and len(char.casefold()) == 1


def _escaped(char: str) -> str:
    # "surrogatepass", since a number is anything: even half a pair comes back.
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))


def _unescaped(run: str) -> str:
    try:
        return bytes.fromhex(run.replace("%", "")).decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return run  # somebody else's signs, not ours


def _guarded(stem: str) -> str:
    """Take away what only the beginning or the end of a name makes dangerous."""
    if stem[0] in " ." or _DEVICE.match(stem):
        stem = _escaped(stem[0]) + stem[1:]
    return stem[:-1] + _escaped(stem[-1]) if stem[-1] in " ." else stem


def _cut(stem: str, number: str) -> str:
    digest = hashlib.sha256(number.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    kept = stem.encode()[: _LONGEST - len(_CUT) - len(digest)].decode(errors="ignore")
    return f"{kept.rstrip(' .')}{_CUT}{digest}"
