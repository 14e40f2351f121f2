"""What an error tells besides its text, as values: the request that failed, and why."""

from __future__ import annotations

from enum import Enum

import attrs

_LONGEST_PATH = 300
"""Characters of an address that an error repeats."""

_LONGEST_QUOTE = 300
"""Characters of the service's own words that an error repeats."""


class Trouble(Enum):
    """Why there is no answer, or none that can be used."""

    CONNECT = "no connection"
    """The server was never reached: name, route, TLS or port."""

    DROPPED = "connection lost"
    """The connection ended before an answer began."""

    STALLED = "nothing moved"
    """Longer than the time-out."""

    CUT = "answer cut short"
    """The body ended before its announced length."""

    MALFORMED = "not HTTP"
    """The bytes are no answer in HTTP."""

    HASTY = "answered before the body had left"
    """A success for bytes that the server cannot have."""


class Misfit(Enum):
    """Why bytes are refused as a picture before they are sent."""

    TOO_LARGE = "too large"
    """More bytes than the service takes in one request."""

    NO_PICTURE = "no picture"
    """Another kind of file, such as an HTML page that was saved as ``.jpg``."""

    UNPROVEN = "unproven"
    """A kind of picture that is not proven to show in Business Central."""

    UNKNOWN = "unknown"
    """No kind of file that is known."""

    CUT = "cut short"
    """A picture without its end."""


@attrs.frozen(kw_only=True)
class Failure:
    """One failed request, as a value that errors, logs and reports share."""

    method: str
    """HTTP verb."""

    path: str
    """Path and query of the address, percent-encoded, without its origin."""

    status: int | None = None
    """HTTP status; None when no answer arrived."""

    trouble: Trouble | None = None
    """Why there is no usable answer; None when there is one."""

    code: str = ""
    """The service's own code, such as ``Request_EntityChanged``; empty if not told."""

    message: str = ""
    """What the service said, or the network did; its language varies."""

    correlation_id: str = ""
    """What Microsoft's support asks for; empty if not told."""

    retry_after: float | None = None
    """Seconds that the service asked to wait; None if it did not ask."""

    claims: str | None = attrs.field(default=None, repr=False)
    """Claims that a new token must satisfy, as JSON; None if not challenged."""

    doubtful: bool = False
    """Whether this attempt, or one before it, may have changed something."""

    attempts: int = 1
    """How often the request was sent."""

    verdict: str = ""
    """Why it was not sent once more."""

    def __str__(self) -> str:
        """One line for people: verb, path, answer, attempts, correlation id."""
        answer = self.trouble.value if self.trouble else str(self.status)
        path = self.path
        if len(path) > _LONGEST_PATH:
            path = path[:_LONGEST_PATH] + "…"
        parts = [f"{self.method} {path}: {answer}"]
        if self.code:
            parts[0] += f" {self.code}"
        if self.attempts > 1:
            parts.append(f"{self.attempts} attempts")
        if self.verdict:
            parts.append(self.verdict)
        if self.correlation_id:
            parts.append(f"correlation id {self.correlation_id}")
        return ", ".join(parts)


def quote(text: str) -> str:
    """The service's words, short enough for an error, and harmless to a terminal."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    line = " ".join(printable.split())
    return line if len(line) <= _LONGEST_QUOTE else line[:_LONGEST_QUOTE] + "…"
