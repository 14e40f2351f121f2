"""Scripted misbehaviour: which request goes wrong, how often, and in which way."""

import re
from collections.abc import Callable, Container, Iterator
from typing import Literal, get_args

import attrs

Action = Literal[
    "status",
    "html",
    "redirect",
    "malformed",
    "endless",
    "reset_before",
    "reset_during",
    "reset_after",
    "apply_then_reset",
    "apply_then_status",
    "apply_then_stall",
    "stall",
    "stall_reading",
    "stall_during",
    "reset_reply",
    "truncate",
    "truncate_clean",
    "bad_gzip",
    "foreign_links",
    "relative_links",
    "looping_links",
    "close_idle",
    "cut_next",
    "duplicate_reply",
]

ACTIONS: frozenset[str] = frozenset(get_args(Action))

INSIDE: frozenset[str] = frozenset(
    {"status", "html", "apply_then_status", "apply_then_stall", "stall"}
    | {"foreign_links", "relative_links", "looping_links"}
)
"""What can happen to one request of a batch; everything else needs a connection."""

DEFAULT_CODES = {
    400: "BadRequest",
    401: "Authentication_InvalidCredentials",
    403: "Authorization_RequestDenied",
    404: "BadRequest_ResourceNotFound",
    405: "BadRequest_MethodNotAllowed",
    409: "Request_EntityChanged",
    412: "Request_EntityChanged",
    429: "Application_TooManyRequests",
    500: "Internal_ServerError",
    501: "BadRequest_MethodNotImplemented",
}


@attrs.frozen
class Fault:
    """What goes wrong, and for whom.

    The first fault that matches a request strikes it; a request meets one at most.
    """

    action: Action = attrs.field(validator=attrs.validators.in_(ACTIONS))
    """What happens; see the guide for the list."""

    method: str | None = attrs.field(default=None, kw_only=True)
    """Only this verb; None: any."""

    path: str | None = attrs.field(default=None, kw_only=True)
    """Only where this regular expression is found in the decoded path and query."""

    times: int | None = attrs.field(default=1, kw_only=True)
    """How many requests it strikes; None: all of them."""

    skip: int = attrs.field(default=0, kw_only=True)
    """How many matching requests go unharmed first."""

    retry_after: str | None = attrs.field(default=None, kw_only=True)
    """Sent verbatim as ``Retry-After``: seconds, or an HTTP date."""

    status: int | None = attrs.field(default=None, kw_only=True)
    """Status of the reply; None: whatever suits the action."""

    code: str | None = attrs.field(default=None, kw_only=True)
    """Error code in the envelope; None: whatever suits the status."""

    message: str | None = attrs.field(default=None, kw_only=True)
    """Error message, or the ``Location`` of a redirect."""

    seconds: float = attrs.field(default=0.0, kw_only=True)
    """How long a stall lasts; 0: until the faults are cleared or the server ends."""

    at: int = attrs.field(default=0, kw_only=True)
    """A position in the body, in bytes."""

    headers: tuple[tuple[str, str], ...] = attrs.field(default=(), kw_only=True)
    """More headers for the reply that the fault makes."""

    def matches(self, method: str, target: str) -> bool:
        """Tells whether a request is one of those that are meant."""
        if self.method is not None and self.method.upper() != method:
            return False
        if self.path is None or self.path in target:
            return True
        return re.search(_pattern(self.path), target) is not None

    @property
    def error_code(self) -> str:
        """The code of the envelope."""
        return self.code or DEFAULT_CODES.get(self.status or 500, "Unknown")


def _pattern(text: str) -> str:
    """A path is mostly a plain piece such as ``picture(``, which is no expression."""
    try:
        re.compile(text)
    except re.error:
        return re.escape(text)
    return text


@attrs.define
class _Armed:
    fault: Fault
    to_skip: int
    left: float


@attrs.define
class Faults:
    """The faults that wait for their requests, in the order they were added."""

    on_clear: Callable[[], None] = attrs.field(default=lambda: None)
    """Called when the list is cleared: wakes whatever is stalled."""

    struck: list[Fault] = attrs.field(init=False, factory=list)
    """Every strike so far, oldest first."""

    _armed: list[_Armed] = attrs.field(init=False, factory=list)

    def add(self, *faults: Fault) -> None:
        """Arms faults, behind those that are armed already."""
        for fault in faults:
            left = float("inf") if fault.times is None else fault.times
            self._armed.append(_Armed(fault, fault.skip, left))

    def clear(self) -> None:
        """Disarms everything, and lets go whatever stalls."""
        self._armed.clear()
        self.on_clear()

    def take(
        self, method: str, target: str, among: Container[str] = ACTIONS
    ) -> Fault | None:
        """Returns the fault that strikes this request, and counts the strike.

        Args:
            method: The verb.
            target: The decoded path and query.
            among: The actions that are possible.
        """
        for armed in self._armed:
            fault = armed.fault
            if fault.action not in among or not fault.matches(method, target):
                continue
            if armed.to_skip:
                armed.to_skip -= 1
                continue
            armed.left -= 1
            if armed.left <= 0:
                self._armed.remove(armed)
            self.struck.append(armed.fault)
            return armed.fault
        return None

    def __len__(self) -> int:
        return len(self._armed)

    def __iter__(self) -> Iterator[Fault]:
        return iter([armed.fault for armed in self._armed])
