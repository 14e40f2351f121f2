"""Credentials of other libraries, the real ones, against the emulator over TLS."""

from __future__ import annotations

import asyncio
import functools
import os
import ssl
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import aiohttp
import attrs
import azure.identity
import azure.identity.aio
import msal
import pytest
from azure.core.pipeline.transport import AioHttpTransport

from bcpicture import (
    AccessDeniedError,
    AuthenticationError,
    BasicKey,
    BcPictureError,
    ConfigurationError,
    Quota,
    UsageError,
)

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Paired: TypeAlias = Callable[..., Any]

TOKEN = "/oauth2/"


@pytest.fixture
async def over_tls(
    paired: Paired, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Pair]:
    """An emulator that speaks TLS; foreign libraries find its authority."""
    async with paired({"tls": True}) as pair:
        authority = str(pair.server.ca_path)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority)
        monkeypatch.setenv("SSL_CERT_FILE", authority)
        pair.options["tls"] = ssl.create_default_context(cafile=authority)
        yield pair


def azure_options(pair: Pair) -> dict[str, Any]:
    return {
        "tenant_id": pair.server.tenant,
        "client_id": pair.server.client_id,
        "client_secret": pair.server.client_secret,
        "authority": pair.server.authority,
        "disable_instance_discovery": True,
    }


async def test_azure_identity_async(over_tls: Pair):
    pair = over_tls
    trusting = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting))
    async with http:
        transport = AioHttpTransport(session=http, session_owner=False)
        credential = azure.identity.aio.ClientSecretCredential(
            **azure_options(pair), transport=transport
        )
        async with credential, pair.known_as(credential) as picture:
            await asyncio.gather(*(picture.upload(b"by azure") for _ in range(20)))
    assert pair.stored == b"by azure"
    assert len(pair.seen("POST", TOKEN)) == 1


async def test_azure_identity_sync_runs_in_a_thread(over_tls: Pair):
    pair = over_tls
    credential = azure.identity.ClientSecretCredential(
        **azure_options(pair), connection_verify=os.environ["REQUESTS_CA_BUNDLE"]
    )
    with credential:
        async with pair.known_as(credential) as picture:
            await asyncio.gather(*(picture.upload(b"by azure") for _ in range(20)))
    assert pair.stored == b"by azure"
    assert len(pair.seen("POST", TOKEN)) == 1


async def test_azure_identitys_own_error_is_the_cause_of_ours(over_tls: Pair):
    pair = over_tls
    options = azure_options(pair) | {"client_secret": "nonsense"}
    credential = azure.identity.ClientSecretCredential(
        **options, connection_verify=os.environ["REQUESTS_CA_BUNDLE"]
    )
    with credential:
        async with pair.known_as(credential) as picture:
            with pytest.raises(AuthenticationError, match="ClientAuthentication") as it:
                await picture.info()
    assert "AADSTS7000215" in str(it.value.__cause__)
    assert "nonsense" not in str(it.value)


async def test_msal_through_a_callable(over_tls: Pair):
    pair = over_tls
    threads = set()

    def make() -> msal.ConfidentialClientApplication:
        return msal.ConfidentialClientApplication(
            pair.server.client_id,
            client_credential=pair.server.client_secret,
            authority=f"{pair.server.authority}/{pair.server.tenant}",
            instance_discovery=False,
            verify=os.environ["REQUESTS_CA_BUNDLE"],
        )

    app = await asyncio.to_thread(make)

    def token() -> dict[str, Any]:
        threads.add(threading.current_thread())
        return app.acquire_token_for_client(scopes=[pair.server.scope])

    async with pair.known_as(token) as picture:
        await asyncio.gather(*(picture.upload(b"by msal") for _ in range(20)))
    assert pair.stored == b"by msal"
    assert threading.current_thread() not in threads
    assert len(pair.seen("POST", TOKEN)) == 1


async def test_msals_refusal_is_told_in_its_own_words(over_tls: Pair):
    pair = over_tls
    app = await asyncio.to_thread(
        lambda: msal.ConfidentialClientApplication(
            pair.server.client_id,
            client_credential="nonsense",
            authority=f"{pair.server.authority}/{pair.server.tenant}",
            instance_discovery=False,
            verify=os.environ["REQUESTS_CA_BUNDLE"],
        )
    )

    def token() -> dict[str, Any]:
        return app.acquire_token_for_client(scopes=[pair.server.scope])

    async with pair.known_as(token) as picture:
        with pytest.raises(AuthenticationError, match="AADSTS7000215"):
            await picture.info()


# -- anything that can be called


@attrs.define
class Caller:
    """Callables of every kind, which give the emulator's own tokens."""

    pair: Pair
    calls: int = 0

    def plain(self) -> str:
        self.calls += 1
        return str(self.pair.server.identity.token())

    async def coroutine(self) -> str:
        return self.plain()

    def mapping(self) -> dict[str, Any]:
        return {"access_token": self.plain(), "expires_in": 3600}

    async def async_mapping(self) -> dict[str, Any]:
        return self.mapping()

    def returns_an_awaitable(self) -> Awaitable[str]:
        return self.coroutine()

    @property
    def partial(self) -> Callable[[], Awaitable[str]]:
        return functools.partial(self.coroutine)

    @property
    def object_with_a_coroutine(self) -> Callable[[], Awaitable[str]]:
        caller = self

        class WithACall:
            async def __call__(self) -> str:
                return caller.plain()

        return WithACall()


KINDS = [
    *("plain", "coroutine", "mapping", "async_mapping"),
    *("returns_an_awaitable", "partial", "object_with_a_coroutine"),
]


@pytest.mark.parametrize("kind", KINDS)
async def test_whatever_can_be_called_gives_tokens(paired: Paired, kind: str):
    async with paired() as pair:
        caller = Caller(pair)
        async with pair.known_as(getattr(caller, kind)) as picture:
            await asyncio.gather(*(picture.info() for _ in range(20)))
            assert caller.calls == 1
            pair.server.identity.revoke_all()
            await asyncio.gather(*(picture.info() for _ in range(20)))
            assert caller.calls == 2


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(None, id="none"),
        pytest.param("", id="empty"),
        pytest.param({}, id="empty-mapping"),
        pytest.param({"access_token": None}, id="null"),
        pytest.param({"error": "x", "error_description": "it says why"}, id="error"),
        pytest.param({"access_token": "t", "expires_in": None}, id="no-life"),
        pytest.param({"access_token": "t", "expires_in": "soon"}, id="odd-life"),
        pytest.param({"access_token": "t", "expires_in": 0}, id="over"),
        pytest.param(17, id="number"),
        pytest.param("a\r\nX-Evil: b", id="line-break"),
    ],
)
async def test_an_answer_without_a_token_is_an_error_of_ours(
    paired: Paired, answer: object
):
    async with paired() as pair:
        async with pair.known_as(lambda: answer) as picture:
            async with asyncio.timeout(2):
                with pytest.raises(BcPictureError) as caught:
                    await picture.info()
        assert not pair.server.log or isinstance(caught.value, AccessDeniedError)
        if isinstance(answer, dict) and "error" in answer:
            assert "it says why" in str(caught.value)


@pytest.mark.parametrize("word", ["Bearer ", "bearer "])
async def test_a_token_with_the_word_bearer_is_refused_with_a_hint(
    paired: Paired, word: str
):
    async with paired() as pair:
        async with pair.known_as(lambda: f"{word}secret-token") as picture:
            with pytest.raises(ConfigurationError, match="bare token") as caught:
                await picture.info()
        assert "secret-token" not in str(caught.value)
        assert not pair.server.log


async def test_what_a_callable_raises_is_the_cause_of_ours(paired: Paired):
    def broken() -> str:
        raise LookupError("the vault is shut")

    async with paired() as pair, pair.known_as(broken) as picture:
        with pytest.raises(AuthenticationError, match="LookupError") as caught:
            await picture.info()
    assert isinstance(caught.value.__cause__, LookupError)


@pytest.mark.parametrize("credential", [17, "token", object(), ["a"]])
async def test_what_gives_no_token_is_refused_at_once(
    paired: Paired, credential: object
):
    async with paired() as pair:
        with pytest.raises(UsageError, match="is no credential"):
            async with pair.known_as(credential):
                pass


# -- in the manner of azure-identity


@attrs.frozen
class AccessToken:
    token: str
    expires_on: float


@attrs.define
class Source:
    """A credential that notes how it is asked."""

    pair: Pair
    asked: list[tuple[Any, ...]] = attrs.field(factory=list)
    life: float = 3600.0

    async def get_token(
        self, *scopes: str, claims: str | None = None, **options: object
    ) -> AccessToken:
        self.asked.append((scopes, claims))
        assert not options
        token = self.pair.server.identity.token(claims=claims)
        return AccessToken(token, time.time() + self.life)


@attrs.define
class SimpleSource(Source):
    """One that knows nothing of claims."""

    async def get_token(self, scope: str) -> AccessToken:  # type: ignore[override]  # that is the point
        self.asked.append(((scope,), None))
        token = self.pair.server.identity.token()
        return AccessToken(token, time.time() + self.life)


async def test_a_credential_is_asked_for_the_endpoints_scope(paired: Paired):
    async with paired() as pair:
        source = Source(pair)
        async with pair.known_as(source) as picture:
            await picture.info()
        assert source.asked == [((pair.server.scope,), None)]


async def test_claims_go_to_a_credential_that_takes_them(paired: Paired):
    claims = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
    async with paired() as pair:
        source = Source(pair)
        async with pair.known_as(source) as picture:
            await picture.info()
            pair.server.identity.demand_claims(claims)
            await picture.info()
        assert source.asked == [
            ((pair.server.scope,), None),
            ((pair.server.scope,), claims),
        ]


async def test_a_credential_that_takes_no_claims_is_asked_without(paired: Paired):
    async with paired() as pair:
        source = SimpleSource(pair)
        async with pair.known_as(source) as picture:
            await picture.info()
            pair.server.identity.demand_claims('{"a": 1}')
            with pytest.raises(AccessDeniedError):
                await picture.info()
        assert len(source.asked) == 2


async def test_a_token_that_the_credential_says_is_over_is_not_asked_for_endlessly(
    paired: Paired,
):
    """A clock that goes wrong must not turn into a storm."""
    async with paired() as pair:
        source = Source(pair, life=-10.0)
        async with pair.known_as(source) as picture:
            calling = asyncio.create_task(picture.info())
            await asyncio.wait([calling], timeout=0.2)
            calling.cancel()
            await asyncio.wait([calling])
        if not calling.cancelled():
            calling.exception()
        assert len(source.asked) <= 4


async def test_a_token_without_a_life_is_not_asked_for_endlessly_while_many_wait(
    paired: Paired,
):
    """A caller gets its place, finds the token over, and must not start all over."""
    async with paired() as pair:
        source = Source(pair, life=-10.0)
        async with pair.known_as(source, quota=Quota(concurrent=1)) as picture:
            calls = [asyncio.create_task(picture.info()) for _ in range(4)]
            await asyncio.wait(calls, timeout=0.5)
            over = [one for one in calls if one.done()]
            for one in calls:
                one.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        assert len(over) == 4
        assert len(source.asked) <= 20


# -- on-premises


async def test_a_user_with_a_key(paired: Paired):
    async with paired() as pair:
        key = BasicKey(pair.server.user, pair.server.key)
        async with pair.known_as(key) as picture:
            await picture.upload(b"by key")
        assert pair.stored == b"by key"
        assert not pair.seen("POST", TOKEN)
        assert pair.server.log[0].headers["Authorization"].startswith("Basic ")


async def test_a_wrong_key_is_tried_once(paired: Paired):
    async with paired() as pair:
        async with pair.known_as(BasicKey(pair.server.user, "wrong-key")) as picture:
            with pytest.raises(AccessDeniedError, match="access key are wrong") as it:
                await picture.info()
        assert "wrong-key" not in str(it.value)
        assert len(pair.server.log) == 1
