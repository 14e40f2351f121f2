"""From the segments of a path to the function that answers."""

from aiohttp import hdrs

from bcpicture.emulator import entities, pictures
from bcpicture.emulator.address import Segment
from bcpicture.emulator.catalog import KINDS
from bcpicture.emulator.problems import (
    ServiceError,
    bad_request,
    no_record,
    no_segment,
    not_supported,
    query_syntax,
)
from bcpicture.emulator.records import Record
from bcpicture.emulator.reply import Reply, json_reply
from bcpicture.emulator.service import Call
from bcpicture.emulator.store import Company
from bcpicture.emulator.views import stream_name


async def serve(call: Call) -> Reply:
    """Answers an API request.

    Raises:
        ServiceError: it is refused.
    """
    reads = call.exchange.method in {hdrs.METH_GET, hdrs.METH_HEAD}
    if reads or call.service.answers.permission_first:
        call.check_permission()
    match call.address.segments:
        case []:
            return _service_document(call)
        case [Segment("$metadata" as name, None), *_]:
            raise not_supported(name)
        case [Segment("companies", key)]:
            return await entities.companies(call, key)
        case [Segment("companies", str(key)), *rest]:
            return await _in_company(call, call.company(key), rest)
        case [Segment("companies", None), *_]:
            raise query_syntax()
        case [*rest]:
            named = call.options.get("company") or call.exchange.header("Company")
            return await _in_company(call, call.company(named), rest)


async def _in_company(call: Call, company: Company, rest: list[Segment]) -> Reply:
    first, *more = rest
    if first.name == "pictures" and call.address.api == "v2.0":
        raise bad_request(
            "You must get to the parent first to get to the picture.",
            "Application_DialogException",
        )
    kind = KINDS.get(first.name)
    if kind is None or call.address.api not in kind.apis:
        raise no_segment(first.name)
    if first.key is None:
        if more:
            raise query_syntax()
        return await entities.entities(call, company, kind)
    record = company.table(kind.plural).by_id(first.key)
    if record is None:
        return await _without_parent(call, more)
    return await _in_record(call, company, record, more)


async def _in_record(
    call: Call, company: Company, record: Record, rest: list[Segment]
) -> Reply:
    match rest:
        case []:
            return await entities.entity(call, record)
        case [Segment("itemVariants", key), *more] if _has_variants(call, record):
            if key is None:
                return await entities.variants(call, record, company)
            variant = entities.find(call, company, "itemVariants", key)
            if str(variant.values["itemId"]) != record.id:
                raise no_record()
            return await _in_record(call, company, variant, more)
        case [Segment("picture", key), *more]:
            return await _in_picture(call, record, key, more)
        case [Segment(name), *_]:
            raise no_segment(name)
        case _:
            raise query_syntax()


def _has_variants(call: Call, record: Record) -> bool:
    return call.address.api == "v2.0" and record.kind.plural == "items"


async def _in_picture(
    call: Call, record: Record, key: str | None, rest: list[Segment]
) -> Reply:
    _check_picture_path(call, key, rest)
    if key is not None and key != record.id:
        raise no_record()
    if not rest:
        return await pictures.metadata(call, record, keyed=key is not None)
    return await pictures.content(call, record)


def _check_picture_path(call: Call, key: str | None, rest: list[Segment]) -> None:
    """Refuses the forms of the other API versions, as the service does."""
    api = call.address.api
    if api == "v2.0" and key is not None:
        raise query_syntax()
    if len(rest) > 1 or (rest and rest[0] != Segment(stream_name(api))):
        raise no_segment(rest[0].name)
    if api != "v2.0" and key is None and rest:
        raise bad_request(
            "The request URI is not valid. Since the segment 'picture' refers to a "
            "collection, this must be the last segment in the request URI."
        )


async def _without_parent(call: Call, rest: list[Segment]) -> Reply:
    silent = call.service.answers.silent_unknown_upload
    if silent and call.exchange.method == "PATCH" and len(rest) == 2:
        return await pictures.swallow(call)
    raise no_record(call.service.answers.unknown_parent)


def _service_document(call: Call) -> Reply:
    if call.exchange.method != "GET":
        raise ServiceError(405, "BadRequest_MethodNotAllowed", "Only GET is allowed.")
    names = ["companies", *(k.plural for k in KINDS.values())]
    sets = [
        {"name": name, "kind": "EntitySet", "url": name}
        for name in names
        if name == "companies" or call.address.api in KINDS[name].apis
    ]
    return json_reply(200, {"@odata.context": f"{call.base}/$metadata", "value": sets})
