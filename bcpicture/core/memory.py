"""What a journal remembers, as planning needs it."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from bcpicture.core.ledger import Agreement, Link, Rejection


@attrs.frozen(kw_only=True)
class Memory:
    """What is known of all records, and of one folder."""

    agreements: Mapping[str, Agreement]
    """By the record's id; made when they are asked for, so ask once."""

    links: Mapping[str, Link]
    """The folder's, by the record's id; made when they are asked for."""

    rejections: Mapping[str, Rejection]
    """By the record's id."""

    last_matching: str | None
    """The matching options of the last run on this folder, however it ended; None if
    there was none."""

    @property
    def has_rows(self) -> bool:
        """Whether anything is known of this folder; without it nothing is deleted."""
        return bool(self.links)


@attrs.frozen(kw_only=True)
class JournalStatistics:
    """How much a journal remembers."""

    agreements: int
    """Records whose pictures are known."""

    pictures: int
    """Those of them that have one."""

    links: int
    """Files that belong to records, of all folders."""

    rejections: int
    """Pictures that the service did not take."""

    runs: int
    """All runs that changed something, or tried to."""

    steps: int
    """Their steps."""

    open: int
    """Steps of which nobody knows yet whether they have happened."""

    size: int
    """Bytes of its file, but for what was written last."""
