"""Which files are looked at: patterns as of rclone.

``*`` is anything but a slash, ``**`` anything, ``?`` one sign, ``[abc]`` or ``[!abc]``
one of these or none of them, ``{jpg,png}`` one of these; a backslash takes away a
sign's meaning. A pattern fits the end of a path, or with a slash at its beginning the
whole of it. Upper and lower case are the same, since ``*.jpg`` means ``X.JPG`` as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from bcpicture.core.keys import nfc
from bcpicture.errors import UsageError

_TOKEN = re.compile(
    r"""
    (?P<anywhere>\*\*/) | (?P<deep>\*\*) | (?P<star>\*) | (?P<one>\?)
    | \[(?P<negated>[!^]?)(?P<members>\]?[^\]]*)\]
    | \\(?P<escaped>.) | (?P<open>\{) | (?P<close>\}) | (?P<comma>,) | (?P<plain>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_FIXED = {"anywhere": "(?:.*/)?", "deep": ".*", "star": "[^/]*", "one": "[^/]"}


def compile_glob(pattern: str) -> re.Pattern[str]:
    """Return what a path has to match in full.

    Raises:
        UsageError: A brace or a bracket is not closed, or the pattern is empty.
    """
    anchored = pattern.startswith("/")
    parts, depth = [], 0
    for token in _TOKEN.finditer(nfc(pattern.removeprefix("/"))):
        depth += bool(token["open"]) - bool(token["close"])
        if depth not in {0, 1} or token["plain"] in {"[", "\\"}:
            raise _unclear(pattern)
        parts.append(_translated(token, within=depth > 0))
    if depth or not parts:
        raise _unclear(pattern)
    start = "" if anchored else "(?:.*/)?"
    try:
        return re.compile(start + "".join(parts), re.IGNORECASE | re.DOTALL)
    except re.error as exc:
        raise _unclear(pattern) from exc


def _translated(token: re.Match[str], *, within: bool) -> str:
    kind = token.lastgroup or ""
    if kind in _FIXED:
        return _FIXED[kind]
    if kind == "members":
        negated = "^/" if token["negated"] else ""
        members = re.sub(r"([\[\]\\^&~|])", r"\\\1", token["members"])
        return f"[{negated}{members}]"
    if kind == "open":
        return "(?:"
    if kind == "close":
        return ")"
    if kind == "comma" and within:
        return "|"
    return re.escape(token["escaped"] or token.group())


def _unclear(pattern: str) -> UsageError:
    return UsageError(
        f"The pattern {pattern!r} is not clear.",
        advice="Close every { and [, or put a backslash before the sign itself.",
    )


def chooser(include: Iterable[str], exclude: Iterable[str]) -> Callable[[str], bool]:
    """Return a function that tells whether a file, by its path, is looked at.

    Args:
        include: Without any, all files are; else those that fit one of them.
        exclude: What fits one of these is not, whatever else it fits.
    """
    wanted = [compile_glob(pattern) for pattern in include]
    unwanted = [compile_glob(pattern) for pattern in exclude]

    if not wanted and not unwanted:
        return lambda _: True

    def chosen(path: str) -> bool:
        path = nfc(path)
        if wanted and not any(pattern.fullmatch(path) for pattern in wanted):
            return False
        return not any(pattern.fullmatch(path) for pattern in unwanted)

    return chosen
