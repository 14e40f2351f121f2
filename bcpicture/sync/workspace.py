"""The synchronisation of one company's pictures: its journal, its lock, its backup."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self, overload

from bcpicture.core.ledger import JournalTarget
from bcpicture.core.options import PullOptions, PushOptions, VerifyOptions
from bcpicture.core.report import Outcome
from bcpicture.errors import BrakeError, ClosedError, JournalError
from bcpicture.resources.records import Records
from bcpicture.sync import places
from bcpicture.sync.backups import Backups
from bcpicture.sync.closing import Sent
from bcpicture.sync.engine import WIDTH, Run
from bcpicture.sync.feeding import Prepared
from bcpicture.sync.fetching import Fetched
from bcpicture.sync.folder import Folder
from bcpicture.sync.journal import Journal, set_aside
from bcpicture.sync.kit import Clocks, Kit
from bcpicture.sync.lock import Lock
from bcpicture.sync.pull_plans import PlannedPull
from bcpicture.sync.pulling import Ready
from bcpicture.sync.push_plans import PlannedPush
from bcpicture.sync.sources import Source
from bcpicture.sync.status import Status, status_of
from bcpicture.sync.targeting import target_of
from bcpicture.sync.targets import Target
from bcpicture.sync.undo_plans import PlannedUndo
from bcpicture.sync.undoing import Returned, Seen
from bcpicture.sync.verify_plans import start_verify
from bcpicture.sync.verifying import Hashed

KEEP = timedelta(days=90)
"""How long what was replaced is kept, unless somebody says otherwise."""

Where = str | os.PathLike[str] | Source
"""A folder, or another source."""


class Workspace:
    """What belongs to the synchronisation of one kind of record in one company.

    One process at a time has it open::

        async with sync.open(company.items) as box:
            plan = await box.plan_push("photos")
            async with box.run(plan) as run:
                async for outcome in run:
                    ...

    Planning changes nothing in Business Central and in the folder.
    """

    def __init__(
        self,
        records: Records,
        *,
        state_dir: str | os.PathLike[str] | None = None,
        command: str = "bcpicture",
        rebase: bool = False,
        keep: timedelta = KEEP,
        clocks: Clocks | None = None,
    ) -> None:
        self.records = records.in_bulk()
        """The records, asked for behind everybody else."""

        self.clocks = clocks or Clocks()
        """What tells the time."""

        self._root = state_dir
        self._command = command
        self._rebase = rebase
        self._keep = keep
        self._ran = False
        self._stack = AsyncExitStack()
        self._kit: Kit | None = None

    # -- open and closed

    async def __aenter__(self) -> Self:
        target = await target_of(self.records)
        root = await asyncio.to_thread(places.state_folder, self._root)
        place = await asyncio.to_thread(places.prepare, root, target)
        wall = self.clocks.wall
        async with AsyncExitStack() as stack:
            lock = Lock(place.lock, command=self._command, clock=wall)
            await stack.enter_async_context(lock)
            journal = await self._journal(stack, place.journal, target)
            backups = Backups(place.backups, clock=wall)
            await backups.sweep()
            self._stack = stack.pop_all()
        self._kit = Kit(
            records=self.records,
            journal=journal,
            backups=backups,
            place=place,
            clocks=self.clocks,
        )
        return self

    async def _journal(
        self, stack: AsyncExitStack, path: Path, target: JournalTarget
    ) -> Journal:
        """The journal; a new one, if that is wanted instead of a damaged one."""
        clock = self.clocks.wall
        if self._rebase:
            try:
                async with Journal.open(path, target, clock=clock) as known:
                    await known.open_intents()
            except JournalError:
                await set_aside(path, clock=clock)
        opened = Journal.open(path, target, clock=clock)
        return await stack.enter_async_context(opened)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        kit, self._kit = self._kit, None
        async with self._stack:
            if kit is not None and self._ran and error is None:
                await kit.prune(self._keep)

    @property
    def kit(self) -> Kit:
        """What every run works with.

        Raises:
            ClosedError: It is not open.
        """
        if self._kit is None:
            raise ClosedError(
                "The synchronisation is not open.",
                advice="Use it inside its `async with` block.",
            )
        return self._kit

    # -- push

    async def plan_push(
        self, source: Where, options: PushOptions | None = None
    ) -> PlannedPush:
        """Find out what a push would do, without doing any of it.

        Args:
            source: The folder with the files, or another source.
            options: What is to be sent where, and what is too much.

        Raises:
            SourceError: The files cannot be listed.
            BcPictureError: The records cannot be listed.
        """
        options = options or PushOptions()
        files = await self._source(source, options)
        return await PlannedPush.make(self.kit, files, options)

    async def _source(self, source: Where, options: PushOptions) -> Source:
        if not isinstance(source, str | os.PathLike):
            return source
        folder = await Folder.at(source, recursive=options.match.deep)
        root = self.kit.place.folder.parent
        await asyncio.to_thread(places.require_apart, root, folder.path)
        return folder

    # -- pull

    async def plan_pull(
        self,
        target: str | os.PathLike[str] | Target,
        options: PullOptions | None = None,
    ) -> PlannedPull:
        """Find out what a pull would do, without doing any of it.

        Args:
            target: The folder that the files go to, or another target; a folder is
                made by the run if it is not there.
            options: What is to be fetched, and what is too much.

        Raises:
            SourceError: What is there cannot be listed.
            BcPictureError: The records cannot be listed.
        """
        found = await self._target(target)
        return await PlannedPull.make(self.kit, found, options or PullOptions())

    async def _target(self, target: str | os.PathLike[str] | Target) -> Target:
        if not isinstance(target, str | os.PathLike):
            return target
        folder = await self.kit.folder(target)
        root = self.kit.place.folder.parent
        await asyncio.to_thread(places.require_apart, root, folder.path)
        return folder

    # -- looked at

    async def status(self, *, runs: int = 20) -> Status:
        """What is known of it; `sync.status` tells the same without opening it.

        Args:
            runs: How many of the last runs are told.
        """
        return await status_of(self.records, state_dir=self._root, runs=runs)

    async def verify(
        self,
        place: str | os.PathLike[str] | Target,
        options: VerifyOptions | None = None,
        *,
        width: int = WIDTH,
    ) -> Run[Hashed, Outcome]:
        """Compare files and pictures by their bytes; nothing changes, nowhere.

        Args:
            place: The folder that was pushed, or pulled, or another place.
            options: Which file belongs to which record.
            width: Pictures at once.

        Raises:
            SourceError: The files cannot be listed.
            BcPictureError: The records cannot be listed.
        """
        options = options or VerifyOptions()
        if isinstance(place, str | os.PathLike):
            place = await self.kit.folder(place, recursive=options.match.deep)
        return await start_verify(self.kit, place, options, width=width)

    # -- undo

    async def plan_undo(self, run_id: str | None = None) -> PlannedUndo:
        """Find out what it takes to take back a run, without doing any of it.

        Args:
            run_id: Which run, as the journal calls it. None: the last one that changed
                something; if that was an undo that did not come to its end, what is
                left of it.

        Raises:
            UsageError: There is no such run.
            SourceError: Its folder is not there.
        """
        return await PlannedUndo.make(self.kit, run_id)

    # -- whatever was planned

    @overload
    def run(self, plan: PlannedPush, *, width: int = WIDTH) -> Run[Prepared, Sent]: ...

    @overload
    def run(self, plan: PlannedPull, *, width: int = WIDTH) -> Run[Ready, Fetched]: ...

    @overload
    def run(self, plan: PlannedUndo, *, width: int = WIDTH) -> Run[Seen, Returned]: ...

    def run(
        self, plan: PlannedPush | PlannedPull | PlannedUndo, *, width: int = WIDTH
    ) -> Run[Prepared, Sent] | Run[Ready, Fetched] | Run[Seen, Returned]:
        """Carry out a plan; nothing begins before the run is entered.

        Args:
            plan: What to do.
            width: Steps at once.

        Raises:
            BrakeError: It would change more than is allowed.
        """
        if plan.brakes:
            raise BrakeError(
                " ".join(brake.text for brake in plan.brakes),
                advice="Look at the plan; if it is right, allow it by these options.",
            )
        self._ran = True
        return plan.start(self.kit, width=width)


def open_workspace(
    records: Records,
    *,
    state_dir: str | os.PathLike[str] | None = None,
    command: str = "bcpicture",
    rebase: bool = False,
    keep: timedelta = KEEP,
    clocks: Clocks | None = None,
) -> Workspace:
    """What belongs to the synchronisation of *records*: ``async with sync.open(…)``.

    Args:
        records: Such as ``company.items``, all of them.
        state_dir: Where journals, locks and backups are kept; a local disk. None: the
            user's own state directory, or what ``BCPICTURE_STATE_DIR`` says.
        command: What another process is told that has to wait.
        rebase: Whether a damaged journal is set aside, and a new one begun; see
            `PushOptions.rebase`, which goes with it.
        keep: How long what was replaced is kept in the backup. What the last run
            replaced is kept in any case.
        clocks: What tells the time.
    """
    return Workspace(
        records,
        state_dir=state_dir,
        command=command,
        rebase=rebase,
        keep=keep,
        clocks=clocks,
    )
