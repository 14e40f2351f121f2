"""One principal's way to the service: its token and its share of the quota.

Quotas are per user, so several app registrations multiply the throughput (Microsoft,
"Operational limits", advises to spread the requests round-robin). A member that is
refused is set aside, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs

from bcpicture.core.quota import QuotaUse
from bcpicture.errors import AuthenticationError, BcPictureError, ClosedError
from bcpicture.net.governor import Governor
from bcpicture.net.tokens import Signer

_REFUSALS = 2
"""Refusals in a row, a fresh token between them, after which a member is set aside."""


@attrs.define(eq=False)
class Lane:
    """One principal."""

    name: str = ""
    """What it is called when it is reported."""

    signer: Signer | None = None
    """Its tokens; None for requests that need none."""

    governor: Governor | None = None
    """Its quota; None for requests that have none."""

    refusals: int = attrs.field(default=0, init=False)
    """401 in a row."""

    aside: BcPictureError | None = attrs.field(default=None, init=False)
    """Why it is not used any more; None while it is."""

    def header_now(self) -> str | None:
        """Its Authorization header, if it is at hand; empty if it needs none."""
        return "" if self.signer is None else self.signer.header_now()

    async def header(self) -> str:
        """Its Authorization header; empty if it needs none."""
        if self.signer is None:
            return ""
        return await self.signer.header()


@attrs.define(eq=False)
class Lanes:
    """All principals of a client, taken in turn."""

    members: Sequence[Lane]
    """At least one."""

    report: Callable[[Lane, BcPictureError], None] = lambda _lane, _error: None
    """Is told who is set aside, and why."""

    closed: bool = attrs.field(default=False, init=False)
    """Whether nothing may be sent any more."""

    _turn: int = attrs.field(default=0, init=False)

    def close(self) -> None:
        """From now on nothing is sent."""
        self.closed = True

    @property
    def use(self) -> QuotaUse:
        """How busy those are that are not set aside."""
        able = [it for it in self.members if it.aside is None] or self.members
        uses = [it.governor.use for it in able if it.governor is not None]
        return sum(uses[1:], uses[0]) if uses else QuotaUse()

    def pick(self) -> Lane:
        """The one whose turn it is; rather one that has a place free now."""
        members = self.members
        if len(members) == 1:
            return members[0]
        able = [lane for lane in members if lane.aside is None] or members
        self._turn += 1
        turns = [able[(self._turn + skip) % len(able)] for skip in range(len(able))]
        return next(filter(_has_room, turns), None) or min(turns, key=_crowd)

    def next(self) -> tuple[Lane, str | None]:
        """Whose turn it is, with its Authorization header, if that is at hand.

        Raises:
            ClosedError: The client is closed.
        """
        if self.closed:
            raise ClosedError("The client is closed.", advice="Open another one.")
        members = self.members
        lane = members[0] if len(members) == 1 else self.pick()
        signer = lane.signer
        return lane, "" if signer is None else signer.header_now()

    async def authorized(self, lane: Lane) -> tuple[Lane, str]:
        """*lane*, or another one if that gets no token, with its header.

        Raises:
            AuthenticationError: No member gets a token any more.
        """
        while True:
            try:
                return lane, await lane.header()
            except AuthenticationError as error:
                if not self.set_aside(lane, error):
                    raise
            lane = self.pick()

    def refused(self, lane: Lane, header: str, claims: str | None) -> None:
        """The service did not accept *header*."""
        # Late refusals of a token that is gone already are no further ones.
        if lane.signer is None or lane.signer.reject(header, claims):
            lane.refusals += 1

    def worn_out(self, lane: Lane) -> bool:
        """Whether *lane* was refused so often that another token will not help."""
        renewable = lane.signer is not None and lane.signer.renewable
        return lane.refusals >= (_REFUSALS if renewable else 1)

    def set_aside(self, lane: Lane, error: BcPictureError) -> bool:
        """Use *lane* no more; False if it is the last one, which is kept."""
        others = [one for one in self.members if one.aside is None and one is not lane]
        if not others:
            return False
        if lane.aside is None:
            lane.aside = error
            self.report(lane, error)
        return True


def _has_room(lane: Lane) -> bool:
    return lane.governor is None or lane.governor.has_room


def _crowd(lane: Lane) -> tuple[bool, int]:
    """How little it makes sense to wait there."""
    governor = lane.governor
    return (False, 0) if governor is None else (governor.held_back, governor.waiting)
