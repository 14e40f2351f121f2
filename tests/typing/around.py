"""What stands around the client, as its users would write it: checked, never executed.

Observers, handles that are handed on, buckets and the emulator; see `api.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import assert_never, assert_type
from uuid import UUID

import aiohttp
from obstore.store import S3Store

from bcpicture import (
    BcPictureError,
    BusinessCentral,
    Companies,
    CompanyHandle,
    Connector,
    Credential,
    Endpoint,
    Environment,
    Event,
    Expression,
    F,
    Failure,
    Field,
    Finished,
    Item,
    Observer,
    PictureHandle,
    PictureInfo,
    PictureStream,
    RecordHandle,
    RecordInfo,
    Records,
    Replied,
    RequestSent,
    Retrying,
    SetAside,
    Throttled,
    TokenRenewed,
)
from bcpicture.cloud import CloudObject
from bcpicture.emulator import (
    Answers,
    Emulator,
    Fault,
    Quota,
    Seen,
    ThreadedEmulator,
)
from bcpicture.images import Prepare, Prepared, prepare_picture
from bcpicture.otel import Telemetry

# -- handles that are handed on


async def hand_on(bc: BusinessCentral) -> int | None:
    """Every handle has a name of its own, for the signatures of its users."""
    companies: Companies = bc.companies
    assert_type(companies, Companies)
    company: CompanyHandle = bc.company("CRONUS USA, Inc.")
    items: Records = company.items
    assert_type(items.filter("number gt '1900'"), Records)
    record: RecordHandle = company.item(number="1896-S").variant("RED")
    picture: PictureHandle = record.picture
    async with picture.open() as stream:
        assert_type(stream, PictureStream)
    handed_on: PictureStream = await picture.open()
    return handed_on.length


def connect(endpoint: Endpoint, credential: Credential) -> BusinessCentral:
    """Whatever is a credential can be handed on as one."""
    return BusinessCentral(endpoint, credential)


def open_connections() -> aiohttp.ClientSession:
    """A session that is as careful as the client's own."""
    return aiohttp.ClientSession(connector=Connector(limit=50))


# -- finding


async def find(company: CompanyHandle, since: datetime) -> list[str]:
    """Filters by operators, pictures of all and of some, and what there is."""
    number: Field = F.number
    wanted: Expression = (number == "O'Neil") | number.is_in(["1896-S", "1900-S"])
    changed = company.items.filter(wanted & (F.last_modified > since))
    async for item in changed.pictures(numbers=["1896-S"]):
        assert_type(item, Item)
    missing: list[str] = []
    async for info in company.items.picture_infos([UUID(int=1)]):
        assert_type(info, PictureInfo)
        assert_type(info.error, BcPictureError | None)
        missing.append(info.key)
    async for now in company.items.in_bulk().refreshed([UUID(int=1)]):
        assert_type(now, RecordInfo)
        assert_type(now.item, Item | None)
    return missing


async def detect(address: str, credential: Credential) -> str:
    """The newest API of a server."""
    endpoint = await Endpoint.detect(address, credential)
    assert_type(endpoint, Endpoint)
    return endpoint.environment


def told(environment: Environment) -> tuple[str, str]:
    """An environment of the online service."""
    return environment.name, environment.type


# -- observers


def name(event: Event) -> str:
    """Every event has its facts, and the match is complete."""
    match event:
        case RequestSent(call=call, method=method, path=path, attempt=attempt):
            assert_type(event.queued, float)
            text = f"{call}: {method} {path}, {attempt}"
        case Replied(status=status, request_id=request_id, sent=sent, received=got):
            text = f"{status} {request_id} {sent} {got}"
        case Retrying(failure=failure, reason=reason, delay=delay):
            assert_type(failure, Failure)
            text = f"{reason} {delay}"
        case Throttled(status=code, retry_after=asked):
            assert_type((code, asked), tuple[int | None, float | None])
            text = "held back"
        case TokenRenewed(life=life):
            text = f"{life}"
        case SetAside(member=member, reason=why):
            text = f"{member} {why}"
        case Finished(attempts=attempts, seconds=seconds, error=error):
            assert_type(error, BaseException | None)
            text = f"{attempts} {seconds}"
        case _:
            assert_never(event)
    return text


async def name_slowly(event: Event) -> None:
    """An async observer."""
    name(event)


observers: list[Observer] = [name, name_slowly, Telemetry()]


# -- buckets


async def by_bucket(company: CompanyHandle, store: S3Store) -> None:
    """An object up, and another one down."""
    picture = company.item(number="1896-S").picture
    await picture.upload(CloudObject(store, "photos/1896-S.jpg"))
    target = CloudObject.at("s3://bucket/1896-S.jpg", region="eu-central-1")
    assert_type(target, CloudObject)
    assert_type(target.path, str)
    await picture.download(target)


async def to_what_shows(picture: PictureHandle) -> None:
    """A picture is converted, turned and shrunk before it is sent."""
    recipe = Prepare(
        max_side=1200,
        max_bytes=500_000,
        quality=80,
        strip=True,
        max_pixels=100_000_000,
    )
    await picture.upload("photo.heic", prepare=recipe)
    prepared = await prepare_picture(b"GIF89a", recipe)
    assert_type(prepared, Prepared)
    assert_type(prepared.data, bytes)
    assert_type(prepared.content_type, str)
    assert_type((prepared.width, prepared.height), tuple[int, int])
    assert_type(prepared.changed, bool)
    assert_type(prepared.why, tuple[str, ...])
    assert_type(recipe.recipe, str)


# -- the emulator


async def play(server: Emulator) -> list[Seen]:
    """A server of one's own, that misbehaves on demand."""
    server.faults.add(Fault("status", status=503, retry_after="0"))
    async with Emulator(items=3, quota=Quota(), answers=Answers(stale=412)) as other:
        assert_type(other.base_urls, dict[str, str])
    return list(server.log)


def bc_emulator() -> Iterator[Emulator]:
    """A fixture, in synchronous code."""
    with ThreadedEmulator(items=3) as server:
        yield server
