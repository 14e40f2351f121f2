"""What a synchronisation remembers: the rows of its journal, as frozen values."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

import attrs

from bcpicture.core.signs import FileSigns, ItemSigns, PictureSigns

CUT_OFF = "cut off"
"""Summary of a run that was killed, once another one has found that out."""

STOPPED = ", stopped"
"""How the summary of a run ends that was told to stop."""


class Way(Enum):
    """Which way pictures go."""

    PUSH = "push"
    """From files to Business Central."""

    PULL = "pull"
    """From Business Central to files."""


class Action(Enum):
    """What a step changes."""

    UPLOAD = "upload"
    """A picture in Business Central is set or replaced."""

    DELETE = "delete"
    """A picture in Business Central is taken away."""

    DOWNLOAD = "download"
    """A file is written or replaced."""

    REMOVE = "remove"
    """A file is taken away."""


class State(Enum):
    """How far a step is."""

    INTENDED = "intended"
    """It may have happened; a killed run leaves it so."""

    DONE = "done"
    """It has happened."""

    FAILED = "failed"
    """It has not happened."""

    UNKNOWN = "unknown"
    """Nobody could find out."""

    UNDONE = "undone"
    """It has happened, and was taken back later."""


@attrs.frozen(kw_only=True)
class Agreement:
    """Which bytes are at a record, and the signs under which that is known."""

    id: str
    """GUID of the record."""

    number: str
    """What people know it by; it only matches, the id is what counts."""

    digest: str | None
    """SHA-256 of the picture's bytes, hexadecimal; None: there is no picture."""

    size: int = 0
    """Their number."""

    item: ItemSigns
    """The record's signs at that time."""

    picture: PictureSigns
    """Its picture's signs at that time."""


@attrs.frozen(kw_only=True)
class Link:
    """Which file of a folder belongs to a record."""

    way: Way
    """Which way the picture went."""

    folder: str
    """The folder, or other place, as `Source.place` or `Target.place` names it."""

    id: str
    """GUID of the record."""

    name: str
    """The file, relative to the folder."""

    signs: FileSigns | None
    """The file's signs when it was read or written; None while it was too young for
    them to be relied on, so that it is read again."""

    digest: str
    """SHA-256 of the file's bytes."""

    recipe: str = ""
    """How the bytes were prepared on their way; empty: not at all."""

    sent: str
    """SHA-256 of the bytes in Business Central that the file stands for; the same as
    `digest` where nothing was prepared."""


@attrs.frozen(kw_only=True)
class Intent:
    """A step that is about to happen, or how it ended."""

    step: int = attrs.field(default=0, eq=False)
    """Which row of the journal it is; 0 until it was read from there."""

    run: str
    """Which run it belongs to."""

    id: str
    """GUID of the record."""

    number: str
    """What people know it by."""

    action: Action
    """What it changes."""

    name: str = ""
    """The file, relative to the run's folder; empty where there is none."""

    before: str | None = None
    """SHA-256 of the bytes that it replaces or takes away; None: there were none."""

    saved: bool = False
    """Whether those bytes are in the backup."""

    after: str | None = None
    """SHA-256 of the bytes that are there when it is done; None: none are."""

    state: State = State.INTENDED
    """How far it is."""

    reason: str = ""
    """Why it was done; after a failure, why it failed."""


@attrs.frozen(kw_only=True)
class Rejection:
    """Bytes that the service's business logic did not take, until something changes."""

    id: str
    """GUID of the record."""

    sent: str
    """SHA-256 of the bytes that were refused."""

    item: ItemSigns
    """The record's signs at that time."""

    reason: str
    """What the service said."""


@attrs.frozen(kw_only=True)
class RunRecord:
    """One run of a command."""

    id: str
    """Sorts by time, and is what people name it by."""

    command: str
    """``push``, ``pull`` or ``undo``."""

    folder: str = ""
    """Where the files are; of an undo, those of the run that it undoes."""

    matching: str = ""
    """Fingerprint of the options that decide which file belongs to which record; of an
    undo, the run that it undoes."""

    host: str = ""
    """Machine that it ran on."""

    started: datetime
    """By that machine's clock."""

    ended: datetime | None = None
    """None while it runs, and for ever if it was killed."""

    summary: str = ""
    """How it ended, in one sentence."""

    @property
    def through(self) -> bool:
        """Whether it came to its end; it was neither killed nor stopped."""
        return self.ended is not None and not self.summary.endswith((CUT_OFF, STOPPED))


@attrs.frozen(kw_only=True)
class JournalTarget:
    """Whose pictures a journal is about; it refuses to be used for any other."""

    endpoint: str
    """Base address of the API."""

    tenant: str = ""
    """Tenant, where the endpoint names one."""

    environment: str = ""
    """Environment, where the endpoint names one."""

    company_id: str
    """GUID of the company."""

    company: str = attrs.field(eq=False)
    """Its name, for people."""

    parent: str
    """Kind of record: ``item``, ``customer``, …"""
