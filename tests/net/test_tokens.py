"""One token serves any number of callers, and is renewed before it ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import attrs
import pytest

from bcpicture import AuthenticationError, BcPictureError
from bcpicture.core.oauth import Token
from bcpicture.net.tokens import FixedSigner, TokenKeeper

LIFE = 3600.0


@attrs.define(eq=False)
class Issuer:
    """A token endpoint without a network: the test says when it answers."""

    now: float = 1000.0
    life: float = LIFE
    asked: list[str | None] = attrs.field(factory=list)
    failing: bool = False
    gate: asyncio.Event = attrs.field(factory=asyncio.Event)

    def __attrs_post_init__(self) -> None:
        self.gate.set()

    async def fetch(self, claims: str | None) -> Token:
        self.asked.append(claims)
        number = len(self.asked)
        await self.gate.wait()
        if self.failing:
            raise AuthenticationError("no")
        return Token(f"t{number}", expires=self.now + self.life, issued=self.now)


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
async def keeper(issuer: Issuer) -> AsyncIterator[TokenKeeper]:
    keeper = TokenKeeper(issuer.fetch, clock=lambda: issuer.now, jitter=lambda: 0.0)
    yield keeper
    await keeper.aclose()


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def refuses(waiting: asyncio.Task[str]) -> BcPictureError | None:
    with contextlib.suppress(asyncio.CancelledError):
        return waiting.exception()
    return None


async def test_a_thousand_cold_callers_cost_one_fetch(
    keeper: TokenKeeper, issuer: Issuer
):
    headers = await asyncio.gather(*(keeper.header() for _ in range(1000)))
    assert set(headers) == {"Bearer t1"}
    assert len(issuer.asked) == 1


async def test_a_thousand_late_rejections_of_one_token_cost_one_fetch(
    keeper: TokenKeeper, issuer: Issuer
):
    old = await keeper.header()

    async def rejected() -> str:
        keeper.reject(old, None)
        return await keeper.header()

    headers = await asyncio.gather(*(rejected() for _ in range(1000)))
    late = [keeper.reject(old, None) for _ in range(1000)]
    assert set(headers) == {"Bearer t2"}
    assert not any(late)
    assert await keeper.header() == "Bearer t2"
    assert len(issuer.asked) == 2


@pytest.mark.parametrize("victim", [0, 1, 4], ids=["first", "second", "last"])
async def test_a_cancelled_waiter_disturbs_no_other(
    keeper: TokenKeeper, issuer: Issuer, victim: int
):
    issuer.gate.clear()
    waiting = [asyncio.create_task(keeper.header()) for _ in range(5)]
    await settle()
    waiting[victim].cancel()
    await settle()
    assert waiting[victim].cancelled()
    issuer.gate.set()
    others = [one for number, one in enumerate(waiting) if number != victim]
    assert await asyncio.gather(*others) == ["Bearer t1"] * 4
    assert len(issuer.asked) == 1


async def test_when_all_waiters_are_cancelled_the_next_caller_gets_that_same_token(
    keeper: TokenKeeper, issuer: Issuer
):
    issuer.gate.clear()
    waiting = [asyncio.create_task(keeper.header()) for _ in range(5)]
    await settle()
    for one in waiting:
        one.cancel()
    await asyncio.wait(waiting)
    late = asyncio.create_task(keeper.header())
    await settle()
    issuer.gate.set()
    assert await late == "Bearer t1"
    assert len(issuer.asked) == 1


async def test_all_waiters_are_told_that_no_token_is_to_be_had(
    keeper: TokenKeeper, issuer: Issuer
):
    issuer.failing = True
    results = await asyncio.gather(
        *(keeper.header() for _ in range(5)), return_exceptions=True
    )
    assert {type(one) for one in results} == {AuthenticationError}
    assert len(issuer.asked) == 1


async def test_after_a_failure_the_next_caller_asks_again(
    keeper: TokenKeeper, issuer: Issuer
):
    issuer.failing = True
    with pytest.raises(AuthenticationError):
        await keeper.header()
    issuer.failing = False
    assert await keeper.header() == "Bearer t2"


async def test_a_token_is_renewed_while_nobody_waits(
    keeper: TokenKeeper, issuer: Issuer
):
    await keeper.header()
    issuer.gate.clear()
    issuer.now += LIFE * 0.55
    assert keeper.header_now() == "Bearer t1"
    assert await keeper.header() == "Bearer t1"
    await settle()
    assert len(issuer.asked) == 2
    issuer.gate.set()
    await settle()
    assert keeper.header_now() == "Bearer t2"


async def test_early_in_its_life_a_token_is_not_renewed(
    keeper: TokenKeeper, issuer: Issuer
):
    await keeper.header()
    issuer.now += LIFE * 0.45
    assert keeper.header_now() == "Bearer t1"
    await settle()
    assert len(issuer.asked) == 1


async def test_a_renewal_that_fails_leaves_the_old_token_in_use(
    keeper: TokenKeeper, issuer: Issuer
):
    await keeper.header()
    issuer.failing = True
    issuer.now += LIFE * 0.8
    for _ in range(100):
        assert await keeper.header() == "Bearer t1"
    await settle()
    assert keeper.header_now() == "Bearer t1"
    assert len(issuer.asked) == 2


async def test_a_renewal_that_failed_is_tried_again_after_a_while(
    keeper: TokenKeeper, issuer: Issuer
):
    await keeper.header()
    issuer.failing = True
    issuer.now += LIFE * 0.8
    keeper.header_now()
    await settle()
    issuer.failing = False
    issuer.now += 31.0
    keeper.header_now()
    await settle()
    assert keeper.header_now() == "Bearer t3"


async def test_a_token_about_to_end_is_waited_for(keeper: TokenKeeper, issuer: Issuer):
    await keeper.header()
    issuer.now += LIFE - 30.0
    assert keeper.header_now() is None
    assert await keeper.header() == "Bearer t2"


@pytest.mark.parametrize(
    "life", [pytest.param(0.0, id="none"), pytest.param(-5.0, id="over")]
)
async def test_a_token_without_a_life_left_does_not_make_it_ask_for_ever(
    keeper: TokenKeeper, issuer: Issuer, life: float
):
    issuer.life = life
    waiting = asyncio.create_task(keeper.header())
    await asyncio.wait([waiting], timeout=0.1)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert len(issuer.asked) <= 2


async def test_claims_of_a_challenge_go_into_the_next_fetch_only(
    keeper: TokenKeeper, issuer: Issuer
):
    keeper.reject(await keeper.header(), '{"a": 1}')
    keeper.reject(await keeper.header(), None)
    await keeper.header()
    assert issuer.asked == [None, '{"a": 1}', None]


async def test_claims_are_not_lost_to_a_renewal_that_was_under_way(
    keeper: TokenKeeper, issuer: Issuer
):
    first = await keeper.header()
    issuer.gate.clear()
    issuer.now += LIFE * 0.6
    keeper.header_now()
    await settle()
    keeper.reject(first, '{"a": 1}')
    issuer.gate.set()
    # What was under way answers no claims: it is refused as well, or not even used.
    keeper.reject(await keeper.header(), None)
    await keeper.header()
    assert '{"a": 1}' in issuer.asked


async def test_claims_survive_a_fetch_that_failed(keeper: TokenKeeper, issuer: Issuer):
    keeper.reject(await keeper.header(), '{"a": 1}')
    issuer.failing = True
    with pytest.raises(AuthenticationError):
        await keeper.header()
    issuer.failing = False
    await keeper.header()
    assert issuer.asked == [None, '{"a": 1}', '{"a": 1}']


async def test_closing_ends_a_fetch_that_is_under_way(
    keeper: TokenKeeper, issuer: Issuer
):
    before = asyncio.all_tasks()
    issuer.gate.clear()
    waiting = asyncio.create_task(keeper.header())
    await settle()
    await keeper.aclose()
    await asyncio.wait([waiting])
    await settle()
    assert isinstance(waiting.exception(), BcPictureError)
    assert asyncio.all_tasks() <= before


async def test_closing_is_an_error_for_who_waits_and_no_cancellation(
    keeper: TokenKeeper, issuer: Issuer
):
    """Nobody cancelled the caller: inside a task group it would vanish in silence."""
    issuer.gate.clear()
    waiting = asyncio.create_task(keeper.header())
    await settle()
    await keeper.aclose()
    await asyncio.wait([waiting])
    assert isinstance(await refuses(waiting), BcPictureError)


@pytest.mark.parametrize("steps", range(12))
async def test_cancelling_after_any_number_of_steps_leaves_the_keeper_whole(
    keeper: TokenKeeper, issuer: Issuer, steps: int
):
    waiting = asyncio.create_task(keeper.header())
    for _ in range(steps):
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert await keeper.header() == "Bearer t1"
    assert len(issuer.asked) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: FixedSigner("Bearer secret"),
        lambda: TokenKeeper(
            lambda _: asyncio.sleep(0), clock=lambda: 0.0, jitter=lambda: 0.0
        ),
    ],
    ids=["fixed", "kept"],
)
def test_a_signer_shows_no_secret(make: Callable[[], object]):
    assert "secret" not in repr(make())


def test_a_fixed_header_knows_no_other():
    signer = FixedSigner("Basic x")
    assert not signer.renewable
    assert signer.reject("Basic x", None)
    assert signer.header_now() == "Basic x"
