"""What people and machines get to see."""

from __future__ import annotations

import io
import json

import pytest

from bcpicture.cli.console import Console, count, shown, size
from bcpicture.cli.options import Output


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (74935, "74.9 KB"),
        (3e8, "300.0 MB"),
        (2e15, "2,000.0 TB"),
    ],
)
def test_bytes_are_told_as_people_read_them(number: float, told: str):
    assert size(number) == told


def test_a_number_has_its_noun():
    assert count(1, "picture") == "1 picture"
    assert count(5000, "picture") == "5,000 pictures"
    assert count(2, "retry", "retries") == "2 retries"


def test_nothing_moves_the_cursor_of_a_terminal():
    assert shown("a\x1b[2J\r\nb\udc80ä") == "a\\x1b[2J\\r\\nb\\udc80ä"


@pytest.mark.parametrize(
    ("out", "verbose", "expected"),
    [
        pytest.param(Terminal(), False, 1, id="a terminal"),
        pytest.param(Terminal(), True, 31, id="a terminal, asked for all"),
        pytest.param(io.StringIO(), False, 31, id="a file"),
    ],
)
def test_a_long_list_is_told_where_there_is_room(
    out: io.StringIO,
    verbose: bool,  # noqa: FBT001 - a parameter of the table above
    expected: int,
):
    console = Console(Output(), out, verbose=verbose)
    console.names("30 items", [str(number) for number in range(30)])
    console.names("Nothing", [])
    assert len(out.getvalue().splitlines()) == expected


def test_machines_get_json_and_nothing_else():
    out, err = io.StringIO(), io.StringIO()
    console = Console(Output(as_json=True), out, err)
    console.say("Hello.")
    console.note("Hm.")
    console.emit(event="x", name="ä\udc80")
    assert json.loads(out.getvalue()) == {"event": "x", "name": "ä\udc80"}
    assert out.getvalue().isascii()
    assert err.getvalue() == ""


def test_people_get_no_json():
    out = io.StringIO()
    Console(Output(), out).emit(event="x")
    assert out.getvalue() == ""
