"""Random edits, random runs and random trouble: a machine that hypothesis turns."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeAlias

import attrs
from conftest import _open_shop
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from model_draws import FATES, ITEMS, contents, faults, options, servers, which
from model_world import Clock, World, Writes, picture

from bcpicture import BcPictureError, RetryPolicy
from bcpicture.core.brakes import BrakeKind
from bcpicture.core.options import MatchOptions, PushOptions
from bcpicture.emulator import Fault
from bcpicture.emulator.seen import Seen
from bcpicture.errors import BrakeError
from bcpicture.sync.report import Ending, Outcome

Option: TypeAlias = Any  # of any type: what hypothesis draws

TALLY: Counter[str] = Counter()
"""What has happened in all walks, since an idle one proves nothing."""


class Machine(RuleBasedStateMachine):
    """One company and one folder, kept in step in spite of everybody."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.folder = tempfile.TemporaryDirectory(prefix="bcpicture-model-")
        self.world: World

    @initialize(
        api=st.sampled_from(["v2.0", "v2.0", "v1.0"]),
        server=servers,
        attempts=st.integers(1, 3),
    )
    def begin(self, api: str, server: dict[str, Option], attempts: int) -> None:
        clock = Clock()
        client = {"retries": RetryPolicy(attempts=attempts, base=0.0, cap=0.0)}
        shop = _open_shop(
            Path(self.folder.name),
            api=api,
            client=client,
            items=ITEMS,
            clock=clock,
            token_seconds=1e9,
            **server,
        )
        opened = self.runner.run(self.stack.enter_async_context(shop))
        self.world = World(opened, clock, server["answers"].etag_covers_bytes)

    def teardown(self) -> None:
        TALLY["walks"] += 1
        try:
            self.runner.run(self.stack.aclose())
        finally:
            self.runner.close()
            self.folder.cleanup()

    # -- what happens here

    def _record(self, number: int) -> Any | None:  # noqa: ANN401
        records = self.world.records
        return records[number % len(records)] if records else None

    def _file(self, number: int) -> Path | None:
        files = self.world.files
        return files[number % len(files)] if files else None

    @rule(one=which, content=contents, second=st.sampled_from(["", "", "", "_2"]))
    def a_file_is_written(self, one: int, content: str, second: str) -> None:
        if record := self._record(one):
            self.world.write(record.number, content, second)

    @rule(seed=st.integers(0, 5))
    def a_folder_is_filled(self, seed: int) -> None:
        for place, record in enumerate(self.world.records):
            self.world.write(record.number, f"{seed} {place}")

    @rule(one=which)
    def a_file_is_touched(self, one: int) -> None:
        if path := self._file(one):
            self.world.touch(path)

    @rule(some=st.lists(which, min_size=1, max_size=3))
    def files_go(self, some: list[int]) -> None:
        for one in some:
            if path := self._file(one):
                path.unlink()

    @rule(one=which, other=which)
    def a_file_is_renamed(self, one: int, other: int) -> None:
        path, record = self._file(one), self._record(other)
        if path and record:
            self.world.rename(path, record.number)

    # -- what happens there

    @rule(one=which, content=contents, side=st.sampled_from([8, 8, 9]))
    def they_set_a_picture(self, one: int, content: str, side: int) -> None:
        if record := self._record(one):
            record.set_picture(picture(content, side))

    @rule(some=st.sets(which, min_size=4, max_size=12))
    def they_set_many(self, some: set[int]) -> None:
        for one in some:
            if record := self._record(one):
                record.set_picture(picture(f"theirs {one}"))

    @rule(one=which)
    def they_take_a_picture(self, one: int) -> None:
        if record := self._record(one):
            record.set_picture(None)

    @rule()
    def prices_are_changed(self) -> None:
        for record in self.world.records:
            record.touch()

    @rule(one=which)
    def an_item_is_renumbered(self, one: int) -> None:
        if record := self._record(one):
            self.world.store.rename(record, self.world.new_number())

    @rule(one=which)
    def an_item_is_made_anew(self, one: int) -> None:
        if record := self._record(one):
            self.world.store.recreate(record.number)

    @rule(one=which)
    def an_item_goes(self, one: int) -> None:
        if record := self._record(one):
            self.world.store.remove(record)

    # -- runs

    @rule(
        options=options,
        trouble=st.lists(faults, max_size=3),
        fate=st.sampled_from(FATES),
        moment=st.integers(0, 30),
        one=which,
    )
    def push_in_trouble(
        self,
        options: PushOptions,
        trouble: list[Fault],
        fate: str,
        moment: int,
        one: int,
    ) -> None:
        self.world.shop.server.faults.add(*trouble)
        try:
            self.runner.run(self._push(options, fate, moment, one))
        finally:
            self.world.shop.server.faults.clear()

    @rule(
        pick=st.sampled_from([None, ()]),
        delete=st.booleans(),
        compare=st.sampled_from(["signs", "content"]),
        backup=st.sampled_from(["always", "foreign"]),
    )
    def push_in_peace(self, pick: Option, **chosen: Option) -> None:
        match = MatchOptions(pick=pick)
        self.runner.run(
            self._in_step(
                PushOptions(match=match, max_replace=None, max_delete=None, **chosen)
            )
        )

    async def _push(
        self, options: PushOptions, fate: str = "", moment: int = 0, one: int = 0
    ) -> list[Outcome] | None:
        """Push once, in whatever trouble; None if it did not come to its end."""
        world, shop = self.world, self.world.shop
        start, outcomes = len(shop.log), list[Outcome]()
        rules = self._fate(fate, moment, one)
        pushing = asyncio.create_task(self._run(options, outcomes, rules))
        rules["cancel"] = pushing.cancel
        ended = False
        try:
            await pushing
            ended = True
        except BrakeError:
            assert not world.written(shop.log[start:])
        except (BcPictureError, asyncio.CancelledError) as error:
            note(f"it ended: {error!r}")
        finally:
            shop.log.listener = None
        TALLY["faults"] += sum(it.fault is not None for it in shop.log[start:])
        writes = world.written(shop.log[start:])
        tally(writes, ended=ended)
        world.check_guard(writes, options)
        if ended:
            world.check_report(writes, outcomes)
        elif writes:
            await world.check_journal(writes)
        return outcomes if ended else None

    async def _run(
        self, options: PushOptions, outcomes: list[Outcome], rules: dict[str, Option]
    ) -> None:
        async with self.world.shop.box as box:
            plan = await box.plan_push(self.world.shop.photos, options)
            async with box.run(plan) as run:
                rules["stop"] = run.stop
                async for outcome in run:
                    outcomes.append(outcome)  # noqa: PERF401 - kept if it is cut off

    def _fate(self, fate: str, moment: int, one: int) -> dict[str, Option]:
        """What comes in between, when a request arrives."""
        left = [moment]
        rules: dict[str, Option] = {}

        def meddle() -> None:
            if record := self._record(one):
                self.world.meddle(record)

        def heard(seen: Seen) -> None:
            left[0] -= seen.kind != "token"
            if left[0] == -1:
                rules.get(fate, int)()

        rules["meddle"] = meddle
        self.world.shop.log.listener = heard
        return rules

    async def _in_step(self, options: PushOptions) -> None:
        """Push until everything is in step, and once more for nothing."""
        world, shop = self.world, self.world.shop
        for record in world.records:
            record.touch()  # what was refused is tried again
        if not world.files:
            return
        await self._lift_brakes(options)
        outcomes = await self._push(options)
        assert outcomes is not None
        assert Ending.FAILED not in {one.ending for one in outcomes}
        world.check_clean(outcomes, pick=options.match.picks)
        start = len(shop.log)
        again = await self._push(options)
        assert again is not None
        assert not world.written(shop.log[start:])
        assert {one.ending for one in again} <= {Ending.KEPT}
        async with shop.box as box:
            assert await box.kit.journal.open_intents() == []

    async def _lift_brakes(self, options: PushOptions) -> None:
        """Do what the brakes say, once."""
        async with self.world.shop.box as box:
            plan = await box.plan_push(self.world.shop.photos, options)
        kinds = {brake.kind for brake in plan.brakes}
        if BrakeKind.STRANGE in kinds:
            await self._push(attrs.evolve(options, rebase=True))
        elif kinds:
            assert kinds == {BrakeKind.OTHER_MATCHING}
            await self._push(attrs.evolve(options, delete=False))


def tally(writes: Writes, *, ended: bool) -> None:
    """Count what a run did."""
    several = [one for some in writes.values() for one in some]
    TALLY["runs"] += 1
    TALLY["cut off"] += not ended
    TALLY["uploads"] += sum(one.method == "PATCH" for one in several)
    TALLY["deletions"] += sum(one.method == "DELETE" for one in several)
    TALLY["replaced"] += sum(one.replaced is not None for one in several)
