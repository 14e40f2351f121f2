"""What a pull does about every record, in whatever state both sides are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from bcpicture.core.dialects import V1, V2, Dialect
from bcpicture.core.ledger import Agreement, Link, Way
from bcpicture.core.models import Item
from bcpicture.core.options import PullOptions
from bcpicture.core.plans import PullPlan
from bcpicture.core.pull_planning import PullPlanning
from bcpicture.core.signs import NO_PICTURE, FileSigns, ItemSigns, PictureSigns
from bcpicture.core.steps import Download, LocalFile, Replaces, Why
from bcpicture.core.surveys import Answers, NoMemory, Seen
from bcpicture.errors import AnswerError, UsageError

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
STILL = ItemSigns(etag='W/"0"', modified=NOON)
MOVED = ItemSigns(etag='W/"1"', modified=NOON + timedelta(minutes=1))
EARLIER = ItemSigns(etag='W/"2"', modified=NOON - timedelta(minutes=1))
SHOWN = PictureSigns(exists=True, etag='W/"p"', width=4, height=3)
WIDER = attrs.evolve(SHOWN, width=5)
OLD = FileSigns(9, 1, 1)


def agreement(number: str, digest: str | None) -> Agreement:
    shown = SHOWN if digest else NO_PICTURE
    return Agreement(
        id=f"id-{number}", number=number, digest=digest, item=STILL, picture=shown
    )


def link(number: str, name: str, digest: str = "old") -> Link:
    return Link(
        way=Way.PULL,
        folder="copies",
        id=f"id-{number}",
        name=name,
        signs=OLD,
        digest=digest,
        sent=digest,
    )


@attrs.define
class World:
    """Both sides, and the journal."""

    files: dict[str, str] = attrs.field(factory=dict)
    touched: set[str] = attrs.field(factory=set)
    records: list[tuple[str, str, ItemSigns, PictureSigns]] = attrs.field(factory=list)
    memory: NoMemory = attrs.field(factory=NoMemory)
    asked: list[str] = attrs.field(factory=list)

    def record(
        self,
        number: str,
        item: ItemSigns = STILL,
        picture: PictureSigns = SHOWN,
        id_: str = "",
    ) -> None:
        self.records.append((id_ or f"id-{number}", number, item, picture))

    def agreed(self, number: str, digest: str | None, name: str = "") -> None:
        self.memory.agreements[f"id-{number}"] = agreement(number, digest)
        if name:
            self.memory.links[f"id-{number}"] = link(number, name)

    def plan(
        self, options: PullOptions, dialect: Dialect = V2, **safe: bool
    ) -> PullPlan:
        signs = {True: FileSigns(9, 2, 1), False: OLD}
        files = [
            LocalFile(name=name, signs=signs[name in self.touched])
            for name in self.files
        ]
        planning = PullPlanning(
            files, self.memory, dialect=dialect, options=options, **safe
        )
        for id_, number, item, _ in self.records:
            told = Item(
                id=id_, number=number, etag=item.etag, last_modified=item.modified
            )
            planning.offer([told])
        answers = Answers()
        while asked := planning.questions(answers):
            assert not asked.read
            for file in asked.hash:
                answers.digests[file.name] = self.files[file.name]
            for id_, _, item, picture in self.records:
                if id_ in asked.expand:
                    answers.seen[id_] = Seen(item=item, picture=picture)
            self.asked += ["hash" for _ in asked.hash]
            self.asked += ["expand" for _ in asked.expand]
        return planning.plan(answers)


def told(plan: PullPlan) -> list[str]:
    """Every step in short."""
    return [
        " ".join(
            [
                type(step).__name__.lower(),
                *([step.replaces.value] if isinstance(step, Download) else []),
                Why(step.reason).name,
            ]
        )
        for step in plan.steps
    ]


@attrs.frozen(kw_only=True)
class Line:
    """One line of the table below, about the record A."""

    files: str = "A.jpg=old"
    touched: bool = False
    item: ItemSigns = STILL
    picture: PictureSigns = SHOWN
    known: str | None = "old"
    memory: bool = True
    link: str = "A.jpg"
    options: PullOptions = attrs.field(factory=PullOptions)
    dialect: Dialect = V2
    step: str = ""
    asked: str = ""


NONE = NO_PICTURE
DELETE = PullOptions(delete=True, max_delete=None)
TABLE = {
    "in step": Line(),
    "touched": Line(touched=True, step="adopt FILE_MOVED", asked="hash"),
    "first": Line(files="", memory=False, step="download nothing NEW", asked="expand"),
    "the file is lost": Line(files="", step="download nothing FILE_LOST"),
    "the file was changed": Line(
        files="A.jpg=new",
        touched=True,
        step="download foreign FILE_CHANGED_HERE",
        asked="hash",
    ),
    "moved": Line(item=MOVED, step="download ours UNPROVEN", asked="expand"),
    "changed": Line(
        item=MOVED, picture=WIDER, step="download ours PICTURE_CHANGED", asked="expand"
    ),
    "v1.0": Line(dialect=V1, step="download ours UNPROVEN", asked="expand"),
    "changed, the file as well": Line(
        files="A.jpg=new",
        touched=True,
        item=MOVED,
        picture=WIDER,
        step="download foreign FILE_CHANGED_HERE",
        asked="expand hash",
    ),
    "never seen, a file is there": Line(
        memory=False, step="download foreign FOREIGN_FILE", asked="expand"
    ),
    "never seen, one in lower case": Line(
        files="a.PNG=x",
        memory=False,
        step="download foreign FOREIGN_FILE",
        asked="expand",
    ),
    "never seen, no picture of it": Line(
        files="A.txt=x B/A.jpg=x",
        memory=False,
        step="download nothing NEW",
        asked="expand",
    ),
    "pushed from elsewhere": Line(
        files="A.png=old", link="", step="adopt EQUAL", asked="hash"
    ),
    "pushed from elsewhere, changed": Line(
        files="A.png=new",
        link="",
        step="download foreign FOREIGN_FILE",
        asked="hash",
    ),
    "renumbered": Line(
        files="OLD.jpg=old", link="OLD.jpg", step="download nothing NEW_NUMBER"
    ),
    "renumbered, in the way": Line(
        files="OLD.jpg=old A.jpg=x",
        link="OLD.jpg",
        step="download foreign NEW_NUMBER",
        asked="hash",
    ),
    "renamed by its user": Line(
        files="OLD.jpg=old A.jpg=old", link="OLD.jpg", step="adopt EQUAL", asked="hash"
    ),
    "no picture": Line(files="", known=None, link="", picture=NONE),
    "never a picture": Line(files="", memory=False, picture=NONE, asked="expand"),
    "gone": Line(item=MOVED, picture=NONE, step="keep NO_REMOVE", asked="expand"),
    "gone, to be removed": Line(
        item=MOVED,
        picture=NONE,
        options=DELETE,
        step="remove PICTURE_GONE",
        asked="expand",
    ),
    "gone, touched": Line(
        touched=True,
        item=MOVED,
        picture=NONE,
        options=DELETE,
        step="remove PICTURE_GONE",
        asked="expand hash",
    ),
    "gone, the file changed": Line(
        files="A.jpg=new",
        touched=True,
        item=MOVED,
        picture=NONE,
        options=DELETE,
        step="keep REMOVED_AND_CHANGED",
        asked="expand hash",
    ),
    "gone, and renumbered": Line(
        files="OLD.jpg=old",
        link="OLD.jpg",
        item=MOVED,
        picture=NONE,
        options=DELETE,
        step="keep NEW_NUMBER",
        asked="expand",
    ),
    "gone, another's file": Line(
        memory=False, picture=NONE, options=DELETE, asked="expand"
    ),
    "by content": Line(
        options=PullOptions(compare="content"), step="download ours UNPROVEN"
    ),
    "rebased": Line(
        options=PullOptions(rebase=True),
        step="download foreign FOREIGN_FILE",
        asked="expand",
    ),
}


@pytest.mark.parametrize("line", TABLE.values(), ids=TABLE)
def test_what_becomes_of_a_record(line: Line):
    world = World(files=dict(it.split("=") for it in line.files.split()))
    world.touched = set(world.files) if line.touched else set()
    if line.memory:
        world.agreed("A", line.known, line.link)
    world.record("A", line.item, line.picture)
    plan = world.plan(line.options, line.dialect)
    assert told(plan) == ([line.step] if line.step else [])
    assert " ".join(sorted(world.asked)) == line.asked
    assert plan.unchanged + plan.absent == (not line.step)
    assert plan.absent == (not line.step and not line.picture.exists)


def test_a_step_knows_what_it_writes_and_what_it_replaces():
    world = World(files={"A%2FB.jpg": "old"})
    world.agreed("A/B", "old", "A%2FB.jpg")
    world.record("A/B", MOVED, WIDER)
    (step,) = world.plan(PullOptions()).downloads
    assert (step.stem, step.before, step.replaces) == ("A%2FB", "old", Replaces.OURS)
    assert step.file == LocalFile(name="A%2FB.jpg", signs=OLD)
    assert step.picture == WIDER


def test_a_record_that_disappears_takes_no_file_with_it():
    world = World(files={"A.jpg": "old"})
    world.agreed("A", "old", "A.jpg")
    plan = world.plan(DELETE)
    assert list(plan.steps) == []
    assert plan.forgotten == ("id-A",)


def test_a_record_that_two_pages_repeat_gets_one_step():
    world = World()
    world.record("A")
    world.record("A")
    assert told(world.plan(PullOptions())) == ["download nothing NEW"]


def test_an_id_of_two_records_is_refused():
    world = World()
    world.record("A", id_="1")
    world.record("B", id_="1")
    with pytest.raises(AnswerError, match="Integrate APIs"):
        world.plan(PullOptions())


def test_a_picture_that_cannot_be_looked_at_is_left_alone():
    planning = PullPlanning([], NoMemory(), dialect=V2, options=PullOptions())
    planning.offer([Item(id="1", number="A")])
    answers = Answers()
    assert planning.questions(answers).expand == ("1",)
    with pytest.raises(UsageError, match="1 records cannot be decided on"):
        planning.plan(answers)
    answers.failed["1"] = "no answer"
    assert not planning.questions(answers)
    assert [step.reason for step in planning.plan(answers).kept] == ["no answer"]


def pulled(count: int) -> World:
    world = World()
    for number in (f"{number:04}" for number in range(count)):
        world.files[f"{number}.jpg"] = "old"
        world.agreed(number, "old", f"{number}.jpg")
        world.record(number)
    return world


def test_a_second_pull_has_nothing_to_do_and_keeps_nothing():
    world = pulled(50)
    plan = world.plan(PullOptions())
    assert (list(plan.steps), plan.unchanged, world.asked) == ([], 50, [])


def changed(world: World, count: int, item: ItemSigns, picture: PictureSigns) -> None:
    for at in range(count):
        id_, number, _, _ = world.records[at]
        world.records[at] = id_, number, item, picture


def test_the_brakes_of_a_pull():
    world = pulled(1000)
    changed(world, 101, MOVED, WIDER)
    (brake,) = world.plan(PullOptions()).brakes
    assert brake.text.startswith("101 of 1000 files would be replaced, and at most 100")
    changed(world, 51, MOVED, NONE)
    options = PullOptions(delete=True)
    assert [it.option for it in world.plan(options).brakes] == ["max_delete"]
    (_, brake) = world.plan(options, clean=False).brakes
    assert brake.text.startswith("51 files would be deleted, but a listing")
    changed(world, 51, STILL, SHOWN)
    changed(world, 1, EARLIER, SHOWN)
    (brake,) = world.plan(PullOptions()).brakes
    assert brake.kind.value == "backwards"
    assert world.plan(PullOptions(rebase=True, max_replace=None)).brakes == ()


def test_what_may_turn_out_to_be_the_same_is_not_counted_before_it_does():
    world = pulled(1000)
    assert world.plan(PullOptions(), V1).brakes == ()
    del world.records[:501]
    (brake,) = world.plan(PullOptions()).brakes
    assert (brake.kind.value, brake.count) == ("strange", 501)


def test_without_its_marker_a_folder_is_not_touched():
    options = PullOptions(require_file=".marker")
    (brake,) = pulled(1).plan(options, marker=False).brakes
    assert brake.option == "require_file"
    assert pulled(1).plan(options, marker=True).brakes == ()
