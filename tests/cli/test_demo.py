"""The demonstration, and the emulator that it runs on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bcpicture import BcPictureError
from bcpicture.cli.emulated import emulated
from bcpicture.emulator.artwork import jpeg, png

Bcpicture = Callable[..., Any]
NUMBERS = (
    *("1896-S", "1900-S", "1906-S", "1908-S", "1920-S", "1925-W", "1928-S", "1929-W"),
    *("1936-S", "1953-W", "1960-S", "1964-S", "1965-W", "1968-S", "1969-W", "1972-S"),
    *("1980-S", "1988-S", "1996-S", "2000-S"),
)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for everything temporary."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder for pictures of one's own."""
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


def test_made_up_pictures_come_back_identical(bcpicture: Bcpicture, temporary: Path):
    ended = bcpicture("demo")
    assert (ended.code, ended.err) == (0, "")
    assert "24 of 24 came back identical, byte for byte.\n" in ended.out
    assert re.search(r"^up +24 ", ended.out, re.MULTILINE)
    assert re.search(r"^down +24 ", ended.out, re.MULTILINE)
    assert list(temporary.iterdir()) == []


def test_pictures_of_one_s_own_come_back_identical(
    bcpicture: Bcpicture, tmp_path: Path
):
    """15 JPEGs and 5 PNGs, all of them called .jpg."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for at, number in enumerate(NUMBERS):
        data = jpeg(number, 64, 48) if at % 4 else png(number, side=64)
        (photos / f"{number}.jpg").write_bytes(data)
    before = {path.name: path.read_bytes() for path in photos.iterdir()}
    ended = bcpicture("demo", "--pictures", photos, "--json")
    (told,) = map(json.loads, ended.out.splitlines())
    assert (ended.code, told["identical"], told["different"]) == (0, 20, 0)
    assert told["up"]["size"] == told["down"]["size"] == sum(map(len, before.values()))
    assert {path.name: path.read_bytes() for path in photos.iterdir()} == before


def test_the_items_are_those_that_the_pictures_are_named_after(
    bcpicture: Bcpicture, photos: Path
):
    (photos / "4711.jpg").write_bytes(png("x", side=32))
    ended = bcpicture("demo", "--pictures", photos)
    assert ended.code == 0
    assert "1 of 1 came back identical" in ended.out


def test_a_demonstration_of_nothing_does_not_pass(bcpicture: Bcpicture, photos: Path):
    (photos / "notes.txt").write_text("no picture")
    ended = bcpicture("demo", "--pictures", photos)
    assert ended.code == 1
    assert "No picture found its item: nothing was shown." in ended.out


def test_a_picture_that_fails_is_named(bcpicture: Bcpicture, photos: Path):
    (photos / "1896-S.jpg").write_bytes(png("x", side=32))
    (photos / "1900-S.jpg").write_text("<html>Please sign in.")
    ended = bcpicture("demo", "--pictures", photos)
    assert ended.code == 1
    assert "1900-S: failed. " in ended.err
    assert "1 of 2 pictures came back changed." in ended.out


async def test_an_emulator_that_does_not_start_is_an_error(
    capfd: pytest.CaptureFixture[str],
):
    with pytest.raises(BcPictureError, match="The emulator did not start"):
        async with emulated("--frobnicate"):
            pytest.fail("There is nothing to talk to.")
    assert "--frobnicate" in capfd.readouterr().err


def test_no_items_are_wrong_usage(bcpicture: Bcpicture):
    assert bcpicture("demo", "--items", "0").code == 2


def processes_below(parent: int) -> list[int]:
    listing = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(pid) for pid in listing.split()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs Linux")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_signal_ends_the_emulator_too(number: int, code: int, temporary: Path):
    command = subprocess.Popen(
        [sys.executable, "-m", "bcpicture", "demo", "--items", "20000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    while len(list(temporary.iterdir())) < 2:  # ours, and the emulator's
        assert command.poll() is None, command.communicate()
        time.sleep(0.02)
    (emulator,) = processes_below(command.pid)
    command.send_signal(number)
    _, err = command.communicate(timeout=60)
    assert command.returncode == code, err
    assert "Traceback" not in err
    assert not Path(f"/proc/{emulator}").exists()
    assert list(temporary.iterdir()) == []


def test_the_emulator_serves_until_it_is_terminated():
    command = [sys.executable, "-m", "bcpicture", "emulator", "--json", "--items", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        told = json.loads(server.stdout.readline())
        assert set(told) >= {"base_urls", "token_url", "client_id", "client_secret"}
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
