"""What is noted at once or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Self, TypedDict

import attrs

from bcpicture.core import rows
from bcpicture.core.ledger import Agreement, Intent, Link, Rejection
from bcpicture.sync import schema
from bcpicture.sync.statements import put, run, run_many


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
class Note:
    """What is written at once or not at all."""

    settled: Sequence[Intent]
    """See `Changes`."""

    agreements: Sequence[Agreement]
    """See `Changes`."""

    links: Sequence[Link]
    """See `Changes`."""

    unlinks: Sequence[Link]
    """See `Changes`."""

    rejections: Sequence[Rejection]
    """See `Changes`."""

    forgotten: Sequence[str]
    """See `Changes`."""

    changed: datetime
    """When it was noted."""

    @classmethod
    def of(cls, changes: Changes, changed: datetime) -> Self:
        """What *changes* say, as of that time."""
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
        """Write all of it."""
        many, several = partial(run_many, connection), partial(put, connection)
        if self.forgotten:
            many(schema.DROP_RECORD, ((it,) for it in self.forgotten))
            many(schema.DROP_REJECTION, ((it,) for it in self.forgotten))
        several(schema.PUT_RECORD, map(rows.agreement_row, self.agreements))
        if self.agreements and run(connection, schema.ANY_REJECTION):
            many(schema.DROP_ACCEPTED, ((it.id, it.digest) for it in self.agreements))
        many(schema.DROP_LINK, map(rows.link_key, self.unlinks))
        several(schema.PUT_LINK, map(rows.link_row, self.links))
        several(schema.PUT_REJECTION, map(rows.rejection_row, self.rejections))
        several(schema.PUT_STEP, (self._step(it) for it in self.settled if it.step))
        # The latest of several attempts; a new row if it failed before it was intended.
        unknown = [
            rows.step_row(it, self.changed) for it in self.settled if not it.step
        ]
        many(schema.PUT_LAST_STEP, unknown)

    def _step(self, it: Intent) -> tuple[rows.Cell, ...]:
        return (it.step, *rows.step_row(it, self.changed))
