"""What clients on the same connections share: tokens by whom they are for, and quotas.

Two clients of one user at one environment draw on one quota, so they wait in one
queue; and one token does for both. Everything is keyed by what it is valid for, so two
tenants never share a token. Connections belong to one event loop, and so does this.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from weakref import WeakKeyDictionary

import aiohttp
import attrs

from bcpicture.core.quota import Quota
from bcpicture.net.governor import Governor
from bcpicture.net.tokens import Signer
from bcpicture.net.watchdog import Watchdog


@attrs.define(eq=False)
class Commons:
    """The shared things of one `aiohttp.ClientSession`."""

    watchdog: Watchdog = attrs.field(factory=Watchdog)
    """Looks at all requests."""

    _signers: dict[Hashable, Signer] = attrs.field(factory=dict, repr=False)
    _governors: dict[Hashable, Governor] = attrs.field(factory=dict)
    users: int = 0
    """Clients that are open."""

    @classmethod
    def enter(cls, http: aiohttp.ClientSession) -> Commons:
        """The commons of *http*, with one more user; `leave` it in the end."""
        found = _COMMONS.setdefault(http, cls())
        found.users += 1
        return found

    async def leave(self) -> None:
        """One user less; the last one closes everything."""
        self.users -= 1
        if self.users:
            return
        self.watchdog.close()
        signers, governors = list(self._signers.values()), self._governors.values()
        self._signers.clear()
        for governor in governors:
            governor.close()
        self._governors.clear()
        for signer in signers:
            await signer.aclose()

    def signer(self, key: Hashable, make: Callable[[], Signer]) -> Signer:
        """The signer for *key*, which tells authority, tenant, client and scope."""
        if key not in self._signers:
            self._signers[key] = make()
        return self._signers[key]

    def governor(self, key: Hashable, quota: Quota, reserve: float) -> Governor:
        """The governor for *key*, which tells principal and environment.

        The first client's numbers are the ones that count.
        """
        if key not in self._governors:
            self._governors[key] = Governor(quota, reserve=reserve)
        return self._governors[key]


_COMMONS: WeakKeyDictionary[aiohttp.ClientSession, Commons] = WeakKeyDictionary()
