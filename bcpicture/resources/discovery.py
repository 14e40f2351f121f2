"""Which environments the online service has for a tenant."""

from __future__ import annotations

from bcpicture.core import urls
from bcpicture.core.models import Environment
from bcpicture.core.wire import READ_JSON, Request
from bcpicture.errors import MissingError, UsageError
from bcpicture.net.exchange import Exchange
from bcpicture.resources.directory import Directory

_LISTS = ("v1.2", "v1.1")
"""Versions of the list, the newest first."""


async def environments(directory: Directory) -> tuple[Environment, ...]:
    """The environments of the tenant, as the online service lists them.

    Raises:
        UsageError: The server is none of the online service.
        MissingError: It offers no such list.
    """
    endpoint = directory.endpoint
    if not endpoint.listed:
        raise UsageError(
            f"{endpoint.base} is no address of the online service.",
            advice="A server of one's own has no environments, but server instances.",
        )
    newest, older = _LISTS
    try:
        return await _listed(directory, newest)
    except MissingError:
        return await _listed(directory, older)


async def _listed(directory: Directory, version: str) -> tuple[Environment, ...]:
    url = urls.environments(directory.endpoint, version)
    request = Request(method="GET", url=url, headers=READ_JSON)
    return await directory.session.call(request, _told)


async def _told(exchange: Exchange) -> tuple[Environment, ...]:
    # Not for everybody, and not for `import bcpicture`.
    from bcpicture.core.decoding import read_page

    return read_page(await exchange.read(), Environment).values
