"""No secret is ever shown: not by values, errors, logs, hooks, nor pickles."""

from __future__ import annotations

import logging
import pickle
import traceback
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeAlias

import attrs
import pytest

from bcpicture import (
    BasicKey,
    BcPictureError,
    ClientSecret,
    RetryPolicy,
    StaticToken,
    UsageError,
)
from bcpicture.emulator import Fault

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Paired: TypeAlias = Callable[..., Any]
Raw: TypeAlias = Callable[..., Any]
Peer: TypeAlias = Any

SECRETS = ("raw-token", "emulator-secret", "emulator-key", "emulated.")


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and all that it comes from."""
    while error is not None:
        yield error
        yield from getattr(error, "exceptions", ())
        error = error.__cause__ or error.__context__


def shown(error: BaseException) -> str:
    """Everything that a log, a report or a debugger would print of *error*."""
    parts = ["".join(traceback.format_exception(error))]
    for one in chain(error):
        parts += [str(one), repr(one), repr(one.args)]
        if isinstance(one, BcPictureError):
            parts += [repr(vars(one)), repr(pickle.dumps(one))]
    return "\n".join(parts)


def clean(text: str) -> bool:
    return not [secret for secret in SECRETS if secret in text]


async def what_it_shows(call: Callable[[], Awaitable[object]]) -> str:
    """Everything that is shown of the error of *call*, if it fails at all."""
    try:
        await call()
    except BcPictureError as error:
        return shown(error)
    return ""


FAULTS = [
    Fault("status", status=401, times=None),
    Fault("status", status=500, times=None),
    Fault("reset_before", times=None),
    Fault("reset_after", times=None),
    Fault("malformed", times=None),
    Fault("truncate", at=5, times=None),
    Fault("html", times=None),
    Fault("redirect", message="https://elsewhere.example/", times=None),
    Fault("bad_gzip", times=None),
]


def told(fault: Fault) -> str:
    return f"{fault.action}-{fault.status or ''}"


@pytest.mark.parametrize("place", ["picture", "companies", "/oauth2/"])
@pytest.mark.parametrize("fault", FAULTS, ids=told)
async def test_no_error_shows_a_secret(
    paired: Paired, caplog: pytest.LogCaptureFixture, fault: Fault, place: str
):
    caplog.set_level(logging.DEBUG)
    async with paired(retries=RetryPolicy(attempts=2, base=0.0)) as pair:
        pair.stored = b"0123456789"
        pair.server.faults.add(attrs.evolve(fault, path=place))
        for call in (pair.picture.read, pair.picture.delete):
            assert clean(await what_it_shows(call))
    logged = [
        one.getMessage() for one in caplog.records if one.name.startswith("bcpicture")
    ]
    assert clean("\n".join(logged))


async def test_no_foreign_error_in_the_chain_carries_the_request(raw: Raw):
    """aiohttp's own errors hold the request's headers, the token among them."""

    async def talk(peer: Peer) -> None:
        await peer.asked()
        await peer.say(b"this is not HTTP\r\n\r\n")

    async with (
        raw(talk) as server,
        server.picture(retries=RetryPolicy(attempts=1)) as picture,
    ):
        with pytest.raises(BcPictureError) as caught:
            await picture.read()
    assert clean(shown(caught.value))


@pytest.mark.parametrize(
    "credential",
    [
        StaticToken("raw-token"),
        ClientSecret(client_id="app", client_secret="emulator-secret"),
        BasicKey("ADMIN", "emulator-key"),
    ],
    ids=lambda credential: type(credential).__name__,
)
def test_no_credential_shows_its_secret(credential: object):
    assert clean(repr(credential) + str(credential))


async def test_no_part_of_a_client_shows_a_secret(pair: Pair):
    session = pair.session
    lane = session.lanes.members[0]
    parts = [pair.bc, session, session.lanes, lane, lane.signer, session.transport]
    parts += [pair.bc.company("x"), pair.picture, pair.bc._opened(), pair.governor]
    parts += [
        await pair.picture.info(),
        await pair.picture.upload(b"x", preflight=False),
    ]
    assert clean("\n".join(repr(part) + str(part) for part in parts))


async def test_no_hook_is_told_a_secret(paired: Paired):
    events: list[object] = []
    async with paired(hooks=[events.append]) as pair:
        pair.server.faults.add(
            Fault("status", status=401, path="picture"),
            Fault("status", status=503, retry_after="0", path="picture"),
        )
        await pair.picture.upload(b"data", preflight=False)
    assert len(events) > 5
    assert clean(repr(events))
    assert clean(repr(pickle.dumps(events)))


async def test_by_default_nothing_is_logged(
    paired: Paired, capfd: pytest.CaptureFixture[str]
):
    async with paired() as pair:
        pair.server.faults.add(Fault("status", status=503, retry_after="0"))
        await pair.picture.info()
    told = capfd.readouterr()
    assert (told.out, told.err) == ("", "")


@pytest.mark.parametrize("character", ["\r", "\n", "\0"], ids=["CR", "LF", "NUL"])
@pytest.mark.parametrize(
    "use",
    [
        pytest.param(
            lambda pair, text: pair.picture.upload(
                b"x", preflight=False, if_match=f'W/"{text}"'
            ),
            id="etag-of-an-upload",
        ),
        pytest.param(
            lambda pair, text: pair.picture.delete(if_match=f'W/"{text}"'),
            id="etag-of-a-delete",
        ),
        pytest.param(
            lambda pair, text: (
                pair.bc.company("CRONUS USA, Inc.").item(number=text).picture.info()
            ),
            id="number",
        ),
        pytest.param(
            lambda pair, text: pair.bc.company("CRONUS USA, Inc.").items.find(text),
            id="number-to-find",
        ),
    ],
)
async def test_what_could_split_a_header_or_an_address_is_refused(
    pair: Pair, use: Callable[[Pair, str], Any], character: str
):
    with pytest.raises(UsageError, match="control character"):
        await use(pair, f"a{character}b")
    assert not pair.server.log
