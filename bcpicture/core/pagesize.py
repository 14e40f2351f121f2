"""How many records to ask for next, when each of them costs the service time.

``$expand=picture`` reads a whole image for each record, so a page can take longer than
the service lets it (408, 504), and how long an image takes nobody tells. So a first,
small page is timed, the next ones are ten times as long until one is too long, and from
then on the page is as long as the time that the service gave fits records.
"""

from __future__ import annotations

from math import inf

import attrs

_FACTOR = 10
"""How much longer the next page is, while none was too long."""

_USED = 0.96
"""Share of the service's time that a page is planned for."""

_STEP = 1.06
"""How much longer the next page is, after a few that were in time."""

_STREAK = 3
"""How many these are."""


@attrs.frozen(kw_only=True)
class PageSize:
    """What to ask for, and what is known so far; a page makes a new one of it."""

    size: int = 100
    """Records to ask for next."""

    most: int = 20_000
    """Records that any page has at most; more is 413 online."""

    slow: float = inf
    """Seconds above which a reply is too slow, though it came."""

    good: int = 0
    """Records of the longest page that came in time."""

    bad: float = inf
    """Records of the shortest page that did not; infinite if all did."""

    each: float = 0.0
    """Seconds that a record of the last page took; 0 before there was one."""

    limit: float = inf
    """Seconds that the service took before it gave up; infinite if it never did."""

    streak: int = 0
    """Pages of this size in a row that came in time."""

    ignored: bool = False
    """Whether the service sent more records than it was asked for."""

    @property
    def shrinkable(self) -> bool:
        """Whether less could be asked for."""
        return self.size > 1 and not self.ignored

    def came(self, records: int, seconds: float) -> PageSize:
        """After a page of *records* came within *seconds*."""
        known = attrs.evolve(self, ignored=self.ignored or records > self.size)
        if not records or seconds <= 0:
            return known
        known = attrs.evolve(known, each=seconds / records)
        if seconds > self.slow:
            return _slower(known, seconds)
        # The last page is short; that says nothing about long ones.
        return _faster(known) if records >= self.size else known

    def failed(self, seconds: float) -> PageSize:
        """After the service gave up on a page, *seconds* after it was asked for."""
        if self.size <= self.good and seconds < self.each * self.size * 0.8:
            # As long a page was made in time, in more time than this one was given:
            # whatever went wrong, it was not the length. If it was, `good` was luck.
            good = min(self.good, int(self.good * 0.98))
            return attrs.evolve(self, size=max(1, self.size // 2), good=good, streak=0)
        bad, size = self.size, max(1, self.size // _FACTOR)
        if self.each:
            size = int(_USED * seconds / self.each)
        good = self.good if self.good < bad else 0
        return attrs.evolve(
            self,
            bad=bad,
            limit=seconds,
            good=good,
            streak=0,
            size=max(1, min(max(size, good), int(bad * 0.9))),
        )

    def refused(self) -> PageSize:
        """After the service said that the page is larger than it sends (413)."""
        size = max(1, self.size // 2)
        return attrs.evolve(
            self, bad=min(self.bad, self.size), size=max(size, self.good), streak=0
        )


def _slower(known: PageSize, seconds: float) -> PageSize:
    asked = known.size
    size = max(1, int(asked * _USED * known.slow / seconds))
    return attrs.evolve(
        known, size=size, bad=min(known.bad, asked), good=min(known.good, size)
    )


def _faster(known: PageSize) -> PageSize:
    asked, good = known.size, max(known.good, known.size)
    # After an accident, back to what went well before.
    wanted = good if good > asked else _longer(known)
    fast = min(_USED * known.slow / known.each, known.most)
    size = max(asked, int(min(wanted, fast, known.bad - 1)))
    streak = known.streak + 1 if size == asked else 0
    return attrs.evolve(known, size=size, good=good, streak=streak)


def _longer(known: PageSize) -> int:
    """Records that the next page may have, by what the service can do in its time."""
    asked, bad = known.size, known.bad
    if bad == inf:
        return asked * _FACTOR
    if known.limit < inf:
        fits = int(_USED * min(known.limit / known.each, bad))
        if fits > asked * _STEP:
            return fits
    step = int(asked * _STEP) + 1
    return step if known.streak + 1 >= _STREAK and step < _USED * bad else asked
