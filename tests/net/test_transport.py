"""Whatever aiohttp can raise is one of our troubles."""

from __future__ import annotations

import asyncio
import inspect
import ssl

import aiohttp
import pytest

from bcpicture.core.meanings import error_for
from bcpicture.errors import Failure, TransportError, Trouble
from bcpicture.net.transport import FOREIGN, TROUBLES, broken

ABOUT_OTHER_THINGS = {
    "TooManyRedirects",  # none are followed
    "InvalidUrlRedirectClientError",
    "NonHttpUrlRedirectClientError",
    "WSMessageTypeError",
    "WSServerHandshakeError",
    "ContentTypeError",
}

RAISED = [
    kind
    for _, kind in inspect.getmembers(aiohttp, inspect.isclass)
    if issubclass(kind, BaseException)
    and issubclass(kind, aiohttp.ClientError)
    and kind.__name__ not in ABOUT_OTHER_THINGS
]


@pytest.mark.parametrize("kind", RAISED, ids=lambda kind: str(kind.__name__))
def test_every_error_of_aiohttp_is_foreseen(kind: type[BaseException]):
    assert issubclass(kind, FOREIGN)
    assert any(issubclass(kind, theirs) for theirs, _ in TROUBLES)


def test_there_are_some():
    assert len(RAISED) > 15


@pytest.mark.parametrize(
    ("kind", "trouble"),
    [
        (aiohttp.ClientConnectorError, Trouble.CONNECT),
        (aiohttp.ClientConnectorDNSError, Trouble.CONNECT),
        (aiohttp.ClientConnectorCertificateError, Trouble.CONNECT),
        (aiohttp.ClientConnectorSSLError, Trouble.CONNECT),
        (aiohttp.ConnectionTimeoutError, Trouble.CONNECT),
        (aiohttp.ClientProxyConnectionError, Trouble.CONNECT),
        (aiohttp.ClientHttpProxyError, Trouble.CONNECT),
        (aiohttp.ServerFingerprintMismatch, Trouble.CONNECT),
        (aiohttp.SocketTimeoutError, Trouble.STALLED),
        (aiohttp.ServerDisconnectedError, Trouble.DROPPED),
        (aiohttp.ClientOSError, Trouble.DROPPED),
        (aiohttp.ClientConnectionResetError, Trouble.DROPPED),
        (aiohttp.ClientPayloadError, Trouble.CUT),
        (aiohttp.ClientResponseError, Trouble.MALFORMED),
        (ConnectionResetError, Trouble.DROPPED),
        (BrokenPipeError, Trouble.DROPPED),
        (TimeoutError, Trouble.STALLED),
        (ssl.SSLError, Trouble.DROPPED),
        (asyncio.IncompleteReadError, Trouble.CUT),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_error_is_this_trouble(kind: type[BaseException], trouble: Trouble):
    first = next(ours for theirs, ours in TROUBLES if issubclass(kind, theirs))
    assert first is trouble


def test_a_connection_lost_while_reading_cut_the_answer_short():
    assert broken(ConnectionResetError("x"), reading=True).trouble is Trouble.CUT
    assert broken(ConnectionResetError("x")).trouble is Trouble.DROPPED


def test_an_error_without_words_is_named():
    assert str(broken(aiohttp.ClientOSError())) == "ClientOSError"


@pytest.mark.parametrize("trouble", Trouble)
def test_every_trouble_has_an_error_that_says_what_to_do(trouble: Trouble):
    error = error_for(Failure(method="GET", path="/x", trouble=trouble))
    assert error.advice
    assert "GET /x" in str(error)
    if trouble is not Trouble.HASTY:
        assert isinstance(error, TransportError)
