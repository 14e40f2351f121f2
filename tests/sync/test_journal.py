"""The journal keeps what it was given, all of it or nothing, and for one target."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest

from bcpicture.core.ledger import (
    Action,
    Agreement,
    Intent,
    JournalTarget,
    Link,
    Rejection,
    RunRecord,
    State,
    Way,
)
from bcpicture.core.memory import JournalStatistics
from bcpicture.core.signs import NO_PICTURE, FileSigns, ItemSigns, PictureSigns
from bcpicture.errors import ClosedError, JournalError, TargetError
from bcpicture.sync.database import Database
from bcpicture.sync.journal import Journal
from bcpicture.sync.opening import opener
from bcpicture.sync.statements import run

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
TARGET = JournalTarget(
    endpoint="https://bc.example/api/v2.0",
    tenant="contoso.com",
    environment="Production",
    company_id="11111111-2222-3333-4444-555555555555",
    company="CRONUS",
    parent="item",
)
ID, OTHER = "00000000-0000-0000-0000-000000000001", "other"
X, Y, Z = "ab" * 32, "cd" * 32, "ef" * 32
ITEM = ItemSigns(etag='W/"1"', modified=NOON)
AGREEMENT = Agreement(
    id=ID,
    number="1896-S",
    digest=X,
    size=3,
    item=ITEM,
    picture=PictureSigns(
        exists=True, etag='W/"p"', width=3, height=2, content_type="image/jpeg"
    ),
)
LINK = Link(
    way=Way.PUSH,
    folder="/photos",
    id=ID,
    name="1896-S.jpg",
    signs=FileSigns(3, 1_770_000_000_000_000_000, 2**40),
    digest=Y,
    recipe="shrink",
    sent=X,
)
INTENT = Intent(
    run="r1",
    id=ID,
    number="1896-S",
    action=Action.UPLOAD,
    name="1896-S.jpg",
    before=Y,
    saved=True,
    after=X,
    reason="the file is new",
)
REJECTION = Rejection(id=ID, sent=X, item=ITEM, reason="No.\nNever.")
RUN = RunRecord(
    id="r1", command="push", folder="/photos", matching="m", host="h", started=NOON
)


def states(steps: list[Intent]) -> list[State]:
    return [it.state for it in steps]


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def beside(path: Path) -> set[str]:
    return {it.name for it in path.parent.iterdir()}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


async def test_what_was_noted_is_there_after_closing(path: Path):
    bare = attrs.evolve(AGREEMENT, id=OTHER, digest=None, size=0, picture=NO_PICTURE)
    bare = attrs.evolve(bare, item=ItemSigns())
    young = attrs.evolve(LINK, id=OTHER, signs=None, recipe="")
    async with Journal.open(path, TARGET) as journal:
        await journal.begin(RUN)
        await journal.note(
            agreements=[AGREEMENT, bare],
            links=[LINK, young, attrs.evolve(LINK, folder="/elsewhere")],
            rejections=[attrs.evolve(REJECTION, sent=Z)],
        )
    async with Journal.open(path, TARGET) as journal:
        memory = await journal.load(Way.PUSH, "/photos")
        other_way = await journal.load(Way.PULL, "/photos")
    assert dict(memory.agreements) == {ID: AGREEMENT, OTHER: bare}
    assert dict(memory.links) == {ID: LINK, OTHER: young}
    assert dict(memory.rejections) == {ID: attrs.evolve(REJECTION, sent=Z)}
    assert (memory.last_matching, memory.has_rows) == ("m", True)
    assert dict(other_way.agreements) == dict(memory.agreements)
    assert (other_way.last_matching, other_way.has_rows) == (None, False)


async def test_a_new_journal_knows_nothing(path: Path):
    async with Journal.open(path, TARGET) as journal:
        memory = await journal.load(Way.PUSH, "/photos")
        assert (await journal.statistics()).agreements == 0
        assert await journal.runs() == []
    assert (len(memory.agreements), memory.has_rows) == (0, False)
    assert mode(path) == 0o600


async def test_each_intent_is_kept_and_the_last_one_is_settled(path: Path):
    failed = attrs.evolve(INTENT, state=State.FAILED, reason="503")
    again = attrs.evolve(INTENT, before=Z)
    async with Journal.open(path, TARGET) as journal:
        await journal.intend([INTENT])
        await journal.note(settled=[failed])
        await journal.intend([again])
        assert await journal.open_intents() == [again]
        await journal.note(settled=[attrs.evolve(again, state=State.DONE)])
        assert await journal.open_intents() == []
        steps = await journal.steps("r1")
    assert steps == [failed, attrs.evolve(again, state=State.DONE)]
    assert [it.step for it in steps] == [1, 2]


async def test_a_step_that_was_read_is_settled_itself(path: Path):
    async with Journal.open(path, TARGET) as journal:
        await journal.intend([INTENT, INTENT])
        first, _ = await journal.steps("r1")
        await journal.note(settled=[attrs.evolve(first, state=State.UNDONE)])
        steps = await journal.steps("r1")
    assert states(steps) == [State.UNDONE, State.INTENDED]


async def test_what_failed_before_it_was_intended_is_noted_too(path: Path):
    failed = attrs.evolve(INTENT, state=State.FAILED)
    async with Journal.open(path, TARGET) as journal:
        await journal.note(settled=[failed])
        assert await journal.steps("r1") == [failed]


async def test_an_intent_is_open_even_if_its_run_ended(path: Path):
    async with Journal.open(path, TARGET) as journal:
        await journal.begin(RUN)
        await journal.intend([INTENT])
        await journal.end("r1", NOON, "cancelled")
        assert await journal.open_intents() == [INTENT]


async def test_a_run_is_told_with_its_end(path: Path):
    async with Journal.open(path, TARGET) as journal:
        await journal.begin(RUN)
        await journal.begin(attrs.evolve(RUN, id="r2", started=NOON + timedelta(1)))
        await journal.end("r1", NOON, "all done")
        runs = await journal.runs()
        assert [it.id for it in runs] == ["r2", "r1"]
        assert runs[1] == attrs.evolve(RUN, ended=NOON, summary="all done")
        assert len(await journal.runs(1)) == 1


async def test_accepted_bytes_are_no_longer_rejected_and_others_are(path: Path):
    async with Journal.open(path, TARGET) as journal:
        await journal.note(rejections=[REJECTION])
        await journal.note(agreements=[attrs.evolve(AGREEMENT, digest=Z)])
        assert (await journal.load(Way.PUSH, "/photos")).rejections
        await journal.note(agreements=[AGREEMENT])
        assert not (await journal.load(Way.PUSH, "/photos")).rejections


async def test_what_is_forgotten_is_gone_and_links_end_one_by_one(path: Path):
    elsewhere = attrs.evolve(LINK, folder="/elsewhere")
    async with Journal.open(path, TARGET) as journal:
        await journal.note(agreements=[AGREEMENT], links=[LINK, elsewhere])
        await journal.note(rejections=[REJECTION])
        await journal.note(forgotten=[ID], unlinks=[LINK])
        memory = await journal.load(Way.PUSH, "/photos")
        other = await journal.load(Way.PUSH, "/elsewhere")
    assert not memory.agreements
    assert not memory.rejections
    assert (len(memory.links), len(other.links)) == (0, 1)


async def test_a_note_is_taken_whole_or_not_at_all(path: Path):
    broken = attrs.evolve(LINK, name=None)
    async with Journal.open(path, TARGET) as journal:
        with pytest.raises(JournalError, match="NOT NULL"):
            await journal.note(agreements=[AGREEMENT], links=[broken])
        assert not (await journal.load(Way.PUSH, "/photos")).agreements


async def test_a_failed_note_disturbs_none_that_shares_its_transaction(path: Path):
    broken = attrs.evolve(LINK, name=None)
    async with Journal.open(path, TARGET) as journal:
        results = await asyncio.gather(
            *(journal.intend([INTENT]) for _ in range(5)),
            journal.note(links=[broken]),
            *(journal.intend([INTENT]) for _ in range(5)),
            return_exceptions=True,
        )
        assert [it for it in results if isinstance(it, Exception)] == [results[5]]
        assert isinstance(results[5], JournalError)
        assert len(await journal.steps("r1")) == 10


async def test_what_is_intended_is_durable_before_it_is_done(path: Path):
    def look() -> None:
        with closing(sqlite3.connect(path)) as other:
            found.extend(other.execute("SELECT number FROM steps"))

    found: list[tuple[str]] = []
    async with Journal.open(path, TARGET) as journal:
        [intent] = await journal.intend([INTENT], then=look)
    assert found == [(INTENT.number,)]
    assert intent == INTENT
    assert intent.step == 1


async def test_what_goes_wrong_after_an_intent_is_its_callers(path: Path):
    def fail() -> None:
        raise TargetError("The disk is gone.", advice="Connect it.")

    async with Journal.open(path, TARGET) as journal:
        others = [journal.intend([INTENT]) for _ in range(3)]
        with pytest.raises(TargetError):
            await journal.intend([INTENT], then=fail)
        await asyncio.gather(*others)
        assert len(await journal.open_intents()) == 4


async def test_a_cancellation_waits_for_what_is_done_after_an_intent(path: Path):
    def work() -> None:
        loop.call_soon_threadsafe(begun.set)
        done.append(go_on.wait(10))

    loop, begun = asyncio.get_running_loop(), asyncio.Event()
    go_on, done = threading.Event(), list[bool]()
    async with Journal.open(path, TARGET) as journal:
        task = asyncio.create_task(journal.intend([INTENT], then=work))
        await begun.wait()
        task.cancel()
        assert not (await asyncio.wait([task], timeout=0.02))[0]
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert done == [True]


@pytest.mark.parametrize("count", [1, 2, 31, 32, 33, 100, 127])
async def test_any_number_goes_into_one_note(path: Path, count: int):
    made = [attrs.evolve(AGREEMENT, id=f"{number:04}") for number in range(count)]
    async with Journal.open(path, TARGET) as journal:
        await journal.note(agreements=made)
        found = (await journal.load(Way.PUSH, "/photos")).agreements
        assert [found[id_] for id_ in sorted(found)] == made


async def test_what_is_noted_soon_is_there_with_the_next_that_is_awaited(path: Path):
    async with Journal.open(path, TARGET) as journal:
        for number in range(1234):
            journal.note_soon(agreements=[attrs.evolve(AGREEMENT, id=str(number))])
        assert (await journal.statistics()).agreements == 1234


async def test_what_is_noted_soon_is_there_after_the_end(path: Path):
    async with Journal.open(path, TARGET) as journal:
        journal.note_soon(agreements=[AGREEMENT])
    async with Journal.open(path, TARGET) as journal:
        assert (await journal.load(Way.PUSH, "/photos")).agreements


async def test_an_error_of_what_is_noted_soon_is_told_to_the_next(path: Path):
    async with Journal.open(path, TARGET) as journal:
        journal.note_soon(links=[attrs.evolve(LINK, name=None)])
        with pytest.raises(JournalError, match="NOT NULL"):
            await journal.intend([INTENT])
        await journal.intend([INTENT])


async def test_a_caller_that_is_cancelled_loses_nothing(path: Path):
    async with Journal.open(path, TARGET) as journal:
        tasks = [asyncio.ensure_future(journal.intend([INTENT])) for _ in range(50)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(task.cancelled() for task in tasks) == 25
        assert len(await journal.steps("r1")) == 50


async def test_a_cancelled_owner_leaves_a_closed_and_whole_journal(path: Path):
    started = asyncio.Event()

    async def work() -> None:
        async with Journal.open(path, TARGET) as journal:
            await journal.intend([INTENT])
            journal.note_soon(agreements=[AGREEMENT])
            started.set()
            await asyncio.Event().wait()

    task = asyncio.ensure_future(work())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert beside(path) == {path.name}  # no log, which is there while it is open
    async with Journal.open(path, TARGET) as journal:
        assert await journal.open_intents() == [INTENT]
        assert (await journal.statistics()).agreements == 1


async def test_who_is_cancelled_while_it_opens_leaves_nothing_behind(path: Path):
    async def work() -> None:
        async with Journal.open(path, TARGET):
            await asyncio.Event().wait()

    for turns in range(12):
        task = asyncio.create_task(work())
        for _ in range(turns):
            await asyncio.sleep(0.0005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert beside(path) <= {path.name}  # no log, which is there while it is open
    async with Journal.open(path, TARGET) as journal:
        assert (await journal.statistics()).steps == 0


async def test_callers_share_a_transaction(path: Path):
    statements: list[str] = []
    async with Database(path, opener(TARGET)) as database:
        journal = Journal(database, path, lambda: NOON)
        await database.do(lambda it: it.set_trace_callback(statements.append))
        await asyncio.gather(*(journal.intend([INTENT]) for _ in range(100)))
        await database.do(lambda it: it.set_trace_callback(None))
    assert sum(it.startswith("INSERT INTO steps") for it in statements) == 100
    assert statements.count("COMMIT") < 10


async def test_two_that_have_it_open_see_what_the_other_noted(path: Path):
    async with Journal.open(path, TARGET) as one, Journal.open(path, TARGET) as other:
        await asyncio.gather(
            *(one.intend([INTENT]) for _ in range(50)),
            *(other.intend([INTENT]) for _ in range(50)),
        )
        assert (await one.statistics()) == (await other.statistics())
        assert len(await one.steps("r1")) == 100


async def test_a_busy_journal_says_so_and_can_be_used_afterwards(path: Path):
    async with Database(path, opener(TARGET)) as database:
        journal = Journal(database, path, lambda: NOON)
        await database.do(lambda it: run(it, "PRAGMA busy_timeout = 10"))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            journal.note_soon(agreements=[AGREEMENT])
            with pytest.raises(JournalError, match=r"locked\. Run it again when no"):
                await journal.intend([INTENT])
            other.execute("ROLLBACK")
        await journal.intend([INTENT])
        told = await journal.statistics()
        assert (told.steps, told.agreements) == (1, 1)


async def test_a_closed_journal_says_so(path: Path):
    async with Journal.open(path, TARGET) as journal:
        pass
    with pytest.raises(ClosedError, match=r"is closed\. Use it inside"):
        await journal.intend([INTENT])
    with pytest.raises(ClosedError):
        journal.note_soon()


async def test_statistics_count_everything(path: Path):
    async with Journal.open(path, TARGET) as journal:
        await journal.begin(RUN)
        await journal.intend([INTENT])
        bare = attrs.evolve(AGREEMENT, id=OTHER, digest=None)
        await journal.note(agreements=[AGREEMENT, bare], links=[LINK])
        await journal.note(rejections=[REJECTION])
        told = await journal.statistics()
    assert attrs.evolve(told, size=0) == JournalStatistics(
        agreements=2,
        pictures=1,
        links=1,
        rejections=1,
        runs=1,
        steps=1,
        open=1,
        size=0,
    )
    assert told.size > 4096


async def test_a_journal_of_another_target_is_refused_and_both_are_named(path: Path):
    async with Journal.open(path, TARGET):
        pass
    other = attrs.evolve(TARGET, environment="Sandbox", company="CRONUS DE")
    with pytest.raises(JournalError) as caught:
        async with Journal.open(path, other):
            pass
    text = str(caught.value)
    assert '"CRONUS" (1111' in text
    assert "contoso.com Production" in text
    assert '"CRONUS DE"' in text
    assert "contoso.com Sandbox" in text
    assert text.endswith("choose another `--state-dir`.")


async def test_a_renamed_company_keeps_its_journal(path: Path):
    async with Journal.open(path, TARGET) as journal:
        await journal.intend([INTENT])
    async with Journal.open(path, attrs.evolve(TARGET, company="CRONUS 2")) as journal:
        assert await journal.open_intents() == [INTENT]


async def test_a_later_version_s_journal_is_refused(path: Path):
    async with Journal.open(path, TARGET):
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    with pytest.raises(JournalError, match=r"later version .* Upgrade bcpicture"):
        async with Journal.open(path, TARGET):
            pass


@pytest.mark.parametrize(
    ("age", "change", "needed"),
    [
        pytest.param(1, {}, True, id="young"),
        pytest.param(100, {}, False, id="old"),
        pytest.param(100, {"state": State.INTENDED}, True, id="old and open"),
        pytest.param(100, {"state": State.UNKNOWN}, True, id="old and unknown"),
        pytest.param(1, {"state": State.UNDONE}, False, id="undone"),
        pytest.param(1, {"saved": False}, False, id="never saved"),
        pytest.param(100, {"run": "r2"}, True, id="of the last run"),
        pytest.param(100, {"run": "r2", "state": State.UNDONE}, False, id="undone too"),
    ],
)
async def test_which_backups_are_needed(
    path: Path, *, age: float, change: dict[str, object], needed: bool
):
    now = [NOON - timedelta(days=age)]
    step = attrs.evolve(INTENT, state=State.DONE)
    async with Journal.open(path, TARGET, clock=lambda: now[0]) as journal:
        await journal.begin(RUN)
        await journal.begin(attrs.evolve(RUN, id="r2"))
        await journal.note(settled=[attrs.evolve(step, **change)])
        now[0] = NOON
        last = attrs.evolve(step, run="r2", before=Z, id=OTHER)
        await journal.note(settled=[last])
        expected = {Z, Y} if needed else {Z}
        assert await journal.needed(NOON - timedelta(days=90)) == expected


async def test_old_steps_are_forgotten_and_what_is_of_use_is_not(path: Path):
    now = [NOON - timedelta(days=100)]
    old = attrs.evolve(INTENT, state=State.DONE)
    async with Journal.open(path, TARGET, clock=lambda: now[0]) as journal:
        await journal.intend([old, INTENT])
        await journal.note(settled=[attrs.evolve(old, step=0, id="unknown")])
        unknown = attrs.evolve(old, id="unknown", state=State.UNKNOWN)
        await journal.note(settled=[unknown])
        now[0] = NOON
        young = attrs.evolve(old, id="young")
        await journal.note(settled=[young])
        await journal.note(settled=[attrs.evolve(old, run="r2")])
        since = NOON - timedelta(days=90)
        assert await journal.forget_steps(since) == 1
        assert await journal.steps("r1") == [INTENT, unknown, young]
        assert len(await journal.steps("r2")) == 1
        assert await journal.forget_steps(since) == 0


async def test_an_undo_does_not_make_the_run_before_it_old(path: Path):
    step = attrs.evolve(INTENT, state=State.DONE)
    async with Journal.open(path, TARGET, clock=lambda: NOON) as journal:
        await journal.begin(RUN)
        await journal.begin(attrs.evolve(RUN, id="r2", command="undo"))
        await journal.note(settled=[step])
        await journal.note(settled=[attrs.evolve(step, run="r2", before=Z)])
        assert await journal.needed(NOON + timedelta(days=1)) == {Y, Z}


async def test_rebase_forgets_what_is_there_and_keeps_what_was_done(path: Path):
    async with Journal.open(path, TARGET, clock=lambda: NOON) as journal:
        await journal.begin(RUN)
        await journal.intend([INTENT])
        await journal.note(
            agreements=[attrs.evolve(AGREEMENT, digest=Z)],
            links=[LINK],
            rejections=[REJECTION],
        )
        aside = await journal.rebase()
        memory = await journal.load(Way.PUSH, "/photos")
        steps = await journal.steps("r1")
    assert not memory.has_rows
    assert not memory.agreements
    assert not memory.rejections
    assert steps == [INTENT]
    assert aside.name == "journal.aside-20260501T120000.sqlite"
    async with Journal.open(aside, TARGET) as journal:
        assert (await journal.load(Way.PUSH, "/photos")).has_rows


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda it: attrs.evolve(LINK, name=it, folder=it), id="link"),
        pytest.param(lambda it: attrs.evolve(LINK, recipe=it), id="recipe"),
        pytest.param(
            lambda it: attrs.evolve(LINK, name=it, signs=FileSigns(0, 2**64, 2**128)),
            id="large numbers",
        ),
    ],
)
@pytest.mark.parametrize("text", ["\x1f", "\x1e", "a\0b", "\udcff", "a|b%s'\"", "Ä\n"])
async def test_a_link_of_any_name_comes_back(
    path: Path, make: Callable[[str], Link], text: str
):
    link = make(text)
    async with Journal.open(path, TARGET) as journal:
        await journal.note(links=[link])
        memory = await journal.load(Way.PUSH, link.folder)
        assert dict(memory.links) == {ID: link}
