"""Which API a server has: `Endpoint.detect` leads here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
from yarl import URL

from bcpicture.core import urls
from bcpicture.core.addresses import candidates
from bcpicture.core.credentials import StaticToken
from bcpicture.core.endpoints import Endpoint
from bcpicture.core.wire import READ_JSON, Request
from bcpicture.errors import (
    AccessDeniedError,
    ApiSwitchedOffError,
    BcPictureError,
    MissingError,
)
from bcpicture.net.exchange import Exchange
from bcpicture.net.lanes import Lane, Lanes
from bcpicture.net.session import Session
from bcpicture.net.signers import Credential, CredentialPool
from bcpicture.resources.client import BusinessCentral

ABSENT = (MissingError, ApiSwitchedOffError)
"""What a server answers for an API that it does not have."""

_PLACE = frozenset({"tenant", "scope", "quota", "plain_http"})
"""Options of an endpoint; all others are the client's."""

_NOBODY = StaticToken("nobody")


async def detect(
    url: str | URL,
    credential: Credential | CredentialPool | None = None,
    **options: Any,  # noqa: ANN401 - of an endpoint, and of a client
) -> Endpoint:
    """The newest API at an address; see `Endpoint.detect`."""
    place = {name: options.pop(name) for name in _PLACE & options.keys()}
    refusals: list[BcPictureError] = []
    for address in candidates(url):
        endpoint = Endpoint.at(address, **place)
        client = BusinessCentral(endpoint, credential or _NOBODY, **options)
        try:
            async with client as bc:
                await probe(bc, anonymous=credential is None)
        except ABSENT as error:
            refusals.append(error)
        else:
            return endpoint
    raise _nothing(url, refusals)


async def probe(bc: BusinessCentral, *, anonymous: bool = False) -> None:
    """Ask for a company, to see whether the API is there.

    Args:
        bc: An open client.
        anonymous: Whether not to say who asks; to be asked for it is an answer, then.

    Raises:
        BcPictureError: It is not there, or does not let us in.
    """
    session = session_of(bc)
    if anonymous:
        session = attrs.evolve(session, lanes=Lanes([Lane()]))
    url = urls.companies(bc.endpoint, [("$top", "1")])
    try:
        await session.call(
            Request(method="GET", url=url, headers=READ_JSON), Exchange.read
        )
    except AccessDeniedError:
        if not anonymous:
            raise


def session_of(bc: BusinessCentral) -> Session:
    """What an open client sends its requests by."""
    return bc._opened().session  # noqa: SLF001 - of the module beside


def _nothing(url: str | URL, refusals: Sequence[BcPictureError]) -> BcPictureError:
    """What to do about a server without an API that we know."""
    off = [one for one in refusals if isinstance(one, ApiSwitchedOffError)]
    if off:
        return off[0]
    return MissingError(
        f"There is no API v2.0 or v1.0 at {url}.",
        advice=(
            "Check host, port and server instance or environment. On premises the "
            "APIs are off by default: set ApiServicesEnabled on the server instance, "
            "and restart it."
        ),
        failure=refusals[-1].failure,
    )
