"""What can go wrong, branched by what a caller can do about it.

::

    BcPictureError
    ├── UsageError (ValueError)     the call is wrong, nothing was sent
    │   └── ConfigurationError      a setting is missing or contradicts another
    ├── ClosedError                 the client is not open (any more): use `async with`
    ├── SourceError                 the bytes to upload cannot be had: mend the source
    │   ├── ReplayError             a stream can be sent once, and had to be twice
    │   └── UnfitPictureError       they would not show: convert or replace them
    ├── TargetError                 the target cannot take the picture: choose another
    ├── AuthenticationError         no token is to be had: mend the credentials
    │   └── AccessDeniedError       the token is good, Business Central refuses it
    ├── MissingError                it is not there: ask for something else
    │   ├── CompanyNotFoundError
    │   ├── ItemNotFoundError
    │   └── NoPictureError
    ├── ConflictError               somebody else changed it: read again, then decide
    ├── ServiceError                the service says no
    │   ├── RejectedError           to this request: mend it, or the data behind it
    │   ├── TooLargeError           the body is over the service's limit: shrink it
    │   ├── ApiSwitchedOffError     this server does not offer the API: switch it on
    │   ├── ThrottledError          the quota is used up: come back later
    │   └── UnavailableError        the service is ill: come back later
    ├── TransportError              no whole answer arrived: try again later
    │   ├── StalledError (TimeoutError)
    │   └── CutShortError
    ├── AnswerError                 the answer is not one of Business Central's
    ├── OutcomeUnknownError         a write may have happened: look before you repeat it
    ├── JournalError                what a synchronisation remembers cannot be had
    │   ├── LockedError             another process works with it: wait for its end
    │   └── BackupError             a picture cannot be put aside, or had back
    └── BrakeError                  more would change than expected: look, then allow it

Every error carries the `Failure` that it stands for, where there was a request at
all, and its text ends with what to do next.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bcpicture.errors.failure import Failure as Failure
from bcpicture.errors.failure import Misfit as Misfit
from bcpicture.errors.failure import Trouble as Trouble
from bcpicture.errors.failure import quote as quote

_MOST_NAMES = 12
"""Names that an error lists."""


def _revive(
    kind: type[BcPictureError], args: tuple[object, ...], state: Mapping[str, object]
) -> BcPictureError:
    error = kind.__new__(kind, *args)
    error.args = args  # OSError, among the bases, would keep none
    error.__dict__.update(state)
    return error


class BcPictureError(Exception):
    """The base of everything that this package raises on its own account."""

    what: str
    """What happened, one sentence."""

    advice: str
    """What to do about it; empty when there is nothing to add."""

    failure: Failure | None
    """The request that failed; None when none was sent."""

    def __init__(
        self, what: str, *, advice: str = "", failure: Failure | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.advice = advice
        self.failure = failure

    @property
    def attempts(self) -> int:
        """How often the request was sent; 0 when it was not."""
        return self.failure.attempts if self.failure else 0

    def __str__(self) -> str:
        text = " ".join(part for part in (self.what, self.advice) if part)
        return f"{text} [{self.failure}]" if self.failure else text

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception would call the class with `args` alone and lose the keywords.
        return _revive, (type(self), self.args, dict(self.__dict__))


class UsageError(BcPictureError, ValueError):
    """The call is wrong in itself; nothing was sent."""


class ConfigurationError(UsageError):
    """A setting is missing, malformed, or contradicts another one."""


class ClosedError(BcPictureError, RuntimeError):
    """The client has not been opened, or is closed already."""


class SourceError(BcPictureError):
    """The bytes to upload cannot be read, or are not what they were."""


class ReplayError(SourceError):
    """A body that can be read only once would have had to be sent again."""


class UnfitPictureError(SourceError):
    """The bytes are no picture that is proven to show in Business Central."""

    def __init__(
        self, what: str, *, advice: str, misfit: Misfit, kind: str = ""
    ) -> None:
        super().__init__(what, advice=advice)
        self.misfit = misfit
        self.kind = kind


class TargetError(BcPictureError):
    """What a picture should be saved in cannot take it."""


class AuthenticationError(BcPictureError):
    """No token is to be had: the identity provider, or the credential, says no."""


class AccessDeniedError(AuthenticationError):
    """The token is valid, but Business Central does not let it in (401, 403)."""


class MissingError(BcPictureError):
    """What was asked for is not there."""


class CompanyNotFoundError(MissingError):
    """No company has that name or id."""

    def __init__(
        self,
        company: str,
        known: tuple[str, ...] = (),
        *,
        failure: Failure | None = None,
    ) -> None:
        names = ", ".join(f'"{name}"' for name in known[:_MOST_NAMES])
        if len(known) > _MOST_NAMES:
            names += f" and {len(known) - _MOST_NAMES} more"
        advice = (
            f"The companies are: {names}."
            if known
            else "List the companies with `bc.companies`."
        )
        super().__init__(
            f'There is no company "{company}".', advice=advice, failure=failure
        )
        self.company = company
        self.known = known


class ItemNotFoundError(MissingError):
    """No item (customer, vendor, …) has that number or id."""

    def __init__(
        self, kind: str, key: str, *, company: str, failure: Failure | None = None
    ) -> None:
        super().__init__(
            f'There is no {kind} "{key}" in company "{company}".',
            advice=(
                "Numbers are compared exactly, as Business Central shows them, "
                "and an id is unique only within its company."
            ),
            failure=failure,
        )
        self.kind = kind
        self.key = key
        self.company = company


class NoPictureError(MissingError):
    """The item is there, a picture is not."""

    def __init__(self, of: str, *, failure: Failure | None = None) -> None:
        super().__init__(
            f"There is no picture of {of}.",
            advice="Ask `info().exists` first, or use `read(default=None)`.",
            failure=failure,
        )
        self.of = of


class ConflictError(BcPictureError):
    """Somebody else changed the picture since its etag was read."""


class ServiceError(BcPictureError):
    """The service answered, and the answer is no."""


class RejectedError(ServiceError):
    """The service, or business logic inside it, does not accept this request."""


class TooLargeError(ServiceError):
    """The body, or the page, is larger than the service takes."""


class ApiSwitchedOffError(ServiceError):
    """The server does not offer the API (405 on every call)."""


class ThrottledError(ServiceError):
    """The quota is used up, and waiting longer was not wanted (429)."""


class UnavailableError(ServiceError):
    """The service is ill, busy or updating (408, 5xx)."""


class TransportError(BcPictureError):
    """No answer arrived, or not the whole of it."""


class StalledError(TransportError, TimeoutError):
    """Nothing moved for longer than the time-out allows."""


class CutShortError(TransportError):
    """A body ended before its announced length."""


class AnswerError(BcPictureError):
    """The answer is not one that Business Central gives."""


class OutcomeUnknownError(BcPictureError):
    """A write may or may not have happened, and reading it back failed too."""


class JournalError(BcPictureError):
    """The journal of a synchronisation cannot be read or written."""


class LockedError(JournalError):
    """Another process works with the journal, and there is one at a time."""


class BackupError(JournalError):
    """A picture cannot be saved to the backup, or is not there as it was saved."""


class BrakeError(BcPictureError):
    """A synchronisation would change more than was allowed, so it does not begin."""
