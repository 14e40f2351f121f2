"""Random edits, random runs and random trouble: a machine that hypothesis turns."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, TypeAlias

import attrs
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from model_draws import FATES, Undo, faults, pulls, pushes, servers, undos, which
from model_edits import TALLY, Edits
from model_world import Writes, digest, picture

from bcpicture import BcPictureError
from bcpicture.core.brakes import BrakeKind
from bcpicture.core.ledger import Action
from bcpicture.core.options import (
    MatchOptions,
    PullOptions,
    PushOptions,
    VerifyOptions,
)
from bcpicture.core.report import DIFFERENCES, Ending, Outcome
from bcpicture.core.steps import Restore
from bcpicture.emulator import Fault
from bcpicture.emulator.seen import Seen
from bcpicture.errors import BrakeError

Option: TypeAlias = Any  # of any type: what hypothesis draws
Options: TypeAlias = PushOptions | PullOptions | Undo
Sides: TypeAlias = dict[str, Any]

PEACE = {
    "delete": st.booleans(),
    "compare": st.sampled_from(["signs", "content"]),
}
COMPARED = {Ending.EQUAL, *DIFFERENCES}
FREE = {"max_replace": None, "max_delete": None}


class Machine(Edits):
    """Keeps a company and its folders in step, in spite of everybody."""

    @initialize(
        api=st.sampled_from(["v2.0", "v2.0", "v1.0"]),
        server=servers,
        attempts=st.integers(1, 3),
        done=st.sampled_from(["push", "push pull", "push pull", ""]),
    )
    def begin(
        self, api: str, server: dict[str, Option], attempts: int, done: str
    ) -> None:
        self.open(api, server, attempts)
        if "push" in done:
            self.a_folder_is_filled(0)
            self.runner.run(self._push_in_step(PushOptions(**FREE)))
        if "pull" in done:
            self.runner.run(self._pull_in_step(PullOptions(**FREE)))

    @rule(
        options=st.one_of(pushes, pushes, pulls, pulls, undos),
        trouble=st.lists(faults, max_size=3),
        fate=st.sampled_from(FATES),
        moment=st.integers(0, 30),
        one=which,
    )
    def run_in_trouble(
        self, options: Options, trouble: list[Fault], **fate: Option
    ) -> None:
        if isinstance(options, Undo):
            self.peaceful = None  # it may be the run that is undone now
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

    @rule()
    def undo_in_peace(self) -> None:
        run, self.peaceful = self.peaceful, None  # once is all that it can be
        if run is not None:
            self.runner.run(self._undo(*run))

    @rule(pick=st.sampled_from([None, ()]))
    def verify_in_peace(self, pick: Option) -> None:
        if self.world.files:
            self.runner.run(self._verify(MatchOptions(pick=pick)))

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
        elif isinstance(options, Undo):
            await self._check_undo(writes, before, told)
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
                self.run_id = run.report.run
                async for outcome in run:
                    outcomes.append(outcome)  # noqa: PERF401 - kept if it is cut off

    async def _plan(self, box: Option, options: Options) -> Option:
        if isinstance(options, Undo):
            return await box.plan_undo(options.run)
        if isinstance(options, PushOptions):
            return await box.plan_push(self.world.shop.photos, options)
        return await box.plan_pull(self.copies.folder, options)

    async def _check_push(
        self, options: PushOptions, writes: Writes, outcomes: list[Outcome] | None
    ) -> None:
        self.world.check_guard(writes, options)
        self.world.check_limits(writes, options)
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

    async def _check_undo(
        self, writes: Writes, before: dict[str, bytes], outcomes: list[Outcome] | None
    ) -> None:
        self.world.check_undo(writes)
        self.copies.check_guard(before, deletes=True)
        if outcomes is None:
            await self.copies.check_journal(before)
            if writes:
                await self.world.check_journal(writes)
            return
        files = [it for it in outcomes if not is_push(it)]
        self.world.check_report(writes, filter(is_push, outcomes))
        self.copies.check_report(before, files)

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
                # Not in the middle of a request, whose time is the service's.
                asyncio.get_running_loop().call_soon(rules.get(fate, int))

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
        before = self._sides()
        outcomes = await self._go(options)
        assert outcomes is not None
        after = self._sides()
        if after != before and getattr(options, "backup", "always") == "always":
            self.peaceful = self.run_id, before, after
        assert Ending.FAILED not in {one.ending for one in outcomes}
        async with self.world.shop.box as box:
            assert await box.kit.journal.open_intents() == []
        return outcomes

    def _sides(self) -> Sides:
        """What there is on both sides, by record and by name."""
        files = {name: digest(data) for name, data in self.copies.files().items()}
        return self.world.state() | files

    async def _undo(self, run: str, before: Sides, after: Sides) -> None:
        """Take back a run; what is not as it left it stays as it is."""
        found = self._sides()
        assert await self._go(Undo(run)) is not None
        now = self._sides()
        for one in {*before, *after}:
            if one in found or one in before:
                same = found.get(one) == after.get(one)
                assert now.get(one) == (before if same else found).get(one), one

    async def _verify(self, match: MatchOptions) -> None:
        world, found = self.world, {}
        start, before = len(world.shop.log), self.copies.files()
        async with world.shop.box as box:
            options = VerifyOptions(match=match)
            async with await box.verify(world.shop.photos, options) as run:
                found = {it.number: it.ending async for it in run if it.step.id}
        assert not world.written(world.shop.log[start:])
        assert self.copies.files() == before
        found = {number: it for number, it in found.items() if it in COMPARED}
        assert found == world.compared(pick=match.picks)

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


def is_push(outcome: Outcome) -> bool:
    """Whether a step of an undo is about a picture in Business Central."""
    step = outcome.step
    action = step.action if isinstance(step, Restore) else Action.UPLOAD
    return action in {Action.UPLOAD, Action.DELETE}


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
