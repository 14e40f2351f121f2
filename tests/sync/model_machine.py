"""Random edits, random runs and random trouble: a machine that hypothesis turns."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, TypeAlias

import attrs
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import rule
from model_draws import FATES, faults, pulls, pushes, which
from model_edits import TALLY, Edits
from model_world import Writes, picture

from bcpicture import BcPictureError
from bcpicture.core.brakes import BrakeKind
from bcpicture.core.options import MatchOptions, PullOptions, PushOptions
from bcpicture.emulator import Fault
from bcpicture.emulator.seen import Seen
from bcpicture.errors import BrakeError
from bcpicture.sync.report import Ending, Outcome

Option: TypeAlias = Any  # of any type: what hypothesis draws
Options: TypeAlias = PushOptions | PullOptions

PEACE = {
    "delete": st.booleans(),
    "compare": st.sampled_from(["signs", "content"]),
}
FREE = {"max_replace": None, "max_delete": None}


class Machine(Edits):
    """Keeps a company and its folders in step, in spite of everybody."""

    @rule(
        options=st.one_of(pushes, pulls),
        trouble=st.lists(faults, max_size=3),
        fate=st.sampled_from(FATES),
        moment=st.integers(0, 30),
        one=which,
    )
    def run_in_trouble(
        self, options: Options, trouble: list[Fault], **fate: Option
    ) -> None:
        self.world.shop.server.faults.add(*trouble)
        try:
            self.runner.run(self._go(options, **fate))
        finally:
            self.world.shop.server.faults.clear()

    @rule(
        pick=st.sampled_from([None, ()]),
        backup=st.sampled_from(["always", "foreign"]),
        **PEACE,
    )
    def push_in_peace(self, pick: Option, **chosen: Option) -> None:
        options = PushOptions(match=MatchOptions(pick=pick), **FREE, **chosen)
        if self.world.files:
            self.runner.run(self._push_in_step(options))

    @rule(**PEACE)
    def pull_in_peace(self, **chosen: Option) -> None:
        self.runner.run(self._pull_in_step(PullOptions(**FREE, **chosen)))

    # -- one run

    async def _go(
        self, options: Options, fate: str = "", moment: int = 0, one: int = 0
    ) -> list[Outcome] | None:
        """Run once, in whatever trouble; None if it did not come to its end."""
        shop = self.world.shop
        start, outcomes = len(shop.log), list[Outcome]()
        before = self.copies.files()
        self.copies.scribbled.clear()
        rules = self._fate(fate, moment, one)
        running = asyncio.create_task(self._run(options, outcomes, rules))
        rules["cancel"] = running.cancel
        ended = braked = False
        try:
            await running
            ended = True
        except BrakeError:
            braked = True
        except (BcPictureError, asyncio.CancelledError) as error:
            note(f"it ended: {error!r}")
        finally:
            shop.log.listener = None
        seen = shop.log[start:]
        writes = self.world.written(seen)
        tally(seen, writes, ended=ended)
        told = outcomes if ended else None
        if isinstance(options, PushOptions):
            assert not (braked and writes)
            await self._check_push(options, writes, told)
        else:
            assert not writes
            assert not braked or self.copies.files() == before | self.copies.scribbled
            await self._check_pull(options, before, told)
        return told

    async def _run(
        self, options: Options, outcomes: list[Outcome], rules: dict[str, Option]
    ) -> None:
        async with self.world.shop.box as box:
            plan = await self._plan(box, options)
            async with box.run(plan) as run:
                rules["stop"] = run.stop
                async for outcome in run:
                    outcomes.append(outcome)  # noqa: PERF401 - kept if it is cut off

    async def _plan(self, box: Option, options: Options) -> Option:
        if isinstance(options, PushOptions):
            return await box.plan_push(self.world.shop.photos, options)
        return await box.plan_pull(self.copies.folder, options)

    async def _check_push(
        self, options: PushOptions, writes: Writes, outcomes: list[Outcome] | None
    ) -> None:
        self.world.check_guard(writes, options)
        if outcomes is not None:
            self.world.check_report(writes, outcomes)
        elif writes:
            await self.world.check_journal(writes)

    async def _check_pull(
        self,
        options: PullOptions,
        before: dict[str, bytes],
        outcomes: list[Outcome] | None,
    ) -> None:
        self.copies.check_guard(before, deletes=options.deletes)
        if outcomes is not None:
            self.copies.check_report(before, outcomes)
        else:
            await self.copies.check_journal(before)

    def _fate(self, fate: str, moment: int, one: int) -> dict[str, Option]:
        """What comes in between, when a request arrives."""
        left = [moment]
        rules: dict[str, Option] = {}

        def meddle() -> None:
            if record := self._record(one):
                self.world.meddle(record)

        def scribble() -> None:
            if record := self._record(one):
                self.copies.scribble(f"{record.number}.png", picture(f"scribble {one}"))

        def heard(seen: Seen) -> None:
            left[0] -= seen.kind != "token"
            if left[0] == -1:
                rules.get(fate, int)()

        rules |= {"meddle": meddle, "scribble": scribble}
        self.world.shop.log.listener = heard
        return rules

    # -- until nothing is to be done

    async def _push_in_step(self, options: PushOptions) -> None:
        world = self.world
        for record in world.records:
            record.touch()  # what was refused is tried again
        outcomes = await self._ended_well(options)
        world.check_clean(outcomes, pick=options.match.picks)
        start = len(world.shop.log)
        again = await self._go(options)
        assert again is not None
        assert not world.written(world.shop.log[start:])
        assert {one.ending for one in again} <= {Ending.KEPT}

    async def _pull_in_step(self, options: PullOptions) -> None:
        copies = self.copies
        await self._ended_well(options)
        copies.check_clean()
        before = stamps(copies.paths)
        again = await self._go(options)
        assert again is not None
        assert stamps(copies.paths) == before
        assert {one.ending for one in again} <= {Ending.KEPT, Ending.ADOPTED}

    async def _ended_well(self, options: Options) -> list[Outcome]:
        await self._lift_brakes(options)
        outcomes = await self._go(options)
        assert outcomes is not None
        assert Ending.FAILED not in {one.ending for one in outcomes}
        async with self.world.shop.box as box:
            assert await box.kit.journal.open_intents() == []
        return outcomes

    async def _lift_brakes(self, options: Options) -> None:
        """Do what the brakes say, once."""
        async with self.world.shop.box as box:
            plan = await self._plan(box, options)
        kinds = {brake.kind for brake in plan.brakes}
        if BrakeKind.STRANGE in kinds:
            await self._go(attrs.evolve(options, rebase=True))
        elif kinds:
            assert kinds == {BrakeKind.OTHER_MATCHING}
            await self._go(attrs.evolve(options, delete=False))


def stamps(paths: list[Path]) -> dict[str, tuple[int, int]]:
    """By what it shows that a file was written."""
    told = {path.name: path.stat() for path in paths}
    return {name: (it.st_ino, it.st_mtime_ns) for name, it in told.items()}


def tally(seen: list[Seen], writes: Writes, *, ended: bool) -> None:
    """Count what a run did."""
    several = [one for some in writes.values() for one in some]
    TALLY["runs"] += 1
    TALLY["cut off"] += not ended
    TALLY["faults"] += sum(one.fault is not None for one in seen)
    TALLY["uploads"] += sum(one.method == "PATCH" for one in several)
    TALLY["deletions"] += sum(one.method == "DELETE" for one in several)
    TALLY["replaced"] += sum(one.replaced is not None for one in several)
    TALLY["reads"] += sum(one.kind == "read" for one in seen)
