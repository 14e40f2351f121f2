"""OAuth client credentials: what is asked of Microsoft Entra, what its answers mean.

Source: Microsoft, "Using Service to Service (S2S) Authentication".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from math import inf
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import attrs
from yarl import URL

from bcpicture.core.addresses import is_loopback
from bcpicture.core.credentials import ClientSecret
from bcpicture.core.endpoints import Endpoint
from bcpicture.errors import (
    AnswerError,
    AuthenticationError,
    ConfigurationError,
    Failure,
)
from bcpicture.errors import (
    quote as quote_words,
)

# Of refusals alone: compiled when one comes.
_AADSTS = r"AADSTS(?P<number>\d+)"
_TRACE = r"\s*(?:Trace ID:|Correlation ID:|Timestamp:|\r|\n)"
_CORRELATION = r"Correlation ID: (?P<id>[0-9a-fA-F-]{36})"
_TOKEN = re.compile(r"[\x21-\x7e]+")

_ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "7000215": "The client secret is wrong: use its value, not its id.",
        "7000222": "The client secret has expired: make a new one.",
        "700016": "The client id is unknown in this tenant: check both.",
        "7000112": "The application is disabled: enable it in Microsoft Entra.",
        "90002": "The tenant is unknown: check its id or domain.",
        "900023": "The tenant is neither a GUID nor a domain: check it.",
        "53003": "A conditional access policy blocks the app: exclude it there.",
        "50079": "Multi-factor authentication is demanded: exclude the app from it.",
        "50076": "Multi-factor authentication is demanded: exclude the app from it.",
        "70011": "The scope is wrong: it usually ends in /.default.",
        "500011": "The resource is unknown in this tenant: check the scope.",
        "65001": "Consent is missing: an administrator has to grant it.",
    }
)
_GENERAL = "Check tenant, client id, client secret and scope."


@attrs.frozen
class Token:
    """A bearer token."""

    secret: str = attrs.field(repr=False)
    """What goes into the header."""

    expires: float
    """When it ends, in seconds of the clock that its time was read from."""

    issued: float = 0.0
    """When it was obtained, in seconds of the same clock."""

    def renew_at(self, jitter: float) -> float:
        """From when on a new one should be fetched, while this one still works.

        Between half and three quarters of its life, drawn by *jitter* in [0, 1), so
        that many processes do not ask in the same second.
        """
        return self.issued + (self.expires - self.issued) * (0.5 + jitter / 4)

    def ends_at(self) -> float:
        """From when on it is not used any more: a little before it expires."""
        life = self.expires - self.issued
        return self.expires - min(60.0, life * 0.05)


@attrs.frozen(kw_only=True)
class TokenRequest:
    """What to post to the token endpoint."""

    url: URL
    """Its address."""

    form: Mapping[str, str] = attrs.field(repr=False)
    """The fields, secret included."""


def tenant_of(credential: ClientSecret, endpoint: Endpoint) -> str:
    """The tenant that both agree on.

    Raises:
        ConfigurationError: They name different ones, or none does.
    """
    named = {name for name in (credential.tenant, endpoint.tenant) if name}
    if len({name.lower() for name in named}) > 1:
        raise ConfigurationError(
            f"The credential is for tenant {credential.tenant!r}, "
            f"the endpoint for {endpoint.tenant!r}.",
            advice="Leave the credential's tenant out: it takes the endpoint's.",
        )
    if not named:
        raise ConfigurationError(
            "Neither the endpoint nor the credential names a tenant.",
            advice="Say Endpoint.cloud(tenant=...), or ClientSecret(tenant=...).",
        )
    return named.pop()


def token_url(credential: ClientSecret, endpoint: Endpoint) -> URL:
    """Where the credential gets its tokens.

    Raises:
        ConfigurationError: The secret would travel unencrypted.
    """
    text = credential.token_url
    if text is None:
        tenant = quote(tenant_of(credential, endpoint), safe="")
        text = f"{credential.authority.rstrip('/')}/{tenant}/oauth2/v2.0/token"
    try:
        url = URL(text, encoded=True)
    except ValueError:
        url = URL()
    if url.scheme not in {"http", "https"} or not url.host:
        raise ConfigurationError(
            f"The address of the token endpoint {text!r} is none.",
            advice="Give it in full, from https:// on.",
        )
    if url.scheme == "http" and not is_loopback(url.host):
        raise ConfigurationError(
            f"The client secret would travel to {url.host} unencrypted.",
            advice="The token endpoint has to be https.",
        )
    return url


def token_request(
    credential: ClientSecret, endpoint: Endpoint, *, claims: str | None = None
) -> TokenRequest:
    """What to ask for *credential* at *endpoint*.

    Args:
        credential: Who asks.
        endpoint: For what.
        claims: What a claims challenge demanded, as JSON.
    """
    form = {
        "grant_type": "client_credentials",
        "client_id": credential.client_id,
        "client_secret": credential.client_secret,
        "scope": credential.scope or endpoint.scope,
    }
    if claims:
        form["claims"] = claims
    return TokenRequest(url=token_url(credential, endpoint), form=form)


def read_token(body: bytes, *, now: float) -> Token:
    """The token in a reply of the token endpoint.

    Raises:
        AnswerError: There is none in it.
    """
    try:
        told: Any = json.loads(body)
        life, secret = float(told["expires_in"]), told["access_token"]
        usable = isinstance(secret, str) and _TOKEN.fullmatch(secret) is not None
    except (ValueError, KeyError, TypeError, RecursionError):
        life, secret, usable = 0.0, "", False
    if not usable or not 0 < life < inf:
        # Neither the body nor the parser's error is quoted: a token may be in it.
        raise AnswerError(
            "The token endpoint's answer holds no token.",
            advice="Check that its address is one of an OAuth 2.0 provider.",
        )
    return Token(secret, expires=now + life, issued=now)


def _said(body: bytes) -> tuple[str, str]:
    """Code and description of a refusal; empty ones where there are none."""
    try:
        told: Any = json.loads(body)
        code, words = told.get("error"), told.get("error_description")
    except (ValueError, AttributeError, RecursionError):
        return "", ""
    return str(code or ""), str(words or "")


def refusal(failure: Failure, body: bytes) -> AuthenticationError:
    """The error for a token endpoint that says no."""
    code, words = _said(body)
    number = re.search(_AADSTS, words)
    advice = _ADVICE.get(number["number"], _GENERAL) if number else _GENERAL
    correlation = re.search(_CORRELATION, words)
    # What is wrong comes first; trace ids and times follow, on the same line or not.
    said = quote_words(re.split(_TRACE, words)[0]).rstrip(".")
    what = f"The identity provider gives no token ({code or failure.status})"
    return AuthenticationError(
        f"{what}: {said}." if said else f"{what}.",
        advice=advice,
        failure=attrs.evolve(
            failure,
            code=quote_words(code),
            correlation_id=correlation["id"] if correlation else "",
        ),
    )
