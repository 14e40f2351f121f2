"""Who asks: frozen values that never show their secrets."""

from __future__ import annotations

from typing import Any

import attrs

from bcpicture.core.guards import clean
from bcpicture.errors import ConfigurationError

ENTRA = "https://login.microsoftonline.com"


def _secret(_: object, field: attrs.Attribute[str], value: str) -> None:
    # `value` is never quoted here: an error is no place for a secret.
    if not value or value != value.strip():
        raise ConfigurationError(
            f"The {field.name} is empty, or has blanks around it.",
            advice="Look at where it comes from: a file may end in a line break.",
        )
    clean(value, field.name)


def _plain(_: object, field: attrs.Attribute[Any], value: str | None) -> None:
    if value is not None:
        clean(value, field.name.replace("_", " "))


def _segment(_: object, field: attrs.Attribute[Any], value: str | None) -> None:
    if value is not None and (not value or not set(value) - {"."} or "/" in value):
        raise ConfigurationError(
            f"The {field.name} {value!r} is neither a GUID nor a domain.",
            advice="Copy it from the directory's overview page.",
        )
    _plain(_, field, value)


@attrs.frozen(kw_only=True)
class ClientSecret:
    """An app registration of Microsoft Entra with a client secret.

    The tenant comes from the endpoint unless it is given; two that differ are refused.
    """

    client_id: str = attrs.field(validator=_secret)
    """Application (client) id of the app registration."""

    client_secret: str = attrs.field(repr=False, validator=_secret)
    """The secret's value, not its id."""

    tenant: str | None = attrs.field(default=None, validator=_segment)
    """Directory (tenant) id or domain; None to take the endpoint's."""

    authority: str = attrs.field(default=ENTRA, validator=_plain)
    """Address of the identity provider; sovereign clouds have their own."""

    token_url: str | None = attrs.field(default=None, validator=_plain)
    """The whole address of the token endpoint, instead of authority and tenant."""

    scope: str | None = attrs.field(default=None, validator=_plain)
    """OAuth scope; None to take the endpoint's."""


@attrs.frozen
class StaticToken:
    """A bearer token that somebody else obtained, and renews by a new client."""

    token: str = attrs.field(repr=False, validator=_secret)
    """The bare token."""

    def __attrs_post_init__(self) -> None:
        if self.token.lower().startswith("bearer "):
            raise ConfigurationError(
                'The token starts with "Bearer ".',
                advice="Hand over the bare token, without that word.",
            )


@attrs.frozen
class BasicKey:
    """An on-premises user and its web service access key.

    Business Central takes no characters beyond ASCII in either (Microsoft, "Web
    Services Authentication"), and the online service none at all since 2022.
    """

    user: str = attrs.field(validator=_secret)
    """User name, without a colon."""

    key: str = attrs.field(repr=False, validator=_secret)
    """Web service access key."""

    def __attrs_post_init__(self) -> None:
        if ":" in self.user or not (self.user + self.key).isascii():
            raise ConfigurationError(
                "The user has a colon, or user or key have characters beyond ASCII.",
                advice="Choose a user name and key that HTTP Basic can carry.",
            )
