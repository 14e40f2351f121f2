"""`bcpicture doctor`: what it finds, and that it changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from bcpicture.emulator import Emulator, Fault, ThreadedEmulator

Bcpicture: TypeAlias = Callable[..., Any]

CHECKS = [
    *("server", "token", "access", "API versions", "clock", "round trip"),
    *("company", "reading", "writing"),
]


def verdicts(printed: str) -> dict[str, str]:
    told = [json.loads(line) for line in printed.splitlines()]
    return {one["check"]: one["verdict"] for one in told}


@pytest.mark.usefixtures("online")
def test_a_connection_that_works_passes_every_check(
    bcpicture: Bcpicture, server: Emulator
):
    items = server.store.companies[0].table("items").records
    before = [(record.blob, record.etag) for record in items]
    ended = bcpicture("doctor")
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert len(lines) == len(CHECKS)
    for line, check in zip(lines, CHECKS, strict=True):
        assert line.split(maxsplit=1)[0] == "ok"
        assert check in line
    assert before == [(record.blob, record.etag) for record in items]


@pytest.mark.usefixtures("online")
def test_machines_get_a_line_for_each_check(bcpicture: Bcpicture):
    ended = bcpicture("doctor", "--json")
    assert verdicts(ended.out) == dict.fromkeys(CHECKS, "ok")


@pytest.mark.usefixtures("online")
@pytest.mark.parametrize(
    ("ill", "check", "remedy", "code"),
    [
        pytest.param(
            lambda s: s.identity.register(s.client_id, "changed"),
            "token",
            "The client secret is wrong",
            3,
            id="wrong secret",
        ),
        pytest.param(
            lambda s: s.identity.unregister_app(s.client_id),
            "access",
            "Register the app inside Business Central",
            3,
            id="not registered",
        ),
        pytest.param(
            lambda s: s.identity.permit(s.client_id, read=True, write=False),
            "writing",
            "permission set",
            3,
            id="may not write",
        ),
        pytest.param(
            lambda s: s.faults.add(
                Fault("status", path="items", status=403, times=None)
            ),
            "reading",
            "permission set",
            3,
            id="may not read",
        ),
        pytest.param(
            lambda s: setattr(s, "api_enabled", False),
            "server",
            "ApiServicesEnabled",
            3,
            id="switched off",
        ),
        pytest.param(
            lambda s: s.faults.add(Fault("reset_before", times=None)),
            "server",
            "Try again later",
            3,
            id="connections are cut",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy_and_what_follows_is_skipped(
    bcpicture: Bcpicture,
    server: Emulator,
    ill: Callable[[Emulator], object],
    check: str,
    remedy: str,
    code: int,
):
    ill(server)
    ended = bcpicture("doctor", "--json")
    found = verdicts(ended.out)
    at = CHECKS.index(check)
    assert list(found) == CHECKS
    assert [found[name] for name in CHECKS[:at]] == ["ok"] * at
    assert found[check] == "failed"
    assert {found[name] for name in CHECKS[at + 1 :]} <= {"skipped"}
    assert remedy in ended.out
    assert ended.code == code
    assert remedy in bcpicture("doctor").out


@pytest.mark.usefixtures("online")
def test_a_company_that_is_not_there_is_named_with_those_that_are(
    bcpicture: Bcpicture,
):
    ended = bcpicture("doctor", "--company", "Nobody Ltd.")
    assert ended.code == 2
    assert "CRONUS USA, Inc." in ended.out


@pytest.mark.usefixtures("online")
def test_without_a_company_the_first_is_taken_and_the_others_are_named(
    bcpicture: Bcpicture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("BCPICTURE_COMPANY")
    ended = bcpicture("doctor", "--json")
    found = verdicts(ended.out)
    assert found.pop("company") == "warning"
    assert set(found.values()) == {"ok"}
    assert ended.code == 0


def test_a_server_that_nobody_listens_at_is_unreachable(
    bcpicture: Bcpicture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BCPICTURE_URL", "http://127.0.0.1:9/BC/api/v2.0")
    monkeypatch.setenv("BCPICTURE_TOKEN", "t")
    ended = bcpicture("doctor", "--json")
    assert ended.code == 3
    assert verdicts(ended.out)["server"] == "failed"


def test_without_settings_it_says_which_are_missing(bcpicture: Bcpicture):
    ended = bcpicture("doctor")
    assert ended.code == 2
    assert "No Business Central is named." in ended.err


def test_clocks_and_versions_that_differ_are_told(
    bcpicture: Bcpicture, monkeypatch: pytest.MonkeyPatch
):
    with ThreadedEmulator(apis=("v1.0",), clock=lambda: 1_000_000_000.0) as server:
        for name, value in {
            "URL": server.base_urls["v1.0"],
            "TOKEN_URL": server.token_url,
            "CLIENT_ID": server.client_id,
            "CLIENT_SECRET": server.client_secret,
            "COMPANY": "CRONUS USA, Inc.",
        }.items():
            monkeypatch.setenv(f"BCPICTURE_{name}", value)
        ended = bcpicture("doctor")
    assert ended.code == 0
    assert "v1.0; v1.0 is used." in ended.out
    assert "s ahead of the server's." in ended.out


@pytest.mark.usefixtures("online")
def test_an_empty_company_can_be_read_all_the_same(
    bcpicture: Bcpicture, server: Emulator
):
    server.store.companies[0].table("items").records.clear()
    ended = bcpicture("doctor")
    assert ended.code == 0
    assert "there is none" in ended.out
