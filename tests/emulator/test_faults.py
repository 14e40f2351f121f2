"""Every fault, on the wire."""

import asyncio
import gzip
import hashlib
import socket
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
import pytest
from yarl import URL

from bcpicture.emulator import Fault
from bcpicture.emulator.artwork import png
from bcpicture.emulator.faults import ACTIONS

# What the fixtures of conftest.py hand out; a test module cannot import it.
Client: TypeAlias = Any
Start: TypeAlias = Any

CRONUS = "CRONUS USA, Inc."
BROKEN = (aiohttp.ClientError, ConnectionError)


def item(client: Client):
    return client.server.store.company(CRONUS).item("1896-S")


def raw_request(
    client: Client, path: str = "", extra: str = "", method: str = "GET"
) -> bytes:
    url = client.url(path or client.stream())
    token = client.server.identity.token()
    return (
        f"{method} {url.raw_path_qs} HTTP/1.1\r\nHost: {url.host}\r\n"
        f"Authorization: Bearer {token}\r\n{extra}\r\n"
    ).encode()


async def connect(client: Client):
    url = URL(client.server.url)
    return await asyncio.open_connection(url.host, url.port)


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        pytest.param(Fault("status"), 500, "Internal_ServerError", id="500"),
        pytest.param(
            Fault("status", status=429), 429, "Application_TooManyRequests", id="429"
        ),
        pytest.param(
            Fault("status", status=401),
            401,
            "Authentication_InvalidCredentials",
            id="401",
        ),
        pytest.param(Fault("status", status=504, code="Mine"), 504, "Mine", id="code"),
    ],
)
async def test_a_status_comes_with_the_envelope(
    client: Client, fault: Fault, status: int, code: str
):
    client.server.faults.add(fault)
    told = await client.get("companies")
    assert (told.status, told.code) == (status, code)
    assert client.server.log[-1].fault == "status"
    assert (await client.get("companies")).status == 200


async def test_retry_after_and_other_headers_are_sent_verbatim(client: Client):
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    client.server.faults.add(
        Fault("status", status=503, retry_after=date, headers=(("X-Odd", "1"),))
    )
    told = await client.get("companies")
    assert told.headers["Retry-After"] == date
    assert told.headers["X-Odd"] == "1"
    assert "WWW-Authenticate" not in told.headers
    client.server.faults.add(Fault("status", status=401))
    assert "WWW-Authenticate" in (await client.get("companies")).headers


async def test_a_fault_waits_for_its_requests(client: Client):
    client.server.faults.add(
        Fault("status", status=502, path="items(", method="GET", skip=1, times=2)
    )
    asked = [client.path(), "companies", client.path(), client.path(), client.path()]
    statuses = [(await client.get(path)).status for path in asked]
    assert statuses == [200, 200, 502, 502, 200]
    assert len(client.server.faults) == 0
    assert len(client.server.faults.struck) == 2


async def test_a_path_may_be_an_expression_and_times_endless(client: Client):
    client.server.faults.add(Fault("status", path=r"filter=number eq '\d+", times=None))
    company = client.server.store.company(CRONUS).id
    query = "$filter=number%20eq%20'1896-S'"
    for _ in range(3):
        assert (await client.get(f"companies({company})/items?{query}")).status == 500
    client.server.faults.clear()
    assert (await client.get(f"companies({company})/items?{query}")).status == 200


async def test_an_unknown_action_is_refused_at_once():
    with pytest.raises(ValueError, match="nonsense"):
        Fault("nonsense")


async def test_html_looks_like_a_sign_in_page(client: Client):
    client.server.faults.add(Fault("html"), Fault("html", status=502))
    page = await client.get(client.stream())
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert b"Sign in" in page.body
    assert (await client.get(client.stream())).status == 502


async def test_redirects_lead_elsewhere(client: Client):
    client.server.faults.add(
        Fault("redirect", status=307, message="https://elsewhere.invalid/x")
    )
    told = await client.get(client.stream())
    assert told.status == 307
    assert told.headers["Location"] == "https://elsewhere.invalid/x"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault("reset_before"), id="before"),
        pytest.param(Fault("reset_during", at=1000), id="during"),
        pytest.param(Fault("reset_after"), id="after"),
    ],
)
async def test_a_reset_before_the_change_changes_nothing(client: Client, fault: Fault):
    item(client).set_picture(b"old")
    client.server.faults.add(fault)
    with pytest.raises(BROKEN):
        await client.put_picture(png("new"))
    assert item(client).picture_bytes() == b"old"
    seen = client.server.log[-1]
    assert seen.status is None
    assert seen.finished is not None


async def test_what_had_arrived_before_a_reset_is_counted(client: Client):
    data = png("counted", side=512)
    client.server.faults.add(Fault("reset_after"), Fault("reset_during", at=70_000))
    for _ in range(2):
        with pytest.raises(BROKEN):
            await client.put_picture(data)
    whole, part = client.server.log[-2:]
    assert whole.received == len(data)
    assert part.received >= 70_000


async def test_apply_then_reset_changes_and_says_nothing(client: Client):
    client.server.faults.add(Fault("apply_then_reset"))
    with pytest.raises(BROKEN):
        await client.put_picture(b"new")
    assert item(client).picture_bytes() == b"new"
    assert client.server.log[-1].status is None


async def test_apply_then_status_changes_and_complains(client: Client):
    client.server.faults.add(Fault("apply_then_status"))
    assert (await client.put_picture(b"new")).status == 504
    assert item(client).picture_bytes() == b"new"


async def test_the_log_tells_what_was_written_whatever_was_answered(client: Client):
    first, second = png("first", side=8), png("second", side=8)
    item = client.server.store.company(CRONUS).item("1896-S")
    await client.put_picture(first)
    client.server.faults.add(
        Fault("status", status=500), Fault("apply_then_status"), Fault("reset_after")
    )
    await client.put_picture(second)
    await client.put_picture(second)
    with pytest.raises(aiohttp.ClientError):
        await client.put_picture(first)
    digests = [hashlib.sha256(data).hexdigest() for data in (first, second)]
    path = f"{client.path()}/picture"
    await client.send("DELETE", path, headers={"If-Match": item.picture_etag})
    told = [(seen.status, seen.wrote, seen.replaced) for seen in client.server.log]
    assert told == [
        (204, True, None),
        (500, False, None),
        (504, True, digests[0]),
        (None, False, None),
        (204, True, digests[1]),
    ]


async def test_apply_then_stall_changes_and_keeps_silent(client: Client):
    client.server.faults.add(Fault("apply_then_stall"))
    upload = asyncio.create_task(client.put_picture(b"new"))
    await client.until(lambda: item(client).picture_bytes() is not None)
    assert client.server.log[-1].finished is None
    client.server.faults.clear()
    with pytest.raises(BROKEN):
        await upload


async def test_a_stall_ends_by_itself_and_then_all_is_well(client: Client):
    client.server.faults.add(Fault("stall", seconds=0.02))
    assert (await client.put_picture(b"new")).status == 204
    assert item(client).picture_bytes() == b"new"


async def test_stalls_do_not_delay_the_end(start: Start):
    async with start() as client:
        client.server.faults.add(Fault("stall"))
        waiting = asyncio.create_task(client.get("companies"))
        await client.until(lambda: bool(client.server.faults.struck))
    with pytest.raises(BROKEN):
        await waiting


async def test_stall_reading_leaves_the_body_in_the_socket(client: Client):
    client.server.faults.add(Fault("stall_reading", at=1))
    data = bytes(32 * 1024 * 1024)
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        for at in range(0, len(data), 65536):
            yield data[at : at + 65536]
            sent = at

    headers = {"Content-Length": str(len(data))}
    upload = asyncio.create_task(client.put_picture(body(), headers=headers))
    await client.until(lambda: client.server.log[-1:] != [] and sent > 0)
    for _ in range(10):
        await asyncio.sleep(0.01)
    assert sent < len(data) - 65536
    client.server.faults.clear()
    with pytest.raises(BROKEN):
        await upload
    assert item(client).blob is None


async def test_stall_reading_goes_on_after_its_time(client: Client):
    client.server.faults.add(Fault("stall_reading", at=10, seconds=0.02))
    data = png("slow reader", side=400)
    assert (await client.put_picture(data)).status == 204
    assert item(client).picture_bytes() == data


async def test_stall_during_stops_in_the_middle_of_the_bytes(client: Client):
    data = png("half", side=400)
    item(client).set_picture(data)
    client.server.faults.add(Fault("stall_during", at=1000))
    reader, writer = await connect(client)
    writer.write(raw_request(client))
    await reader.readuntil(b"\r\n\r\n")
    assert await reader.readexactly(1000) == data[:1000]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await reader.read(1)
    writer.close()
    await writer.wait_closed()


async def test_stall_during_sends_the_rest_after_its_time(client: Client):
    data = png("whole", side=400)
    item(client).set_picture(data)
    client.server.faults.add(Fault("stall_during", at=1000, seconds=0.02))
    assert (await client.get(client.stream())).body == data


@pytest.mark.parametrize("size", [300, 400_000])
async def test_a_truncated_reply_promises_more_than_it_sends(client: Client, size: int):
    await client.put_picture(bytes(size))
    client.server.faults.add(Fault("truncate", at=100))
    reader, writer = await connect(client)
    writer.write(raw_request(client))
    head = await reader.readuntil(b"\r\n\r\n")
    assert f"Content-Length: {size}".encode() in head
    assert await reader.read() == bytes(100)
    writer.close()
    await writer.wait_closed()


async def test_a_reply_may_be_reset_in_the_middle(client: Client):
    item(client).set_picture(bytes(500_000))
    client.server.faults.add(Fault("reset_reply", at=100_000))
    with pytest.raises(BROKEN):
        await client.get(client.stream())
    assert client.server.log[-1].status == 200


@pytest.mark.parametrize("size", [5000, 400_000])
async def test_a_clean_truncation_has_a_matching_length(client: Client, size: int):
    await client.put_picture(b"y" * size)
    client.server.faults.add(Fault("truncate_clean", at=123))
    told = await client.get(client.stream())
    assert told.status == 200
    assert told.headers["Content-Length"] == "123"
    assert told.body == b"y" * 123


@pytest.mark.parametrize("size", [20_000, 400_000])
async def test_bad_gzip_is_cut_and_its_length_is_honest(client: Client, size: int):
    data = png("zipped", side=64, size_hint=size)
    await client.put_picture(data)
    client.server.faults.add(Fault("bad_gzip"))
    reader, writer = await connect(client)
    writer.write(raw_request(client, extra="Connection: close\r\n"))
    head = await reader.readuntil(b"\r\n\r\n")
    body = await reader.read()
    assert b"Content-Encoding: gzip" in head
    assert f"Content-Length: {len(body)}".encode() in head
    with pytest.raises(EOFError):
        gzip.decompress(body)
    assert data.startswith(zlib.decompressobj(31).decompress(body)[:100])
    writer.close()
    await writer.wait_closed()


async def test_malformed_replies_are_no_http(client: Client):
    client.server.faults.add(Fault("malformed"))
    reader, writer = await connect(client)
    writer.write(raw_request(client))
    assert not (await reader.read()).startswith(b"HTTP/")
    writer.close()
    await writer.wait_closed()


async def test_endless_replies_do_not_end(client: Client):
    client.server.faults.add(Fault("endless"))
    reader, writer = await connect(client)
    writer.write(raw_request(client))
    head = await reader.readuntil(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head
    await reader.readexactly(3 * 1024 * 1024)
    client.server.faults.clear()
    with pytest.raises(ConnectionError):
        await reader.read()
    writer.close()


async def test_links_may_be_foreign_relative_or_looping(client: Client):
    company = client.server.store.company(CRONUS).id
    items = f"companies({company})/items"
    prefer = {"Prefer": "odata.maxpagesize=5"}
    for action in ("foreign_links", "relative_links", "looping_links"):
        client.server.faults.add(Fault(action))
    foreign = (await client.get(items, headers=prefer)).json["@odata.nextLink"]
    relative = (await client.get(items, headers=prefer)).json["@odata.nextLink"]
    looping = (await client.get(items, headers=prefer)).json["@odata.nextLink"]
    assert URL(foreign).host == "emulated-elsewhere.invalid"
    assert relative.startswith(f"{items}?$skiptoken=")
    assert looping == str(client.url(items))


async def test_close_idle_closes_a_connection_that_promised_to_stay(client: Client):
    client.server.faults.add(Fault("close_idle"))
    reader, writer = await connect(client)
    writer.write(raw_request(client, "companies"))
    head = await reader.readuntil(b"\r\n\r\n")
    assert b"200 OK" in head
    assert b"Connection: close" not in head
    await reader.read()
    assert reader.at_eof()
    writer.close()
    await writer.wait_closed()


async def test_cut_next_cuts_whatever_comes_next_on_the_connection(client: Client):
    client.server.faults.add(Fault("cut_next"))
    reader, writer = await connect(client)
    writer.write(raw_request(client, "companies"))
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = int(head.lower().partition("content-length: ")[2].partition("\r")[0])
    await reader.readexactly(length)
    writer.write(raw_request(client, "companies"))
    with pytest.raises(ConnectionError):
        await reader.readexactly(1)
    writer.close()
    assert (await client.get("companies")).status == 200


async def test_a_duplicate_reply_comes_twice(client: Client):
    client.server.faults.add(Fault("duplicate_reply"))
    reader, writer = await connect(client)
    writer.write(raw_request(client, "companies", extra="Connection: close\r\n"))
    assert (await reader.read()).count(b"HTTP/1.1 200 OK") == 2
    writer.close()
    await writer.wait_closed()


async def test_the_token_endpoint_has_faults_too(client: Client):
    client.server.faults.add(Fault("status", path="/oauth2/", status=503))
    form = {
        "grant_type": "client_credentials",
        "client_id": client.server.client_id,
        "client_secret": client.server.client_secret,
        "scope": client.server.scope,
    }
    statuses = []
    for _ in range(2):
        async with client.http.post(client.server.token_url, data=form) as reply:
            statuses.append(reply.status)
    assert statuses == [503, 200]


async def test_a_client_that_hangs_up_changes_nothing(client: Client):
    item(client).set_picture(b"old")
    _, writer = await connect(client)
    head = raw_request(
        client,
        method="PATCH",
        extra="If-Match: *\r\nContent-Length: 1000000\r\n",
    )
    writer.write(head + bytes(600_000))
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    log = client.server.log
    await client.until(lambda: bool(log) and log[-1].finished is not None)
    assert item(client).picture_bytes() == b"old"
    assert client.server.log[-1].status is None
    assert 0 < client.server.log[-1].received <= 600_000
    folder = client.server.blobs.folder
    assert not list(folder.iterdir())


async def test_expect_100_continue_is_answered(client: Client):
    reader, writer = await connect(client)
    extra = "If-Match: *\r\nContent-Length: 3\r\nExpect: 100-continue\r\n"
    writer.write(raw_request(client, method="PATCH", extra=extra))
    assert b"100 Continue" in await reader.readuntil(b"\r\n\r\n")
    writer.write(b"abc")
    assert b"204 No Content" in await reader.readuntil(b"\r\n\r\n")
    assert item(client).picture_bytes() == b"abc"
    writer.close()
    await writer.wait_closed()


async def test_too_large_a_body_is_refused_before_it_is_sent(start: Start):
    async with start(body_limit=1000) as client:
        reader, writer = await connect(client)
        extra = "If-Match: *\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n"
        writer.write(raw_request(client, method="PATCH", extra=extra))
        assert b" 413 " in await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        assert (await client.put_picture(bytes(1000))).status == 204


async def test_too_large_a_body_of_unknown_length_is_noticed(start: Start):
    async def body() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield bytes(500)

    async with start(body_limit=1000) as client:
        assert (await client.put_picture(body())).status == 413
        assert item(client).blob is None


async def test_resets_are_real_ones(client: Client):
    client.server.faults.add(Fault("reset_before"))
    url = URL(client.server.url)
    request = raw_request(client)

    def talk() -> None:
        with socket.create_connection((url.host, url.port)) as plain:
            plain.sendall(request)
            with pytest.raises(ConnectionResetError):
                plain.recv(1)

    await asyncio.to_thread(talk)


def test_every_action_is_tried_here():
    text = Path(__file__).read_text(encoding="utf-8")
    assert [action for action in ACTIONS if f'"{action}"' not in text] == []
