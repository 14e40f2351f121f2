"""`bcpicture inventory`, against an emulator on another thread."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from bcpicture.emulator import Emulator, Fault
from bcpicture.emulator.artwork import jpeg, png

Bcpicture: TypeAlias = Callable[..., Any]
TIMES = "\N{MULTIPLICATION SIGN}"

pytestmark = pytest.mark.usefixtures("online")


@pytest.fixture
def shelf(server: Emulator) -> Emulator:
    """Three pictures: a small PNG, a JPEG, and something else."""
    company = server.store.companies[0]
    company.item("1896-S").set_picture(png("A", side=64))
    company.item("1900-S").set_picture(jpeg("B", 300, 200))
    company.item("1906-S").set_picture(b"no picture at all")
    return server


def test_every_item_is_listed_with_what_is_told_of_its_picture(
    bcpicture: Bcpicture, shelf: Emulator
):
    ended = bcpicture("inventory")
    lines = ended.out.splitlines()
    assert ended.code == 0
    assert len(lines) == 20
    assert lines[0].split() == ["1896-S", "64", TIMES, "64", "image/jpeg", "small"]
    assert lines[3].split() == ["1908-S", "no", "picture"]
    assert ended.err == "20 items, 17 without a picture, 1 small.\n"
    assert sum("expand" in one.target for one in shelf.log) == 1


@pytest.mark.usefixtures("shelf")
def test_sniffing_tells_what_the_bytes_are(bcpicture: Bcpicture):
    ended = bcpicture("inventory", "--sniff")
    small, fine, wrong = ended.out.splitlines()[:3]
    assert small.endswith("small, is image/png")
    assert fine.endswith(" KB")
    assert wrong.endswith("17 bytes  is no known kind of picture")
    assert "2 not what their content type says" in ended.err


@pytest.mark.usefixtures("shelf")
def test_a_sheet_can_be_read_by_any_program(bcpicture: Bcpicture):
    ended = bcpicture("inventory", "--csv", "--sniff")
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert len(rows) == 20
    assert rows[0]["number"] == "1896-S"
    assert (rows[0]["width"], rows[0]["sniffed"]) == ("64", "image/png")
    assert rows[0]["remarks"] == "small, is image/png"
    assert rows[5]["exists"] == "False"


@pytest.mark.usefixtures("shelf")
def test_machines_get_a_line_for_each_item(bcpicture: Bcpicture):
    ended = bcpicture("inventory", "--json", "--sniff")
    told = [json.loads(line) for line in ended.out.splitlines()]
    assert len(told) == 20
    assert told[0]["remarks"] == ["small", "wrong"]
    assert told[0]["sniffed"] == "image/png"
    assert told[3]["remarks"] == ["missing"]
    assert ended.err == ""


@pytest.mark.usefixtures("shelf")
def test_only_the_items_that_deserve_a_look(bcpicture: Bcpicture):
    ended = bcpicture("inventory", "--only", "small", "--only", "large", "--large", 250)
    assert [line.split()[0] for line in ended.out.splitlines()] == ["1896-S", "1900-S"]
    assert ended.err.startswith("20 items")
    assert bcpicture("inventory", "--only", "missing").out.count("\n") == 17


@pytest.mark.usefixtures("shelf")
def test_only_the_items_that_are_named(bcpicture: Bcpicture):
    ended = bcpicture(
        "inventory", "--number", "1900-S", "--number", "nope", "--small", 1000
    )
    assert ended.out.split() == ["1900-S", "300", TIMES, "200", "image/jpeg", "small"]
    nobody = bcpicture("inventory", "--number", "nope", "--csv")
    assert nobody.out.startswith("number,display_name,exists,")
    assert nobody.out.count("\n") == 1


def test_a_picture_that_cannot_be_read_fails_the_command_and_not_the_listing(
    bcpicture: Bcpicture, shelf: Emulator
):
    shelf.faults.add(Fault("status", path="pictureContent", status=400, times=1))
    ended = bcpicture("inventory", "--sniff")
    assert ended.code == 1
    assert ended.out.count("\n") == 20
    assert "1 that could not be read" in ended.err


def test_two_forms_at_once_are_wrong_usage(bcpicture: Bcpicture):
    ended = bcpicture("inventory", "--csv", "--json")
    assert ended.code == 2
    assert "exclude each other" in ended.err
    assert bcpicture("inventory", "--only", "nonsense").code == 2


def test_a_large_picture_is_sniffed_without_being_read_to_its_end(
    bcpicture: Bcpicture, server: Emulator
):
    picture = png("A", side=64) + bytes(3_000_000)
    server.store.companies[0].item("1896-S").set_picture(picture)
    ended = bcpicture("inventory", "--sniff", "--number", "1896-S")
    assert "3.0 MB" in ended.out
