"""The async Python SDK for the pictures of Microsoft Dynamics 365 Business Central."""

from bcpicture.core.credentials import BasicKey, ClientSecret, StaticToken
from bcpicture.core.endpoints import Endpoint
from bcpicture.core.models import ANY, Company, Downloaded, Item, Picture, Uploaded
from bcpicture.core.quota import Quota
from bcpicture.core.retries import RetryPolicy
from bcpicture.errors import (
    AccessDeniedError,
    AnswerError,
    ApiSwitchedOffError,
    AuthenticationError,
    BcPictureError,
    ClosedError,
    CompanyNotFoundError,
    ConfigurationError,
    ConflictError,
    CutShortError,
    Failure,
    ItemNotFoundError,
    MissingError,
    NoPictureError,
    OutcomeUnknownError,
    RejectedError,
    ReplayError,
    ServiceError,
    SourceError,
    StalledError,
    ThrottledError,
    TooLargeError,
    TransportError,
    Trouble,
    UnavailableError,
    UsageError,
)
from bcpicture.net.signers import CredentialPool
from bcpicture.net.tries import Statistics
from bcpicture.net.watchdog import Timeouts
from bcpicture.resources.client import BusinessCentral

__all__ = [
    "ANY",
    "AccessDeniedError",
    "AnswerError",
    "ApiSwitchedOffError",
    "AuthenticationError",
    "BasicKey",
    "BcPictureError",
    "BusinessCentral",
    "ClientSecret",
    "ClosedError",
    "Company",
    "CompanyNotFoundError",
    "ConfigurationError",
    "ConflictError",
    "CredentialPool",
    "CutShortError",
    "Downloaded",
    "Endpoint",
    "Failure",
    "Item",
    "ItemNotFoundError",
    "MissingError",
    "NoPictureError",
    "OutcomeUnknownError",
    "Picture",
    "Quota",
    "RejectedError",
    "ReplayError",
    "RetryPolicy",
    "ServiceError",
    "SourceError",
    "StalledError",
    "StaticToken",
    "Statistics",
    "ThrottledError",
    "Timeouts",
    "TooLargeError",
    "TransportError",
    "Trouble",
    "UnavailableError",
    "Uploaded",
    "UsageError",
]

__version__ = "0.1.0"
