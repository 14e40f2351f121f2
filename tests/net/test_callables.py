"""Tokens from whatever can be called, and from users with a key."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import attrs
import pytest

from bcpicture import (
    AccessDeniedError,
    AuthenticationError,
    BasicKey,
    BcPictureError,
    ConfigurationError,
    UsageError,
)

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Paired: TypeAlias = Callable[..., Any]

TOKEN = "/oauth2/"


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


# -- on-premises


async def test_a_user_with_a_key(paired: Paired):
    async with paired() as pair:
        key = BasicKey(pair.server.user, pair.server.key)
        async with pair.known_as(key) as picture:
            await picture.upload(b"by key", preflight=False)
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
