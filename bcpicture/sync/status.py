"""What is known of a synchronisation, also while another process works with it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import attrs

from bcpicture.core.ledger import Intent, JournalTarget, Rejection, RunRecord, Way
from bcpicture.core.memory import JournalStatistics
from bcpicture.net.files import in_thread
from bcpicture.resources.records import Records
from bcpicture.sync import places
from bcpicture.sync.backups import Backups
from bcpicture.sync.holder import Holder
from bcpicture.sync.journal import Journal
from bcpicture.sync.places import Place
from bcpicture.sync.targeting import target_of

_NOTHING = JournalStatistics(**dict.fromkeys(attrs.fields_dict(JournalStatistics), 0))
_RUNS = 20


@attrs.frozen(kw_only=True)
class Status:
    """What is known of a synchronisation."""

    target: JournalTarget
    """Whose pictures it is about."""

    place: Place
    """Where journal, lock and backup lie; there may be nothing yet."""

    holder: Holder | None = None
    """Which process works with it; None: none does."""

    known: JournalStatistics = _NOTHING
    """How much is remembered."""

    open: tuple[Intent, ...] = ()
    """Steps of which nobody knows yet whether they have happened: those under way, and
    those of a run that was killed, which the next one settles."""

    rejections: tuple[Rejection, ...] = ()
    """Pictures that the service did not take."""

    runs: tuple[RunRecord, ...] = ()
    """The last runs, the latest first."""

    backups: int = 0
    """Bytes in the backup."""


async def status_of(
    records: Records,
    *,
    state_dir: str | os.PathLike[str] | None = None,
    runs: int = _RUNS,
) -> Status:
    """What is known of the synchronisation of *records*; takes no lock.

    Args:
        records: Such as ``company.items``.
        state_dir: Where journals are kept, as of `open`.
        runs: How many of the last runs are told.

    Raises:
        JournalError: The journal is damaged.
    """
    target = await target_of(records)
    root = await in_thread(places.state_folder, state_dir)
    place = await in_thread(places.find_place, root, target)
    holder = await in_thread(_holder, place.lock)
    status = Status(target=target, place=place, holder=holder)
    if not await in_thread(place.journal.exists):
        return status
    async with Journal.open(place.journal, target) as journal:
        memory = await journal.load(Way.PUSH, "")
        return attrs.evolve(
            status,
            known=await journal.statistics(),
            open=tuple(await journal.open_intents()),
            rejections=tuple(memory.rejections.values()),
            runs=tuple(await journal.runs(runs)),
            backups=await Backups(place.backups).size(),
        )


def _holder(lock: Path) -> Holder | None:
    with suppress(OSError):
        holder = Holder.read(lock.read_text("utf-8", "replace"))
        return None if holder is None or holder.gone else holder
    return None
