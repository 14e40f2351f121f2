"""What happens on both sides between runs, as rules that hypothesis picks from."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, TypeAlias

from conftest import _open_shop
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from model_copies import Copies
from model_draws import ITEMS, contents, which
from model_world import Clock, World, jpeg, picture

from bcpicture import RetryPolicy

Option: TypeAlias = Any  # of any type: what hypothesis draws

TALLY: Counter[str] = Counter()
"""What has happened in all walks, since an idle one proves nothing."""


class Edits(RuleBasedStateMachine):
    """One company, a folder that it is filled from, and one that it fills."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.folder = tempfile.TemporaryDirectory(prefix="bcpicture-model-")
        self.world: World
        self.copies: Copies
        self.run_id = ""
        self.peaceful: tuple[str, dict[str, Any], dict[str, Any]] | None = None

    def open(self, api: str, server: dict[str, Option], attempts: int) -> None:
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
        self.world, self.copies = World(opened, clock), Copies(opened)

    def teardown(self) -> None:
        TALLY["walks"] += 1
        try:
            self.runner.run(self.stack.aclose())
        finally:
            self.runner.close()
            self.folder.cleanup()

    # -- what happens here

    def _record(self, number: int) -> Any | None:  # noqa: ANN401 - of the emulator
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

    @rule(one=which)
    def they_set_a_picture_of_another_kind(self, one: int) -> None:
        if record := self._record(one):
            record.set_picture(jpeg(f"jpeg {one}"))

    # -- what happens to the copies

    @rule(one=which, content=contents, end=st.sampled_from(["png", "png", "jpg"]))
    def they_write_a_copy(self, one: int, content: str, end: str) -> None:
        if record := self._record(one):
            self.copies.write(f"{record.number}.{end}", picture(content))

    @rule(one=which)
    def they_touch_a_copy(self, one: int) -> None:
        if paths := self.copies.paths:
            path = paths[one % len(paths)]
            self.copies.write(path.name, path.read_bytes())

    @rule(some=st.lists(which, min_size=1, max_size=3))
    def copies_go(self, some: list[int]) -> None:
        for one in some:
            if paths := self.copies.paths:
                paths[one % len(paths)].unlink()
