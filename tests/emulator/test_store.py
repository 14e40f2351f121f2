"""What is kept: in memory, on the disk, and from one run to the next."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
import pytest

from bcpicture.emulator import Emulator, Fault, ThreadedEmulator
from bcpicture.emulator.artwork import png
from bcpicture.emulator.blobs import blob_of

# What the fixtures of conftest.py hand out; a test module cannot import it.
Client: TypeAlias = Any
Start: TypeAlias = Any

CRONUS = "CRONUS USA, Inc."


def item(client: Client, number: str = "1896-S") -> Any:  # noqa: ANN401 - a record, with all its members
    return client.server.store.company(CRONUS).item(number)


async def in_pieces(size: int) -> AsyncIterator[bytes]:
    piece = bytes(range(256)) * 256
    for _ in range(size // len(piece)):
        yield piece


async def test_a_large_picture_goes_through_the_disk_in_pieces(client: Client):
    size = 64 * 1024 * 1024
    headers = {"Content-Length": str(size)}
    up = await client.put_picture(in_pieces(size), headers=headers)
    assert up.status == 204
    blob = item(client).blob
    assert (blob.size, blob.data) == (size, None)
    assert blob.path.stat().st_size == size
    seen = client.server.log[-1]
    assert (seen.received, seen.sha256) == (size, blob.sha256)

    digest, largest = hashlib.sha256(), 0
    headers = {"Authorization": f"Bearer {client.server.identity.token()}"}
    async with client.http.get(client.url(client.stream()), headers=headers) as reply:
        async for piece in reply.content.iter_any():
            digest.update(piece)
            largest = max(largest, len(piece))
    assert digest.hexdigest() == blob.sha256
    assert largest < 4 * 1024 * 1024


@pytest.mark.parametrize(
    "size", [0, 1, 262_143, 262_144, 262_145, 1_048_576, 3_000_001]
)
async def test_every_size_comes_back_whole(client: Client, size: int):
    data = (png("sizes") * (size // 10_000 + 1))[:size]
    await client.put_picture(data)
    assert (await client.get(client.stream())).body == data
    if data:
        digest = hashlib.sha256(data).hexdigest()
        assert item(client).picture_sha256 == digest
        assert client.server.log[-2].sha256 == digest


async def test_small_pictures_stay_in_memory_while_there_is_room(client: Client):
    client.server.blobs.memory = 1500
    for number in ("1896-S", "1900-S"):
        await client.put_picture(bytes(1000), number)
    first, second = item(client).blob, item(client, "1900-S").blob
    assert (first.path, second.data) == (None, None)
    assert (await client.get(client.stream("1900-S"))).body == bytes(1000)
    await client.put_picture(b"small", "1896-S")
    assert client.server.blobs.memory == 1495


async def test_a_picture_that_is_being_read_outlives_its_replacement(client: Client):
    old, new = b"o" * 2_000_000, b"n" * 2_000_000
    await client.put_picture(old)
    path = item(client).blob.path
    client.server.faults.add(Fault("stall_during", at=1_000_000, seconds=0.05))
    reading = asyncio.create_task(client.get(client.stream()))
    await client.until(lambda: bool(client.server.faults.struck))
    await client.until(lambda: item(client).blob.readers == 1)
    await client.put_picture(new)
    assert (await reading).body == old
    assert (await client.get(client.stream())).body == new
    await client.until(lambda: not path.exists())


async def test_a_picture_that_is_about_to_be_read_outlives_its_replacement(
    client: Client,
):
    old, new = b"o" * 2_000_000, b"n" * 2_000_000
    await client.put_picture(old)
    path = item(client).blob.path
    # The answer is decided, and not one byte of it has been read yet.
    client.server.faults.add(Fault("apply_then_stall", seconds=0.05))
    reading = asyncio.create_task(client.get(client.stream()))
    await client.until(lambda: item(client).blob.readers == 1)
    await client.put_picture(new)
    assert (await reading).body == old
    await client.until(lambda: not path.exists())


async def test_a_reply_that_is_never_sent_holds_no_picture(client: Client):
    await client.put_picture(bytes(2_000_000))
    client.server.faults.add(Fault("apply_then_reset", times=None))
    with pytest.raises(aiohttp.ClientError):
        await client.get(client.stream())
    assert client.server.faults.struck
    await client.until(lambda: item(client).blob.readers == 0)


async def test_nothing_is_left_behind(start: Start):
    async with start() as client:
        folder = client.server.blobs.folder
        for size in (10, 300_000, 400_000):
            await client.put_picture(bytes(size))
        assert len(list(folder.iterdir())) == 1
    assert not folder.exists()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders go."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def left(temporary: Path) -> Callable[[], list[Path]]:
    """What is there."""
    return lambda: list(temporary.iterdir())


@pytest.mark.parametrize("turns", range(8))
async def test_nothing_is_left_behind_by_a_start_that_is_cancelled(
    left: Callable[[], list[Path]], turns: int
):
    async def live() -> None:
        async with Emulator(pictures=Path(__file__).parent):
            await asyncio.Event().wait()

    starting = asyncio.create_task(live())
    for _ in range(turns):
        await asyncio.sleep(0)
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    assert not left()


async def test_nothing_is_left_behind_by_a_start_that_fails(
    left: Callable[[], list[Path]],
):
    with pytest.raises(FileNotFoundError):
        await Emulator(pictures=Path("nowhere")).__aenter__()
    assert not left()


def test_nothing_is_left_behind_by_a_program_that_forgets_the_end(temporary: Path):
    program = (
        "import asyncio; from bcpicture.emulator import Emulator; e = Emulator();"
        "loop = asyncio.new_event_loop(); loop.run_until_complete(e.__aenter__())"
    )
    subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"TMPDIR": str(temporary)},
        stderr=subprocess.DEVNULL,
        check=True,
        timeout=20,
    )
    assert not list(temporary.iterdir())


async def test_the_state_is_found_again(start: Start, tmp_path: Path):
    large, small = bytes(400_000), png("small")
    async with start(data=tmp_path) as client:
        await client.put_picture(large, "1896-S")
        await client.put_picture(b"replaced", "1900-S")
        await client.put_picture(small, "1900-S")
        await client.put_picture(b"removed", "1906-S")
        await client.send(
            "DELETE", f"{client.path('1906-S')}/picture", headers={"If-Match": "*"}
        )
        company = client.server.store.company(CRONUS)
        company.remove("1908-S")
        company.rename("1920-S", "RENAMED")
        company.item("RENAMED").set_picture(b"set by hand")
        company.add("items", "NEW", displayName="A new one").set_picture(b"n")
        before = (await client.get(client.path("1900-S"))).json
        picture = (await client.get(f"{client.path('1900-S')}/picture")).json

    async with start(data=tmp_path) as client:
        after = (await client.get(client.path("1900-S"))).json
        for key in ("@odata.etag", "lastModifiedDateTime", "id"):
            assert after[key] == before[key]
        again = (await client.get(f"{client.path('1900-S')}/picture")).json
        assert again["@odata.etag"] == picture["@odata.etag"]
        assert (again["width"], again["height"]) == (256, 256)
        assert (await client.get(client.stream("1896-S"))).body == large
        assert (await client.get(client.stream("1900-S"))).body == small
        assert (await client.get(client.stream("1906-S"))).status == 204
        assert (await client.get(client.stream("RENAMED"))).body == b"set by hand"
        assert (await client.get(client.path("NEW"))).json["displayName"] == "A new one"
        with pytest.raises(KeyError):
            client.server.store.company(CRONUS).item("1908-S")
    assert not list((tmp_path / "pictures").glob("*.part"))


async def test_what_was_confirmed_survives_a_killed_process(
    start: Start, tmp_path: Path
):
    async with start(data=tmp_path) as client:
        await client.put_picture(b"confirmed")
        journal = (tmp_path / "state.jsonl").read_text()
    # As if nothing had been put in order at the end, and the last line were torn.
    torn = journal + json.dumps({"company": CRONUS})[:9]
    (tmp_path / "state.jsonl").write_text(torn)
    (tmp_path / "pictures" / "stray.part").write_bytes(b"half a body")
    async with start(data=tmp_path) as client:
        assert item(client).picture_bytes() == b"confirmed"
    assert not (tmp_path / "pictures" / "stray.part").exists()


async def test_pictures_of_a_folder_are_there_at_the_start(
    start: Start, tmp_path: Path
):
    (tmp_path / "1896-s.JPG").write_bytes(b"small")
    (tmp_path / "1900-S.png").write_bytes(bytes(300_000))
    (tmp_path / "nobody.png").write_bytes(b"?")
    (tmp_path / "folder").mkdir()
    async with start(pictures=tmp_path) as client:
        assert (await client.get(client.stream("1896-S"))).body == b"small"
        assert (await client.get(client.stream("1900-S"))).body == bytes(300_000)
        assert (await client.get(client.stream("1906-S"))).status == 204
        await client.put_picture(b"other", "1900-S")
        client.server.reset()
        assert (await client.get(client.stream("1900-S"))).body == bytes(300_000)
    assert (tmp_path / "1900-S.png").stat().st_size == 300_000


async def test_a_reset_forgets_everything(client: Client):
    server = client.server
    await client.put_picture(b"x")
    server.faults.add(Fault("status", times=None))
    server.identity.demand_claims("{}")
    server.store.add_company("New")
    server.reset()
    assert list(server.log) == []
    assert item(client).blob is None
    assert server.identity.tokens_issued == 0
    assert (await client.get("companies")).status == 200
    assert [it.name for it in server.store.companies] == [
        CRONUS,
        "O'Neil & Sons / Ltd.",
    ]


async def test_simultaneous_uploads_leave_one_of_them(client: Client):
    rows = [bytes([index]) * 300_000 for index in range(8)]
    await asyncio.gather(*(client.put_picture(data) for data in rows))
    assert (await client.get(client.stream())).body in rows
    assert len(list(client.server.blobs.folder.iterdir())) == 1


async def test_of_two_uploads_with_one_etag_one_wins(client: Client):
    etag = (await client.get(f"{client.path()}/picture")).json["@odata.etag"]
    rows = [png(str(index), side=10 + index) for index in range(6)]
    got = await asyncio.gather(
        *(client.put_picture(data, headers={"If-Match": etag}) for data in rows)
    )
    assert sorted(one.status for one in got) == [204, *[409] * 5]
    winner = [one.status for one in got].index(204)
    assert item(client).picture_bytes() == rows[winner]


def test_it_serves_synchronous_tests_from_a_thread():
    with ThreadedEmulator(items=3) as server:
        record = server.store.company(CRONUS).item("1896-S")
        record.set_picture(b"from here")
        path = f"/companies({server.store.companies[0].id})/items({record.id})"

        async def fetch() -> bytes:
            token = {"Authorization": f"Bearer {server.identity.token()}"}
            url = f"{server.base_urls['v2.0']}{path}/picture/pictureContent"
            async with (
                aiohttp.ClientSession() as http,
                http.get(url, headers=token) as it,
            ):
                return await it.read()

        assert asyncio.run(fetch()) == b"from here"
        server.faults.add(Fault("stall"))
        server.faults.clear()


def test_a_thread_that_cannot_start_says_why():
    with ThreadedEmulator() as server:
        taken = int(server.url.rpartition(":")[2])
        failing = ThreadedEmulator(port=taken)
        with pytest.raises(OSError, match="in use"), failing:
            pass


async def test_a_plain_with_says_what_was_meant():
    with pytest.raises(TypeError, match="async with"), Emulator():  # type: ignore[attr-defined]  # that is the point
        pass


async def test_a_blob_in_memory_needs_no_file():
    pieces = [piece async for piece in blob_of(b"abc").chunks(1)]
    assert pieces == [b"bc"]
    assert [piece async for piece in blob_of(b"").chunks()] == []
