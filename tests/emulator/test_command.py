"""``python -m bcpicture.emulator``, in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bcpicture.emulator.command import main

HERE = [sys.executable, "-W", "error", "-m", "bcpicture.emulator"]


@contextmanager
def running(*flags: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*HERE, *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


def token(told: dict[str, str]) -> str:
    form = (
        f"grant_type=client_credentials&client_id={told['client_id']}"
        f"&client_secret={told['client_secret']}&scope={told['scope']}"
    )
    with urllib.request.urlopen(told["token_url"], form.encode()) as reply:
        return json.load(reply)["access_token"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_its_first_line_is_the_connection_and_it_leaves_nothing_on_a_signal(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with running("--json", "--items", "3") as process:
        assert process.stdout
        told = json.loads(process.stdout.readline())
        assert set(told["base_urls"]) == {"v2.0", "v1.0", "beta", "graph"}
        url = told["base_urls"]["v2.0"] + "/items?$count=true&$top=1"
        headers = {"Authorization": f"Bearer {token(told)}"}
        request = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(request) as reply:
            assert json.load(reply)["@odata.count"] == 3
        assert len(list(tmp_path.iterdir())) == 1
        process.send_signal(number)
        rest, errors = process.communicate(timeout=20)
        assert (process.returncode, rest, errors) == (0, "", "")
    assert not list(tmp_path.iterdir())


def test_it_ends_when_nobody_listens_to_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    reading, writing = os.pipe()
    os.close(reading)
    try:
        process = subprocess.run(HERE, stdout=writing, timeout=20, check=False)
    finally:
        os.close(writing)
    assert process.returncode in {0, 120}  # 120: Python could not flush at the end
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", ["folder", "file"])
def test_item_numbers_come_from_the_names_of_pictures(form: str, tmp_path: Path):
    if form == "folder":
        for name in ("zebra.JPG", "A-1.png", "a-1.gif", "notes.txt", ".hidden"):
            (tmp_path / name).touch()
        (tmp_path / "folder.png").mkdir()
        source, expected = tmp_path, ["A-1", "zebra"]
    else:
        source = tmp_path / "numbers.txt"
        source.write_text("zebra\r\nA-1\n\na/b\n")
        expected = ["A-1", "a/b", "zebra"]
    with running("--json", "--numbers-from", str(source)) as process:
        assert process.stdout
        told = json.loads(process.stdout.readline())
        headers = {"Authorization": f"Bearer {token(told)}"}
        url = told["base_urls"]["v2.0"] + "/items?$select=number"
        request = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(request) as reply:
            rows = json.load(reply)["value"]
    assert [row["number"] for row in rows] == expected


def test_it_says_where_it_listens_and_which_credentials_it_takes(tmp_path: Path):
    with running("--tls", "--data", str(tmp_path)) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(12)]
        shown = "".join(lines)
        process.terminate()
        process.communicate(timeout=20)
    for piece in ("https://127.0.0.1:", "client id", "emulator-secret", "ca.pem"):
        assert piece in shown


def test_it_warns_when_strangers_may_connect():
    with running("--host", "0.0.0.0", "--json") as process:
        assert process.stdout
        told = json.loads(process.stdout.readline())
        process.terminate()
        _, errors = process.communicate(timeout=20)
    assert "0.0.0.0 is not loopback" in errors
    assert told["token_url"].startswith("http://127.0.0.1:")


def test_a_port_that_is_taken_is_a_sentence(capsys: pytest.CaptureFixture[str]):
    with running("--json") as process:
        assert process.stdout
        told = json.loads(process.stdout.readline())
        port = told["token_url"].split(":")[2].partition("/")[0]
        assert main(["--port", port]) == 3
    assert "Cannot listen at 127.0.0.1" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--numbers-from", "--pictures"])
def test_a_folder_that_is_not_there_is_a_sentence(
    flag: str, capsys: pytest.CaptureFixture[str]
):
    assert main([flag, "nowhere"]) == 2
    assert capsys.readouterr().err == "Cannot read nowhere: No such file or directory\n"


def test_help_explains_every_flag(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    for flag in ("--port", "--items", "--numbers-from", "--data", "--tls", "--quota"):
        assert flag in shown
