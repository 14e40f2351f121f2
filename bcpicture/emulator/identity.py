"""Who may come in: app registrations, tokens, users with a key, tenants.

This is the state; the token endpoint that speaks Entra's language is in its own module.
"""

import base64
import binascii
import hmac
import secrets
import time
import uuid
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

_TENANTS = uuid.UUID("2d7a4c86-1f35-4b9e-a0c8-6e5f4d3c2b1a")

BEARER = 'Bearer realm="", authorization_uri="https://login.microsoftonline.com"'


@attrs.frozen(kw_only=True)
class Caller:
    """Who sends a request."""

    name: str
    """A client id, or a Basic user."""

    tenant: str
    """Whose data is asked for, by its canonical name."""

    may_read: bool = True
    """Whether its permission sets let it read."""

    may_write: bool = True
    """Whether they let it write."""

    @property
    def account(self) -> str:
        """Whose quota is used: a user is another one in every tenant."""
        return f"{self.name} in {self.tenant}"


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

    foreign_tokens: int = 0
    """How often a token was shown to a tenant that it was not issued for."""

    demanded: str | None = None
    """Claims that a token must answer, else its request is challenged."""

    _tokens: dict[str, Token] = attrs.field(factory=dict, repr=False)
    _unknown_apps: set[str] = attrs.field(factory=set)
    _permits: dict[str, tuple[bool, bool]] = attrs.field(factory=dict)

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
        self.tokens_issued = self.foreign_tokens = 0
        self._tokens = {}
        self._unknown_apps = set()
        self._permits = {}

    def add_tenant(self, name: str, *aliases: str) -> None:
        """Makes a tenant known, under one or more names and always by its GUID."""
        for each in (name, *aliases, tenant_guid(name)):
            self.tenants[each.lower()] = name.lower()

    def canonical(self, tenant: str) -> str:
        """The canonical name of a tenant, which is the first that it was given."""
        return self.tenants.get(tenant.lower(), tenant.lower())

    def register(self, client_id: str, secret: str) -> None:
        """Adds an app registration, in every tenant and in Business Central."""
        self.apps[client_id] = secret
        self._unknown_apps.discard(client_id)

    def unregister_app(self, client_id: str) -> None:
        """Removes an app from Business Central alone: it still gets valid tokens."""
        self._unknown_apps.add(client_id)

    def permit(self, name: str, *, read: bool = True, write: bool = True) -> None:
        """Says what the permission sets of an app or a user let it do."""
        self._permits[name] = (read, write)

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
            self.canonical(tenant),
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

    def caller(self, header: str, *, tenant: str | None, graph: bool) -> Caller:
        """Says who sends a request.

        Args:
            header: The ``Authorization`` header.
            tenant: The tenant that the path names, if it does.
            graph: Whether the request came to Microsoft Graph's address.

        Raises:
            ServiceError: nobody that may come in.
        """
        scheme, _, rest = header.partition(" ")
        here = self.canonical(tenant) if tenant else None
        if scheme.lower() == "basic":
            return self._caller(self._user(rest), here or TENANT)
        token = self._tokens.get(rest.strip()) if scheme.lower() == "bearer" else None
        if token is None:
            raise unauthorized("The credentials provided are incorrect", BEARER)
        self._check_place(token, here, GRAPH_SCOPE if graph else SCOPE)
        if token.client_id in self._unknown_apps:
            raise unauthorized(
                "The credentials provided are incorrect or the application is not "
                "known to Business Central",
                BEARER,
            )
        if self.demanded is not None and token.answered != self.demanded:
            raise self._challenge(self.demanded)
        return self._caller(token.client_id, token.tenant)

    def _caller(self, name: str, tenant: str) -> Caller:
        read, write = self._permits.get(name, (True, True))
        return Caller(name=name, tenant=tenant, may_read=read, may_write=write)

    def _check_place(self, token: Token, here: str | None, scope: str) -> None:
        """Refuses a token that is for another tenant or service, or too old."""
        foreign = here is not None and here != token.tenant
        self.foreign_tokens += foreign
        mismatch = token.scope in {SCOPE, GRAPH_SCOPE} and token.scope != scope
        if foreign or mismatch or token.expires <= self.clock():
            raise unauthorized("The credentials provided are incorrect", BEARER)

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


def tenant_guid(name: str) -> str:
    """The GUID of a tenant: its name, if that is one, or always the same other."""
    try:
        return str(uuid.UUID(name))
    except ValueError:
        return str(uuid.uuid5(_TENANTS, name.lower()))
