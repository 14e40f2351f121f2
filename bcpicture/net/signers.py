"""From a credential of any kind to the header of a request.

Nothing is imported for a foreign credential: whatever has ``get_token(*scopes)``, as
azure-identity's have, and whatever can be called for a token, will do; what is not
async is run in a thread, since MSAL and azure-identity's sync half wait on the network.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import inspect
import time
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from typing import Any, Protocol, TypeAlias
from urllib.parse import urlencode

import attrs

from bcpicture.core.credentials import BasicKey, ClientSecret, StaticToken
from bcpicture.core.endpoints import Endpoint
from bcpicture.core.guards import clean
from bcpicture.core.meanings import error_for
from bcpicture.core.oauth import Token, read_token, refusal, token_request, token_url
from bcpicture.core.wire import Operation, Request
from bcpicture.errors import (
    AuthenticationError,
    BcPictureError,
    ConfigurationError,
    Failure,
    UsageError,
)
from bcpicture.net.bodies import BytesBody
from bcpicture.net.exchange import Exchange
from bcpicture.net.foreign import Foreign, awaited
from bcpicture.net.lanes import Lane, Lanes
from bcpicture.net.session import Session
from bcpicture.net.tokens import Fetch, FixedSigner, Signer, TokenKeeper
from bcpicture.net.tries import Statistics

_TOKEN_HEADERS: Mapping[str, str] = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "Content-Type": "application/x-www-form-urlencoded",
}
_UNTOLD_LIFE = 300.0
"""Seconds for which a bare token from a callable is used, as it tells no end."""


class TokenSource(Protocol):
    """A credential in the manner of azure-identity; `get_token` may be async or not."""

    def get_token(self, *scopes: str) -> object:
        """Return an object with `token` and `expires_on` (seconds since the epoch)."""


Credential: TypeAlias = (
    ClientSecret
    | StaticToken
    | BasicKey
    | TokenSource
    | Callable[[], str | Mapping[str, Any] | Awaitable[str | Mapping[str, Any]]]
)
"""Whatever a client can be given to prove who it is."""


def _members(given: Iterable[Credential]) -> tuple[Credential, ...]:
    return tuple(given)


@attrs.frozen
class CredentialPool:
    """Several app registrations that share the work, each with a quota of its own."""

    members: tuple[Credential, ...] = attrs.field(converter=_members)
    """Credentials of any kind but a pool; at least one."""

    def __attrs_post_init__(self) -> None:
        nested = any(isinstance(one, CredentialPool) for one in self.members)
        if nested or not self.members:
            raise ConfigurationError(
                "A pool needs members, and none of them can be a pool.",
                advice="Give the credentials themselves.",
            )


def members_of(credential: Credential | CredentialPool) -> tuple[Credential, ...]:
    """The credentials that *credential* stands for."""
    if isinstance(credential, CredentialPool):
        return credential.members
    return (credential,)


def principal(credential: Credential, endpoint: Endpoint) -> Hashable:
    """What tells one principal from another: whose token, from where, for what.

    Raises:
        ConfigurationError: The credential contradicts the endpoint.
    """
    match credential:
        case BasicKey() | StaticToken():
            return credential
        case ClientSecret(client_id=client, client_secret=secret, scope=scope):
            url = token_url(credential, endpoint)
            return str(url), client, secret, scope or endpoint.scope
        case _:
            return id(credential), endpoint.tenant, endpoint.scope


def make_signer(credential: Credential, endpoint: Endpoint, tokens: Session) -> Signer:
    """The signer for *credential*.

    Args:
        credential: Who asks.
        endpoint: Where, and for which scope.
        tokens: Sends requests to the token endpoint.

    Raises:
        UsageError: It is nothing that gives tokens.
    """
    match credential:
        case BasicKey(user=user, key=key):
            pair = base64.b64encode(f"{user}:{key}".encode()).decode()
            return FixedSigner(f"Basic {pair}")
        case StaticToken(token=token):
            return FixedSigner(f"Bearer {token}")
        case ClientSecret():
            fetch: Fetch = _EntraFetch(credential, endpoint, tokens)
        case _ if hasattr(credential, "get_token"):
            fetch = _SourceFetch(credential, endpoint.scope, tokens.clock)
        case _ if callable(credential):
            fetch = _CallableFetch(credential, tokens.clock)
        case _:
            raise UsageError(
                f"A {type(credential).__name__} is no credential.",
                advice=(
                    "Give ClientSecret, StaticToken, BasicKey, an azure-identity "
                    "credential, or something to call for a token."
                ),
            )
    return TokenKeeper(
        fetch,
        clock=tokens.clock,
        jitter=tokens.jitter,
        renewed=tokens.reporter.renewed,
    )


def _explain(failure: Failure, body: bytes) -> BcPictureError:
    """A clear no of the identity provider is about the credentials, the rest is not."""
    if failure.status is not None and 400 <= failure.status < 429:
        return refusal(failure, body)
    return error_for(failure)


def token_session(session: Session) -> Session:
    """A session like *session* for the token endpoint: no token, no quota."""
    return attrs.evolve(
        session, lanes=Lanes([Lane()]), statistics=Statistics(), explain=_explain
    )


@attrs.frozen
class _EntraFetch:
    """Asks Microsoft Entra, or whatever speaks like it."""

    credential: ClientSecret
    endpoint: Endpoint
    session: Session

    async def __call__(self, claims: str | None) -> Token:
        asked = token_request(self.credential, self.endpoint, claims=claims)
        request = Request(
            method="POST",
            url=asked.url,
            headers=_TOKEN_HEADERS,
            operation=Operation.TOKEN,
        )
        form = BytesBody(urlencode(asked.form).encode())
        return await self.session.call(request, self._told, form)

    async def _told(self, exchange: Exchange) -> Token:
        return read_token(await exchange.read(), now=self.session.clock())


async def _asked(
    function: Callable[..., Foreign], *args: object, **options: object
) -> Foreign:
    """Call *function*, in a thread unless it is async.

    Raises:
        AuthenticationError: It raised something.
    """
    try:
        if inspect.iscoroutinefunction(function):
            return await function(*args, **options)
        # Not for everybody, and not for `import bcpicture`.
        from bcpicture.net.files import in_thread

        return await awaited(await in_thread(lambda: function(*args, **options)))
    except (BcPictureError, asyncio.CancelledError):
        raise
    except Exception as exc:
        raise AuthenticationError(
            f"The credential gives no token: {type(exc).__name__}.",
            advice="Its own error is the cause of this one.",
        ) from exc


@attrs.frozen
class _SourceFetch:
    """Asks a credential in the manner of azure-identity."""

    source: Foreign
    scope: str
    clock: Callable[[], float]

    async def __call__(self, claims: str | None) -> Token:
        options = {"claims": claims} if claims and self._takes_claims() else {}
        told = await _asked(self.source.get_token, self.scope, **options)
        now = self.clock()
        life = float(told.expires_on) - time.time()
        return Token(_bare(told.token), expires=now + life, issued=now)

    def _takes_claims(self) -> bool:
        parameters = inspect.signature(self.source.get_token).parameters
        return "claims" in parameters or any(
            one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values()
        )


@attrs.frozen
class _CallableFetch:
    """Calls a function; its answer is a token, or MSAL's mapping with one."""

    function: Foreign
    clock: Callable[[], float]

    async def __call__(self, claims: str | None) -> Token:
        del claims  # a bare callable takes none
        told = await _asked(self.function)
        now = self.clock()
        if isinstance(told, str):
            return Token(_bare(told), expires=now + _UNTOLD_LIFE, issued=now)
        if isinstance(told, Mapping) and isinstance(told.get("access_token"), str):
            with contextlib.suppress(ValueError, TypeError):
                life = float(told.get("expires_in", _UNTOLD_LIFE))
                secret = _bare(told["access_token"])
                return Token(secret, expires=now + life, issued=now)
        raise _no_token(told)


def _no_token(told: object) -> AuthenticationError:
    """The error for an answer without a token; only MSAL's own words are repeated."""
    words = ""
    if isinstance(told, Mapping):
        words = str(told.get("error_description") or told.get("error") or "")
    said = f": {words.splitlines()[0][:300]}" if words else "."
    return AuthenticationError(
        f"The credential's answer holds no token{said}",
        advice="It should be the bare token, or a mapping with access_token.",
    )


def _bare(token: str) -> str:
    if token.lower().startswith("bearer "):
        raise ConfigurationError(
            'The token starts with "Bearer ".',
            advice="Hand over the bare token, without that word.",
        )
    return clean(token, "token")
