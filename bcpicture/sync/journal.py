"""What was agreed, intended and done, in one file for the pictures of one company."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Self, TypedDict, Unpack

import attrs

from bcpicture.core.ledger import (
    Agreement,
    Intent,
    JournalTarget,
    Link,
    Rejection,
    RunRecord,
    Way,
)
from bcpicture.sync import rows, schema
from bcpicture.sync.database import Database, run
from bcpicture.sync.memory import JournalStatistics, Memory
from bcpicture.sync.opening import copy_aside, opener, texts


def utc_now() -> datetime:
    """The time of day, by this machine's clock."""
    return datetime.now(UTC)


class Changes(TypedDict, total=False):
    """What is so now."""

    settled: Sequence[Intent]
    """Intents as they ended. Without a `step`, it is the last one of the same run,
    record, action and name."""

    agreements: Sequence[Agreement]
    """What is at records now; a rejection of the same bytes ends."""

    links: Sequence[Link]
    """Which files belong to records."""

    unlinks: Sequence[Link]
    """Which do not any more; only their way, folder and id count."""

    rejections: Sequence[Rejection]
    """What the service did not take."""

    forgotten: Sequence[str]
    """Ids of records whose agreement and rejection are void."""


@attrs.frozen(kw_only=True)
class _Note:
    """What is written at once or not at all."""

    settled: Sequence[Intent] = ()
    agreements: Sequence[Agreement] = ()
    links: Sequence[Link] = ()
    unlinks: Sequence[Link] = ()
    rejections: Sequence[Rejection] = ()
    forgotten: Sequence[str] = ()
    changed: datetime

    @classmethod
    def of(cls, changes: Changes, changed: datetime) -> Self:
        # Copied: the caller may go on with its lists while the thread writes.
        return cls(
            settled=tuple(changes.get("settled", ())),
            agreements=tuple(changes.get("agreements", ())),
            links=tuple(changes.get("links", ())),
            unlinks=tuple(changes.get("unlinks", ())),
            rejections=tuple(changes.get("rejections", ())),
            forgotten=tuple(changes.get("forgotten", ())),
            changed=changed,
        )

    def write(self, connection: sqlite3.Connection) -> None:
        many = partial(_many, connection)
        many(schema.DROP_RECORD, ((it,) for it in self.forgotten))
        many(schema.DROP_REJECTION, ((it,) for it in self.forgotten))
        many(schema.PUT_RECORD, map(rows.agreement_row, self.agreements))
        many(schema.DROP_ACCEPTED, ((it.id, it.digest) for it in self.agreements))
        many(schema.DROP_LINK, map(rows.link_key, self.unlinks))
        many(schema.PUT_LINK, map(rows.link_row, self.links))
        many(schema.PUT_REJECTION, map(rows.rejection_row, self.rejections))
        many(schema.PUT_STEP, (self._settled(connection, it) for it in self.settled))

    def _settled(
        self, connection: sqlite3.Connection, it: Intent
    ) -> tuple[rows.Cell, ...]:
        row = rows.step_row(it, self.changed)
        if it.step:
            return (it.step, *row)
        # The latest of several attempts; none if it failed before it was intended.
        ((seq,),) = run(connection, schema.FIND_STEP, row[:4])
        return (seq if isinstance(seq, int) else None, *row)


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
        self._texts = partial(texts, path)
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
            for text, _ in self._texts(connection, schema.RUN, run_id):
                known = rows.run_of(text)
                record = attrs.evolve(known, ended=ended, summary=summary)
                run(connection, schema.PUT_RUN, rows.run_row(record))

        await self._database.do(work)

    async def intend(self, intents: Sequence[Intent]) -> None:
        """Note what is about to happen; nothing of it may happen before this returns.

        Every intent is a row of its own, so that the first attempt of a step is not
        forgotten over its second.
        """
        changed = self._clock()
        intents = tuple(intents)

        def work(connection: sqlite3.Connection) -> None:
            made = (rows.step_row(it, changed) for it in intents)
            _many(connection, schema.ADD_STEP, made)

        await self._database.do(work)

    async def note(self, **changes: Unpack[Changes]) -> None:
        """Note what is so now, all of it or nothing.

        Args:
            changes: See `Changes`.
        """
        await self._database.do(_Note.of(changes, self._clock()).write)

    def note_soon(self, **changes: Unpack[Changes]) -> None:
        """Like `note`, along with what is awaited next, or with the journal's end.

        If it fails, the next who awaits something is told.

        Args:
            changes: See `Changes`.
        """
        self._database.do_later(_Note.of(changes, self._clock()).write)

    async def open_intents(self) -> list[Intent]:
        """Steps of which nobody knows whether they have happened, the oldest first."""
        return await self._steps(schema.OPEN_STEPS)

    async def steps(self, run_id: str) -> list[Intent]:
        """The steps of a run in their order; a repeated one is there twice."""
        return await self._steps(schema.STEPS, run_id)

    async def runs(self, limit: int = 20) -> list[RunRecord]:
        """The last runs, the latest first."""

        def work(connection: sqlite3.Connection) -> list[RunRecord]:
            found = self._texts(connection, schema.RUNS, limit)
            return [rows.run_of(text) for text, _ in found]

        return await self._database.do(work)

    async def needed(self, since: datetime) -> set[str]:
        """Digests that the backup must keep, so that what can be undone can be.

        They are those of all steps since then, of all that are open or unknown, and
        of the last run, unless they were undone.
        """
        found = await self._steps(schema.STEPS_TO_UNDO, rows.utc(since))
        return {it.before for it in found if it.before is not None}

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

    async def _steps(
        self, selection: schema.Selection, *values: object
    ) -> list[Intent]:
        def work(connection: sqlite3.Connection) -> list[Intent]:
            found = self._texts(connection, selection, *values)
            return [rows.step_of(seq, text) for text, seq in found]

        return await self._database.do(work)

    def _load(self, way: Way, folder: str, connection: sqlite3.Connection) -> Memory:
        place = (way.value, rows.safe(folder))
        read = partial(self._texts, connection)
        links = read(schema.LINKS, *place, start=rows.place_mark(way, folder))
        last = [rows.run_of(text) for text, _ in read(schema.LAST_RUN, *place)]
        return Memory(
            agreements=rows.Rows(read(schema.RECORDS), rows.agreement_of),
            links=rows.Rows(links, rows.link_of(way, folder)),
            rejections=rows.Rows(read(schema.REJECTIONS), rows.rejection_of),
            last_matching=last[0].matching if last else None,
        )


def _many(
    connection: sqlite3.Connection,
    statement: str,
    values: Iterable[tuple[rows.Cell, ...]],
) -> None:
    with closing(connection.executemany(statement, values)):
        pass


def _count(number: object) -> int:
    return number if isinstance(number, int) else 0
