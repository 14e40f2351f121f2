"""The async Python SDK for the pictures of Microsoft Dynamics 365 Business Central."""

import importlib
import logging
import typing

from bcpicture.core.credentials import BasicKey, ClientSecret, StaticToken
from bcpicture.core.digests import ALREADY_THERE
from bcpicture.core.endpoints import Endpoint
from bcpicture.core.models import (
    ANY,
    Company,
    Downloaded,
    Environment,
    Item,
    Picture,
    PictureInfo,
    Progress,
    RecordInfo,
    Uploaded,
)
from bcpicture.core.quota import Quota, QuotaUse
from bcpicture.core.retries import RetryPolicy
from bcpicture.errors import (
    AccessDeniedError,
    AnswerError,
    ApiSwitchedOffError,
    AuthenticationError,
    BackupError,
    BcPictureError,
    BrakeError,
    ClosedError,
    CompanyNotFoundError,
    ConfigurationError,
    ConflictError,
    CutShortError,
    Failure,
    ItemNotFoundError,
    JournalError,
    LockedError,
    Misfit,
    MissingError,
    NoPictureError,
    OutcomeUnknownError,
    RejectedError,
    ReplayError,
    ServiceError,
    SourceError,
    StalledError,
    TargetError,
    ThrottledError,
    TooLargeError,
    TransportError,
    Trouble,
    UnavailableError,
    UnfitPictureError,
    UsageError,
)
from bcpicture.net.connect import Connector
from bcpicture.net.observers import Observer
from bcpicture.net.progress import OnProgress
from bcpicture.net.signers import Credential, CredentialPool
from bcpicture.net.tries import Statistics
from bcpicture.net.watchdog import Timeouts
from bcpicture.resources import detection
from bcpicture.resources.client import BusinessCentral
from bcpicture.resources.companies import Companies, CompanyHandle
from bcpicture.resources.handles import RecordHandle
from bcpicture.resources.pictures import PictureHandle
from bcpicture.resources.streams import PictureStream

if typing.TYPE_CHECKING:
    # Not everybody needs them: see `__getattr__`.
    from bcpicture.core.events import (
        Event,
        Finished,
        Replied,
        RequestSent,
        Retrying,
        SetAside,
        Throttled,
        TokenRenewed,
    )
    from bcpicture.core.expressions import Expression
    from bcpicture.core.fields import F, Field
    from bcpicture.resources.records import Records

__all__ = [
    "ALREADY_THERE",
    "ANY",
    "AccessDeniedError",
    "AnswerError",
    "ApiSwitchedOffError",
    "AuthenticationError",
    "BackupError",
    "BasicKey",
    "BcPictureError",
    "BrakeError",
    "BusinessCentral",
    "ClientSecret",
    "ClosedError",
    "Companies",
    "Company",
    "CompanyHandle",
    "CompanyNotFoundError",
    "ConfigurationError",
    "ConflictError",
    "Connector",
    "Credential",
    "CredentialPool",
    "CutShortError",
    "Downloaded",
    "Endpoint",
    "Environment",
    "Event",
    "Expression",
    "F",
    "Failure",
    "Field",
    "Finished",
    "Item",
    "ItemNotFoundError",
    "JournalError",
    "LockedError",
    "Misfit",
    "MissingError",
    "NoPictureError",
    "Observer",
    "OnProgress",
    "OutcomeUnknownError",
    "Picture",
    "PictureHandle",
    "PictureInfo",
    "PictureStream",
    "Progress",
    "Quota",
    "QuotaUse",
    "RecordHandle",
    "RecordInfo",
    "Records",
    "RejectedError",
    "ReplayError",
    "Replied",
    "RequestSent",
    "RetryPolicy",
    "Retrying",
    "ServiceError",
    "SetAside",
    "SourceError",
    "StalledError",
    "StaticToken",
    "Statistics",
    "TargetError",
    "Throttled",
    "ThrottledError",
    "Timeouts",
    "TokenRenewed",
    "TooLargeError",
    "TransportError",
    "Trouble",
    "UnavailableError",
    "UnfitPictureError",
    "Uploaded",
    "UsageError",
]

__version__ = "0.1.0"

_LATER = {
    **dict.fromkeys(
        (
            "Event",
            "Finished",
            "Replied",
            "RequestSent",
            "Retrying",
            "SetAside",
            "Throttled",
            "TokenRenewed",
        ),
        "core.events",
    ),
    "Expression": "core.expressions",
    "F": "core.fields",
    "Field": "core.fields",
    "Records": "resources.records",
}
"""What is imported when it is asked for, and from where."""


def __getattr__(name: str) -> object:
    """A name that not everybody needs, imported by now."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_LATER[name]}")
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    """All names, imported or not."""
    return sorted({*globals(), *__all__})


# The half of it that waits: `core` cannot import upwards.
Endpoint.detector = detection.detect

# Silent unless the program that uses it asks for its log.
logging.getLogger(__name__).addHandler(logging.NullHandler())
