"""One SQLite file, and the thread that alone touches it.

Whatever is waiting when the thread looks becomes one transaction, and one flush to the
disk: the more ask at once, the less each of them costs.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self, TypeVar, cast

import attrs

from bcpicture.errors import ClosedError, JournalError, quote
from bcpicture.net.files import to_end
from bcpicture.sync.statements import run

T = TypeVar("T")

_NAME = "bcpicture-journal"

_MOST_LATER = 500
"""Jobs for which nobody waits that may lie about in memory."""

_NOT_OURS = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_NO_ENTRY = {
    *(sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM),
    *(sqlite3.SQLITE_READONLY, sqlite3.SQLITE_AUTH),
}

WAY_OUT = (
    "Nothing was sent. Run it with `--rebase`: the journal is set aside, pictures are "
    "compared by their content, and nothing is deleted."
)
"""What to do about a damaged journal."""


def damaged(path: Path, why: object) -> JournalError:
    """The error for a journal that cannot be what was written."""
    return JournalError(
        f"The journal {path} is damaged: {quote(str(why))}.", advice=WAY_OUT
    )


def explained(error: sqlite3.Error, path: Path) -> JournalError:
    """What an error of SQLite means, and what to do about it."""
    # The low byte is the kind. Without a code it is Python that complains, about text
    # that is none.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    if code in _NOT_OURS:
        return damaged(path, error)
    what = f"The journal {path} cannot be used: {error}."
    if code in _NO_ROOM:
        advice = "Make room on its disk, and run it again: what was noted is still so."
    elif code in _NO_ENTRY:
        advice = "It has to be a local folder that you may write to; see `--state-dir`."
    else:
        advice = "Run it again when no other program has the file open."
    return JournalError(what, advice=advice)


@attrs.frozen(eq=False)
class _Job:
    work: Callable[[sqlite3.Connection], object]
    answer: asyncio.Future[object] | None
    """None if nobody waits."""

    then: Callable[[], object] | None = None
    """What is to be done once it is durable."""


@attrs.frozen
class _Failed:
    error: Exception


class Database:
    """Work for the thread, done in the order in which it is asked for.

    A caller that is cancelled while it waits leaves its work with the thread, which
    does all of it or none of it, as for everybody else.
    """

    def __init__(
        self, path: Path, connect: Callable[[Path], sqlite3.Connection]
    ) -> None:
        self._path = path
        self._connect = connect
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._later: list[_Job] = []
        self._refused: list[_Job] = []
        self._complaint: Exception | None = None
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._closed = False

    async def __aenter__(self) -> Self:
        # A daemon: whoever forgets to close it must not keep the process from its end.
        threading.Thread(target=self._serve, name=_NAME, daemon=True).start()
        try:
            await to_end(self._opened)
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self.do(_nothing)
        finally:
            await self._end()

    async def do(
        self,
        work: Callable[[sqlite3.Connection], T],
        *,
        then: Callable[[], object] | None = None,
    ) -> T:
        """Have *work* done in a transaction; what it wrote is durable afterwards.

        Args:
            work: It.
            then: Is called by the thread as soon as that is so, and before this
                returns; a cancellation waits for it.

        Raises:
            JournalError: It could not be done, and nothing of it was.
            ClosedError: The database is closed.
        """
        answer: asyncio.Future[object] = self._loop.create_future()
        self._send(_Job(work, answer, then))
        result = await (to_end(answer) if then else answer)
        if self._complaint is not None:
            complaint, self._complaint = self._complaint, None
            raise complaint
        return cast(T, result)

    def do_later(self, work: Callable[[sqlite3.Connection], object]) -> None:
        """Have *work* done along with whatever is waited for next.

        If it cannot be done, the next who waits is told.
        """
        self._require_open()
        self._later.append(_Job(work, None))
        if len(self._later) >= _MOST_LATER:
            self._send()

    def _send(self, *jobs: _Job) -> None:
        self._require_open()
        for job in (*self._later, *jobs):
            self._jobs.put(job)
        self._later.clear()

    def _require_open(self) -> None:
        if self._closed:
            raise ClosedError(
                f"The journal {self._path} is closed.",
                advice="Use it inside its `async with` block.",
            )

    async def _end(self) -> None:
        """Wait until the thread has let go of the file, whoever wants to go on."""
        self._closed = True
        self._jobs.put(None)
        await to_end(self._ended)

    def _answer(self, jobs: Sequence[_Job], results: Sequence[object]) -> None:
        for job, result in zip(jobs, results, strict=True):
            if job.answer is None:
                if isinstance(result, _Failed):
                    self._complaint = result.error
            elif job.answer.done():
                pass  # whoever asked was cancelled
            elif isinstance(result, _Failed):
                job.answer.set_exception(result.error)
            else:
                job.answer.set_result(result)

    def _refuse(self, jobs: Sequence[_Job], error: sqlite3.Error) -> None:
        for job in jobs:
            if job.answer is not None and not job.answer.done():
                job.answer.set_exception(explained(error, self._path))

    # What follows runs in the thread.

    def _serve(self) -> None:
        try:
            with closing(self._connect(self._path)) as connection:
                self._tell(_settle, self._opened, None)
                while self._serve_once(connection):
                    pass
        except sqlite3.Error as exc:
            self._tell(_settle, self._opened, explained(exc, self._path))
        except Exception as exc:  # noqa: BLE001 - it belongs to whoever opens
            self._tell(_settle, self._opened, exc)
        finally:
            self._tell(_settle, self._ended, None)

    def _serve_once(self, connection: sqlite3.Connection) -> bool:
        """Do what is waiting now; return False if there will be no more."""
        waiting = [self._jobs.get()]
        with suppress(Empty):
            while waiting[-1] is not None:
                waiting.append(self._jobs.get_nowait())
        jobs = [*self._refused, *(job for job in waiting if job is not None)]
        self._refused.clear()
        try:
            results = _together(connection, jobs, self._path)
        except sqlite3.Error as exc:
            _roll_back(connection)
            # What nobody waits for is tried once more with the next work.
            self._refused = [job for job in jobs if job.answer is None]
            self._tell(self._refuse, jobs, exc)
        else:
            results = [*map(_went_on, jobs, results)]
            self._tell(self._answer, jobs, results)
        return waiting[-1] is not None

    def _tell(self, function: Callable[..., object], *args: object) -> None:
        with suppress(RuntimeError):  # the loop is gone, and with it who waited
            self._loop.call_soon_threadsafe(function, *args)


def _settle(future: asyncio.Future[None], error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


def _nothing(_connection: sqlite3.Connection) -> None:
    """Wait for what was asked for before."""


def _together(
    connection: sqlite3.Connection, jobs: Sequence[_Job], path: Path
) -> list[object]:
    if not jobs:
        return []
    run(connection, "BEGIN IMMEDIATE")
    try:
        results = [job.work(connection) for job in jobs]
    except Exception:  # noqa: BLE001 - it belongs to one of the jobs
        # Rare enough to begin anew, so that the others pay nothing for it.
        _roll_back(connection)
        run(connection, "BEGIN IMMEDIATE")
        results = [_alone(connection, job, path) for job in jobs]
    run(connection, "COMMIT")
    return results


def _went_on(job: _Job, result: object) -> object:
    """What comes of a job that is durable, unless it failed."""
    if job.then is None or isinstance(result, _Failed):
        return result
    try:
        job.then()
    except Exception as exc:  # noqa: BLE001 - it belongs to whoever waits
        return _Failed(exc)
    return result


def _alone(connection: sqlite3.Connection, job: _Job, path: Path) -> object:
    """Do one job; if it fails, the others of its transaction are not touched."""
    run(connection, "SAVEPOINT job")
    try:
        result = job.work(connection)
    except Exception as exc:
        if isinstance(exc, sqlite3.Error) and not connection.in_transaction:
            raise  # a full disk takes all of them back
        run(connection, "ROLLBACK TO job")
        told = explained(exc, path) if isinstance(exc, sqlite3.Error) else exc
        result = _Failed(told)
    run(connection, "RELEASE job")
    return result


def _roll_back(connection: sqlite3.Connection) -> None:
    with suppress(sqlite3.Error):
        if connection.in_transaction:
            run(connection, "ROLLBACK")
