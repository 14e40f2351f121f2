"""Who may come in: app registrations, tokens, users with a key, tenants.

This is the state; the token endpoint that speaks Entra's language is in its own module.
"""

import base64
import binascii
import hmac
import secrets
import time
from collections.abc import Callable

import attrs

from bcpicture.emulator.problems import ServiceError, unauthorized

TENANT = "7f0e3c52-9a41-4c1d-b2a8-5d3e6f708192"
CLIENT_ID = "0b5c8d1e-2f3a-4b6c-8d7e-9f0a1b2c3d4e"
CLIENT_SECRET = "emulator-secret"  # noqa: S105 - a made-up one, for a made-up service
USER = "ADMIN"
KEY = "emulator-key"
SCOPE = "https://api.businesscentral.dynamics.com/.default"
GRAPH_SCOPE = "https://graph.microsoft.com/.default"

BEARER = 'Bearer realm="", authorization_uri="https://login.microsoftonline.com"'


@attrs.define
class Token:
    """A token that was issued."""

    value: str = attrs.field(repr=False)
    """What the client shows."""

    client_id: str
    """To whom."""

    tenant: str
    """In which tenant, by its canonical name."""

    scope: str
    """For which service."""

    expires: float
    """When, in seconds of the clock."""

    answered: str | None = None
    """The claims that its request carried."""


@attrs.define(kw_only=True)
class Identity:
    """App registrations, users and tokens of one emulator."""

    token_seconds: float = 3600.0
    """How long a token works."""

    clock: Callable[[], float] = time.time
    """Seconds since the epoch."""

    apps: dict[str, str] = attrs.field(factory=dict, repr=False)
    """Client ids and their secrets."""

    users: dict[str, str] = attrs.field(factory=dict, repr=False)
    """Users and their web service access keys."""

    tenants: dict[str, str] = attrs.field(factory=dict)
    """Names of tenants, and the canonical name of each."""

    scopes: set[str] = attrs.field(factory=set)
    """Scopes for which tokens are issued."""

    conditional_access: str | None = None
    """Claims that a token request must carry, else AADSTS53003; None: nothing."""

    tokens_issued: int = 0
    """How many tokens were issued, on any way."""

    demanded: str | None = None
    """Claims that a token must answer, else its request is challenged."""

    _tokens: dict[str, Token] = attrs.field(factory=dict, repr=False)
    _unknown_apps: set[str] = attrs.field(factory=set)

    def __attrs_post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Returns to one app, one user and no token."""
        self.apps = {CLIENT_ID: CLIENT_SECRET}
        self.users = {USER: KEY}
        self.scopes = {SCOPE, GRAPH_SCOPE}
        self.tenants = {}
        self.add_tenant(TENANT, "contoso.com", "contoso.onmicrosoft.com")
        self.conditional_access = self.demanded = None
        self.tokens_issued = 0
        self._tokens = {}
        self._unknown_apps = set()

    def add_tenant(self, name: str, *aliases: str) -> None:
        """Makes a tenant known, under one or more names."""
        for each in (name, *aliases):
            self.tenants[each.lower()] = name.lower()

    def register(self, client_id: str, secret: str) -> None:
        """Adds an app registration, in every tenant and in Business Central."""
        self.apps[client_id] = secret
        self._unknown_apps.discard(client_id)

    def unregister_app(self, client_id: str) -> None:
        """Removes an app from Business Central alone: it still gets valid tokens."""
        self._unknown_apps.add(client_id)

    def token(
        self,
        scope: str | None = None,
        *,
        client_id: str = CLIENT_ID,
        tenant: str = TENANT,
        claims: str | None = None,
    ) -> str:
        """Issues a token, without a request."""
        self.tokens_issued += 1
        token = Token(
            f"emulated.{secrets.token_urlsafe(32)}",
            client_id,
            self.tenants.get(tenant.lower(), tenant.lower()),
            scope or SCOPE,
            self.clock() + self.token_seconds,
            claims,
        )
        self._tokens[token.value] = token
        return token.value

    def revoke_all(self) -> None:
        """Makes every token that was issued unknown."""
        self._tokens.clear()

    def expire_all(self) -> None:
        """Lets every token that was issued expire now."""
        for token in self._tokens.values():
            token.expires = self.clock()

    def demand_claims(self, claims: str | None) -> None:
        """Challenges every request whose token was not asked for with these claims."""
        self.demanded = claims

    def principal(self, header: str, *, tenant: str | None, graph: bool) -> str:
        """Says who sends a request.

        Args:
            header: The ``Authorization`` header.
            tenant: The tenant that the path names, if it does.
            graph: Whether the request came to Microsoft Graph's address.

        Raises:
            ServiceError: nobody that may come in.
        """
        scheme, _, rest = header.partition(" ")
        if scheme.lower() == "basic":
            return self._user(rest)
        token = self._tokens.get(rest.strip()) if scheme.lower() == "bearer" else None
        if token is None or token.expires <= self.clock():
            raise unauthorized("The credentials provided are incorrect", BEARER)
        wanted = GRAPH_SCOPE if graph else SCOPE
        mismatch = token.scope in {SCOPE, GRAPH_SCOPE} and token.scope != wanted
        here = self.tenants.get(tenant.lower(), tenant.lower()) if tenant else None
        if mismatch or (here is not None and here != token.tenant):
            raise unauthorized("The credentials provided are incorrect", BEARER)
        if token.client_id in self._unknown_apps:
            raise unauthorized(
                "The credentials provided are incorrect or the application is not "
                "known to Business Central",
                BEARER,
            )
        if self.demanded is not None and token.answered != self.demanded:
            raise self._challenge(self.demanded)
        return token.client_id

    def _user(self, encoded: str) -> str:
        try:
            user, _, key = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user = key = ""
        expected = self.users.get(user)
        if expected is None or not hmac.compare_digest(expected.encode(), key.encode()):
            raise unauthorized(
                "The credentials provided are incorrect", 'Basic realm=""'
            )
        return user

    @staticmethod
    def _challenge(claims: str) -> ServiceError:
        encoded = base64.b64encode(claims.encode()).decode()
        return unauthorized(
            "Continuous access evaluation resulted in a challenge.",
            f'{BEARER}, error="insufficient_claims", claims="{encoded}"',
        )
