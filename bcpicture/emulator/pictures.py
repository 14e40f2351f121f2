"""Pictures: metadata, bytes, upload and removal, by the service's own verbs."""

import asyncio
import re

import attrs
from aiohttp import hdrs

from bcpicture.emulator import catalog
from bcpicture.emulator.blobs import Blob
from bcpicture.emulator.images import UNKNOWN
from bcpicture.emulator.journal import line_about
from bcpicture.emulator.problems import (
    ServiceError,
    bad_request,
    changed,
    invalid_token,
    no_record,
    not_allowed,
    not_supported,
)
from bcpicture.emulator.query import refuse_unsupported
from bcpicture.emulator.records import Record
from bcpicture.emulator.reply import Reply, json_reply
from bcpicture.emulator.service import Call
from bcpicture.emulator.views import (
    picture_etag,
    picture_json,
    stream_name,
)

_ETAG = re.compile(r'(?:W/)?"[^"]*"')


async def metadata(call: Call, record: Record, *, keyed: bool) -> Reply:
    """``…/picture`` and, in older APIs, ``…/picture({id})``."""
    refuse_unsupported(call.options, frozenset())
    collection = call.address.api != "v2.0" and not keyed
    match call.exchange.method:
        case hdrs.METH_GET:
            await call.work.take(call.service.options.metadata_seconds)
            return _shown(call, record, collection=collection)
        case hdrs.METH_DELETE if not collection:
            return await _remove(call, record)
        case hdrs.METH_PATCH | hdrs.METH_PUT if not collection:
            raise await _refusal_of_metadata(call)
        case "POST" | "PATCH" | "PUT" | "DELETE" as verb:
            edm_type = "Collection" if collection else "Entity"
            raise not_allowed(verb, "picture", edm_type)
        case other:
            raise not_supported(f"{other} on a picture")


async def content(call: Call, record: Record) -> Reply:
    """The stream: ``…/picture/pictureContent`` or ``…/picture({id})/content``."""
    refuse_unsupported(call.options, frozenset())
    method = call.exchange.method
    match method:
        case hdrs.METH_GET:
            return _bytes(call, record)
        case hdrs.METH_PATCH:
            return await _upload(call, record)
        case hdrs.METH_PUT if call.service.answers.put == 204:
            return await _upload(call, record)
        case hdrs.METH_HEAD | hdrs.METH_OPTIONS:
            raise not_supported(f"{method} on a stream")
        case _:
            await call.exchange.drain()
            raise not_allowed(method, stream_name(call.address.api), "Primitive")


async def swallow(call: Call) -> Reply:
    """An upload for nobody, confirmed all the same."""
    await call.exchange.receive(call.service.options.body_limit)
    await call.exchange.incoming.discard()
    return Reply(status=204)


def _shown(call: Call, record: Record, *, collection: bool) -> Reply:
    company = catalog.company_guid(record.company)
    place = f"companies({company})/{record.kind.plural}({record.id})/picture"
    context: dict[str, object] = {"@odata.context": f"{call.base}/$metadata#{place}"}
    picture = picture_json(call, record)
    return json_reply(200, context | ({"value": [picture]} if collection else picture))


def _bytes(call: Call, record: Record) -> Reply:
    blob, answers = record.blob, call.service.answers
    if blob is None:
        return Reply(status=204)
    call.exchange.hold(blob)
    types = {
        "jpeg": "image/jpeg",
        "sniffed": blob.measured.content_type,
        "octet-stream": "application/octet-stream",
    }
    reply = Reply(
        status=200,
        blob=blob,
        content_type=types.get(answers.content_header),
        chunked=not answers.content_length,
    )
    if answers.content_etag:
        reply = reply.with_headers((hdrs.ETAG, picture_etag(call, record)))
    return _ranged(call, reply, blob) if answers.ranges else reply


def _ranged(call: Call, reply: Reply, blob: Blob) -> Reply:
    """The part that ``Range`` asks for; only single ranges with a beginning."""
    reply = reply.with_headers((hdrs.ACCEPT_RANGES, "bytes"))
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", call.exchange.header(hdrs.RANGE) or "")
    if wanted is None:
        return reply
    start = int(wanted.group(1))
    stop = min(int(wanted.group(2)) + 1 if wanted.group(2) else blob.size, blob.size)
    if start >= stop:
        told = ((hdrs.CONTENT_RANGE, f"bytes */{blob.size}"),)
        raise ServiceError(416, "BadRequest", "Range not satisfiable.", headers=told)
    told_range = f"bytes {start}-{stop - 1}/{blob.size}"
    part = attrs.evolve(reply, status=206, start=start, stop=stop)
    return part.with_headers((hdrs.CONTENT_RANGE, told_range))


async def _upload(call: Call, record: Record) -> Reply:
    exchange, service = call.exchange, call.service
    if exchange.length is None and service.answers.chunked_upload != "accepted":
        raise ServiceError(
            service.answers.chunked_upload, "BadRequest", "A length is required."
        )
    incoming = await exchange.receive(service.options.body_limit)
    _check_version(call, record, required=True)
    blob = await incoming.finish() if incoming.size else None
    try:
        _refuse_undecodable(call, blob)
        # Nothing is awaited between this check and the change: it is atomic.
        _check_version(call, record, required=True)
        call.check_permission()
    except ServiceError:
        await service.blobs.drop(blob)
        raise
    await _replace(call, record, blob)
    if service.answers.upload_reply == 200:
        return json_reply(200, picture_json(call, record))
    return Reply(status=204)


async def _remove(call: Call, record: Record) -> Reply:
    answers = call.service.answers
    _check_version(call, record, required=answers.delete_without_if_match == "refused")
    call.check_permission()
    if record.blob is None and answers.delete_of_nothing == 404:
        raise no_record()
    await _replace(call, record, None)
    return Reply(status=204)


async def _replace(call: Call, record: Record, blob: Blob | None) -> None:
    old = record.blob
    record.put(blob)
    call.exchange.wrote = True
    call.exchange.replaced = old.sha256 if old else None
    if call.service.journal is not None:
        line = line_about(record, call.caller.tenant)
        await asyncio.to_thread(call.service.journal.append, line)
    await call.service.blobs.drop(old)


def _refuse_undecodable(call: Call, blob: Blob | None) -> None:
    refused = call.service.answers.undecodable == "refused"
    if refused and blob is not None and blob.measured == UNKNOWN:
        raise bad_request(
            "The image could not be decoded.", "Application_DialogException"
        )


def _check_version(call: Call, record: Record, *, required: bool) -> None:
    told = call.exchange.header(hdrs.IF_MATCH)
    if told is None and not required:
        return
    if told is None or (told != "*" and not _ETAG.fullmatch(told)):
        raise invalid_token()
    if told not in {"*", picture_etag(call, record)}:
        raise changed(call.service.answers.stale)


async def _refusal_of_metadata(call: Call) -> ServiceError:
    incoming = await call.exchange.receive(call.service.options.body_limit)
    await incoming.discard()
    if call.exchange.header(hdrs.IF_MATCH) is None:
        return invalid_token()
    if incoming.size > 2:
        return bad_request(
            "Control 'contentType' is read-only.", "BadRequest_InvalidOperation"
        )
    return not_supported("an empty PATCH of a picture's metadata")
