"""What a user decides about matching, a push or a pull."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Literal, get_args

import attrs

from bcpicture.core.brakes import DELETE, REPLACE, Limit, limit_of
from bcpicture.core.globs import compile_glob
from bcpicture.core.mapping import MapRow
from bcpicture.core.preparation import Prepare
from bcpicture.core.templates import Field, Template, parse_template
from bcpicture.errors import UsageError

Compare = Literal["signs", "content"]
"""What tells that a picture is the same: signs where they prove it, or only bytes."""


def _texts(given: str | Iterable[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _rows(given: Iterable[MapRow] | None) -> tuple[MapRow, ...] | None:
    return None if given is None else tuple(given)


@attrs.frozen(kw_only=True)
class MatchOptions:
    """Which file belongs to which record."""

    by: Field = attrs.field(
        default="number", validator=attrs.validators.in_(get_args(Field))
    )
    """What a file's name tells: ``number``, ``gtin`` or ``id``. A template says it
    itself."""

    template: str | None = None
    """How names are built, such as ``{number}_{pick}.jpg``; None: the name without its
    extension tells the record."""

    include: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    """Patterns as of rclone; without any, all files are looked at."""

    exclude: tuple[str, ...] = attrs.field(default=(), converter=_texts)
    """Patterns as of rclone; what fits one of them is left out."""

    map: tuple[MapRow, ...] | None = attrs.field(
        default=None, converter=_rows, repr=False
    )
    """Rows of `parse_map` that say what belongs together; None: names tell it."""

    pick: tuple[str, ...] | None = attrs.field(
        default=None, converter=attrs.converters.optional(_texts)
    )
    """Which of a record's files is sent, in this order of what stands behind the
    number and an underscore, or for ``{pick}`` in a template; then in natural order.
    Empty: in natural order only; None: none, unless a template has ``{pick}``."""

    recursive: bool = False
    """Whether folders below the folder are looked into. They are anyway if a template
    or a map has a slash."""

    def __attrs_post_init__(self) -> None:
        for pattern in (*self.include, *self.exclude):
            compile_glob(pattern)
        template = self.parsed
        if template and self.map is not None:
            raise UsageError(
                "A template and a map both say which file belongs to which record.",
                advice="Use one of them.",
            )

    @property
    def parsed(self) -> Template | None:
        """The template, understood."""
        return None if self.template is None else parse_template(self.template)

    @property
    def field(self) -> Field:
        """What tells which record is meant."""
        return self.parsed.field if self.parsed else self.by

    @property
    def picks(self) -> bool:
        """Whether one of a record's files is chosen."""
        return self.pick is not None or bool(self.parsed and self.parsed.picks)

    @property
    def deep(self) -> bool:
        """Whether folders below the folder are looked into."""
        template, rows = self.parsed, self.map or ()
        inside = bool(template and template.deep) or any("/" in it.file for it in rows)
        return self.recursive or inside

    @property
    def fingerprint(self) -> str:
        """Equal for options that match alike, today and tomorrow.

        The rows of a map are no part of it: they are data, as the files are, and no
        deletion follows from a row.
        """
        told = [
            *(self.field, self.template, self.map is not None, self.picks),
            *(self.pick, sorted(self.include), sorted(self.exclude), self.deep),
        ]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


@attrs.frozen(kw_only=True)
class PushOptions:
    """How to push."""

    match: MatchOptions = attrs.field(factory=MatchOptions)
    """Which file belongs to which record."""

    delete: bool = False
    """Whether a picture goes when the file that it came from is gone."""

    compare: Compare = "signs"
    """``content`` reads every file and every picture instead of trusting signs."""

    rebase: bool = False
    """Whether all that the journal knows of these pictures is set aside: everything is
    compared by its bytes, and nothing is deleted."""

    max_replace: Limit = attrs.field(default=REPLACE, converter=limit_of)
    """How many pictures may be replaced: a number, or ``"10%"``; None: any number."""

    max_delete: Limit = attrs.field(default=DELETE, converter=limit_of)
    """How many pictures may be deleted: a number, or ``"5%"``; None: any number."""

    backup: Literal["always", "foreign"] = "always"
    """Which pictures are saved before they are replaced; ``foreign``: those that are
    not proven to be what was sent from here."""

    settle: float = attrs.field(default=0.0, validator=attrs.validators.ge(0))
    """Seconds that a file must have been left alone; younger ones wait for another
    run."""

    require_file: str = ""
    """A file without which the folder is not the right one, such as a marker on a
    network share; empty: none."""

    prepare: Prepare | None = None
    """What a picture has to be, and is made to be before it is sent; None: files are
    sent as they are."""

    preflight: bool = True
    """Whether a file that would not show as a picture is refused instead of sent."""

    recipe: str = attrs.field(init=False, repr=False)
    """`prepare` as the text that a journal remembers; empty for None."""

    @recipe.default
    def _recipe(self) -> str:
        return self.prepare.recipe if self.prepare else ""

    @property
    def by_content(self) -> bool:
        """Whether bytes are compared where signs would do."""
        return self.rebase or self.compare == "content"

    @property
    def deletes(self) -> bool:
        """Whether anything may be deleted."""
        return self.delete and not self.rebase


@attrs.frozen(kw_only=True)
class PullOptions:
    """How to pull."""

    delete: bool = False
    """Whether a file goes when the picture that it came from is gone."""

    compare: Compare = "signs"
    """``content`` reads every file and every picture instead of trusting signs."""

    rebase: bool = False
    """Whether all that the journal knows of these pictures is set aside: everything is
    fetched and compared by its bytes, and nothing is removed."""

    max_replace: Limit = attrs.field(default=REPLACE, converter=limit_of)
    """How many files may be replaced: a number, or ``"10%"``; None: any number."""

    max_delete: Limit = attrs.field(default=DELETE, converter=limit_of)
    """How many files may be removed: a number, or ``"5%"``; None: any number."""

    require_file: str = ""
    """A file without which the folder is not the right one; empty: none."""

    @property
    def by_content(self) -> bool:
        """Whether bytes are compared where signs would do."""
        return self.rebase or self.compare == "content"

    @property
    def deletes(self) -> bool:
        """Whether anything may be removed."""
        return self.delete and not self.rebase


@attrs.frozen(kw_only=True)
class VerifyOptions:
    """How to verify."""

    match: MatchOptions = attrs.field(factory=MatchOptions)
    """Which file belongs to which record, unless it was pulled."""

    pulled: bool | None = None
    """Whether the files were pulled, so that the journal tells whose they are, or else
    the manifest; None: if one of the two tells so."""
