"""What an error reply means: status and code decide, never the text."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Iterator
from email.utils import formatdate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from bcpicture.core.failures import (
    claims_challenge,
    parse_retry_after,
    read_failure,
    request_id,
)
from bcpicture.core.meanings import error_for
from bcpicture.errors import Failure

GUID = "5d115c9c-44e3-4ea3-a89a-7edd8d0bfb7d"
NOW = 784_111_717.0
"""Sun, 06 Nov 1994 08:48:37 GMT: one minute before the date in HTTP's standard."""


def sent(status: int | None = None, code: str = "", **more: object) -> Failure:
    return Failure(method="GET", path="/x", status=status, code=code, **more)


def told(code: str = "", message: str = "") -> bytes:
    return json.dumps({"error": {"code": code, "message": message}}).encode()


def read(body: bytes = b"", **headers: str) -> Failure:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read_failure(sent(400), CIMultiDict(named), body, now=NOW)


# -- Retry-After


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param(None, None, id="no header"),
        pytest.param("0", 0.0, id="at once"),
        pytest.param("120", 120.0, id="seconds"),
        pytest.param(" 7 ", 7.0, id="blanks around"),
        pytest.param("Sun, 06 Nov 1994 08:49:37 GMT", 60.0, id="a date"),
        pytest.param("Sunday, 06-Nov-94 08:49:37 GMT", 60.0, id="a date of RFC 850"),
        pytest.param("Sun Nov  6 08:49:37 1994", 60.0, id="a date of asctime"),
        pytest.param("Sun, 06 Nov 1994 08:49:37 -0000", 60.0, id="no zone"),
        pytest.param("Sun, 06 Nov 1994 10:49:37 +0200", 60.0, id="another zone"),
        pytest.param("Sun, 06 Nov 1994 08:00:00 GMT", 0.0, id="past"),
        pytest.param("", None, id="empty"),
        pytest.param("-5", None, id="negative"),
        pytest.param("1.5", None, id="a fraction"),
        pytest.param("soon", None, id="a word"),
        pytest.param("١٢", None, id="Arabic digits"),
        pytest.param("²", None, id="a superscript"),
        pytest.param("Sun, 99 Nov 1994 08:49:37 GMT", None, id="no day"),
        pytest.param("9" * 400, float("inf"), id="for ever"),
    ],
)
def test_retry_after_in_every_form(text: str | None, seconds: float | None):
    assert parse_retry_after(text, now=NOW) == seconds


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose clock shows the time of Kiritimati."""
    monkeypatch.setenv("TZ", "UTC-14")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot change the zone of one")
@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("text", ["Sun Nov  6 08:49:37 1994", "6 Nov 1994 08:49:37"])
def test_a_date_is_the_same_moment_in_every_time_zone(text: str):
    assert parse_retry_after(text, now=NOW) == 60.0


@settings(deadline=None)
@given(st.text())
def test_no_header_can_make_it_raise_or_wait_for_less_than_nothing(text: str):
    seconds = parse_retry_after(text, now=NOW)
    assert seconds is None or seconds >= 0


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_a_date_and_its_seconds_are_one(seconds: int):
    date = formatdate(NOW + seconds, usegmt=True)
    assert parse_retry_after(date, now=NOW) == seconds
    assert parse_retry_after(str(seconds), now=NOW) == seconds


# -- the envelope


def test_an_error_of_business_central_is_taken_apart():
    """The envelope of Microsoft's page on OData batches: two blanks, a full stop."""
    message = f"The request is wrong.  CorrelationId:  {GUID}."
    failure = read(told("BadRequest", message), Retry_After="7", request_id="another")
    assert failure == sent(
        400,
        "BadRequest",
        message="The request is wrong.",
        correlation_id=GUID,
        retry_after=7.0,
    )


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>gateway</html>", id="a web page"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="an array"),
        pytest.param(b"{}", id="no error"),
        pytest.param(b'{"error": null}', id="a null error"),
        pytest.param(b'{"error": "no"}', id="a text"),
        pytest.param(b'{"error": {}}', id="an empty error"),
        pytest.param(b'{"error": {"code": null, "message": null}}', id="nulls"),
        pytest.param(b'{"error": {"code": "\xff', id="not UTF-8"),
        pytest.param(b"[" * 60_000, id="a tower of brackets"),
    ],
)
def test_a_body_that_is_none_of_the_services_is_no_error_of_its_own(body: bytes):
    assert read(body) == sent(400)


def test_what_is_no_text_in_the_envelope_becomes_one():
    assert read(b'{"error": {"code": 5, "message": {"lang": "en"}}}').code == "5"


@pytest.mark.parametrize(
    "name", ["request-id", "REQUEST-ID", "ms-correlation-x"], ids=str
)
def test_the_headers_name_the_request_where_the_message_does_not(name: str):
    assert request_id(CIMultiDict({name: GUID})) == GUID
    assert read(told("x", "No."), **{name: GUID}).correlation_id == GUID


def test_without_any_id_there_is_none():
    assert request_id(CIMultiDict()) == ""


def test_the_words_of_the_service_are_cut_to_one_readable_line():
    failure = read(told("x" * 999, f"a\r\n\tb {'c' * 999}"), request_id="y" * 999)
    assert failure.message.startswith("a b ccc")
    for text in (failure.code, failure.message, failure.correlation_id):
        assert len(text) == 301
        assert text.endswith("…")


@pytest.mark.parametrize("control", ["\x1b[2J", "\0", "\x07", "\x9b2J"], ids=ascii)
def test_the_words_of_the_service_cannot_move_a_terminals_cursor(control: str):
    error = error_for(read(told(f"x{control}", f"No{control}."), request_id="r"))
    assert str(error).isprintable()


# -- the claims challenge

CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}'


def encoded(claims: str, *, padded: bool = True, url_safe: bool = False) -> str:
    encode = base64.urlsafe_b64encode if url_safe else base64.b64encode
    text = encode(claims.encode()).decode()
    return text if padded else text.rstrip("=")


@pytest.mark.parametrize("padded", [True, False], ids=["padded", "bare"])
@pytest.mark.parametrize("url_safe", [True, False], ids=["url-safe", "plain"])
@pytest.mark.parametrize("claims", [CLAIMS, '{"a":"ÿÿ>>??~~"}', "{}"])
def test_claims_are_read_however_they_are_encoded(
    claims: str, *, padded: bool, url_safe: bool
):
    text = encoded(claims, padded=padded, url_safe=url_safe)
    header = (
        'Bearer realm="", authorization_uri="https://login.example.com/authorize", '
        f'error="insufficient_claims", claims="{text}"'
    )
    assert claims_challenge(header) == claims
    assert read(WWW_Authenticate=header).claims == claims


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(None, id="no header"),
        pytest.param("", id="empty"),
        pytest.param('Basic realm="bc"', id="Basic"),
        pytest.param('Bearer error="invalid_token"', id="no claims"),
        pytest.param('Bearer claims=""', id="empty claims"),
        pytest.param('Bearer claims="a"', id="not base64"),
        pytest.param('Bearer claims="////"', id="not UTF-8"),
        pytest.param('Bearer claims="a b"', id="a blank"),
    ],
)
def test_without_readable_claims_there_is_no_challenge(header: str | None):
    assert claims_challenge(header) is None


@settings(deadline=None)
@given(st.text())
def test_no_challenge_can_make_it_raise(text: str):
    claims_challenge(f'Bearer claims="{text}"')


def test_a_challenge_is_found_behind_another_one():
    """A server that takes Basic and OAuth sends two headers of the same name."""
    challenges = ['Basic realm="bc"', f'Bearer claims="{encoded(CLAIMS)}"']
    headers = CIMultiDict([("WWW-Authenticate", one) for one in challenges])
    assert read_failure(sent(401), headers, b"", now=NOW).claims == CLAIMS


def test_claims_are_not_shown():
    assert "essential" not in repr(sent(401, claims=CLAIMS))
