"""The headers of a request together with its authorization."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
from multidict import CIMultiDict, istr

from bcpicture.core.wire import AUTHORIZATION, RECURRING


@attrs.define
class Signed:
    """Puts the authorization in; made only once for headers that recur."""

    _ready: dict[int, tuple[str, CIMultiDict[str]]] = attrs.field(factory=dict)

    def __call__(
        self, headers: Mapping[str, str], authorization: str
    ) -> CIMultiDict[str]:
        """*headers* and the authorization, ready for aiohttp, which copies them."""
        known = self._ready.get(id(headers))
        if known is not None and known[0] is authorization:
            return known[1]
        made = CIMultiDict({istr(name): value for name, value in headers.items()})
        if authorization:
            made[AUTHORIZATION] = authorization
        # Those live as long as the program, so their ids are theirs for good.
        if any(headers is one for one in RECURRING):
            self._ready[id(headers)] = authorization, made
        return made
