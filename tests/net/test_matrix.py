"""Every fault of the emulator, met by every operation, ends as it must.

What that is stands in `matrix/expected.txt`, written by hand; `matrix/play.py` runs it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from bcpicture.emulator.faults import ACTIONS

PLAY = Path(__file__).parent / "matrix" / "play.py"
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "outcomes.md"
MODES = ["once", "always", "blind"]

Observed: TypeAlias = dict[str, Any]


@pytest.fixture(scope="module")
def observed() -> Observed:
    """Cells, each with what was expected and what came of it, and the page of them."""
    command = [sys.executable, "-W", "error", str(PLAY)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    told: Observed = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("mode", MODES)
def test_every_cell_ends_as_it_must(observed: Observed, mode: str):
    """What the caller gets, what is stored, how many requests, and what is left."""
    wrong = [
        cell for cell in observed["cells"] if cell[0] == mode and cell[3] != cell[4]
    ]
    assert wrong == []


@pytest.mark.parametrize("mode", MODES)
def test_every_fault_of_the_emulator_has_a_row(observed: Observed, mode: str):
    rows = {fault for it, fault, *_ in observed["cells"] if it == mode}
    assert {row.partition(" ")[0] for row in rows} == ACTIONS


def test_the_page_shows_what_was_observed(observed: Observed):
    """If not, `python tests/net/matrix/play.py --write` mends it."""
    assert PAGE.read_text(encoding="utf-8") == observed["page"], observed["page"]
