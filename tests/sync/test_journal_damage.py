"""A journal survives kills and full disks, and says so when it did not."""

from __future__ import annotations

import hashlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

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
    Way,
)
from bcpicture.core.memory import Memory
from bcpicture.core.signs import FileSigns, ItemSigns, PictureSigns
from bcpicture.errors import JournalError
from bcpicture.sync.journal import Journal, set_aside

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
TARGET = JournalTarget(
    endpoint="https://bc.example/api/v2.0",
    company_id="11111111-2222-3333-4444-555555555555",
    company="CRONUS",
    parent="item",
)
RUN = RunRecord(id="r1", command="push", folder="/photos", started=NOON)
DAMAGES = 100

PROGRAM = """
import asyncio, pathlib, resource, sys
from bcpicture.core.ledger import Action, Agreement, Intent, JournalTarget
from bcpicture.core.signs import NO_PICTURE, ItemSigns
from bcpicture.errors import JournalError
from bcpicture.sync.journal import Journal

target = JournalTarget(
    endpoint="https://bc.example/api/v2.0",
    company_id="11111111-2222-3333-4444-555555555555",
    company="CRONUS",
    parent="item",
)

def limit(size):
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))

def intent(id):
    return Intent(run="r1", id=id, number=id, action=Action.UPLOAD, after="ab" * 32)

def agreement(id):
    signs = {"item": ItemSigns(), "picture": NO_PICTURE}
    return Agreement(id=id, number=id, digest=None, **signs)

noted = 0

async def some(journal, name):
    global noted
    for number in range(10**9):
        await journal.intend([intent(f"{name}-{number}")])
        print(f"{name}-{number}", flush=True)
        noted += 1
        journal.note_soon(agreements=[agreement(f"{name}-{number}")])

async def main(path, size):
    async with Journal.open(path, target) as journal:
        limit(size)
        names = (some(journal, name) for name in "abcde")
        for result in await asyncio.gather(*names, return_exceptions=True):
            if not isinstance(result, JournalError):
                raise result
        print(result)
        limit(-1)
        await journal.intend([intent("again")])
        lost = noted - (await journal.statistics()).agreements
        print(f"lost {lost}" if lost else "everything")

asyncio.run(main(pathlib.Path(sys.argv[1]), int(sys.argv[2])))
"""


def program(path: Path, room: int = -1) -> list[str]:
    """Five tasks that write until the file has *room* bytes, and what became of it."""
    return [sys.executable, "-c", PROGRAM, str(path), str(room)]


def digest(number: int) -> str:
    return hashlib.sha256(b"%d" % number).hexdigest()


def identity(number: int) -> str:
    return str(UUID(digest(number)[:32]))


def agreement(number: int) -> Agreement:
    signs = ItemSigns(etag=f'W/"{digest(-number)}"', modified=NOON)
    picture = PictureSigns(exists=True, etag='W/"p"', width=number, height=2)
    return Agreement(
        id=identity(number),
        number=f"{number:05}",
        digest=digest(number),
        size=number,
        item=signs,
        picture=picture,
    )


def link(number: int) -> Link:
    return Link(
        way=Way.PUSH,
        folder="/photos",
        id=identity(number),
        name=f"{number:05}.jpg",
        signs=FileSigns(number, 1_770_000_000_000_000_000 + number, number),
        digest=digest(number),
        sent=digest(number),
    )


def intent(number: int) -> Intent:
    name = f"{number:05}.jpg"
    return Intent(
        run="r1",
        id=identity(number),
        number=f"{number:05}",
        action=Action.UPLOAD,
        name=name,
        after=digest(number),
    )


@attrs.frozen
class Content:
    """All that can be had from a journal."""

    agreements: dict[str, Agreement]
    links: dict[str, Link]
    rejections: dict[str, Rejection]
    steps: list[Intent]
    runs: list[RunRecord]

    @classmethod
    def of(cls, memory: Memory, steps: list[Intent], runs: list[RunRecord]) -> Content:
        known = map(dict, (memory.agreements, memory.links, memory.rejections))
        return cls(*known, steps, runs)


async def filled(path: Path, *, copy: Path | None = None) -> Content:
    """Fill the journal; copy it, if asked for, as a killed process would leave it."""
    item = ItemSigns()
    refused = [
        Rejection(id=identity(it), sent=digest(it), item=item, reason="No.")
        for it in range(200, 210)
    ]
    async with Journal.open(path, TARGET) as journal:
        await journal.begin(RUN)
        for start in range(0, 200, 50):
            numbers = range(start, start + 50)
            await journal.intend([*map(intent, numbers)])
            await journal.note(
                agreements=[*map(agreement, numbers)], links=[*map(link, numbers)]
            )
        await journal.note(rejections=refused)
        if copy is not None:
            for file in (path, path.with_name(f"{path.name}-wal")):
                shutil.copy(file, copy.with_name(file.name))
        return await everything(journal)


async def everything(journal: Journal) -> Content:
    memory = await journal.load(Way.PUSH, "/photos")
    assert await journal.statistics()
    assert len(await journal.open_intents()) <= 200
    return Content.of(memory, await journal.steps("r1"), await journal.runs())


async def read(path: Path) -> Content:
    async with Journal.open(path, TARGET) as journal:
        return await everything(journal)


async def told(path: Path) -> Content | str:
    """What is in the journal, or why it cannot be had."""
    try:
        return await read(path)
    except JournalError as exc:
        return str(exc)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def cut(data: bytes, at: int) -> bytes:
    return data[:at]


def flip(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1 << at % 8
    return bytes(changed)


def zero(data: bytes, at: int) -> bytes:
    """As file systems leave a block that never reached the disk."""
    start = at - at % 512
    return data[:start] + bytes(512) + data[start + 512 :]


def put(path: Path, data: bytes) -> None:
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [cut, flip, zero])
async def test_a_damaged_journal_is_whole_or_refused(
    path: Path, damage: Callable[[bytes, int], bytes]
):
    expected, refused = await filled(path), 0
    data = contents(path)
    dice = random.Random(damage.__name__)
    places = [0, 1, *range(16, 100, 5), *dice.choices(range(len(data)), k=DAMAGES)]
    for at in places:
        put(path, damage(data, at))
        found = await told(path)
        if isinstance(found, str):
            assert "--rebase" in found or "Upgrade" in found, (at, found)
            assert str(path) in found
            refused += 1
        else:
            assert found == expected, at
    assert refused > len(places) / 4


def contents(path: Path) -> bytes:
    return path.read_bytes()


@pytest.mark.parametrize("damage", [cut, flip, zero])
async def test_what_a_damaged_log_still_has_is_what_was_written(
    path: Path, tmp_path: Path, damage: Callable[[bytes, int], bytes]
):
    """Nobody can tell a log that lost its end from one that was killed earlier."""
    left = subfolder(tmp_path) / path.name
    log = left.with_name(f"{left.name}-wal")
    expected = await filled(path, copy=left)
    main, logged = contents(left), contents(log)
    assert await read(left) == expected
    dice = random.Random(damage.__name__)
    for at in [0, 8, 24, *dice.choices(range(len(logged)), k=20)]:
        put(left, main)
        log.write_bytes(damage(logged, at))
        found = await read(left)
        for kind in ("agreements", "links", "rejections"):
            known = getattr(found, kind).items()
            assert known <= getattr(expected, kind).items(), at
        assert found.steps == expected.steps[: len(found.steps)]
        assert len(found.steps) - len(found.agreements) in (0, 50)


def subfolder(folder: Path) -> Path:
    made = folder / "left"
    made.mkdir()
    return made


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"", "it is no journal of bcpicture", id="empty"),
        pytest.param(b"no database" * 1000, "file is not a database", id="others"),
    ],
)
async def test_what_is_no_journal_is_refused_with_the_way_out(
    path: Path, data: bytes, why: str
):
    put(path, data)
    with pytest.raises(JournalError) as caught:
        await read(path)
    assert str(caught.value) == (
        f"The journal {path} is damaged: {why}. Nothing was sent. Run it with "
        "`--rebase`: the journal is set aside, pictures are compared by their content, "
        "and nothing is deleted."
    )


async def test_another_program_s_database_is_refused(path: Path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x)")
    with pytest.raises(JournalError, match="it is no journal"):
        await read(path)


async def test_a_log_without_its_journal_is_refused(path: Path):
    put(path.with_name(f"{path.name}-wal"), b"x")
    with pytest.raises(JournalError, match=r"what was written last is there.*--rebase"):
        await read(path)


async def test_a_row_that_somebody_changed_is_refused(path: Path):
    await filled(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE records SET size = size + 1 WHERE size = 7")
        connection.commit()
    with pytest.raises(JournalError, match="a row is not what was written"):
        await read(path)


async def test_a_journal_set_aside_gives_way_to_a_new_one(path: Path):
    expected = await filled(path)
    aside = await set_aside(path, clock=lambda: NOON)
    assert aside is not None
    assert aside.name == "journal.aside-20260501T120000.sqlite"
    assert not (await read(path)).agreements
    assert await read(aside) == expected


async def test_a_log_without_its_journal_is_set_aside_too(path: Path):
    put(path.with_name(f"{path.name}-wal"), b"x")
    assert await set_aside(path)
    assert not (await read(path)).agreements


async def test_nothing_to_set_aside_is_no_trouble(path: Path):
    assert await set_aside(path) is None


@pytest.mark.parametrize("lines", [0, 1, 60])
async def test_everything_that_was_durable_is_there_after_a_kill(
    path: Path, lines: int
):
    shown = killed(path, lines)
    async with Journal.open(path, TARGET) as journal:
        known = [it.id for it in await journal.open_intents()]
    assert set(shown) <= set(known)
    assert len(known) <= len(shown) + 5  # each of five was about to show one more
    for name in "abcde":
        mine = [it for it in known if it.startswith(name)]
        assert mine == [f"{name}-{number}" for number in range(len(mine))]


def killed(path: Path, lines: int) -> list[str]:
    with subprocess.Popen(program(path), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        shown = [process.stdout.readline() for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        shown += process.stdout.readlines()
    return [line.strip() for line in shown if line.endswith("\n")]


async def test_on_a_full_disk_nothing_is_called_durable_that_is_not(path: Path):
    shown, complaint, again = filling(path)
    assert len(shown) > 20
    assert f"The journal {path} cannot be used: " in complaint
    assert "Make room on its disk, and run it again" in complaint
    async with Journal.open(path, TARGET) as journal:
        known = {it.id for it in await journal.open_intents()}
    assert {*shown, "again"} <= known
    # With room again, what nobody waited for is noted as if nothing had been.
    assert again == "everything"


def filling(path: Path) -> tuple[list[str], str, str]:
    command = program(path, 200_000)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    *shown, complaint, again = done.stdout.splitlines()
    return shown, complaint, again
