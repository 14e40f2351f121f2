"""What a run does with its steps: that is no matter of the engine."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from bcpicture.core.report import Outcome, Report
from bcpicture.core.steps import Step


class Ready(Protocol):
    """A step with whatever was prepared for it."""

    @property
    def step(self) -> Step:
        """It."""


ReadyT = TypeVar("ReadyT", bound=Ready)
SentT = TypeVar("SentT")


class Job(Protocol[ReadyT, SentT]):
    """What a run does; it makes an outcome of every `BcPictureError` or `OSError`."""

    @property
    def run(self) -> str:
        """What the journal calls the run."""

    @property
    def together(self) -> int:
        """How many steps `close` is handed at once, but for the last."""

    async def begin(self) -> None:
        """Before the first step."""

    def feed(
        self, steps: Iterator[Step], *, again: bool
    ) -> AsyncGenerator[ReadyT, None]:
        """Prepare *steps*, each exactly once, in groups of any size.

        Args:
            steps: They end early when the run does.
            again: Whether they have failed before.
        """

    def skip(self, ready: ReadyT) -> None:
        """Let go of a step that was prepared, since the run ends before it."""

    async def perform(self, ready: ReadyT) -> Outcome | SentT:
        """Carry out a step; what is no outcome is looked at again by `close`."""

    async def close(self, sent: Sequence[SentT]) -> Iterable[Outcome]:
        """Look at what was done, and say how it ended."""

    async def end(self, report: Report) -> None:
        """After the last step, unless the run was cut off."""
