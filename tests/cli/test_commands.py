"""The commands, against an emulator, in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bcpicture.emulator import Emulator, ThreadedEmulator
from bcpicture.emulator.artwork import png

pytestmark = pytest.mark.usefixtures("online")

COMPANY = "CRONUS USA, Inc."
Bcpicture = Callable[..., Any]


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_companies_are_listed(bcpicture: Bcpicture):
    ended = bcpicture("companies")
    assert (ended.code, ended.err) == (0, "")
    assert COMPANY in ended.out
    assert "O'Neil & Sons / Ltd." in ended.out
    found = lines(bcpicture("companies", "--json").out)
    assert [one["name"] for one in found] == [COMPANY, "O'Neil & Sons / Ltd."]


def test_items_are_listed(bcpicture: Bcpicture):
    ended = bcpicture("items")
    assert ended.code == 0
    assert ended.out.splitlines()[0] == "1896-S                ATHENS Desk"
    assert len(ended.out.splitlines()) == 20
    found = lines(bcpicture("items", "--company", "O'Neil & Sons / Ltd.", "--json").out)
    assert found[0]["number"] == "1896-S"
    assert set(found[0]) == {"id", "number", "display_name", "gtin", "last_modified"}


def test_info_tells_the_size_of_a_picture(bcpicture: Bcpicture, server: Emulator):
    server.store.company(COMPANY).item("1925-W").set_picture(png("x", side=32))
    ended = bcpicture("info", "1925-W")
    assert (ended.code, ended.out) == (0, "1925-W: 32 \u00d7 32, image/jpeg\n")
    (told,) = lines(bcpicture("info", "1925-W", "--json").out)
    assert (told["exists"], told["width"], told["height"]) == (True, 32, 32)


def test_info_tells_that_there_is_none(bcpicture: Bcpicture):
    ended = bcpicture("info", "1925-W")
    assert (ended.code, ended.out) == (0, "1925-W has no picture.\n")
    (told,) = lines(bcpicture("info", "1925-W", "--json").out)
    assert told["exists"] is False


def test_info_of_an_item_that_is_not_there_fails(bcpicture: Bcpicture):
    ended = bcpicture("info", "4711")
    assert ended.code == 1
    assert ended.err.startswith('bcpicture: There is no item "4711" in company')


@pytest.mark.parametrize("command", ["push", "pull"])
def test_no_picture_at_once_is_refused(
    bcpicture: Bcpicture, tmp_path: Path, command: str
):
    ended = bcpicture(command, tmp_path, "--concurrency", 0)
    assert ended.code == 2
    assert "--concurrency" in ended.err


def test_a_company_must_be_chosen_where_there_are_several(
    bcpicture: Bcpicture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("BCPICTURE_COMPANY")
    ended = bcpicture("items")
    assert ended.code == 2
    assert ended.err == (
        'bcpicture: Which company? The environment has 2: "CRONUS USA, Inc.", '
        '"O\'Neil & Sons / Ltd.". Say it with --company, or set BCPICTURE_COMPANY.\n'
    )


def test_the_only_company_need_not_be_named(
    bcpicture: Bcpicture, server: Emulator, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("BCPICTURE_COMPANY")
    server.store.remove_company("O'Neil & Sons / Ltd.")
    assert bcpicture("items").code == 0


def test_a_company_that_is_not_there_is_answered_with_those_that_are(
    bcpicture: Bcpicture,
):
    ended = bcpicture("items", "--company", "CRONUS")
    assert ended.code == 2
    assert 'There is no company "CRONUS". The companies are: "CRONUS USA' in ended.err


def test_a_folder_that_is_not_there_is_wrong_usage(
    bcpicture: Bcpicture, tmp_path: Path
):
    ended = bcpicture("push", tmp_path / "nowhere")
    assert ended.code == 2
    assert "nowhere cannot be read: No such file or directory." in ended.err


def test_a_wrong_secret_is_no_access_and_is_not_repeated(
    bcpicture: Bcpicture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BCPICTURE_CLIENT_SECRET", "made-up-secret")
    ended = bcpicture("items")
    assert ended.code == 3
    assert "made-up-secret" not in ended.err + ended.out
    assert ended.err.startswith("bcpicture: ")
    assert "Traceback" not in ended.err
    assert len(ended.err.splitlines()) == 1


def test_an_app_that_business_central_does_not_know_is_no_access(
    bcpicture: Bcpicture, server: Emulator, photos: Path
):
    server.identity.unregister_app(server.client_id)
    assert bcpicture("push", photos).code == 3


def test_a_traceback_comes_only_when_asked_for(bcpicture: Bcpicture, tmp_path: Path):
    assert "Traceback" not in bcpicture("push", tmp_path / "nowhere").err
    assert "Traceback" in bcpicture("push", tmp_path / "nowhere", "--debug").err


def test_flags_win_over_variables_and_a_secret_comes_from_a_file(
    bcpicture: Bcpicture,
    server: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    server.identity.register("other", "other-secret")
    secret = tmp_path / "secret.txt"
    secret.write_text("other-secret\n")
    monkeypatch.setenv("BCPICTURE_URL", "http://127.0.0.1:9/api/v2.0")
    ended = bcpicture(
        *("companies", "--url", server.base_urls["v2.0"]),
        *("--client-id", "other", "--client-secret-file", secret),
    )
    assert ended.code == 0
    assert server.log[-1].principal == "other"


def test_settings_come_from_a_file_too(
    bcpicture: Bcpicture,
    variables: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    for name in variables:
        monkeypatch.delenv(name)
    (tmp_path / "secret.txt").write_text(variables["BCPICTURE_CLIENT_SECRET"])
    config = tmp_path / "bc.toml"
    config.write_text(
        f"""
        [connection]
        url = "{variables["BCPICTURE_URL"]}"
        token_url = "{variables["BCPICTURE_TOKEN_URL"]}"
        client_id = "{variables["BCPICTURE_CLIENT_ID"]}"
        client_secret_file = "secret.txt"
        """
    )
    assert bcpicture("companies", "--config", config).code == 0


def test_an_authority_of_one_s_own_is_trusted_when_it_is_named(
    bcpicture: Bcpicture, monkeypatch: pytest.MonkeyPatch
):
    with ThreadedEmulator(tls=True) as server:
        monkeypatch.setenv("BCPICTURE_URL", server.base_urls["v2.0"])
        monkeypatch.setenv("BCPICTURE_TOKEN_URL", server.token_url)
        assert bcpicture("companies").code == 3
        monkeypatch.setenv("BCPICTURE_CA_FILE", str(server.ca_path))
        assert bcpicture("companies").code == 0


def test_an_on_premises_user_gets_in_with_a_key(
    bcpicture: Bcpicture, server: Emulator, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BCPICTURE_KEY", server.key)
    assert bcpicture("companies", "--user", server.user).code == 0
    assert server.log[-1].principal == server.user
