"""A shop where anything happens on both sides, and what must be so in spite of it."""

from __future__ import annotations

import functools
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import attrs

from bcpicture.core.ledger import State
from bcpicture.core.options import PushOptions
from bcpicture.core.report import CHANGES, Ending, Outcome
from bcpicture.core.steps import Why
from bcpicture.emulator.artwork import png
from bcpicture.emulator.seen import Seen
from bcpicture.errors import OutcomeUnknownError

Shop: TypeAlias = Any  # the harness is in conftest.py
Writes: TypeAlias = dict[str, list[Seen]]

COMPANY = "CRONUS USA, Inc."
SIDE = 8
_ID = re.compile(r"\w+\(([0-9a-f-]{36})\)/picture")


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@functools.cache
def picture(name: str, side: int = SIDE) -> bytes:
    """Pictures of one side are of one size, so that their etags may be the same."""
    return png(name, side=side)


def name_of(number: str, second: str = "") -> str:
    """An item's file; every other item's has small letters."""
    small = sum(map(ord, number)) % 2
    return f"{number.lower() if small else number}{second}.png"


def jpeg(name: str) -> bytes:
    """As much of one as tells its kind."""
    return b"\xff\xd8\xff\xe0\x00\x10JFIF" + name.encode() + b"\xff\xd9"


@attrs.define
class Clock:
    """The service's clock: it goes on with every look, and jumps when it is told to."""

    now: float = 1_750_000_000.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now

    def jump(self) -> None:
        """Further than a request takes, so that what comes after is later."""
        self.now += 10.0


@attrs.define
class World:
    """Files on one side, pictures on the other, and everybody who changes them."""

    shop: Shop
    clock: Clock
    files_ever: set[str] = attrs.field(factory=set)
    """Digests of all files that there ever were."""

    agreed: defaultdict[str, set[str]] = attrs.field(factory=lambda: defaultdict(set))
    """What runs have sent to each record, or found there to be the same."""

    made: int = 0

    # -- here

    @property
    def files(self) -> list[Path]:
        return sorted(self.shop.photos.iterdir())

    def write(self, number: str, content: str, second: str = "") -> None:
        data = self.shop.put(name_of(number, second), picture(content))
        self.files_ever.add(digest(data))

    def touch(self, path: Path) -> None:
        self.shop.put(path.name, path.read_bytes())

    def rename(self, path: Path, number: str) -> None:
        path.rename(path.with_name(name_of(number)))

    # -- there

    @property
    def store(self) -> Any:  # noqa: ANN401 - the emulator's company
        return self.shop.server.store.company(COMPANY)

    @property
    def records(self) -> list[Any]:
        return list(self.store.table("items").records)

    def new_number(self) -> str:
        self.made += 1
        return f"NEW-{self.made}"

    def meddle(self, record: Any) -> None:  # noqa: ANN401 - the emulator's record
        """Set another picture in the middle of a run, which shows in its etag.

        If it did not show, it could come between a backup and the upload; that is what
        nobody can notice.
        """
        self.made += 1
        self.clock.jump()
        record.set_picture(picture(f"meddled {self.made}", side=SIDE + self.made))
        self.clock.jump()

    def state(self) -> dict[str, str | None]:
        """Which bytes are at each record."""
        return {record.id: record.picture_sha256 for record in self.records}

    # -- what was written

    def written(self, seen: Iterable[Seen]) -> Writes:
        """What the service did, by record."""
        found: Writes = defaultdict(list)
        for one in seen:
            if one.wrote:
                found[_ID.search(one.target)[1]].append(one)
        return found

    def check_guard(self, writes: Writes, options: PushOptions) -> None:
        """Nothing is lost, and nothing is sent that is no file."""
        saved = self.shop.backup()
        for id_, several in writes.items():
            ours = set(self.agreed[id_]) if options.backup == "foreign" else set()
            for one in several:
                assert one.replaced in {None, *saved, *ours}, "it is lost"
                # A request that is sent once more replaces what it has sent.
                ours.add(one.sha256)
                assert one.headers["If-Match"] != "*"
                if one.method == "DELETE":
                    assert options.deletes
                    assert one.replaced in self.agreed[id_], "it was foreign"
                else:
                    assert one.sha256 in self.files_ever
                    self.agreed[id_].add(one.sha256)

    def check_limits(self, writes: Writes, options: PushOptions) -> None:
        """No more is replaced, or deleted, than is allowed."""
        first = [several[0] for several in writes.values()]
        replaced = sum(it.method == "PATCH" and it.replaced is not None for it in first)
        deleted = sum(it.method == "DELETE" for it in first)
        for count, allowed in (
            (replaced, options.max_replace.count),
            (deleted, options.max_delete.count),
        ):
            assert allowed is None or count <= allowed

    def check_undo(self, writes: Writes) -> None:
        """Nothing is lost, and only what was there before is put there."""
        saved = self.shop.backup()
        for several in writes.values():
            for one in several:
                assert one.replaced in {None, *saved}, "it is lost"
                assert one.method == "DELETE" or one.sha256 in saved

    def check_report(self, writes: Writes, outcomes: Iterable[Outcome]) -> None:
        """What is reported is what happened, and the other way round."""
        left = dict(writes)
        for outcome in outcomes:
            several = left.pop(outcome.step.id, [])
            check_outcome(outcome, several)
            if outcome.ending is Ending.ADOPTED:
                self.agreed[outcome.step.id].add(outcome.after)
        assert not left, "nobody tells of it"

    async def check_journal(self, writes: Writes) -> None:
        """What a run wrote that was cut off is in the journal, open or done."""
        async with self.shop.box as box:
            runs = await box.kit.journal.runs(1)
            steps = [it for run in runs for it in await box.kit.journal.steps(run.id)]
        may_have = {State.INTENDED, State.UNKNOWN, State.DONE}
        noted = {(it.id, it.after) for it in steps if it.state in may_have}
        for id_, several in writes.items():
            last = several[-1]
            assert (id_, last.sha256 if last.method == "PATCH" else None) in noted

    def compared(self, *, pick: bool) -> dict[str, Ending]:
        """What a comparison must find, by number."""
        wanted, there = self.wanted(pick=pick), self.shop.all_there()
        return {
            number: _compared(wanted.get(number), data)
            for number, data in there.items()
            if data is not None or number in wanted
        }

    # -- what is so in the end

    def wanted(self, *, pick: bool) -> dict[str, bytes]:
        """Which bytes belong to which number, found out in another way."""
        numbers = {record.number for record in self.records}
        found: dict[str, list[Path]] = defaultdict(list)
        for path in self.files:
            stem = path.stem.upper()
            number, _, second = stem.partition("_")
            if number in numbers and (pick or not second):
                found[number].append(path)
        return {
            number: min(paths, key=lambda path: len(path.stem)).read_bytes()
            for number, paths in found.items()
        }

    def check_clean(self, outcomes: Iterable[Outcome], *, pick: bool) -> None:
        """Every record with a file holds its bytes, and nothing lies about."""
        assert not [one for one in outcomes if Why.REJECTED in one.reason]
        there = self.shop.all_there()
        for number, data in self.wanted(pick=pick).items():
            assert there[number] == data, number
        assert not [*self.litter()]

    def litter(self) -> Iterator[Path]:
        """Files that a run makes and takes away again."""
        for root in (self.shop.state, self.shop.photos):
            for path in root.rglob("*"):
                if path.suffix in {".part", ".new", ".tmp"}:
                    yield path


def _compared(here: bytes | None, there: bytes | None) -> Ending:
    if here is None:
        return Ending.ONLY_THERE
    if there is None:
        return Ending.ONLY_HERE
    return Ending.EQUAL if here == there else Ending.DIFFERS


def check_outcome(outcome: Outcome, several: list[Seen]) -> None:
    """One step's outcome tells what was written to its record."""
    last = several[-1] if several else None
    match outcome.ending:
        case Ending.UPLOADED:
            assert last, "it was not sent"
            assert (last.method, last.sha256) == ("PATCH", outcome.after)
            assert outcome.before in {one.replaced for one in several}
        case Ending.DELETED:
            assert last, "it was not deleted"
            assert (last.method, last.replaced) == ("DELETE", outcome.before)
        case Ending.FAILED:
            unknown = isinstance(outcome.error, OutcomeUnknownError)
            told = outcome.changed or "written" in str(outcome.error)
            assert not last or unknown or told, "it was done, and nobody says so"
        case ending:
            assert not last, "it was written to"
            assert ending not in CHANGES
