"""A folder and a company's items, in step, over real sockets."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest
from PIL import Image

from bcpicture import (
    AccessDeniedError,
    BusinessCentral,
    RetryPolicy,
    SourceError,
    sync,
)
from bcpicture.emulator import Emulator, Fault
from bcpicture.resources.companies import CompanyHandle

COMPANY = "CRONUS USA, Inc."
NUMBERS = (
    *("1896-S", "1900-S", "1906-S", "1908-S", "1920-S", "1925-W", "1928-S", "1929-W"),
    *("1936-S", "1953-W", "1960-S", "1964-S", "1965-W", "1968-S", "1969-W", "1972-S"),
    *("1980-S", "1988-S", "1996-S", "2000-S"),
)


def picture(kind: str, shade: int) -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (8, 8), (shade % 256, shade // 256, 7)).save(sink, kind)
    return sink.getvalue()


@pytest.fixture
def company(bc: BusinessCentral) -> CompanyHandle:
    return bc.company(COMPANY)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """15 JPEGs and 5 PNGs named .jpg, for the 20 items of the emulator."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for at, number in enumerate(NUMBERS):
        data = picture("PNG" if at % 4 == 0 else "JPEG", at)
        (folder / f"{number}.jpg").write_bytes(data)
    return folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def stored(emulator: Emulator, number: str) -> bytes | None:
    return emulator.store.company(COMPANY).item(number).picture_bytes()


async def test_all_pictures_go_up_and_come_back_byte_for_byte(
    emulator: Emulator, company: CompanyHandle, photos: Path, tmp_path: Path
):
    plan = await sync.plan(company, photos)
    assert (len(plan.uploads), plan.without_file, plan.unmatched) == (20, (), ())
    async with sync.push(company, plan, digest=True) as run:
        ups = {one.number: one async for one in run}
    assert run.report.done == 20
    assert run.report.size == plan.size

    back = tmp_path / "new" / "back"
    async with sync.pull(company, back, digest=True) as run:
        downs = {one.number: one async for one in run}
    assert run.report.done == 20
    for number, one in downs.items():
        sent = (photos / f"{number}.jpg").read_bytes()
        name = number + (".png" if sent.startswith(b"\x89PNG") else ".jpg")
        assert one.file == str(back / name)
        assert (back / name).read_bytes() == sent == stored(emulator, number)
        assert one.result.sha256 == ups[number].result.sha256
    assert len(names(back)) == 20


async def test_pushing_costs_one_request_a_picture(
    emulator: Emulator, company: CompanyHandle, photos: Path
):
    plan = await sync.plan(company, photos)
    before = len(emulator.log)
    async with sync.push(company, plan) as run:
        await run.finish()
    assert len(emulator.log) - before == 20
    assert emulator.concurrent_peak <= sync.WIDTH


async def test_pulling_asks_for_the_bytes_alone(
    emulator: Emulator, company: CompanyHandle, tmp_path: Path
):
    async with sync.pull(company, tmp_path) as run:
        report = await run.finish()
    assert (report.absent, report.done, report.failures) == (20, 0, ())
    assert names(tmp_path) == []
    asked = [seen.target for seen in emulator.log if "picture" in seen.target]
    assert len(asked) == 20
    assert not any("expand" in seen.target for seen in emulator.log)


async def test_one_bad_picture_stops_nothing_and_is_named(
    emulator: Emulator, company: CompanyHandle, photos: Path
):
    plan = await sync.plan(company, photos)
    victim = emulator.store.company(COMPANY).item("1925-W")
    emulator.faults.add(
        Fault(
            action="status",
            method="PATCH",
            path=victim.id,
            status=400,
            code="Application_DialogException",
            message="Blocked.",
        )
    )
    (photos / "1896-S.jpg").write_bytes(b"")
    (photos / "1900-S.jpg").unlink()
    async with sync.push(company, plan) as run:
        report = await run.finish()
    assert report.done == 17
    assert {one.number for one in report.failures} == {"1896-S", "1900-S", "1925-W"}
    causes = report.by_cause()
    assert set(causes) == {"RejectedError Application_DialogException", "SourceError"}
    assert "Blocked." in causes["RejectedError Application_DialogException"][0].reason
    assert stored(emulator, "1896-S") is None
    assert sync.exit_code(report) == 1


async def test_an_app_that_business_central_does_not_know_stops_the_run(
    emulator: Emulator, company: CompanyHandle, photos: Path
):
    plan = await sync.plan(company, photos)
    emulator.identity.unregister_app(emulator.client_id)
    before = len(emulator.log)
    async with sync.push(company, plan) as run:
        with pytest.raises(AccessDeniedError):
            await run.finish()
    assert run.report.done == 0
    assert 1 <= len(run.report.failures) <= sync.WIDTH
    patches = [seen for seen in emulator.log[before:] if seen.method == "PATCH"]
    assert len(patches) <= 2 * sync.WIDTH


async def test_a_listing_that_breaks_off_is_an_error_and_no_end(
    emulator: Emulator, bc: BusinessCentral, tmp_path: Path
):
    bc.retries = RetryPolicy(attempts=1)
    company = bc.company(COMPANY)
    await company.info()
    emulator.faults.add(Fault(action="status", path="/items", status=500, times=None))
    with pytest.raises(Exception, match="500"):
        await sync.plan(company, tmp_path)


async def test_a_folder_that_is_not_there_is_found_out_before_any_request(
    emulator: Emulator, company: CompanyHandle, tmp_path: Path
):
    with pytest.raises(SourceError):
        await sync.plan(company, tmp_path / "nowhere")
    assert len(emulator.log) == 0


async def test_pull_does_not_write_where_a_file_is_the_folder(
    company: CompanyHandle, tmp_path: Path
):
    (tmp_path / "file").touch()
    async with sync.pull(company, tmp_path / "file") as run:
        with pytest.raises(FileExistsError):
            await run.finish()


async def test_pull_replaces_a_file_and_a_failure_leaves_the_old_one(
    emulator: Emulator, company: CompanyHandle, tmp_path: Path
):
    records = emulator.store.company(COMPANY)
    for number in ("1896-S", "1900-S"):
        records.item(number).set_picture(picture("JPEG", 1))
        (tmp_path / f"{number}.jpg").write_bytes(b"old")
    path = records.item("1900-S").id
    emulator.faults.add(Fault(action="status", path=path, status=400, times=None))
    async with sync.pull(company, tmp_path) as run:
        report = await run.finish()
    assert (tmp_path / "1896-S.jpg").read_bytes() == picture("JPEG", 1)
    assert (tmp_path / "1900-S.jpg").read_bytes() == b"old"
    assert [one.number for one in report.failures] == ["1900-S"]
    assert names(tmp_path) == ["1896-S.jpg", "1900-S.jpg"]


async def test_cancelling_leaves_no_task_and_no_half_written_file(
    emulator: Emulator, bc: BusinessCentral, tmp_path: Path
):
    company = bc.company(COMPANY)
    for at, number in enumerate(NUMBERS):
        emulator.store.company(COMPANY).item(number).set_picture(picture("JPEG", at))
    emulator.faults.add(
        Fault(action="stall_during", path="Content", at=100, seconds=60, times=None)
    )
    await company.info()
    before = asyncio.all_tasks()

    async def pulling() -> None:
        async with sync.pull(company, tmp_path) as run:
            await run.finish()

    task = asyncio.create_task(pulling())
    while sum("Content" in one.target for one in emulator.log) < sync.WIDTH:  # noqa: ASYNC110 - the log has no event to wait for
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    ours = [
        one for one in asyncio.all_tasks() - before if "bcpicture/sync" in repr(one)
    ]
    assert ours == []
    assert names(tmp_path) == []


async def test_any_number_makes_a_file_inside_the_folder_and_finds_its_item_again(
    emulator: Emulator, company: CompanyHandle, tmp_path: Path
):
    records = emulator.store.company(COMPANY)
    nasty = [
        "../../x",
        "CON",
        "a/b",
        "A/B",
        "A\\B",
        "abc",
        "ABC",
        "9" * 300,
        "Ä. ",
        "%2F",
    ]
    for at, number in enumerate(nasty):
        records.add("items", number).set_picture(picture("PNG", at))
    folder = tmp_path / "deep" / "down"
    async with sync.pull(company, folder) as run:
        report = await run.finish()
    assert (report.done, report.failures) == (len(nasty), ())
    assert len(names(folder)) == len(nasty)
    assert names(tmp_path) == ["deep"]
    for number in nasty:
        records.item(number).set_picture(None)
    plan = await sync.plan(company, folder)
    async with sync.push(company, plan) as run:
        await run.finish()
    for at, number in enumerate(nasty):
        assert records.item(number).picture_bytes() == picture("PNG", at), number
