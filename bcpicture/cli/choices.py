"""The options of a synchronisation, grouped as its commands' help shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import attrs
from cyclopts import Group, Parameter
from cyclopts.validators import Number as Limits

from bcpicture.core.brakes import limit_of
from bcpicture.core.mapping import MapRow, parse_map
from bcpicture.core.options import MatchOptions, PullOptions, PushOptions
from bcpicture.core.preparation import Prepare
from bcpicture.errors import UsageError
from bcpicture.sync.engine import WIDTH

_MATCHING = Group("Which files and records", sort_key=1)
_SAFETY = Group("What may change", sort_key=2)
_PREPARATION = Group("Preparation", sort_key=3)
_RUNNING = Group("The run", sort_key=4)

_NATURAL = "natural"

ParentName = Annotated[
    Literal["item", "customer", "vendor", "employee", "contact"],
    Parameter(help="Kind of record that the pictures belong to.", group=_MATCHING),
]


@Parameter(name="*", group=_MATCHING, show_default=False)
@attrs.frozen(kw_only=True)
class Matching:
    """Which file belongs to which record."""

    by: str = "number"
    """number (default), gtin, id, or a template such as {number}_{pick}.jpg."""

    map: Path | None = None
    """CSV with the columns file and item (and company): what belongs where."""

    include: tuple[str, ...] = ()
    """Only files that fit this pattern, such as *.jpg; several for several."""

    exclude: tuple[str, ...] = ()
    """No files that fit this pattern; several for several."""

    recursive: bool = False
    """Look into the folders below, too."""

    pick: str | None = None
    """Of several files for a record, the first of these: front,1 (or natural)."""

    def options(self) -> MatchOptions:
        """What the library calls it."""
        named = {"by": self.by, "template": None}
        if "{" in self.by:
            named = {"by": "number", "template": self.by}
        elif self.by not in {"number", "gtin", "id"}:
            raise UsageError(
                f"Files cannot be matched by {self.by!r}.",
                advice="Say --by number, gtin, id, or a template with {number} in it.",
            )
        pick = None if self.pick is None else self.pick.split(",")
        if self.pick == _NATURAL:
            pick = []
        chosen: Mapping[str, Any] = {**named, "pick": pick, "map": self._rows()}
        return MatchOptions(
            include=self.include,
            exclude=self.exclude,
            recursive=self.recursive,
            **chosen,
        )

    def _rows(self) -> tuple[MapRow, ...] | None:
        if self.map is None:
            return None
        try:
            text = self.map.read_text(encoding="utf-8")
        except OSError as exc:
            raise UsageError(
                f"The map {self.map} cannot be read: {exc.strerror}.",
                advice="Name a CSV file that is there.",
            ) from exc
        except UnicodeDecodeError as exc:
            raise UsageError(
                f"The map {self.map} is not UTF-8.",
                advice="Save it as CSV in UTF-8.",
            ) from exc
        return parse_map(text, name=f"The map {self.map}")


@Parameter(name="*", group=_MATCHING, show_default=False)
@attrs.frozen(kw_only=True)
class StrictMatching(Matching):
    """The same, and whether all of them have to."""

    strict: bool = False
    """Exit with 1, too, if a file has no record, or it is not clear which."""


@Parameter(name="*", group=_SAFETY, show_default=False)
@attrs.frozen(kw_only=True)
class Safety:
    """What may change, and what stops a run before it begins."""

    delete: bool = False
    """Take away what belongs to something that is gone on the other side."""

    max_replace: str | None = None
    """How many may be replaced: a number or a share (default 10%, at least 50)."""

    max_delete: str | None = None
    """How many may be deleted: a number or a share (default 5%)."""

    require_file: str = ""
    """Do not begin without this file in the folder: a marker on a share."""

    compare: Literal["signs", "content"] = "signs"
    """signs (default) trusts dates, sizes and etags; content reads everything."""

    rebase: bool = False
    """Set aside what is remembered, compare by content, delete nothing."""

    def fields(self) -> dict[str, Any]:
        """What the library calls it, as far as it was given."""
        limits = {"max_replace": self.max_replace, "max_delete": self.max_delete}
        given = {name: limit_of(it) for name, it in limits.items() if it is not None}
        return {
            **given,
            "delete": self.delete,
            "require_file": self.require_file,
            "compare": self.compare,
            "rebase": self.rebase,
        }

    def pull_options(self) -> PullOptions:
        """The options of a pull."""
        return PullOptions(**self.fields())


@Parameter(name="*", group=_SAFETY, show_default=False)
@attrs.frozen(kw_only=True)
class Saving:
    """What is put aside, and what waits."""

    backup: Literal["all", "foreign"] = "all"
    """Save all pictures (default) before replacing them, or only foreign ones."""

    settle: Annotated[float, Parameter(validator=Limits(gte=0))] = 0.0
    """Leave files that changed in the last so many seconds for the next run."""


@Parameter(name="*", group=_PREPARATION, show_default=False)
@attrs.frozen(kw_only=True)
class Preparation:
    """What is made of a file before it is sent (extra images)."""

    convert: bool = False
    """Convert what would not show (WebP, AVIF, TIFF, HEIC), turn photos upright."""

    max_side: int | None = None
    """Shrink to so many pixels of the longer side; converts, too."""

    max_bytes: int | None = None
    """Shrink to so many bytes; converts, too."""

    quality: int | None = None
    """Quality of a JPEG that is made anew, 1 to 95 (default 85); converts, too."""

    strip: bool = False
    """Take out metadata, such as where a photo was taken; converts, too."""

    max_pixels: int | None = None
    """Refuse larger pictures (default 80 million pixels); converts, too."""

    no_preflight: bool = False
    """Send files too that would not show as a picture."""

    def prepare(self) -> Prepare | None:
        """What the library calls it."""
        numbers = {
            "max_side": self.max_side,
            "max_bytes": self.max_bytes,
            "quality": self.quality,
            "max_pixels": self.max_pixels,
        }
        given = {name: it for name, it in numbers.items() if it is not None}
        if not (given or self.strip or self.convert):
            return None
        return Prepare(strip=self.strip, **given)


@Parameter(name="*", group=_RUNNING, show_default=False)
@attrs.frozen(kw_only=True)
class Reading:
    """How a run goes that changes nothing, and what is kept of it."""

    concurrency: Annotated[int, Parameter(validator=Limits(gte=1))] = WIDTH
    """Pictures at once (default 5); the online service works on 5 for each user."""

    report: Path | None = None
    """Write every item, what became of it and why, to this .json or .csv."""


@Parameter(name="*", group=_RUNNING, show_default=False)
@attrs.frozen(kw_only=True)
class Running(Reading):
    """How a run goes, and what is kept of it."""

    dry_run: bool = False
    """Only tell what would be done, step by step."""


@Parameter(name="*", group=_RUNNING, show_default=False)
@attrs.frozen(kw_only=True)
class Memory:
    """Where it is remembered what both sides agreed upon."""

    state_dir: Path | None = None
    """Where journals and backups are kept (BCPICTURE_STATE_DIR): a local disk."""


@Parameter(name="*", group=_RUNNING, show_default=False)
@attrs.frozen(kw_only=True)
class State(Memory):
    """The same, and for how long."""

    keep: Annotated[float, Parameter(validator=Limits(gte=0, lte=36500))] = 90.0
    """Days for which what was replaced is kept in the backup (default 90)."""

    @property
    def kept(self) -> timedelta:
        """How long what was replaced is kept."""
        return timedelta(days=self.keep)


def push_options(
    matching: Matching, safety: Safety, saving: Saving, preparation: Preparation
) -> PushOptions:
    """The options of a push."""
    return PushOptions(
        match=matching.options(),
        backup="always" if saving.backup == "all" else "foreign",
        settle=saving.settle,
        prepare=preparation.prepare(),
        preflight=not preparation.no_preflight,
        **safety.fields(),
    )


MATCHING = Matching()
STRICT_MATCHING = StrictMatching()
SAFETY = Safety()
SAVING = Saving()
PREPARATION = Preparation()
READING = Reading()
RUNNING = Running()
MEMORY = Memory()
STATE = State()
