"""Whatever happens, in any order: the quota is kept, and nobody waits for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bcpicture.core.quota import Quota
from bcpicture.net.governor import Governor


@attrs.define
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class AnyOrder(RuleBasedStateMachine):
    """Callers come, go, are cancelled and refused; time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = Clock()
        self.quota = Quota(concurrent=3, requests=7, seconds=10.0)
        self.governor = Governor(self.quota, reserve=0.4, clock=self.clock)
        self.inside = 0
        self.replies: list[float] = []
        self.waiting: list[asyncio.Task[None]] = []

    def run(self, job: Callable[[], Awaitable[None]]) -> None:
        async def main() -> None:
            await job()
            await settle()
            for task in [one for one in self.waiting if one.done()]:
                self.waiting.remove(task)
                if not task.cancelled():
                    task.result()
                    self.inside += 1

        self.runner.run(main())

    @rule(bulk=st.booleans(), patience=st.sampled_from([None, 1000.0]))
    def come(self, *, bulk: bool, patience: float | None) -> None:
        async def job() -> None:
            entering = self.governor.enter(bulk=bulk, patience=patience)
            self.waiting.append(asyncio.create_task(entering))

        self.run(job)

    @precondition(lambda self: self.inside)
    @rule(well=st.booleans(), counted=st.booleans())
    def go(self, *, well: bool, counted: bool) -> None:
        async def job() -> None:
            self.inside -= 1
            if counted:
                self.replies.append(self.clock.now)
            self.governor.leave(counted=counted, well=well)

        self.run(job)

    @precondition(lambda self: self.waiting)
    @rule(which=st.integers(0, 100))
    def cancel(self, which: int) -> None:
        async def job() -> None:
            self.waiting[which % len(self.waiting)].cancel()

        self.run(job)

    @precondition(lambda self: self.inside)
    @rule(asked=st.sampled_from([None, 0.0, 5.0]))
    def refuse(self, asked: float | None) -> None:
        async def job() -> None:
            self.inside -= 1
            self.replies.append(self.clock.now)
            self.governor.leave()
            self.governor.refused(asked, 0.5)

        self.run(job)

    @rule(seconds=st.sampled_from([0.1, 1.0, 10.0, 100.0]))
    def wait(self, seconds: float) -> None:
        async def job() -> None:
            self.clock.now += seconds
            self.governor._wake()  # what the alarm does

        self.run(job)

    @invariant()
    def counts_are_true(self) -> None:
        assert self.governor.in_flight == self.inside
        assert self.governor.waiting == len(self.waiting)

    @invariant()
    def the_quota_is_kept(self) -> None:
        assert self.inside <= 3
        recent = [at for at in self.replies if at > self.clock.now - 10.0]
        assert self.inside + len(recent) <= 7

    @invariant()
    def nobody_waits_for_nothing(self) -> None:
        """With nobody inside, and no pause or window to wait for, nobody waits."""
        if self.inside or not self.waiting:
            return
        assert self.governor._timer is not None

    def teardown(self) -> None:
        async def everybody_is_served_in_the_end() -> None:
            for _ in range(2000):
                await settle()
                for task in [one for one in self.waiting if one.done()]:
                    self.waiting.remove(task)
                    self.inside += not task.cancelled()
                for _ in range(self.inside):
                    self.governor.leave(well=True)
                self.inside = 0
                self.clock.now += 10.0
                self.governor._wake()
                if not self.waiting:
                    break
            assert not self.waiting
            self.governor.close()

        self.runner.run(everybody_is_served_in_the_end())
        self.runner.close()


TestAnyOrder = AnyOrder.TestCase


@given(
    replies=st.lists(st.floats(0.0, 5.0), min_size=1, max_size=60),
    late=st.floats(0.0, 3.0),
)
def test_no_window_of_the_service_ever_overflows(replies: list[float], late: float):
    """It counts a request at any moment between its sending and its reply."""
    clock = Clock()
    governor = Governor(Quota(concurrent=4, requests=5, seconds=10.0), clock=clock)
    counted: list[float] = []
    for took in replies:
        while not governor.enter_now():
            clock.now += 0.5
        counted.append(clock.now + min(took, late))
        clock.now += took
        governor.leave()
    counted.sort()
    for at in counted:
        assert sum(at <= one < at + 10.0 for one in counted) <= 5
