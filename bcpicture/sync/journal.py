"""What was agreed, intended and done, in one file for the pictures of one company."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import islice, starmap
from pathlib import Path
from typing import Self, Unpack

import attrs

from bcpicture.core import rows
from bcpicture.core.ledger import (
    Intent,
    JournalTarget,
    RunRecord,
    State,
    Way,
)
from bcpicture.core.memory import JournalStatistics, Memory
from bcpicture.net.files import in_thread
from bcpicture.sync import schema
from bcpicture.sync.database import Database
from bcpicture.sync.notes import Changes, Note
from bcpicture.sync.opening import copy_aside, opener, rename_aside
from bcpicture.sync.reading import Reader
from bcpicture.sync.statements import put, run, run_many

_IN_DOUBT = {State.INTENDED, State.UNKNOWN}


def utc_now() -> datetime:
    """The time of day, by this machine's clock."""
    return datetime.now(UTC)


async def set_aside(
    path: Path, *, clock: Callable[[], datetime] = utc_now
) -> Path | None:
    """Give a journal that is damaged another name, so that a new one is begun.

    Whoever does it must hold its lock.

    Returns:
        That name; None if there was no journal.
    """
    return await in_thread(rename_aside, path, clock())


class Journal:
    """The memory of a synchronisation.

    All that is awaited is durable when it returns. However many ask at once, they share
    a transaction and a flush to the disk. A caller that is cancelled while it waits
    leaves its request to be done all the same.
    """

    def __init__(
        self, database: Database, path: Path, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._clock = clock
        self._reader = Reader(path)
        self.path = path
        """Where it lies."""

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        path: Path,
        target: JournalTarget,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> AsyncGenerator[Self]:
        """Open the journal at *path*, or begin it.

        Whoever opens it must hold its lock.

        Raises:
            JournalError: It is damaged, of a later version, or about something else.
        """
        async with Database(path, opener(target)) as database:
            yield cls(database, path, clock)

    async def load(self, way: Way, folder: str) -> Memory:
        """What is remembered of all records and of one folder."""
        return await self._database.do(partial(self._load, way, folder))

    async def begin(self, record: RunRecord) -> None:
        """Note that a run begins."""
        row = rows.run_row(record)
        await self._database.do(lambda it: run(it, schema.PUT_RUN, row))

    async def end(self, run_id: str, ended: datetime, summary: str) -> None:
        """Note how a run ended."""

        def work(connection: sqlite3.Connection) -> None:
            for known in self._runs(connection):
                if known.id == run_id:
                    record = attrs.evolve(known, ended=ended, summary=summary)
                    run(connection, schema.PUT_RUN, rows.run_row(record))

        await self._database.do(work)

    async def intend(
        self, intents: Sequence[Intent], *, then: Callable[[], object] | None = None
    ) -> list[Intent]:
        """Note what is about to happen; nothing of it may happen before this returns.

        Every intent is a row of its own, so that the first attempt of a step is not
        forgotten over its second.

        Args:
            intents: It.
            then: Makes it happen: is called by the journal's thread, since a turn of
                another one takes longer than a small file. A cancellation waits for it.

        Returns:
            The same, each with its `Intent.step`.
        """
        changed = self._clock()
        intents = tuple(intents)

        def work(connection: sqlite3.Connection) -> list[Intent]:
            ((last,),) = run(connection, schema.LAST_STEP)
            counted = enumerate(intents, _count(last) + 1)
            noted = [attrs.evolve(it, step=step) for step, it in counted]
            made = ((it.step, *rows.step_row(it, changed)) for it in noted)
            put(connection, schema.ADD_STEP, made)
            return noted

        return await self._database.do(work, then=then)

    async def note(self, **changes: Unpack[Changes]) -> None:
        """Note what is so now, all of it or nothing.

        Args:
            changes: See `notes.Changes`.
        """
        await self._database.do(Note.of(changes, self._clock()).write)

    def note_soon(self, **changes: Unpack[Changes]) -> None:
        """Like `note`, along with what is awaited next, or with the journal's end.

        If it fails, the next who awaits something is told.

        Args:
            changes: See `notes.Changes`.
        """
        self._database.do_later(Note.of(changes, self._clock()).write)

    async def open_intents(self) -> list[Intent]:
        """Steps of which nobody knows whether they have happened, the oldest first."""

        def work(connection: sqlite3.Connection) -> list[Intent]:
            found = self._reader.numbered(connection, schema.OPEN_STEPS)
            return [*starmap(rows.step_of, found)]

        return await self._database.do(work)

    async def steps(self, run_id: str | None = None) -> list[Intent]:
        """The steps of a run, or all, in their order; a repeated one is there twice."""

        def work(connection: sqlite3.Connection) -> list[Intent]:
            found = (it for it, _ in self._steps(connection))
            return [it for it in found if run_id is None or it.run == run_id]

        return await self._database.do(work)

    async def runs(self, limit: int = 20) -> list[RunRecord]:
        """The last runs, the latest first."""
        return await self._database.do(lambda it: [*islice(self._runs(it), limit)])

    async def needed(self, since: datetime) -> set[str]:
        """Digests that the backup must keep, so that what can be undone can be.

        They are those of the steps that `forget_steps` keeps, unless they were undone.
        """

        def work(connection: sqlite3.Connection) -> set[str]:
            return {
                step.before
                for step, kept in self._kept(connection, since)
                if kept and step.before is not None and step.saved
                if step.state is not State.UNDONE
            }

        return await self._database.do(work)

    async def forget_steps(self, since: datetime) -> int:
        """Forget what was done before that; return how many steps it were.

        What is open or unknown stays, and so does the last run that changed something;
        where that was an undo, the last one before it, too.
        """

        def work(connection: sqlite3.Connection) -> int:
            steps = self._kept(connection, since)
            old = [(step.step,) for step, kept in steps if not kept]
            run_many(connection, schema.DROP_STEP, old)
            return len(old)

        return await self._database.do(work)

    async def statistics(self) -> JournalStatistics:
        """How much is remembered."""

        def work(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
            return run(connection, schema.STATISTICS)

        (counts,) = await self._database.do(work)
        names = (field.name for field in attrs.fields(JournalStatistics))
        return JournalStatistics(**dict(zip(names, map(_count, counts), strict=True)))

    async def rebase(self) -> Path:
        """Forget agreements, links and rejections; runs and their steps stay.

        Returns:
            Where a copy of the journal lies, as it was before.
        """
        now = self._clock()

        def work(connection: sqlite3.Connection) -> Path:
            aside = copy_aside(self.path, now)
            for statement in schema.DROP_ALL:
                run(connection, statement)
            return aside

        await self._database.do(lambda _: None)  # the copy has what is committed
        return await self._database.do(work)

    def _runs(self, connection: sqlite3.Connection) -> Iterator[RunRecord]:
        return map(rows.run_of, self._reader.texts(connection, schema.RUNS))

    def _steps(self, connection: sqlite3.Connection) -> Iterator[tuple[Intent, str]]:
        """All steps, each with the time when it was written last."""
        for number, text in self._reader.numbered(connection, schema.STEPS):
            yield rows.step_of(number, text), rows.changed_of(text)

    def _kept(
        self, connection: sqlite3.Connection, since: datetime
    ) -> Iterator[tuple[Intent, bool]]:
        """All steps, each with whether it can be of use still."""
        after = rows.utc(since)
        steps = [*self._steps(connection)]
        last = _last_runs(steps, self._runs(connection))
        for step, changed in steps:
            of_use = step.run in last or step.state in _IN_DOUBT
            yield step, of_use or changed >= after

    def _load(self, way: Way, folder: str, connection: sqlite3.Connection) -> Memory:
        read = partial(self._reader.by_id, connection)
        links = read(schema.LINKS, rows.links_of(way, folder))
        last = (
            it.matching
            for it in self._runs(connection)
            if (it.command, it.folder) == (way.value, folder)
        )
        return Memory(
            agreements=rows.Rows(read(schema.RECORDS), rows.agreement_of),
            links=rows.Rows(links, rows.link_of(way, folder)),
            rejections=rows.Rows(read(schema.REJECTIONS), rows.rejection_of),
            last_matching=next(last, None),
        )


def _last_runs(
    steps: Sequence[tuple[Intent, str]], runs: Iterable[RunRecord]
) -> set[str]:
    """The run that did the last step, and the last one that was no undo."""
    undos = {it.id for it in runs if it.command == "undo"}
    all_of_them = [step.run for step, _ in steps]
    others = [it for it in all_of_them if it not in undos]
    return {*all_of_them[-1:], *others[-1:]}


def _count(number: object) -> int:
    return number if isinstance(number, int) else 0
