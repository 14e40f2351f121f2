"""The guide names everything that can be chosen."""

import inspect
from pathlib import Path

import attrs
import pytest

from bcpicture.emulator import Answers, Fault, Quota, Seen
from bcpicture.emulator.faults import ACTIONS
from bcpicture.emulator.options import Options

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "emulator.md"


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_every_fault_has_a_line(action: str):
    assert f"\n| `{action}` |" in GUIDE.read_text(encoding="utf-8")


@pytest.mark.parametrize("value", [Answers, Fault, Options, Quota, Seen])
def test_every_field_says_what_it_means(value: type):
    source = inspect.getsource(value)
    for field in attrs.fields(value):
        behind = source.partition(f"\n    {field.name}: ")[2]
        following = behind.partition('"""')[2]
        assert len(behind.partition('"""')[0].splitlines()) < 8, field.name
        assert following.partition('"""')[0].endswith((".", "…")), field.name
