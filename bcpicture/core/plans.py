"""Plans: what a push or a pull will do, and what it will leave alone."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from bcpicture.core.brakes import Brake
from bcpicture.core.ledger import Agreement
from bcpicture.core.matches import Ambiguous, PassedOver, Sample, Unmatched
from bcpicture.core.options import PullOptions, PushOptions
from bcpicture.core.steps import (
    Adopt,
    Delete,
    Download,
    Keep,
    PullStep,
    PushStep,
    Remove,
    Replaces,
    Restore,
    UndoStep,
    Upload,
    Why,
)


@attrs.frozen(kw_only=True)
class PushPlan:
    """What a push will do. Every list is in order; no record is in two steps."""

    uploads: tuple[Upload, ...] = ()
    """Files to send."""

    adoptions: tuple[Adopt, ...] = ()
    """What is the same on both sides, and only has to be noted."""

    deletions: tuple[Delete, ...] = ()
    """Pictures to take away."""

    kept: tuple[Keep, ...] = ()
    """What is left alone although one might expect otherwise."""

    unmatched: tuple[Unmatched, ...] = ()
    """Files that stay at home."""

    ambiguous: tuple[Ambiguous, ...] = ()
    """Files of which it is not clear where they belong; they stay at home too."""

    passed_over: tuple[PassedOver, ...] = ()
    """Files that stay at home because their record gets another one."""

    without_file: Sample = attrs.field(factory=Sample)
    """Numbers of the records that no file was found for."""

    forgotten: tuple[str, ...] = attrs.field(default=(), repr=False)
    """Ids of records that are remembered no longer once the run begins: they were not
    listed any more."""

    unchanged: int = 0
    """Records that are in step."""

    left_out: int = 0
    """Files that ``include`` and ``exclude`` leave out."""

    exist: int = 0
    """Pictures that there are, as far as anybody has looked."""

    brakes: tuple[Brake, ...] = ()
    """Why it must not be run as it is; empty: it may."""

    fingerprint: str = ""
    """Of the options by which files were matched."""

    options: PushOptions = attrs.field(factory=PushOptions, repr=False)
    """What the user decided."""

    @property
    def size(self) -> int:
        """Bytes to send, before any preparation."""
        return sum(step.size for step in self.uploads)

    @property
    def replaced(self) -> int:
        """Pictures that would be replaced."""
        return sum(it.replaces is not Replaces.NOTHING for it in self.uploads)

    @property
    def steps(self) -> Iterator[PushStep]:
        """All steps, in the order in which they are carried out."""
        yield from self.adoptions
        yield from self.kept
        yield from self.uploads
        yield from self.deletions


@attrs.frozen(kw_only=True)
class PullPlan:
    """What a pull will do. Every list is in order; no record is in two steps."""

    downloads: tuple[Download, ...] = ()
    """Pictures to fetch."""

    adoptions: tuple[Adopt, ...] = ()
    """What is the same on both sides, and only has to be noted."""

    removals: tuple[Remove, ...] = ()
    """Files to take away."""

    kept: tuple[Keep, ...] = ()
    """What is left alone although one might expect otherwise."""

    forgotten: tuple[str, ...] = attrs.field(default=(), repr=False)
    """Ids of records that are remembered no longer once the run begins: they were not
    listed any more."""

    unchanged: int = 0
    """Records that are in step."""

    absent: int = 0
    """Records without a picture."""

    absences: tuple[Agreement, ...] = attrs.field(default=(), repr=False)
    """Those of them that this was asked about, and need not be asked again."""

    files: int = 0
    """Files in the folder."""

    brakes: tuple[Brake, ...] = ()
    """Why it must not be run as it is; empty: it may."""

    options: PullOptions = attrs.field(factory=PullOptions, repr=False)
    """What the user decided."""

    @property
    def replaced(self) -> int:
        """Files that would be replaced; what nothing proves may turn out the same."""
        sure = (it for it in self.downloads if it.reason != Why.UNPROVEN)
        return sum(it.replaces is not Replaces.NOTHING for it in sure)

    @property
    def steps(self) -> Iterator[PullStep]:
        """All steps, in the order in which they are carried out."""
        yield from self.adoptions
        yield from self.kept
        yield from self.downloads
        yield from self.removals


@attrs.frozen(kw_only=True)
class UndoPlan:
    """What an undo will do, in its order: the last step of the run is taken back first.

    Whether there is still what the run left is found out when it is run.
    """

    run: str = ""
    """Which run is undone."""

    command: str = ""
    """What that run did: ``push``, ``pull`` or ``undo``."""

    folder: str = ""
    """Its folder."""

    restores: tuple[Restore, ...] = ()
    """Steps that are taken back."""

    kept: tuple[Keep, ...] = ()
    """Steps that cannot be taken back, and why."""

    brakes: tuple[Brake, ...] = ()
    """None: whoever undoes a run has seen what it did."""

    @property
    def steps(self) -> Iterator[UndoStep]:
        """All steps, in the order in which they are carried out."""
        yield from self.kept
        yield from self.restores
