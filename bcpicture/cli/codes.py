"""What the command line exits with."""

from __future__ import annotations

from enum import IntEnum

from bcpicture import errors


class Exit(IntEnum):
    """An exit code; the same for all commands."""

    DONE = 0
    """All of it was done; both sides are in step."""

    FAILED = 1
    """Some pictures failed, or differ; each is named."""

    USAGE = 2
    """The command, or a setting, is wrong."""

    UNREACHABLE = 3
    """Business Central cannot be reached, or does not let us in."""

    BRAKE = 4
    """More would change than is allowed; look at it, then allow it."""

    LOCKED = 5
    """Another process works with the same journal."""

    INTERRUPTED = 130
    """Ctrl-C."""

    TERMINATED = 143
    """SIGTERM."""


_CODES: tuple[tuple[type[BaseException], Exit], ...] = (
    (errors.UsageError, Exit.USAGE),
    (errors.SourceError, Exit.USAGE),
    (errors.CompanyNotFoundError, Exit.USAGE),
    (errors.BrakeError, Exit.BRAKE),
    (errors.LockedError, Exit.LOCKED),
    (errors.AuthenticationError, Exit.UNREACHABLE),
    (errors.TransportError, Exit.UNREACHABLE),
    (errors.AnswerError, Exit.UNREACHABLE),
    (errors.ApiSwitchedOffError, Exit.UNREACHABLE),
    (errors.ThrottledError, Exit.UNREACHABLE),
    (errors.UnavailableError, Exit.UNREACHABLE),
)


def code_of(error: BaseException) -> Exit:
    """Return the exit code for an error that ended a command as a whole."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return Exit.FAILED
