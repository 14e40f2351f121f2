"""The folder that a pull fills, what others do to it, and what is so in spite of it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import attrs

from bcpicture.core.ledger import State
from bcpicture.core.report import CHANGES, Ending, Outcome
from bcpicture.core.steps import Download

Shop: TypeAlias = Any  # the harness is in conftest.py
Files: TypeAlias = Mapping[str, bytes]

MANIFEST = "manifest.json"
LONG_AGO = 1_600_000_000


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@attrs.define
class Copies:
    """A folder of pictures that come from a company."""

    shop: Shop
    scribbled: dict[str, bytes] = attrs.field(factory=dict)
    """What somebody wrote in the middle of the run."""

    ticks: int = 0

    @property
    def folder(self) -> Path:
        return self.shop.photos.with_name("copies")

    @property
    def paths(self) -> list[Path]:
        return sorted(self.folder.glob("*.*")) if self.folder.exists() else []

    def files(self) -> dict[str, bytes]:
        """All but the manifest, which is ours whatever happens."""
        return {it.name: it.read_bytes() for it in self.paths if it.name != MANIFEST}

    def write(self, name: str, data: bytes) -> None:
        """As a careful program does: in one step."""
        self.folder.mkdir(exist_ok=True)
        beside = self.folder.parent / "somebody"
        beside.write_bytes(data)
        self.ticks += 1
        os.utime(beside, (LONG_AGO + self.ticks, LONG_AGO + self.ticks))
        beside.replace(self.folder / name)

    def scribble(self, name: str, data: bytes) -> None:
        """The same in the middle of a run."""
        self.scribbled[name] = data
        self.write(name, data)

    # -- after a run

    def check_guard(self, before: Files, *, deletes: bool) -> None:
        """Nothing is lost: what is not there any more is in the backup."""
        saved, after = self.shop.backup(), self.files()
        for files in (before, self.scribbled):
            for name, data in files.items():
                if after.get(name) != data and self.scribbled.get(name) != after.get(
                    name, b""
                ):
                    assert digest(data) in saved, f"{name} is lost"
        self._check_kept(before, after, deletes=deletes)

    def _check_kept(self, before: Files, after: Files, *, deletes: bool) -> None:
        gone = {name for name in before if name not in after}
        stems = {name.rpartition(".")[0] for name in after}
        # A file may give way to one of another kind, whatever was asked for.
        assert deletes or {name.rpartition(".")[0] for name in gone} <= stems

    def check_report(self, before: Files, outcomes: Iterable[Outcome]) -> None:
        """What is reported is what happened, and the other way round."""
        after, left = self.files(), self._changed(before)
        for outcome in outcomes:
            name = outcome.file
            match outcome.ending:
                case Ending.DOWNLOADED if name not in self.scribbled:
                    assert digest(after[name]) == outcome.after
                case Ending.REMOVED if name not in self.scribbled:
                    assert name in before
                    assert name not in after
                case ending:
                    told = outcome.changed or ending in CHANGES
                    assert told or name not in left, "nobody tells of it"
            left -= {name, *other_name(outcome)}
        assert not left, "nobody tells of it"

    def _changed(self, before: Files) -> set[str]:
        """Names of the files that are others now, by no hand but ours."""
        after = self.files()
        names = {*before, *after} - {*self.scribbled}
        return {name for name in names if before.get(name) != after.get(name)}

    async def check_journal(self, before: Files) -> None:
        """What a run wrote that was cut off is in the journal, open or done."""
        changed = self._changed(before)
        if not changed:
            return
        async with self.shop.box as box:
            [run] = await box.kit.journal.runs(1)
            steps = await box.kit.journal.steps(run.id)
        may_have = {State.INTENDED, State.UNKNOWN, State.DONE}
        noted = {(it.name, it.after) for it in steps if it.state in may_have}
        after = self.files()
        for name in changed:
            data = after.get(name)
            assert (name, digest(data) if data is not None else None) in noted

    def check_clean(self) -> None:
        """Every picture is in the file that the manifest names, and no litter."""
        told = json.loads((self.folder / MANIFEST).read_text())
        entries = told["items"]
        files = self.files()
        for number, data in self.shop.all_there().items():
            if data is not None:
                assert files[entries[number]["file"]] == data, number
        for entry in entries.values():
            assert digest(files[entry["file"]]) == entry["sha256"]
        assert not [*self.folder.glob(".*")]


def other_name(outcome: Outcome) -> set[str]:
    """The file that gave way to one of another kind."""
    step = outcome.step
    return {step.file.name} if isinstance(step, Download) and step.file else set()
