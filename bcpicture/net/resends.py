"""Keeping aiohttp from sending a request a second time by itself.

It sends GET and DELETE once more when a connection drops. That request would pass no
quota and no hook, and turn a DELETE that worked into a 404. There is no option against
it, but an exception that aiohttp does not know stops it, raised in one of two places:
in the reply, which can be chosen for connections of our own; or, for those that
somebody else opened, in a middleware, which costs two more coroutines a request.
"""

from __future__ import annotations

import aiohttp
from aiohttp.connector import Connection

LOST = (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)
"""What aiohttp answers with a request of its own."""


class HiddenResendError(Exception):
    """A lost connection, in a shape that aiohttp does not know."""


class Reply(aiohttp.ClientResponse):
    """A reply that aiohttp does not ask for twice."""

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        """Wait for the status and the headers."""
        try:
            return await super().start(connection)
        except LOST as exc:
            raise HiddenResendError(str(exc)) from exc


async def no_hidden_resend(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """A client middleware: the way for connections that somebody else opened."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise  # nothing was sent, and aiohttp does not repeat it
    except LOST as exc:
        raise HiddenResendError(str(exc)) from exc
