"""The whole public interface, as its users would write it: checked, never executed.

`mypy` runs over it with the package's own settings: an argument that is refused, or a
result that is not what stands here, is an error.
"""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from io import BytesIO
from pathlib import Path, PurePath
from typing import Any, assert_type
from uuid import UUID

import aiohttp
import anyio
import attrs
import httpx
from aiohttp import BodyPartReader
from fastapi import UploadFile

from bcpicture import (
    ALREADY_THERE,
    ANY,
    AccessDeniedError,
    AnswerError,
    ApiSwitchedOffError,
    AuthenticationError,
    BackupError,
    BasicKey,
    BcPictureError,
    BrakeError,
    BusinessCentral,
    ClientSecret,
    ClosedError,
    Company,
    CompanyNotFoundError,
    ConfigurationError,
    ConflictError,
    CredentialPool,
    CutShortError,
    Downloaded,
    Endpoint,
    Failure,
    Item,
    ItemNotFoundError,
    JournalError,
    LockedError,
    Misfit,
    MissingError,
    NoPictureError,
    OnProgress,
    OutcomeUnknownError,
    Picture,
    Progress,
    Quota,
    QuotaUse,
    RejectedError,
    ReplayError,
    RetryPolicy,
    ServiceError,
    SourceError,
    StalledError,
    StaticToken,
    Statistics,
    TargetError,
    ThrottledError,
    Timeouts,
    TooLargeError,
    TransportError,
    Trouble,
    UnavailableError,
    UnfitPictureError,
    Uploaded,
    UsageError,
)

# -- where it is

online: Endpoint = Endpoint.cloud(tenant="contoso.com", environment="Production")
common: Endpoint = Endpoint.cloud()
older: Endpoint = Endpoint.cloud("contoso.com", "Sandbox", api="v1.0")
embedded: Endpoint = Endpoint.cloud("t", host="https://wiise.api.bc.dynamics.com")
on_premises: Endpoint = Endpoint.on_premises(
    "bc.example.com", port=7048, instance="BC", tenant="default", plain_http=False
)
legacy: Endpoint = Endpoint.legacy("contoso.com")
graph: Endpoint = Endpoint.graph("contoso.com")
anywhere: Endpoint = Endpoint.at(
    "https://bc.example.com/BC/api/v2.0",
    api="v2.0",
    tenant="contoso.com",
    scope="api://bc/.default",
    quota=Quota(concurrent=10, requests=None, seconds=60.0),
)
tenant: str | None = online.tenant
limits: Quota = online.quota
at_once: int = limits.concurrent
a_window: int | None = limits.requests


# -- who asks


class AzureLike:
    """A credential in the manner of azure-identity."""

    async def get_token(self, *scopes: str, claims: str | None = None) -> object:
        """Return a token for *scopes*."""
        return scopes, claims


def call_for_a_token() -> str:
    """Return a bare token."""
    return "token"


async def wait_for_a_token() -> Mapping[str, Any]:
    """Return a token as MSAL does."""
    return {"access_token": "token", "expires_in": 3600}


secret: ClientSecret = ClientSecret(
    client_id="app",
    client_secret="its secret",
    tenant="contoso.com",
    authority="https://login.microsoftonline.com",
    token_url=None,
    scope=None,
)
token: StaticToken = StaticToken("token")
key: BasicKey = BasicKey("user", "key")
pool: CredentialPool = CredentialPool([secret, key, token])

clients: list[BusinessCentral] = [
    BusinessCentral(online, secret),
    BusinessCentral(online, token),
    BusinessCentral(on_premises, key),
    BusinessCentral(online, AzureLike()),
    BusinessCentral(online, call_for_a_token),
    BusinessCentral(online, wait_for_a_token),
    BusinessCentral(online, pool),
    BusinessCentral.from_environment(),
    BusinessCentral.from_environment({"BCPICTURE_URL": "https://bc/api/v2.0"}),
]


def every_option(session: aiohttp.ClientSession, tls: ssl.SSLContext) -> None:
    """A client with everything that can be chosen."""

    def observe(event: object) -> None:
        del event

    async def observe_slowly(event: object) -> None:
        del event

    client = BusinessCentral(
        endpoint=online,
        credential=secret,
        session=session,
        retries=RetryPolicy(
            attempts=5, base=0.5, cap=30.0, patience=120.0, deadline=600.0
        ),
        timeouts=Timeouts(connect=15.0, reply=300.0, stall=60.0, idle=60.0),
        quota=Quota(requests=6000),
        reserve=0.3,
        tls=tls,
        proxy="http://proxy.example.com:3128",
        trust_env=False,
        hooks=[observe, observe_slowly],
        queue_wait=1.0,
    )
    assert_type(client.endpoint, Endpoint)
    assert_type(client.retries, RetryPolicy)
    assert_type(client.timeouts, Timeouts)


# -- companies and records


async def look_around(bc: BusinessCentral) -> list[str]:
    """Listings, one by one and by page, and single records."""
    async for company in bc.companies:
        assert_type(company, Company)
    named = await bc.companies.by_name("CRONUS USA, Inc.")
    assert_type(named, Company)
    assert_type(await bc.companies.find("nobody"), Company | None)
    assert_type(named.id, str)
    assert_type(named.display_name, str)
    assert_type(named.extra, Mapping[str, Any])

    for handle in (bc.company(named), bc.company(named.name), bc.company(UUID(int=1))):
        assert_type(await handle.id(), str)
        assert_type(await handle.info(), Company)

    items = bc.company(named).items
    chosen = items.filter("startswith(number, '18')").select("gtin").page_size(100)
    async for item in chosen:
        assert_type(item, Item)
        assert_type(item.number, str)
        assert_type(item.last_modified, datetime | None)
        assert_type(item.picture, Picture | None)
    async for page in items.pages():
        assert_type(page.values, tuple[Item, ...])
    assert_type(await items.by_number("1896-S"), Item)
    found = await items.find("1896-S")
    assert_type(found, Item | None)
    return [item.number async for item in bc.company(named).customers]


async def every_parent(bc: BusinessCentral, item: Item, record: UUID) -> None:
    """A handle by value, by id as UUID or text, and by number."""
    company = bc.company("CRONUS USA, Inc.")
    for handle in (
        company.item(item),
        company.item(record),
        company.item("5d115c9c-44e3-4ea3-a89a-7edd8d0bfb7d"),
        company.item(number="1896-S"),
        company.customer(number="10000"),
        company.vendor(number="10000"),
        company.employee(number="AH"),
        company.contact(number="CT000001"),
    ):
        assert_type(await handle.id(), str)
        assert_type(await handle.info(), Item)
        assert_type(await handle.picture.info(), Picture)


# -- pictures


async def bring_down(bc: BusinessCentral) -> bytes:
    """Every way to get the bytes."""
    picture = bc.company("CRONUS USA, Inc.").item(number="1896-S").picture
    info = await picture.info()
    assert_type(info.exists, bool)
    assert_type((info.width, info.height), tuple[int, int])
    assert_type(info.content_type, str)
    assert_type(info.etag, str | None)

    assert_type(await picture.read(), bytes)
    assert_type(await picture.read(default=None), bytes | None)
    assert_type(await picture.read(default=b"", max_bytes=1_000_000), bytes)

    async with picture.open() as stream:
        assert_type(stream.length, int | None)
        async for chunk in stream:
            assert_type(chunk, bytes)
    handed_on: AsyncIterator[bytes] = await picture.open()
    assert_type(await anext(handed_on), bytes)

    done = await picture.download("out/1896-S.jpg")
    assert_type(done, Downloaded)
    assert_type(done.path, PurePath | None)
    assert_type(done.size, int)
    assert_type(done.sha256, str | None)
    assert_type(done.content_type, str | None)
    assert_type(done.unchanged, bool)
    await picture.download(Path("out/1896-S"), digest=True, sniff_extension=True)
    await picture.download("out/1896-S.jpg", unless=ALREADY_THERE, max_bytes=1_000_000)
    await picture.download(BytesIO(), unless=done)
    async with await anyio.open_file("out/1896-S.jpg", "wb") as file:
        await picture.download(file)
    with gzip.open("out/1896-S.jpg.gz", "wb") as packed:
        await picture.download(packed)
    _, writer = await asyncio.open_connection("127.0.0.1", 7048)
    await picture.download(writer, max_bytes=1_000_000)
    async with picture.open(max_bytes=1_000_000) as short:
        assert_type(short.etag, str | None)
    return await picture.read()


async def open_slowly() -> BytesIO:
    """A factory that waits."""
    return BytesIO(b"GIF89a")


@asynccontextmanager
async def open_elsewhere() -> AsyncIterator[AsyncIterator[bytes]]:
    """A factory that closes what it opened."""
    async with httpx.AsyncClient() as other, other.stream("GET", "/photo") as response:
        yield response.aiter_bytes()


async def take_in(bc: BusinessCentral, part: BodyPartReader, file: UploadFile) -> None:
    """What arrives in web handlers."""
    picture = bc.company("CRONUS USA, Inc.").item(number="1896-S").picture
    await picture.upload(part)
    await picture.upload(file)


async def take_up(bc: BusinessCentral, response: aiohttp.ClientResponse) -> None:
    """Every source, and every condition."""
    picture = bc.company("CRONUS USA, Inc.").item(number="1896-S").picture
    info = await picture.info()
    done = await picture.upload(Path("1896-S.jpg"))
    assert_type(done, Uploaded)
    assert_type(done.size, int)
    assert_type(done.sha256, str | None)
    assert_type(done.etag, str | None)
    assert_type(done.attempts, int)
    assert_type(done.request_id, str)
    assert_type(done.content_type, str | None)
    assert_type(done.width, int | None)
    assert_type(done.height, int | None)

    try:
        await picture.upload("1896-S.jpg", digest=True)
    except UnfitPictureError as error:
        if error.misfit is Misfit.UNPROVEN:
            await picture.upload("1896-S.jpg", preflight=False)
    await picture.upload(b"GIF89a", if_match=ANY)
    await picture.upload(bytearray(b"GIF89a"), if_match=info)
    await picture.upload(memoryview(b"GIF89a"), if_match='W/"etag"')
    await picture.upload(BytesIO(b"GIF89a"), only_if_absent=True)
    await picture.upload(response.content.iter_any(), spool=False, length=5)
    await picture.upload(iter([b"GIF", b"89a"]))
    await picture.upload(response.content, length=response.content_length)
    await picture.upload(lambda: b"GIF89a")
    await picture.upload(Path("1896-S.jpg").read_bytes)
    await picture.upload(lambda: iter([b"GIF", b"89a"]), length=6)
    await picture.upload(open_slowly)
    await picture.upload(open_elsewhere)
    async with await anyio.open_file("1896-S.jpg", "rb") as file:
        await picture.upload(file)
    await picture.delete()
    await picture.delete(if_match=info)


async def tell_how_far(bc: BusinessCentral) -> None:
    """Both kinds of listeners, both ways."""

    def show(progress: Progress) -> None:
        assert_type(progress.done, int)
        assert_type(progress.total, int | None)
        assert_type(progress.attempt, int)

    async def pass_on(progress: Progress) -> bool:
        return progress.done == progress.total

    picture = bc.company("CRONUS USA, Inc.").item(number="1896-S").picture
    listeners: list[OnProgress] = [show, pass_on, [Progress(done=0, total=9)].append]
    for listener in listeners:
        await picture.upload("1896-S.jpg", progress=listener)
        await picture.download("1896-S.jpg", progress=listener)
        assert_type(await picture.read(progress=listener), bytes)


async def other_demands(bc: BusinessCentral) -> Statistics:
    """The same client, for callers in a hurry and for work in bulk."""
    hurried = bc.with_options(
        timeouts=Timeouts(reply=5.0), queue_wait=0.5, retries=RetryPolicy(attempts=1)
    )
    assert_type(hurried, BusinessCentral)
    async with bc as opened:
        assert_type(opened, BusinessCentral)
    await bc.with_options(bulk=True, hooks=()).aclose()
    assert_type(bc.quota_use, QuotaUse)
    seen = bc.statistics
    assert_type(seen.requests, int)
    assert_type(seen.bytes_sent, int)
    return seen


# -- errors


def advise(error: BcPictureError) -> str:
    """What a caller can do about it, branch by branch."""
    failure: Failure | None = error.failure
    if failure is not None:
        assert_type(failure.status, int | None)
        assert_type(failure.trouble, Trouble | None)
        assert_type(failure.retry_after, float | None)
        failure = attrs.evolve(failure, attempts=2)
    assert_type(error.attempts, int)
    match error:
        case CompanyNotFoundError(known=known):
            assert_type(known, tuple[str, ...])
        case ItemNotFoundError(kind=kind, key=number, company=company):
            assert_type((kind, number, company), tuple[str, str, str])
        case NoPictureError(of=of):
            assert_type(of, str)
        case _:
            assert_type(error.what, str)
    return error.advice


worth_a_second_try: tuple[type[BcPictureError], ...] = (
    CutShortError,
    StalledError,
    ThrottledError,
    TransportError,
    UnavailableError,
)
to_be_looked_at: tuple[type[BcPictureError], ...] = (
    AccessDeniedError,
    AnswerError,
    ApiSwitchedOffError,
    AuthenticationError,
    BackupError,
    BrakeError,
    ConfigurationError,
    ConflictError,
    JournalError,
    LockedError,
    MissingError,
    OutcomeUnknownError,
    RejectedError,
    ReplayError,
    ServiceError,
    SourceError,
    TargetError,
    TooLargeError,
)
as_value_error: ValueError = UsageError("It is wrong.", advice="Mend it.")
as_time_out: TimeoutError = StalledError("Nothing moved.")
as_runtime_error: RuntimeError = ClosedError("It is closed.")
troubles: list[str] = [trouble.value for trouble in Trouble]
