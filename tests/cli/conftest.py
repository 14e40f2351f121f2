"""A Business Central on another thread, and the variables that lead to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

from bcpicture.cli.app import run
from bcpicture.emulator import Emulator, ThreadedEmulator
from bcpicture.emulator.artwork import png


@pytest.fixture
def server() -> Iterator[Emulator]:
    """An emulator for commands, which bring a loop of their own."""
    with ThreadedEmulator() as emulator:
        yield emulator


@pytest.fixture
def variables(server: Emulator) -> dict[str, str]:
    """The settings that lead to it."""
    return {
        "BCPICTURE_URL": server.base_urls["v2.0"],
        "BCPICTURE_TOKEN_URL": server.token_url,
        "BCPICTURE_CLIENT_ID": server.client_id,
        "BCPICTURE_CLIENT_SECRET": server.client_secret,
        "BCPICTURE_COMPANY": "CRONUS USA, Inc.",
    }


@attrs.frozen
class Ended:
    """How a command ended."""

    code: int
    """Its exit code."""

    out: str
    """What it printed."""

    err: str
    """What it complained about."""


Bcpicture = Callable[..., Ended]


@pytest.fixture
def bcpicture(capsys: pytest.CaptureFixture[str]) -> Bcpicture:
    """Runs a command line in this process."""

    def command(*arguments: object) -> Ended:
        code = run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return Ended(code, printed.out, printed.err)

    return command


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where commands keep what they remember: nowhere in the user's own folders."""
    folder = tmp_path.with_name(f"{tmp_path.name}-state")
    monkeypatch.setenv("BCPICTURE_STATE_DIR", str(folder))
    return folder


@pytest.fixture
def online(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands find the emulator."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three old pictures for items, one for nobody, and something else."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("1896-S.jpg", "1900-s.PNG", "1906-S.gif", "4711.jpg"):
        (folder / name).write_bytes(png(name, side=32))
        os.utime(folder / name, (1_700_000_000, 1_700_000_000))
    (folder / "notes.txt").write_text("Buy more chairs.")
    return folder
