"""A comparison reads everything and changes nothing, on no side and in no journal."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import pytest

from bcpicture.core.options import MatchOptions, VerifyOptions
from bcpicture.core.report import Outcome, Report, exit_code
from bcpicture.emulator import Fault
from bcpicture.emulator.artwork import png
from bcpicture.errors import SourceError
from bcpicture.images import Prepare

Option: TypeAlias = Any  # of any type: a keyword that is passed on
Shop: TypeAlias = Any  # the harness is in conftest.py, which nobody can import

ONE = "1896-S"
THEIRS = png("theirs", side=16)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def verify(
    shop: Shop, **options: Option
) -> tuple[dict[tuple[str, str], Outcome], Report]:
    """Outcomes by number and file."""
    async with shop.box as box:
        async with await box.verify(shop.photos, VerifyOptions(**options)) as run:
            found = {(it.number, it.file): it async for it in run}
        return found, run.report


def journal(shop: Shop) -> bytes:
    [path] = shop.state.glob("*/journal.sqlite")
    return path.read_bytes()


async def test_every_pair_is_compared_by_its_bytes(any_shop: Shop):
    first, second, third, fourth = any_shop.numbers[:4]
    for number in (first, second, third):
        any_shop.put(f"{number}.png")
    await any_shop.push()
    any_shop.record(second).set_picture(THEIRS)
    any_shop.record(third).set_picture(None)
    any_shop.record(fourth).set_picture(THEIRS)
    any_shop.put("unknown.png")
    (any_shop.photos / "notes.txt").write_text("not a picture")
    there, kept = any_shop.all_there(), journal(any_shop)
    files = any_shop.files()
    any_shop.log.clear()
    found, report = await verify(any_shop)
    assert {key: str(it.ending) for key, it in found.items()} == {
        (first, f"{first}.png"): "equal",
        (second, f"{second}.png"): "differs",
        (third, f"{third}.png"): "only here",
        (fourth, ""): "only there",
        ("", "unknown.png"): "only here",
    }
    differs = found[second, f"{second}.png"]
    assert differs.before == digest(files[f"{second}.png"])
    assert differs.after == digest(THEIRS)
    assert exit_code(report) == 1
    assert any_shop.all_there() == there
    assert any_shop.files() == files
    assert journal(any_shop) == kept
    kinds = any_shop.requests()
    assert not {"upload", "delete"} & set(kinds)
    assert kinds["read"] == 4


async def test_what_is_in_step_is_no_failure(shop: Shop):
    for number in shop.numbers[:8]:
        shop.put(f"{number}.png")
    await shop.push()
    found, report = await verify(shop)
    assert {str(it.ending) for it in found.values()} == {"equal"}
    assert report.summary == "8 equal"
    assert exit_code(report) == 0
    assert report.run == ""


async def test_a_pulled_folder_is_known_by_its_links(shop: Shop):
    first, second, third = shop.numbers[:3]
    for number in (first, second, third):
        shop.record(number).set_picture(png(number, side=16))
    await shop.pull()
    shop.server.store.company("CRONUS USA, Inc.").rename(first, "OTHER")
    (shop.photos / f"{second}.png").unlink()
    shop.put("stray.png")
    found, _ = await verify(shop)
    told = {key: str(it.ending) for key, it in found.items()}
    assert told == {
        ("OTHER", f"{first}.png"): "equal",
        (second, ""): "only there",
        (third, f"{third}.png"): "equal",
        ("", "stray.png"): "only here",
    }


async def test_a_folder_that_another_machine_pulled_is_known_by_its_manifest(
    shop: Shop, tmp_path: Path
):
    shop.server.store.company("CRONUS USA, Inc.").rename(ONE, "A/B")
    shop.record("A/B").set_picture(THEIRS)
    await shop.pull()
    shop.state = tmp_path / "another"
    found, report = await verify(shop)
    assert [(key, str(it.ending)) for key, it in found.items()] == [
        (("A/B", "A%2FB.png"), "equal")
    ]
    assert exit_code(report) == 0
    found, _ = await verify(shop, pulled=False)
    assert [*found] == [("A/B", "A%2FB.png")]  # its name tells as well


async def test_files_that_were_prepared_are_compared_as_they_were_sent(shop: Shop):
    shop.put(f"{ONE}.png", png("large", side=64))
    await shop.push(prepare=Prepare(max_side=8))
    found, _ = await verify(shop)
    [one] = found.values()
    assert str(one.ending) == "equal"
    assert one.before != one.after


async def test_a_picture_that_cannot_be_read_is_a_failure_of_its_own(shop: Shop):
    for number in shop.numbers[:3]:
        shop.put(f"{number}.png")
    await shop.push()
    first = shop.record(shop.numbers[0]).id
    fault = Fault("status", path=f"{first})/picture/pictureContent", status=400)
    shop.server.faults.add(attrs.evolve(fault, times=None))
    found, report = await verify(shop)
    endings = sorted(str(it.ending) for it in found.values())
    assert endings == ["equal", "equal", "failed"]
    assert exit_code(report) == 1


async def test_names_are_matched_as_of_a_push(shop: Shop):
    (shop.photos / "deep").mkdir()
    shop.put(f"deep/{ONE}_front.png", THEIRS)
    shop.record(ONE).set_picture(THEIRS)
    match = MatchOptions(template="deep/{number}_front.png")
    found, _ = await verify(shop, match=match)
    assert [str(it.ending) for it in found.values()] == ["equal"]


async def test_a_folder_that_is_not_there_is_told(shop: Shop):
    shop.photos.rmdir()
    with pytest.raises(SourceError, match="is not there"):
        await verify(shop)
