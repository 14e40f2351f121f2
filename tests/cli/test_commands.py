"""The commands, against an emulator, in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bcpicture.emulator import Emulator, Fault, ThreadedEmulator
from bcpicture.emulator.artwork import png

pytestmark = pytest.mark.usefixtures("online")

COMPANY = "CRONUS USA, Inc."
Bcpicture = Callable[..., Any]


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def stored(server: Emulator, number: str) -> bytes | None:
    return server.store.company(COMPANY).item(number).picture_bytes()


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


def test_push_sends_what_matches_and_reports_the_rest(
    bcpicture: Bcpicture, server: Emulator, photos: Path
):
    ended = bcpicture("push", photos)
    assert (ended.code, ended.err) == (0, "")
    assert stored(server, "1896-S") == (photos / "1896-S.jpg").read_bytes()
    assert stored(server, "1900-S") == (photos / "1900-s.PNG").read_bytes()
    assert stored(server, "1908-S") is None
    told = ended.out.splitlines()
    assert told[:4] == [
        "2 files without an item:",
        "  4711.jpg: no such item",
        "  notes.txt: not a picture, by its extension",
        "17 items without a file:",
    ]
    assert "  2000-S" in told
    assert told[-1].startswith("3 pictures done, ")


def test_push_tells_machines_everything(bcpicture: Bcpicture, photos: Path):
    ended = bcpicture("push", photos, "--json")
    plan, *pictures, report = lines(ended.out)
    assert (plan["event"], plan["pictures"]) == ("plan", 3)
    assert [one["reason"] for one in plan["unmatched"]] == [
        "no such item",
        "not a picture, by its extension",
    ]
    assert len(plan["without_file"]) == 17
    assert {one["number"]: one["status"] for one in pictures} == {
        "1896-S": "done",
        "1900-S": "done",
        "1906-S": "done",
    }
    assert report.pop("seconds") >= 0
    assert report == {
        "event": "report",
        "complete": True,
        "done": 3,
        "absent": 0,
        "failed": 0,
        "size": plan["size"],
        "retries": 0,
    }


def test_a_dry_run_sends_nothing(bcpicture: Bcpicture, server: Emulator, photos: Path):
    ended = bcpicture("push", photos, "--dry-run")
    assert ended.code == 0
    assert "3 pictures would be sent, " in ended.out
    assert "  1900-s.PNG to 1900-S" in ended.out.splitlines()
    steps = lines(bcpicture("push", photos, "--dry-run", "--json").out)[1:]
    assert [one["event"] for one in steps] == ["upload"] * 3
    assert not [seen for seen in server.log if seen.method == "PATCH"]


def test_a_dry_run_with_nothing_to_do_says_so(bcpicture: Bcpicture, tmp_path: Path):
    assert "Nothing would be sent." in bcpicture("push", tmp_path, "--dry-run").out


def test_what_is_unclear_is_not_sent(bcpicture: Bcpicture, photos: Path):
    (photos / "1896-S.png").write_bytes(b"x")
    ended = bcpicture("push", photos)
    assert ended.code == 0
    assert (
        "1 unclear match:\n  1896-S: 2 files for one item (1896-S.jpg, 1896-S.png)\n"
    ) in ended.out
    (plan, *_) = lines(bcpicture("push", photos, "--json", "--dry-run").out)
    assert plan["ambiguous"][0]["numbers"] == ["1896-S"]


def test_a_picture_that_fails_is_named_and_the_others_go_on(
    bcpicture: Bcpicture, server: Emulator, photos: Path
):
    item = server.store.company(COMPANY).item("1896-S")
    refusal = Fault(
        action="status",
        method="PATCH",
        path=item.id,
        status=400,
        code="Application_DialogException",
        message="The item is blocked.",
        times=2,
    )
    server.faults.add(refusal)
    ended = bcpicture("push", photos)
    assert ended.code == 1
    assert ended.err.startswith("1896-S: failed. ")
    assert "The item is blocked." in ended.err
    assert "1 failed\n  1 x RejectedError Application_DialogException\n" in ended.out
    found = lines(bcpicture("push", photos, "--json").out)
    failed = [one for one in found if one.get("status") == "failed"]
    assert [one["number"] for one in failed] == ["1896-S"]
    assert "The item is blocked." in failed[0]["error"]


def test_pull_writes_what_there_is(
    bcpicture: Bcpicture, server: Emulator, tmp_path: Path
):
    server.store.company(COMPANY).item("1896-S").set_picture(png("x", side=32))
    ended = bcpicture("pull", tmp_path / "out", "--verbose", "--concurrency", 2)
    assert ended.code == 0
    assert (tmp_path / "out" / "1896-S.png").read_bytes() == png("x", side=32)
    assert "1900-S: no picture\n" in ended.err
    assert "1 picture done, " in ended.out
    assert "19 items without a picture" in ended.out


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


def test_a_run_that_breaks_off_tells_what_it_achieved(
    bcpicture: Bcpicture, server: Emulator, photos: Path
):
    server.faults.add(
        Fault(
            action="status",
            method="PATCH",
            status=403,
            code="Authentication_InvalidCredentials",
            times=None,
        )
    )
    ended = bcpicture("push", photos, "--json", "--concurrency", 1)
    assert ended.code == 3
    report = lines(ended.out)[-1]
    assert (report["complete"], report["done"], report["failed"]) == (False, 0, 1)


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
