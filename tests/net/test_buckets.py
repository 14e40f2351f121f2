"""Objects in buckets, up and down: in memory, in a folder, and by S3's protocol."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import obstore
import pytest
from moto.server import ThreadedMotoServer
from obstore.store import LocalStore, MemoryStore, ObjectStore, S3Store

from bcpicture import (
    ALREADY_THERE,
    NoPictureError,
    Progress,
    SourceError,
    UnfitPictureError,
    UsageError,
)
from bcpicture.cloud import CloudObject
from bcpicture.emulator import Fault

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Leftovers: TypeAlias = Any
Stores: TypeAlias = Callable[[], ObjectStore]

PNG = b"\x89PNG\r\n\x1a\n"
END = b"\0\0\0\0IEND\xaeB`\x82"
SMALL = PNG + os.urandom(20_000) + END
LARGE = PNG + os.urandom(12_000_000) + END
SIZES = [pytest.param(SMALL, id="small"), pytest.param(LARGE, id="large")]

PATH = "photos/1896-S.jpg"


# -- the stores


def ask(url: str, method: str, body: bytes | None = None) -> bytes:
    """What the server answers to somebody who needs no key."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    headers = {"Content-Type": "text/plain"}
    request = urllib.request.Request(url, body, headers, method=method)
    with opener.open(request) as answer:
        found: bytes = answer.read()
    return found


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """A server that speaks S3's protocol, with a bucket named `bucket`."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    ask(f"{url}/bucket", "PUT")
    yield url
    server.stop()


def s3_options(url: str) -> dict[str, Any]:
    return {
        "endpoint": url,
        "region": "us-east-1",
        "access_key_id": "key-of-the-test",
        "secret_access_key": "secret-of-the-test",
        "client_options": {"allow_http": True},
        "retry_config": {"max_retries": 0},
    }


@pytest.fixture
def s3(s3_url: str) -> Iterator[S3Store]:
    """The bucket, which is empty after each test."""
    store = S3Store("bucket", **s3_options(s3_url))
    yield store
    for page in obstore.list(store):
        obstore.delete(store, [meta["path"] for meta in page])


@pytest.fixture(params=["memory", "folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """Each kind of store."""
    if request.param == "memory":
        return MemoryStore()
    if request.param == "folder":
        return LocalStore(tmp_path / "bucket", mkdir=True)
    found: S3Store = request.getfixturevalue("s3")
    return found


async def put(store: ObjectStore, data: bytes, path: str = PATH) -> None:
    await asyncio.to_thread(obstore.put, store, path, data)


async def get(store: ObjectStore, path: str = PATH) -> bytes:
    return bytes(await asyncio.to_thread(lambda: obstore.get(store, path).bytes()))


def unfinished(url: str) -> bytes:
    """What the server says about parts that were never put together."""
    return ask(f"{url}/bucket?uploads", "GET")


# -- up


@pytest.mark.parametrize("data", SIZES)
async def test_an_object_is_a_source_that_can_be_read_again(
    pair: Pair, store: ObjectStore, data: bytes
):
    await put(store, data)
    pair.server.faults.add(
        Fault("reset_during", at=10_000, method="PATCH"),
        Fault("status", status=503, retry_after="0", method="PATCH"),
    )
    done = await pair.picture.upload(CloudObject(store, PATH))
    assert (done.size, done.attempts) == (len(data), 3)
    assert pair.stored == data


async def test_an_object_is_what_a_factory_may_return(pair: Pair, s3: S3Store):
    await put(s3, SMALL)
    await pair.picture.upload(lambda: CloudObject(s3, PATH))
    assert pair.stored == SMALL


async def test_an_object_that_is_not_there(pair: Pair, store: ObjectStore):
    with pytest.raises(SourceError, match=r"photos/1896-S.jpg .* is not there"):
        await pair.picture.upload(CloudObject(store, PATH))
    assert not pair.server.log


async def test_an_empty_object_is_nothing(pair: Pair, store: ObjectStore):
    await put(store, b"")
    with pytest.raises(SourceError, match="call delete"):
        await pair.picture.upload(CloudObject(store, PATH))
    assert not pair.server.log


@pytest.mark.parametrize("data", [SMALL[:-1], LARGE[:-1]], ids=["small", "large"])
async def test_a_cut_object_is_refused(pair: Pair, store: ObjectStore, data: bytes):
    """Only its two ends are looked at."""
    await put(store, data)
    with pytest.raises(UnfitPictureError):
        await pair.picture.upload(CloudObject(store, PATH))
    assert not pair.server.log


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(LARGE[:-1] + b"x", id="as-long"),
        pytest.param(LARGE[:-1], id="shorter"),
        pytest.param(LARGE + b"x", id="longer"),
        pytest.param(None, id="deleted"),
    ],
)
async def test_an_object_that_is_replaced_meanwhile_is_never_completed(
    pair: Pair, store: ObjectStore, other: bytes | None
):
    await put(store, LARGE)
    pair.stored = b"old"

    async def replace(_: object) -> None:
        if other is None:
            await asyncio.to_thread(obstore.delete, store, PATH)
        else:
            await put(store, other)

    with pytest.raises(SourceError, match=r"changed|is not there"):
        await pair.picture.upload(CloudObject(store, PATH), progress=replace)
    assert pair.stored == b"old"


async def test_an_object_that_is_replaced_between_two_attempts(pair: Pair, s3: S3Store):
    await put(s3, LARGE)
    pair.stored = b"old"
    pair.server.faults.add(Fault("reset_during", at=10_000, method="PATCH"))

    async def replace(progress: Progress) -> None:
        if progress.attempt == 2 and not progress.done:
            await put(s3, b"x" * len(LARGE))

    with pytest.raises(SourceError, match="changed"):
        await pair.picture.upload(CloudObject(s3, PATH), progress=replace)
    assert pair.stored == b"old"


@pytest.fixture
def guarded(s3_url: str) -> Iterator[str]:
    """The server, which knows nobody."""

    def allow(actions: bytes) -> None:
        ask(f"{s3_url}/moto-api/reset-auth", "POST", actions)

    allow(b"0")
    yield s3_url
    allow(b"inf")


async def test_wrong_credentials_are_told_without_them(
    pair: Pair, s3: S3Store, guarded: str
):
    pair.stored = SMALL
    with pytest.raises(SourceError, match="credentials") as caught:
        await pair.picture.upload(CloudObject(s3, PATH))
    told = [str(caught.value)]
    with pytest.raises(OSError, match="credentials") as caught_too:
        await pair.picture.download(CloudObject(s3, PATH))
    told.append(str(caught_too.value))
    for text in told:
        assert "-of-the-test" not in text
        assert guarded not in text
    assert caught.value.__cause__ is None
    assert caught_too.value.__cause__ is None


async def test_nobody_listens(pair: Pair):
    options = s3_options("http://127.0.0.1:9")
    source = CloudObject.at(f"s3://bucket/{PATH}", **options)
    with pytest.raises(SourceError, match="Check the bucket"):
        await pair.picture.upload(source)


# -- down


@pytest.mark.parametrize("data", SIZES)
async def test_an_object_is_a_target(pair: Pair, store: ObjectStore, data: bytes):
    pair.stored = data
    pair.server.faults.add(Fault("truncate", at=len(data) // 2))
    done = await pair.picture.download(CloudObject(store, PATH), digest=True)
    assert (done.size, done.attempts, done.path) == (len(data), 2, None)
    assert await get(store) == data


@pytest.mark.parametrize("data", SIZES)
async def test_the_content_type_is_by_the_bytes(pair: Pair, s3: S3Store, data: bytes):
    pair.stored = data
    await pair.picture.download(CloudObject(s3, PATH))
    found = await asyncio.to_thread(obstore.get, s3, PATH)
    assert found.attributes["Content-Type"] == "image/png"


class StopError(Exception):
    """The caller has changed its mind."""


@pytest.mark.parametrize("share", [0.0, 0.9, 1.0])
async def test_a_download_that_is_broken_off_leaves_the_old_object(
    pair: Pair, store: ObjectStore, share: float, request: pytest.FixtureRequest
):
    await put(store, b"old")
    pair.stored = LARGE

    def stop(progress: Progress) -> None:
        if progress.done >= share * len(LARGE):
            raise StopError

    with pytest.raises(StopError):
        await pair.picture.download(CloudObject(store, PATH), progress=stop)
    assert await get(store) == b"old"
    if isinstance(store, S3Store):
        url = request.getfixturevalue("s3_url")
        assert b"<UploadId>" not in await asyncio.to_thread(unfinished, url)


async def test_a_cancelled_download_leaves_no_parts(
    pair: Pair, s3: S3Store, s3_url: str, leftovers: Leftovers
):
    pair.stored = LARGE
    begun = asyncio.Event()

    async def wait(progress: Progress) -> None:
        if progress.done > 10_000_000:
            begun.set()
            await asyncio.Event().wait()

    pair.session.clock = iter(range(1_000_000)).__next__
    down = asyncio.create_task(
        pair.picture.download(CloudObject(s3, PATH), progress=wait)
    )
    await begun.wait()
    down.cancel()
    with pytest.raises(asyncio.CancelledError):
        await down
    assert await leftovers.are_gone(lambda: pair.governor.in_flight == 0)
    assert b"<UploadId>" not in await asyncio.to_thread(unfinished, s3_url)
    with pytest.raises(FileNotFoundError):
        await get(s3)


async def test_without_a_picture_the_object_stays(pair: Pair, store: ObjectStore):
    await put(store, b"old")
    with pytest.raises(NoPictureError):
        await pair.picture.download(CloudObject(store, PATH))
    assert await get(store) == b"old"


async def test_what_is_there_already_is_left_alone(pair: Pair, store: ObjectStore):
    pair.stored = SMALL
    target = CloudObject(store, PATH)
    first = await pair.picture.download(target, unless=ALREADY_THERE)
    again = await pair.picture.download(target, unless=ALREADY_THERE)
    assert (first.unchanged, again.unchanged) == (False, True)
    await put(store, SMALL[:-1] + b"x")
    third = await pair.picture.download(target, unless=ALREADY_THERE)
    assert not third.unchanged
    assert await get(store) == SMALL


async def test_a_bucket_that_is_not_there(pair: Pair, s3_url: str):
    pair.stored = SMALL
    target = CloudObject.at(f"s3://nobody/{PATH}", **s3_options(s3_url))
    with pytest.raises(FileNotFoundError, match="Check the bucket"):
        await pair.picture.download(target)


# -- addresses


async def test_an_address_names_store_and_object(pair: Pair, s3: S3Store, s3_url: str):
    await put(s3, SMALL, "photos/it is 100%.jpg")
    await pair.picture.upload(
        CloudObject.at("s3://bucket/photos/it is 100%.jpg", **s3_options(s3_url))
    )
    assert pair.stored == SMALL


async def test_a_file_has_an_address(pair: Pair, tmp_path: Path):
    path = tmp_path / "it is 100%.jpg"
    pair.stored = SMALL
    await pair.picture.download(CloudObject.at(path.as_uri()))
    assert path.read_bytes() == SMALL
    pair.stored = None
    await pair.picture.upload(CloudObject.at(path.as_uri()))
    assert pair.stored == SMALL


@pytest.mark.parametrize("url", ["az://photos/1896-S.jpg", "gs://photos/1896-S.jpg"])
def test_other_clouds_have_addresses(url: str):
    """Whose servers are far away: their stores can be made, and that is all."""
    options = {"az": {"account_name": "x", "account_key": "c2VjcmV0"}}
    options["gs"] = {"skip_signature": True}
    made = CloudObject.at(url, **options[url[:2]])
    assert made.path == "1896-S.jpg"
    assert type(made.store).__name__ in repr(made)
    assert "c2VjcmV0" not in repr(made)


@pytest.mark.parametrize(
    "url",
    [
        *("s3://bucket", "s3://bucket/", "photos/a.jpg", "ftp://x/y"),
        *("https://bucket.example/a.jpg?sig=secret", "", "memory:///"),
    ],
)
def test_an_address_that_names_no_object_is_refused(url: str):
    with pytest.raises(UsageError, match="s3://bucket/photos/1896-S") as caught:
        CloudObject.at(url)
    assert "secret" not in str(caught.value)


def test_an_empty_path_is_refused():
    with pytest.raises(UsageError, match="Name the object"):
        CloudObject(MemoryStore(), "/")


# -- the library


def alone(program: str) -> str:
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_the_library_the_extra_is_named():
    printed = alone(
        "import sys; sys.modules['obstore'] = None\n"
        "try:\n    import bcpicture.cloud\n"
        "except ImportError as error:\n    print(error)"
    )
    assert 'pip install "bcpicture[cloud]"' in printed


def test_a_program_may_end_at_once():
    """A thread of the library that still held Python objects would abort it."""
    for _ in range(3):
        alone(
            "import asyncio\n"
            "from bcpicture.cloud import CloudObject\n"
            "async def main():\n"
            "    target = CloudObject.at('memory:///a')\n"
            "    sink = target.open_sink()\n"
            "    await sink.finish([b'x' * 1000000])\n"
            "    body = await target.open_body()\n"
            "    assert [len(it) async for it in body.blocks()] == [1000000]\n"
            "asyncio.run(main())"
        )
