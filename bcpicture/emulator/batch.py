"""``$batch``: many requests in one, in the JSON form.

Requests are handled one after the other, and share the server time of the whole. What
Microsoft's page does not say, its users do: without ``Prefer:
odata.continue-on-error`` the first failure is the last answer.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import attrs
from aiohttp import hdrs
from multidict import CIMultiDict

from bcpicture.emulator import routes, strikes
from bcpicture.emulator.address import Segment, understand
from bcpicture.emulator.exchange import Exchange
from bcpicture.emulator.faults import INSIDE, Faults
from bcpicture.emulator.inner import Asked, Inner
from bcpicture.emulator.message import readable
from bcpicture.emulator.problems import (
    ServiceError,
    bad_request,
    no_segment,
    not_supported,
)
from bcpicture.emulator.query import split_query
from bcpicture.emulator.reply import Headers, Reply, error_reply, written
from bcpicture.emulator.service import Call
from bcpicture.emulator.views import stream_name
from bcpicture.emulator.work import TookTooLongError

LONGEST = 100
"""Requests in a batch."""

Json: TypeAlias = Any
"""Whatever JSON holds."""

_READS = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})


async def answer(call: Call, exchange: Exchange, faults: Faults) -> Reply:
    """Answers a batch.

    Raises:
        ServiceError: it is refused as a whole.
    """
    if not call.service.options.batch:
        raise no_segment("$batch")
    if exchange.method != hdrs.METH_POST:
        raise ServiceError(405, "BadRequest_MethodNotAllowed", "Only POST is allowed.")
    asked = await _read(call, exchange)
    goes_on = _goes_on(call)
    answers: list[bytes] = []
    for one in asked:
        reply = await _one(call, exchange, one, faults)
        answers.append(_written(one, reply))
        if reply.status >= 400 and not goes_on:
            break
    if call.service.options.batch_reversed:
        answers.reverse()
    body = b'{"responses":[' + b",".join(answers) + b"]}"
    return Reply(status=200, body=body, content_type="application/json")


def _goes_on(call: Call) -> bool:
    told = (call.exchange.header("Prefer") or "").replace(" ", "").lower()
    preferred = [part.removeprefix("odata.") for part in told.split(",")]
    wanted = {"continue-on-error", "continue-on-error=true"}.intersection(preferred)
    return bool(wanted) or not call.service.answers.batch_stops


async def _read(call: Call, exchange: Exchange) -> list[Asked]:
    """The requests of a batch; refuses what is none, or too many."""
    content_type = (exchange.header(hdrs.CONTENT_TYPE) or "").lower()
    if content_type.startswith("multipart/"):
        raise not_supported("a batch that is not JSON")
    if not content_type.startswith("application/json"):
        raise ServiceError(415, "BadRequest", "The media type is not supported.")
    incoming = await exchange.receive(call.service.options.body_limit)
    blob = await incoming.finish()
    try:
        told = json.loads(b"".join([piece async for piece in blob.chunks()]) or b"null")
    except ValueError:
        raise bad_request("Invalid Request Body") from None
    finally:
        await incoming.blobs.drop(blob)
    listed = told.get("requests") if isinstance(told, dict) else None
    if not isinstance(listed, list):
        raise bad_request("Invalid Request Body")
    if len(listed) > LONGEST:
        raise ServiceError(
            call.service.answers.batch_too_long,
            "BadRequest",
            f"A batch of {len(listed)} requests is too long: at most {LONGEST}.",
        )
    asked = [_asked(one) for one in listed]
    _refuse_what_is_not_done(exchange, asked)
    return asked


def _asked(told: Json) -> Asked:
    """Reads one request of a batch."""
    if not isinstance(told, dict):
        raise bad_request("Invalid Request Body")
    for option in ("dependsOn", "atomicityGroup"):
        if told.get(option):
            raise not_supported(f"'{option}' in a batch")
    name, headers, body = told.get("id"), told.get("headers") or {}, told.get("body")
    match told:
        case {"method": str(method), "url": str(url)} if isinstance(
            name, str | None
        ) and isinstance(headers, dict):
            return Asked(
                id=name,
                method=method.upper(),
                url=url,
                headers=CIMultiDict({k: str(v) for k, v in headers.items()}),
                body=b"" if body is None else json.dumps(body).encode(),
            )
        case _:
            raise bad_request("Invalid Request Body")


def _refuse_what_is_not_done(exchange: Exchange, asked: Sequence[Asked]) -> None:
    names = [one.id for one in asked if one.id is not None]
    if len(set(names)) < len(names):
        raise bad_request("The id of a request in a batch must be unique.")
    isolation = exchange.header("Isolation") or exchange.header("OData-Isolation")
    if isolation is None:
        return
    if isolation.lower() != "snapshot":
        raise not_supported(f"the isolation '{isolation}'")
    if any(one.method not in _READS for one in asked):
        raise not_supported("writing in a batch with Isolation: snapshot")


async def _one(call: Call, exchange: Exchange, asked: Asked, faults: Faults) -> Reply:
    """Answers one request of a batch, and notes it."""
    before = call.work.spent
    target = _target(call, asked.url)
    fault = faults.take(asked.method, readable(target), INSIDE)
    inner = Inner(exchange, asked, target, fault)
    try:
        reply = await _struck(call, inner)
    except TookTooLongError:
        raise
    except ServiceError as problem:
        reply = error_reply(problem)
    finally:
        await inner.incoming.discard()
    worked = call.work.spent - before
    exchange.inner = (*exchange.inner, inner.seen(reply, exchange, worked))
    return reply


def _target(call: Call, url: str) -> str:
    """Where a request of a batch leads: path and query, unless to another host."""
    if "://" in url.partition("?")[0]:
        return url.removeprefix(call.exchange.origin)
    return url if url.startswith("/") else f"{call.address.root}/{url}"


async def _struck(call: Call, inner: Inner) -> Reply:
    if inner.fault is None:
        return await _served(call, inner)
    reply = await strikes.before(inner, inner.fault)
    if reply is not None:
        return reply
    return await strikes.after(inner, inner.fault, await _served(call, inner))


async def _served(call: Call, inner: Inner) -> Reply:
    options = call.service.options
    if not inner.target.startswith("/"):
        raise bad_request(f"{inner.target} leads to another host than the batch.")
    address = understand(inner.raw_path, options.apis)
    if address.root != call.address.root:
        raise bad_request(f"{inner.raw_path} is not below {call.address.root}.")
    segments = _plain(call, inner, address.segments)
    if segments is not address.segments:
        address = attrs.evolve(address, segments=segments)
    asked = Call(  # rather than evolved, which takes as long as to answer it
        service=call.service,
        exchange=inner,
        address=address,
        options=split_query(inner.raw_query, strict_plus=options.strict_plus),
        caller=call.caller,
        work=call.work,
    )
    return await routes.serve(asked)


def _plain(
    call: Call, inner: Inner, segments: tuple[Segment, ...]
) -> tuple[Segment, ...]:
    """The path of a request in a batch, with streams refused or told in JSON."""
    last = segments[-1].name if segments and segments[-1].key is None else ""
    stream = stream_name(call.address.api)
    if last == "$batch":
        raise not_supported("a batch in a batch")
    if last == stream:
        raise not_supported("a stream in a batch")
    if last != "contentValue" or not call.service.answers.content_value_in_batch:
        return segments
    if inner.method != hdrs.METH_PATCH:
        raise not_supported(f"{inner.method} on 'contentValue'")
    inner.body = _content_value(inner.body)
    return (*segments[:-1], Segment(stream))


def _content_value(body: bytes) -> bytes:
    try:
        return base64.b64decode(json.loads(body)["value"], validate=True)
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise bad_request("Invalid Request Body") from None


def _written(asked: Asked, reply: Reply) -> bytes:
    """One answer of a batch; a body that is JSON already goes in as it is."""
    told = _status_and_headers(reply.status, reply.content_type, reply.headers)
    head = b'{"id":' + written(asked.id) + told
    if not reply.body:
        return head + b"}"
    body = reply.body
    if "json" not in (reply.content_type or ""):
        body = json.dumps(body.decode("utf-8", "replace")).encode()
    return head + b',"body":' + body + b"}"


@lru_cache(64)  # most answers are alike in that
def _status_and_headers(status: int, kind: str | None, headers: Headers) -> bytes:
    named = {name.lower(): value for name, value in headers}
    if kind is not None:
        named |= {"content-type": kind, "odata-version": "4.0"}
    return b',"status":%d,"headers":' % status + written(named)
