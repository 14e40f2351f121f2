"""The steps of a plan: what a dry run prints, a run carries out and a report tells.

There may be 100,000 of them. So they are small, and what they refer to (files, signs,
reasons) they share with the rest of the plan.
"""

from __future__ import annotations

from enum import Enum, StrEnum

import attrs

from bcpicture.core.ledger import Action, Intent, Link
from bcpicture.core.signs import FileSigns, ItemSigns, PictureSigns


@attrs.frozen(kw_only=True)
class LocalFile:
    """A file of a folder, or of another place, as its listing tells of it."""

    name: str
    """Relative to its place, with ``/`` between folders."""

    signs: FileSigns
    """By which it is known to be the same."""

    @property
    def size(self) -> int:
        """Bytes."""
        return self.signs.size


class Replaces(Enum):
    """What is lost where nobody saves it."""

    NOTHING = "nothing"
    """There was nothing when it was looked at."""

    OURS = "ours"
    """It is proven to be what this side sent or wrote before."""

    FOREIGN = "foreign"
    """It is somebody else's, or may be."""


class Why(StrEnum):
    """The reasons of steps, in the words that people read."""

    FIRST = "there is no picture yet"
    GONE = "the picture that was there is gone"
    FILE_CHANGED = "the file changed"
    PREPARED_OTHERWISE = "the file is to be prepared in another way"
    NEVER_SEEN = "there is a picture that nothing is known of"
    PICTURE_CHANGED = "somebody else changed the picture"
    BOTH_CHANGED = "the file changed, and somebody else changed the picture"
    UNPROVEN = "nothing proves that the picture is still the same"
    DIFFERS = "the picture differs from the file"
    EQUAL = "the same picture is there already"
    ITEM_MOVED = "the record changed, its picture did not"
    FILE_MOVED = "the file was touched or renamed, its bytes are the same"
    FILE_GONE = "the file is gone"
    NO_DELETE = "the file is gone, and deleting was not asked for"
    GONE_AND_CHANGED = "the file is gone, but somebody else changed the picture"
    GONE_UNKNOWN = "the file is gone, but nothing proves whose the picture is"
    RENUMBERED = "the file is gone, but the record has another number now"
    REJECTED = "the service refused this picture, and nothing has changed since"
    EMPTY = "the file is empty"
    YOUNG = "the file changed a moment ago; the next run takes it"
    RECORD_GONE = "the record is gone since it was listed"
    NEW = "there is no file yet"
    FILE_LOST = "the file that was there is gone"
    FOREIGN_FILE = "a file is there that nothing is known of"
    FILE_CHANGED_HERE = "somebody else changed the file"
    NEW_NUMBER = "the record has another number now; the old file stays"
    PICTURE_GONE = "the picture is gone"
    NO_REMOVE = "the picture is gone, and deleting files was not asked for"
    REMOVED_AND_CHANGED = "the picture is gone, but somebody else changed the file"
    PUT_BACK = "what was there before is put back"
    TAKEN_BACK = "there was nothing before"
    NOT_SAVED = "what was there before was not saved"
    NOT_KEPT = "what was there before is not in the backup any more"
    IN_DOUBT = "nobody knows whether it happened"


@attrs.frozen(kw_only=True)
class Upload:
    """Send a file to a record."""

    number: str
    """What people know the record by."""

    id: str
    """GUID of the record."""

    file: LocalFile
    """What to send."""

    reason: str
    """Why, in words; mostly a `Why`."""

    replaces: Replaces
    """Whose picture is there."""

    before: str | None = None
    """SHA-256 of that picture; None where there is none, or nobody has read it."""

    item: ItemSigns
    """The record's signs when it was looked at."""

    picture: PictureSigns
    """Its picture's signs when it was looked at; its etag is for ``If-Match``."""

    digest: str | None = None
    """SHA-256 of the file, if it was read for the plan."""

    @property
    def size(self) -> int:
        """Bytes to send, before any preparation."""
        return self.file.signs.size


@attrs.frozen(kw_only=True)
class Adopt:
    """Note that both sides agree, or under which signs. Only the journal changes."""

    number: str
    """What people know the record by."""

    id: str
    """GUID of the record."""

    file: LocalFile
    """The file that agrees with the picture."""

    reason: str
    """Why, in words; mostly a `Why`."""

    digest: str
    """SHA-256 of the file."""

    sent: str
    """SHA-256 of the picture; the same where nothing is prepared."""

    size: int
    """Bytes of the picture."""

    item: ItemSigns
    """The record's signs when it was looked at."""

    picture: PictureSigns
    """Its picture's signs when it was looked at."""


@attrs.frozen(kw_only=True)
class Delete:
    """Take a picture away, since the file that it came from is gone."""

    number: str
    """What people know the record by."""

    id: str
    """GUID of the record."""

    name: str
    """The file that is gone."""

    reason: str
    """Why, in words; mostly a `Why`."""

    before: str
    """SHA-256 of the picture; it is what that file sent, or it would be kept."""

    item: ItemSigns
    """The record's signs when it was looked at."""

    picture: PictureSigns
    """Its picture's signs when it was looked at; its etag is for ``If-Match``."""


@attrs.frozen(kw_only=True)
class Keep:
    """Leave alone what one might expect to change."""

    number: str
    """What people know the record by."""

    id: str
    """GUID of the record."""

    name: str
    """The file; it may be gone."""

    reason: str
    """Why, in words; mostly a `Why`."""


@attrs.frozen(kw_only=True)
class Download:
    """Write a record's picture into a file."""

    number: str
    """What people know the record by."""

    id: str
    """GUID of the record."""

    stem: str
    """Name of the file; its extension is known when the first bytes are."""

    reason: str
    """Why, in words; mostly a `Why`."""

    replaces: Replaces
    """Whose file is there."""

    file: LocalFile | None = None
    """The file that is there: ours, which goes even if the extension is another now,
    or somebody else's of the same stem, which goes only if its name is the same."""

    before: str | None = None
    """SHA-256 of that file; None where there is none, or nobody has read it."""

    item: ItemSigns
    """The record's signs when it was looked at."""

    picture: PictureSigns
    """Its picture's signs when it was looked at."""


@attrs.frozen(kw_only=True)
class Remove:
    """Take a file away, since the picture that it came from is gone."""

    number: str
    """What people know the record by."""

    id: str
    """GUID of the record."""

    file: LocalFile
    """The file; it is what that picture was, or it would be kept."""

    reason: str
    """Why, in words; mostly a `Why`."""

    before: str
    """SHA-256 of the file."""

    item: ItemSigns
    """The record's signs when it was looked at."""

    picture: PictureSigns
    """Its picture's signs when it was looked at: there is none."""


@attrs.frozen(kw_only=True)
class Restore:
    """Take back one step of a run, if there is still what it left."""

    number: str
    """What people know the record by."""

    id: str
    """GUID of the record."""

    name: str
    """The file, relative to the folder of that run."""

    reason: str
    """Why, in words; mostly a `Why`."""

    action: Action
    """What happens now: the opposite of what the run did."""

    before: str | None
    """SHA-256 of what must be there, since the run left it; None: nothing."""

    after: str | None
    """SHA-256 of what is put back; None: nothing."""

    undoes: Intent = attrs.field(repr=False)
    """The step that is taken back."""


@attrs.frozen(kw_only=True)
class Compare:
    """Read a file and a picture, and change nothing."""

    number: str
    """What people know the record by; empty if there is none."""

    id: str
    """GUID of the record; empty if there is none."""

    name: str
    """The file; empty if there is none."""

    reason: str = ""
    """Why there is no record, or which of several; empty if there is one."""

    file: LocalFile | None = None
    """The file, as it was listed; None if there is none."""

    link: Link | None = attrs.field(default=None, repr=False)
    """What is remembered of it, such as what it was prepared to."""


PushStep = Upload | Adopt | Delete | Keep
"""A step of a push."""

PullStep = Download | Adopt | Remove | Keep
"""A step of a pull."""

UndoStep = Restore | Keep
"""A step of an undo."""

Step = Upload | Adopt | Delete | Keep | Download | Remove | Restore | Compare
"""A step of any of them."""
