"""What every run of a synchronisation works with."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import attrs

from bcpicture.core.ledger import Intent, RunRecord
from bcpicture.errors import SourceError
from bcpicture.resources.records import Records
from bcpicture.sync.backups import Backups, Pruned
from bcpicture.sync.folder import Folder
from bcpicture.sync.guarding import Desk
from bcpicture.sync.journal import Journal, utc_now
from bcpicture.sync.places import Place
from bcpicture.sync.settling import Settled, Settling
from bcpicture.sync.target_folder import TargetFolder


@attrs.define(kw_only=True)
class Clocks:
    """What tells the time, so that a test can."""

    monotonic: Callable[[], float] = time.monotonic
    """Seconds since some moment, which nobody can set."""

    wall: Callable[[], datetime] = utc_now
    """The time of day."""

    files: Callable[[], int] = time.time_ns
    """Nanoseconds since the epoch, as file systems count."""


@attrs.frozen(kw_only=True)
class Kit:
    """What every run of a synchronisation works with."""

    records: Records
    """The records, asked for behind everybody else."""

    journal: Journal
    """What was agreed, intended and done."""

    backups: Backups
    """Pictures, and files, that were replaced or taken away."""

    place: Place
    """Where all of that lies."""

    clocks: Clocks
    """What tells the time."""

    def desk(self, run: str) -> Desk:
        """What all writes of a run have at hand."""
        return Desk(
            run=run,
            records=self.records,
            journal=self.journal,
            backups=self.backups,
            clock=self.clocks.monotonic,
        )

    def new_run(self, command: str, *, folder: str, matching: str = "") -> RunRecord:
        """What the journal tells of a run that begins."""
        now = self.clocks.wall()
        return RunRecord(
            id=f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}",
            command=command,
            folder=folder,
            matching=matching,
            host=socket.gethostname(),
            started=now,
        )

    async def folder(
        self, path: str | os.PathLike[str], *, recursive: bool = False
    ) -> TargetFolder:
        """A folder that files are written to."""
        # Two machines that pull into one share must not sweep up each other's work.
        owner = f"{socket.gethostname()}\0{self.place.folder}"
        return TargetFolder(
            folder=await Folder.at(path, recursive=recursive),
            mark=hashlib.sha256(owner.encode()).hexdigest()[:12],
            wall=self.clocks.files,
        )

    async def prune(self, keep: timedelta) -> Pruned:
        """Forget what was done longer ago than *keep*, and the pictures saved for it.

        What the last run replaced can be put back in any case.
        """
        since = self.clocks.wall() - keep
        await self.journal.forget_steps(since)
        needed = await self.journal.needed(since)
        return await self.backups.prune(keep=keep, needed=needed)

    async def settle(self) -> Settled:
        """Find out what became of the steps that a killed run left open.

        Raises:
            BcPictureError: What is there cannot be looked at.
        """
        settling = Settling(
            journal=self.journal,
            records=self.records,
            clock=self.clocks.monotonic,
            wall=self.clocks.wall,
            find=self.find,
        )
        return await settling.settle()

    async def find(self, intent: Intent, folder: str) -> str | None:
        """SHA-256 of what a file holds now that a step was about to change.

        Raises:
            SourceError: The folder is not there, or the file cannot be read.
        """
        target = await self.folder(folder)
        if not await target.exists():
            raise SourceError(
                f"The folder {folder} is not there.", advice="Connect it again."
            )
        return await target.digest(intent.name)
