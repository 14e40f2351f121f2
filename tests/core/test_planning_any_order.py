"""Whatever happens to both sides: one step a record, and then nothing left to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bcpicture.core.dialects import V1, V2, Dialect
from bcpicture.core.ledger import Agreement, Link, Way
from bcpicture.core.matching import Matcher
from bcpicture.core.models import Item
from bcpicture.core.options import MatchOptions, PushOptions
from bcpicture.core.planning import PushPlanning, PushSurvey
from bcpicture.core.plans import PushPlan
from bcpicture.core.signs import NO_PICTURE, FileSigns, ItemSigns, PictureSigns
from bcpicture.core.steps import Adopt, Delete, LocalFile, Replaces, Upload
from bcpicture.core.surveys import Answers, NoMemory, Seen, known_ids

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DIALECTS = pytest.mark.parametrize("dialect", [V2, V1], ids=lambda it: it.name)


@attrs.define
class Record:
    """A record of the service; its picture's etag covers the size, not the bytes."""

    number: str
    digest: str | None = None
    moves: int = 0

    @property
    def item(self) -> ItemSigns:
        modified = NOON + timedelta(seconds=self.moves)
        return ItemSigns(etag=str(self.moves), modified=modified)

    @property
    def picture(self) -> PictureSigns:
        if self.digest is None:
            return NO_PICTURE
        width = len(self.digest)
        return PictureSigns(exists=True, etag=str(width), width=width, height=1)


@attrs.define
class Worlds:
    """Files, records and journal, and what somebody does to them."""

    vouches: bool
    files: dict[str, tuple[str, FileSigns]] = attrs.field(factory=dict)
    records: dict[str, Record] = attrs.field(factory=dict)
    ids: dict[str, str] = attrs.field(factory=dict)
    memory: NoMemory = attrs.field(factory=NoMemory)
    backups: set[str] = attrs.field(factory=set)
    ours: set[str] = attrs.field(factory=set)
    ticks: int = 0

    def edit(self, what: str, number: str, content: str) -> None:
        self.ticks += 1
        name, id_ = f"{number}.jpg", self.ids.get(number, "")
        record = self.records.get(id_)
        match what:
            case "write":
                self.files[name] = content, FileSigns(5, self.ticks, self.ticks)
            case "touch" if name in self.files:
                digest = self.files[name][0]
                self.files[name] = digest, FileSigns(5, self.ticks, self.ticks)
            case "remove":
                self.files.pop(name, None)
            case "create" if record is None:
                self.ids[number] = f"id-{number}-{self.ticks}"
                self.records[self.ids[number]] = Record(number)
            case "destroy":
                self.records.pop(id_, None)
            case "renumber" if record:
                self.move(record)
                taken = {one.number for one in self.records.values()}
                record.number = record.number if content in taken else content
            case "price" if record:
                self.move(record)
            case "set" if record:
                record.digest = content
                self.move(record)
            case "clear" if record:
                record.digest = None
                self.move(record)

    def move(self, record: Record) -> None:
        """In v1.0 a change need not show."""
        record.moves += 1 if self.vouches else self.ticks % 2

    def plan(
        self, options: PushOptions, dialect: Dialect, random: Random | None = None
    ) -> PushPlan:
        files = [LocalFile(name=name, signs=it[1]) for name, it in self.files.items()]
        items = [
            Item(
                id=id_,
                number=it.number,
                etag=it.item.etag,
                last_modified=it.item.modified,
            )
            for id_, it in self.records.items()
        ]
        if random:
            random.shuffle(files)
            random.shuffle(items)
        matcher = Matcher(files, options.match, watched=known_ids(self.memory))
        matcher.offer(items)
        survey = PushSurvey(
            matching=matcher.result(),
            memory=self.memory,
            dialect=dialect,
            options=options,
            scanned=10**18,
        )
        planning, answers = PushPlanning(survey), Answers()
        while asked := planning.questions(answers):
            for file in asked.hash:
                answers.digests[file.name] = self.files[file.name][0]
            for id_ in asked.expand:
                it = self.records[id_]
                answers.seen[id_] = Seen(item=it.item, picture=it.picture)
            for id_ in asked.read:
                answers.read[id_] = self.records[id_].digest
        return planning.plan(answers)

    def run(self, plan: PushPlan) -> None:
        """Carry out a plan, as truthfully as an engine would."""
        if plan.options.rebase:
            self.memory = NoMemory()
        for step in plan.steps:
            record = self.records[step.id]
            match step:
                case Upload():
                    self.replace(record, self.files[step.file.name][0], step.replaces)
                    self.agree(step.id, step.file)
                case Delete():
                    assert record.digest == step.before
                    self.replace(record, None, Replaces.OURS)
                    self.agree(step.id, None)
                case Adopt():
                    assert record.digest == step.sent == self.files[step.file.name][0]
                    self.agree(step.id, step.file)

    def replace(self, record: Record, content: str | None, replaces: Replaces) -> None:
        if replaces is Replaces.NOTHING:
            assert record.digest is None
        elif replaces is Replaces.OURS:
            assert record.digest in self.ours, "it was somebody else's"
        elif record.digest is not None:
            self.backups.add(record.digest)
        record.digest = content
        record.moves += 1

    def agree(self, id_: str, file: LocalFile | None) -> None:
        record = self.records[id_]
        self.memory.agreements[id_] = Agreement(
            id=id_,
            number=record.number,
            digest=record.digest,
            item=record.item,
            picture=record.picture,
        )
        if file is None or record.digest is None:
            del self.memory.links[id_]
            return
        self.ours.add(record.digest)
        self.memory.links[id_] = Link(
            way=Way.PUSH,
            folder="photos",
            id=id_,
            name=file.name,
            signs=file.signs,
            digest=record.digest,
            sent=record.digest,
        )


NUMBERS = st.sampled_from(["A", "a", "B", "B_1", "B_2", "C"])
CONTENTS = st.sampled_from(["one", "two", "four", "C", "B"])
EDITS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *("write", "write", "touch", "remove", "create", "create"),
                *("destroy", "renumber", "price", "set", "clear"),
            ]
        ),
        NUMBERS,
        CONTENTS,
    ),
    max_size=25,
)
OPTIONS = st.builds(
    PushOptions,
    match=st.sampled_from([MatchOptions(), MatchOptions(pick=())]),
    delete=st.booleans(),
    compare=st.sampled_from(["signs", "content"]),
    rebase=st.booleans(),
)


@DIALECTS
@given(st.lists(EDITS, min_size=1, max_size=3), OPTIONS, st.randoms())
@example(
    [[("write", "B_2", "one"), ("create", "B_2", "one")], [("remove", "B_2", "one")]],
    PushOptions(delete=True, rebase=True),  # who forgets everything deletes nothing
    Random(0),
)
def test_after_each_run_there_is_nothing_left_to_do(
    dialect: Dialect,
    rounds: list[list[tuple[str, str, str]]],
    options: PushOptions,
    random: Random,
):
    world = Worlds(vouches=dialect.vouches)
    for edits in rounds:
        for edit in edits:
            world.edit(*edit)
        plan = world.plan(options, dialect)
        assert world.plan(options, dialect, random) == plan
        ids = [step.id for step in plan.steps]
        assert len(ids) == len(set(ids))
        unclear = {name for group in plan.ambiguous for name in group.names}
        assert not unclear & {step.file.name for step in plan.uploads}
        world.run(plan)
        again = world.plan(attrs.evolve(options, rebase=False), dialect)
        assert again.uploads == again.adoptions == again.deletions == ()
        assert again.unchanged == plan.unchanged + len(plan.uploads + plan.adoptions)
