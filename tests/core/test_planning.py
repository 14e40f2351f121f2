"""What a push does about every record, in whatever state both sides are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest

from bcpicture.core.dialects import V1, V2, Dialect
from bcpicture.core.ledger import Agreement, Link, Rejection, Way
from bcpicture.core.matching import Matcher
from bcpicture.core.models import Item
from bcpicture.core.options import PushOptions
from bcpicture.core.planning import PushPlanning, PushSurvey, plan_push
from bcpicture.core.plans import PushPlan
from bcpicture.core.preparation import Prepare
from bcpicture.core.signs import NO_PICTURE, FileSigns, ItemSigns, PictureSigns
from bcpicture.core.steps import Adopt, LocalFile, Replaces, Upload, Why
from bcpicture.core.surveys import Answers, Questions, Seen, known_ids
from bcpicture.errors import UsageError

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
NOW = 1_800_000_000_000_000_000
SECOND = 1_000_000_000
SHOWN = PictureSigns(exists=True, etag='W/"p"', width=4, height=3)
WIDER = attrs.evolve(SHOWN, width=5)
WEB = Prepare(max_side=800)


def moved(times: int = 1) -> ItemSigns:
    """A record's signs after so many modifications."""
    return ItemSigns(etag=f'W/"{times}"', modified=NOON + timedelta(minutes=times))


STILL = moved(0)


@attrs.define
class World:
    """Both sides, the journal, and what was asked about them."""

    files: dict[str, tuple[str, FileSigns]] = attrs.field(factory=dict)
    records: dict[str, tuple[str, ItemSigns, PictureSigns, str | None]] = attrs.field(
        factory=dict
    )
    agreements: dict[str, Agreement] = attrs.field(factory=dict)
    links: dict[str, Link] = attrs.field(factory=dict)
    rejections: dict[str, Rejection] = attrs.field(factory=dict)
    last_matching: str | None = PushOptions().match.fingerprint
    asked: list[str] = attrs.field(factory=list)

    def file(self, name: str, digest: str, *, modified: int = 1, size: int = 9) -> None:
        inode = sum(map(ord, name))
        self.files[name] = digest, FileSigns(size, modified, inode)

    def record(
        self,
        number: str,
        digest: str | None = None,
        *,
        item: ItemSigns = STILL,
        picture: PictureSigns | None = None,
        id_: str = "",
    ) -> None:
        shown = picture or (SHOWN if digest else NO_PICTURE)
        self.records[id_ or f"id-{number}"] = number, item, shown, digest

    def agreed(self, number: str, digest: str | None, *, link: str = "") -> None:
        """Remember that this was at the record when nothing had moved."""
        id_ = f"id-{number}"
        self.agreements[id_] = Agreement(
            id=id_,
            number=number,
            digest=digest,
            size=9,
            item=STILL,
            picture=SHOWN if digest else NO_PICTURE,
        )
        if digest:
            name = link or f"{number}.jpg"
            self.links[id_] = Link(
                way=Way.PUSH,
                folder="photos",
                id=id_,
                name=name,
                signs=FileSigns(9, 1, sum(map(ord, name))),
                digest=digest,
                sent=digest,
            )

    def in_step(self, *numbers: str) -> None:
        for number in numbers:
            self.file(f"{number}.jpg", f"of {number}")
            self.record(number, f"of {number}")
            self.agreed(number, f"of {number}")

    def survey(
        self, options: PushOptions, dialect: Dialect, *, whole: bool = True
    ) -> PushSurvey:
        files = [LocalFile(name=name, signs=it[1]) for name, it in self.files.items()]
        matcher = Matcher(files, options.match, watched=known_ids(self))
        matcher.offer(
            Item(id=id_, number=number, etag=item.etag, last_modified=item.modified)
            for id_, (number, item, _, _) in self.records.items()
        )
        return PushSurvey(
            matching=matcher.result(),
            memory=self,
            dialect=dialect,
            options=options,
            scanned=NOW,
            clean=whole,
            marker=options.require_file in self.files,
        )

    def plan(
        self,
        options: PushOptions | None = None,
        dialect: Dialect = V2,
        *,
        whole: bool = True,
    ) -> PushPlan:
        survey = self.survey(options or PushOptions(), dialect, whole=whole)
        planning = PushPlanning(survey)
        answers = Answers()
        while asked := planning.questions(answers):
            self.answer(asked, answers)
            self.asked += [f"hash {file.name}" for file in asked.hash]
            self.asked += [f"expand {id_}" for id_ in asked.expand]
            self.asked += [f"read {id_}" for id_ in asked.read]
        return planning.plan(answers)

    def answer(self, asked: Questions, answers: Answers) -> None:
        for file in asked.hash:
            if digest := self.files[file.name][0]:
                answers.digests[file.name] = digest
            else:
                answers.failed[file.name] = "no right to read it"
        for id_ in asked.expand:
            _, item, picture, digest = self.records[id_]
            there = digest != "gone meanwhile"
            answers.seen[id_] = Seen(item=item, picture=picture) if there else None
        for id_ in asked.read:
            answers.read[id_] = self.records[id_][3]


def told(plan: PushPlan) -> dict[str, str]:
    """Every step in short: number to what and why."""
    return {
        step.number: " ".join(
            [
                type(step).__name__.lower(),
                *([step.replaces.value] if isinstance(step, Upload) else []),
                Why(step.reason).name,
            ]
        )
        for step in plan.steps
    }


def scenario() -> World:
    """The state after a first push, and what happened to both sides since."""
    world = World()
    world.in_step("CH1", "CH2", "CH3", "GONE", "SRV1", "SRV2", "OLD", "AGAIN", "SAME")
    for number in ("CH1", "CH2", "CH3"):
        world.file(f"{number}.jpg", f"new {number}", modified=2)
    world.file("ADDED.jpg", "of ADDED")
    world.record("ADDED")
    del world.files["GONE.jpg"]
    world.record("SRV1", "theirs", item=moved(), picture=WIDER)
    world.record("SRV2", "theirs", item=moved())  # the same size, the same etag
    world.record("NEW", "of OLD", item=moved(), id_="id-OLD")
    del world.records["id-AGAIN"]
    world.record("AGAIN", id_="id-again")
    return world


EXPECTED = {
    "ADDED": "upload nothing FIRST",
    "AGAIN": "upload nothing FIRST",
    "CH1": "upload ours FILE_CHANGED",
    "CH2": "upload ours FILE_CHANGED",
    "CH3": "upload ours FILE_CHANGED",
    "SRV1": "upload foreign PICTURE_CHANGED",
    "SRV2": "upload foreign PICTURE_CHANGED",
}
# Without proof nobody reads what is replaced in any case: it is saved as foreign.
V1_EXPECTED = EXPECTED | dict.fromkeys(
    ("CH1", "CH2", "CH3"), "upload foreign FILE_CHANGED"
)


@pytest.mark.parametrize("delete", [False, True])
@pytest.mark.parametrize(
    ("dialect", "expected"), [(V2, EXPECTED), (V1, V1_EXPECTED)], ids=["v2.0", "v1.0"]
)
def test_after_edits_on_both_sides_exactly_the_needed_steps_remain(
    dialect: Dialect, expected: dict[str, str], *, delete: bool
):
    world = scenario()
    plan = world.plan(PushOptions(delete=delete, max_delete=1), dialect)
    gone = "delete FILE_GONE" if delete else "keep NO_DELETE"
    assert told(plan) == expected | {"GONE": gone}
    assert {one.name: one.reason for one in plan.unmatched} == {
        "OLD.jpg": "no such item"
    }
    assert plan.without_file.first == ("GONE", "NEW")
    assert plan.forgotten == ("id-AGAIN",)
    assert plan.unchanged == 1
    assert plan.brakes == plan.ambiguous == plan.passed_over == ()
    assert plan.uploads[1].id == "id-again"
    if delete:
        assert plan.deletions[0].before == "of GONE"


def test_in_v2_only_what_moved_is_looked_at():
    world = scenario()
    world.plan(PushOptions(delete=True, max_delete=1))
    assert sorted(world.asked) == [
        "expand id-ADDED",
        "expand id-SRV1",
        "expand id-SRV2",
        "expand id-again",
        "hash CH1.jpg",
        "hash CH2.jpg",
        "hash CH3.jpg",
        "read id-SRV2",
    ]


def test_in_v1_what_nothing_proves_is_read():
    world = scenario()
    world.plan(PushOptions(delete=True, max_delete=1), V1)
    read = sorted(asked for asked in world.asked if asked.startswith("read"))
    assert read == ["read id-GONE", "read id-SAME", "read id-SRV2"]


def test_nothing_to_do_is_no_question_at_all():
    world = World()
    world.in_step("A", "B")
    plan = world.plan()
    assert (list(plan.steps), plan.unchanged, world.asked) == ([], 2, [])


def test_a_price_update_of_everything_is_adopted_and_trips_no_brake():
    world = World()
    numbers = [f"{number:03}" for number in range(100)]
    world.in_step(*numbers)
    for number in numbers:
        world.record(number, f"of {number}", item=moved())
    plan = world.plan(PushOptions(delete=True))
    assert {step.reason for step in plan.adoptions} == {Why.ITEM_MOVED}
    assert len(plan.adoptions) == len(list(plan.steps)) == 100
    assert plan.brakes == ()


@attrs.frozen(kw_only=True)
class Line:
    """One line of the table below."""

    there: str | None = "old"
    item: ItemSigns = STILL
    picture: PictureSigns | None = None
    file: str = "old"
    touched: bool = False
    known: str | None = "old"
    memory: bool = True
    linked: bool = True
    options: PushOptions = attrs.field(factory=PushOptions)
    step: str | None = None
    asked: str = ""


CONTENT = PushOptions(compare="content")
TABLE = {
    "in step": Line(),
    "touched": Line(touched=True, step="adopt FILE_MOVED", asked="hash"),
    "another file": Line(
        touched=True, file="new", step="upload ours FILE_CHANGED", asked="hash"
    ),
    "the picture goes away": Line(
        there=None, item=moved(), step="upload nothing GONE", asked="expand"
    ),
    "a picture appears": Line(
        known=None,
        linked=False,
        item=moved(),
        step="upload foreign NEVER_SEEN",
        asked="expand",
    ),
    "still none": Line(
        there=None, known=None, linked=False, step="upload nothing FIRST"
    ),
    "never seen, none": Line(
        there=None, memory=False, step="upload nothing FIRST", asked="expand"
    ),
    "never seen, one": Line(
        memory=False, step="upload foreign NEVER_SEEN", asked="expand"
    ),
    "never seen, compared": Line(
        memory=False,
        options=CONTENT,
        step="adopt EQUAL",
        asked="expand hash read",
    ),
    "never seen, other": Line(
        memory=False,
        file="new",
        options=CONTENT,
        step="upload foreign DIFFERS",
        asked="expand hash read",
    ),
    "never linked": Line(linked=False, step="adopt EQUAL", asked="hash"),
    "never linked, other": Line(
        linked=False, file="new", step="upload foreign DIFFERS", asked="hash"
    ),
    "moved": Line(item=moved(), step="adopt ITEM_MOVED", asked="expand read"),
    "moved, secretly changed": Line(
        item=moved(),
        there="theirs",
        step="upload foreign PICTURE_CHANGED",
        asked="expand read",
    ),
    "moved, openly changed": Line(
        item=moved(),
        there="theirs",
        picture=WIDER,
        step="upload foreign PICTURE_CHANGED",
        asked="expand",
    ),
    "moved, and another file": Line(
        item=moved(),
        touched=True,
        file="new",
        step="upload foreign FILE_CHANGED",
        asked="expand hash",
    ),
    "both changed": Line(
        item=moved(),
        picture=WIDER,
        there="theirs",
        touched=True,
        file="new",
        step="upload foreign BOTH_CHANGED",
        asked="expand hash",
    ),
    "both changed to the same, unknown to us": Line(
        item=moved(),
        picture=WIDER,
        there="new",
        touched=True,
        file="new",
        step="upload foreign BOTH_CHANGED",
        asked="expand hash",
    ),
    "both changed to the same, compared": Line(
        item=moved(),
        picture=WIDER,
        there="new",
        touched=True,
        file="new",
        options=CONTENT,
        step="adopt EQUAL",
        asked="expand hash read",
    ),
    "in step, compared": Line(options=CONTENT, asked="hash read"),
    "prepared otherwise": Line(
        options=PushOptions(prepare=WEB), step="upload ours PREPARED_OTHERWISE"
    ),
    "not linked, prepared": Line(
        linked=False,
        options=PushOptions(prepare=WEB),
        step="upload foreign UNPROVEN",
    ),
    "young": Line(
        touched=True,
        options=PushOptions(settle=2e9),
        step="keep YOUNG",
    ),
    "rebased": Line(
        options=PushOptions(rebase=True), step="adopt EQUAL", asked="expand hash read"
    ),
    "rebased, other": Line(
        options=PushOptions(rebase=True),
        there="theirs",
        step="upload foreign DIFFERS",
        asked="expand hash read",
    ),
}


@pytest.mark.parametrize("line", TABLE.values(), ids=TABLE)
def test_what_becomes_of_a_record_with_a_file(line: Line):
    world = World()
    world.file("A.jpg", line.file, modified=2 if line.touched else 1)
    world.record("A", line.there, item=line.item, picture=line.picture)
    if line.memory:
        world.agreed("A", line.known)
        if not line.linked:
            world.links.clear()
    plan = world.plan(line.options)
    expected = {"A": line.step} if line.step else {}
    assert told(plan) == expected
    assert plan.unchanged == (line.step is None)
    assert " ".join(sorted(it.partition(" ")[0] for it in world.asked)) == line.asked


@attrs.frozen(kw_only=True)
class Loss:
    """One line of the table below: the file of A is gone."""

    there: str | None = "old"
    item: ItemSigns = STILL
    picture: PictureSigns | None = None
    number: str = "A"
    known: str | None = "old"
    agreed: bool = True
    listed: bool = True
    other: str = ""
    step: str | None = None
    asked: str = ""


LOSSES = {
    "ours": Loss(step="A delete FILE_GONE"),
    "moved": Loss(item=moved(), step="A delete FILE_GONE", asked="expand read"),
    "secretly changed": Loss(
        item=moved(),
        there="theirs",
        step="A keep GONE_AND_CHANGED",
        asked="expand read",
    ),
    "openly changed": Loss(
        item=moved(),
        there="theirs",
        picture=WIDER,
        step="A keep GONE_AND_CHANGED",
        asked="expand",
    ),
    "gone as well": Loss(item=moved(), there=None, asked="expand"),
    "known to be gone": Loss(there=None, known=None),
    "agreed on other bytes since": Loss(
        there="theirs", known="theirs", step="A keep GONE_AND_CHANGED"
    ),
    "nothing agreed": Loss(agreed=False, step="A keep GONE_UNKNOWN"),
    "renumbered": Loss(number="B", item=moved(), step="B keep RENUMBERED"),
    "the record is gone": Loss(listed=False),
    "gone when it is looked at": Loss(
        item=moved(), there="gone meanwhile", asked="expand"
    ),
    "its file belongs elsewhere": Loss(number="B", item=moved(), other="A.jpg"),
    "another file took over": Loss(
        other="a.png", step="A adopt FILE_MOVED", asked="hash"
    ),
    "files that are not clear": Loss(other="A.png a.png"),
}


@pytest.mark.parametrize("line", LOSSES.values(), ids=LOSSES)
def test_what_becomes_of_a_record_whose_file_is_gone(line: Loss):
    world = World()
    world.agreed("A", "old")
    if line.agreed:
        at = world.agreements["id-A"]
        shown = SHOWN if line.known else NO_PICTURE
        world.agreements["id-A"] = attrs.evolve(at, digest=line.known, picture=shown)
    else:
        world.agreements.clear()
    for name in line.other.split():
        world.file(name, "old")
    if line.listed:
        world.record(
            line.number, line.there, item=line.item, picture=line.picture, id_="id-A"
        )
    plan = world.plan(PushOptions(delete=True, max_delete=None))
    steps = [f"{number} {step}" for number, step in told(plan).items()]
    assert steps == ([line.step] if line.step else [])
    assert " ".join(sorted(it.partition(" ")[0] for it in world.asked)) == line.asked


def rejecting(world: World, sent: str, item: ItemSigns = STILL) -> None:
    world.rejections["id-A"] = Rejection(
        id="id-A", sent=sent, item=item, reason="No blocked items."
    )


def test_what_was_refused_is_not_sent_again_until_something_changes():
    world = World()
    world.file("A.jpg", "bytes")
    world.record("A")
    rejecting(world, "bytes")
    (kept,) = world.plan().kept
    assert kept.reason == f"{Why.REJECTED}: No blocked items."
    assert sorted(world.asked) == ["expand id-A", "hash A.jpg"]
    world.file("A.jpg", "other bytes")
    assert told(world.plan()) == {"A": "upload nothing FIRST"}
    rejecting(world, "other bytes", moved())
    assert told(world.plan()) == {"A": "upload nothing FIRST"}


def test_what_cannot_be_read_or_is_gone_meanwhile_is_no_question_for_ever():
    world = World()
    world.in_step("A", "C")
    world.file("A.jpg", "", modified=2)
    world.file("B.jpg", "of B")
    world.record("B", "gone meanwhile")
    world.file("C.jpg", "", size=0)
    assert told(world.plan()) == {
        "A": "upload ours UNPROVEN",  # and the run tells why it cannot
        "B": "keep RECORD_GONE",
        "C": "keep EMPTY",
    }


def test_a_picture_that_cannot_be_looked_at_is_left_alone_and_one_unread_is_foreign():
    world = World()
    world.in_step("A", "B")
    for number in ("A", "B"):
        world.record(number, f"of {number}", item=moved())
    answers = Answers(failed={"id-A": "no answer", "id-B": "no answer"})
    answers.seen["id-B"] = Seen(item=moved(), picture=SHOWN)
    plan = plan_push(world.survey(PushOptions(), V2), answers)
    assert [step.reason for step in plan.kept] == ["no answer"]
    (upload,) = plan.uploads
    assert (upload.reason, upload.replaces) == (Why.UNPROVEN, Replaces.FOREIGN)


def test_a_plan_without_its_answers_is_refused():
    world = World()
    world.file("A.jpg", "bytes")
    world.record("A")
    with pytest.raises(UsageError, match="1 records cannot be decided on"):
        plan_push(world.survey(PushOptions(), V2), Answers())


def test_what_was_prepared_keeps_its_two_digests_apart():
    world = World()
    world.in_step("A")
    link = attrs.evolve(
        world.links["id-A"], digest="raw", recipe=WEB.recipe, signs=None
    )
    world.links["id-A"] = link
    world.file("A.jpg", "raw")
    (step,) = world.plan(PushOptions(prepare=WEB)).adoptions
    assert isinstance(step, Adopt)
    assert (step.digest, step.sent, step.size) == ("raw", "of A", 9)
    world.file("A.jpg", "of A", modified=2)
    (step,) = world.plan(PushOptions()).adoptions
    assert (step.digest, step.sent) == ("of A", "of A")


def test_a_step_knows_what_it_is_about_to_replace():
    world = World()
    world.in_step("A")
    world.file("A.jpg", "new", modified=2, size=7)
    plan = world.plan()
    (step,) = plan.uploads
    assert (step.before, step.digest, step.picture.etag) == ("of A", "new", SHOWN.etag)
    assert (step.size, plan.size) == (7, 7)


def known(count: int) -> World:
    world = World()
    world.in_step(*(f"{number:04}" for number in range(count)))
    return world


@pytest.mark.parametrize(
    ("pictures", "changed", "limit", "brake"),
    [
        pytest.param(60, 50, None, "", id="few"),
        pytest.param(60, 51, None, "max_replace", id="more than the least"),
        pytest.param(1000, 100, None, "", id="a tenth"),
        pytest.param(1000, 101, None, "max_replace", id="more than a tenth"),
        pytest.param(60, 3, 2, "max_replace", id="more than was said"),
        pytest.param(60, 3, "5%", "", id="a share"),
        pytest.param(60, 60, "100%", "", id="all"),
    ],
)
def test_more_than_is_allowed_is_not_replaced(
    pictures: int, changed: int, limit: int | str | None, brake: str
):
    world = known(pictures)
    for number in range(changed):
        world.file(f"{number:04}.jpg", "new", modified=2)
    options = PushOptions() if limit is None else PushOptions(max_replace=limit)
    brakes = world.plan(options).brakes
    assert "".join(it.option for it in brakes) == brake
    if brake:
        assert f"max_replace={changed} (--max-replace {changed})" in str(brakes[0])
        assert (brakes[0].count, brakes[0].of) == (changed, pictures)


@pytest.mark.parametrize(
    ("gone", "limit", "brake"),
    [(5, "5%", ""), (6, "5%", "max_delete"), (9, None, ""), (9, 8, "max_delete")],
)
def test_more_than_is_allowed_is_not_deleted(
    gone: int, limit: int | str | None, brake: str
):
    world = known(100)
    for number in range(gone):
        del world.files[f"{number:04}.jpg"]
    plan = world.plan(PushOptions(delete=True, max_delete=limit))
    assert len(plan.deletions) == gone
    assert "".join(it.option for it in plan.brakes) == brake
    assert world.plan(PushOptions(max_delete=0)).brakes == ()


def test_nothing_is_deleted_on_shaky_ground():
    world = known(100)
    del world.files["0000.jpg"]
    options = PushOptions(delete=True)
    assert world.plan(options).brakes == ()
    (brake,) = world.plan(options, whole=False).brakes
    assert (brake.kind.value, brake.option) == ("listing", "delete")
    world.last_matching = "another"
    (brake,) = world.plan(options).brakes
    assert brake.kind.value == "matching"
    assert "Run once without delete" in brake.text
    world.last_matching = options.match.fingerprint
    world.files.clear()
    brakes = world.plan(attrs.evolve(options, max_delete=None)).brakes
    assert [it.kind.value for it in brakes] == ["source"]


def test_without_a_journal_nothing_is_deleted():
    world = known(100)
    del world.files["0000.jpg"]
    world.links.clear()
    world.agreements.clear()
    assert world.plan(PushOptions(delete=True)).deletions == ()


def test_without_its_marker_a_folder_is_not_touched():
    world = known(1)
    options = PushOptions(require_file=".marker")
    (brake,) = world.plan(options).brakes
    assert brake.option == "require_file"
    world.file(".marker", "x")
    assert world.plan(options).brakes == ()


def test_a_restored_environment_stops_a_run_until_it_is_rebased():
    world = known(100)
    world.record("0007", "of 0007", item=moved(-1))
    (brake,) = world.plan(PushOptions(delete=True)).brakes
    assert (brake.kind.value, brake.count, brake.option) == ("backwards", 1, "rebase")
    assert world.plan(PushOptions(rebase=True)).brakes == ()


@pytest.mark.parametrize(("odd", "stops"), [(10, False), (11, True)])
@pytest.mark.parametrize("how", ["changed", "without a picture", "gone"])
def test_an_environment_that_is_mostly_another_stops_a_run(
    how: str, odd: int, *, stops: bool
):
    world = known(20)
    for number in (f"{number:04}" for number in range(odd)):
        if how == "gone":
            del world.records[f"id-{number}"]
        else:
            theirs = None if how == "without a picture" else "theirs"
            world.record(number, theirs, item=moved())
    brakes = world.plan().brakes
    assert [it.kind.value for it in brakes] == ["strange"] * stops
    assert world.plan(PushOptions(rebase=True)).brakes == ()


def test_few_known_pictures_are_never_most():
    world = known(9)
    for number in range(9):
        world.record(f"{number:04}", "theirs", item=moved())
    assert world.plan().brakes == ()


def test_rebasing_deletes_nothing():
    world = known(30)
    del world.files["0000.jpg"]
    plan = world.plan(PushOptions(delete=True, rebase=True))
    assert plan.deletions == plan.kept == plan.forgotten == ()


def test_what_another_folder_sent_since_is_not_in_step_with_this_one():
    world = World()
    world.in_step("A")
    world.record("A", "of another folder")
    at = world.agreements["id-A"]
    world.agreements["id-A"] = attrs.evolve(at, digest="of another folder")
    (step,) = world.plan().uploads
    assert (step.reason, step.replaces) == (Why.DIFFERS, Replaces.FOREIGN)
    assert step.before == "of another folder"
