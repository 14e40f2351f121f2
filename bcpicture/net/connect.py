"""Opening connections: TLS, proxy, and a session that does nothing behind our back."""

from __future__ import annotations

import ssl
import urllib.request

import aiohttp
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from bcpicture.errors import ConfigurationError
from bcpicture.net.resends import Reply

AGENT = "bcpicture"
"""What it calls itself to the service."""


class Connector(aiohttp.TCPConnector):
    """Takes no connection out of the pool on which bytes came that nobody asked for.

    An answer that a gateway sends twice would else be the answer to the next request.
    aiohttp looks when a connection is put back, and bytes may come after that.
    """

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own signature
    ) -> Connection:
        """A connection that has been silent since its last answer."""
        while True:
            found = await super().connect(req, traces, timeout)
            protocol = found.protocol
            if protocol is None or not protocol.should_close:
                return found
            found.close()


def open_http(tls: ssl.SSLContext | None) -> aiohttp.ClientSession:
    """A session of our own.

    It keeps no cookies, reads no environment per request (which costs two thirds of
    the speed), and has no limit of its own on connections: the quota is the limit.

    Args:
        tls: Private authorities and client certificates; None for the system's.
    """
    connector = Connector(limit=0, ssl=True if tls is None else tls)
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": AGENT},
        response_class=Reply,
    )


def proxy_for(url: URL) -> str | None:
    """The proxy that the environment names for *url*, looked up once."""
    if not url.host or urllib.request.proxy_bypass(url.host):
        return None
    return urllib.request.getproxies().get(url.scheme)


def tls_with_authority(path: str | None) -> ssl.SSLContext | None:
    """TLS that trusts the authority in *path* beside the system's; None without one.

    Raises:
        ConfigurationError: The file is missing, or holds no certificate.
    """
    if path is None:
        return None
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cafile=path)
    except (OSError, ssl.SSLError) as exc:
        raise ConfigurationError(
            f"The file of certificate authorities {path} cannot be used: {exc}.",
            advice="Give a file of certificates in PEM form.",
        ) from exc
    return context
