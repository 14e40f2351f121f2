"""Companies, items and their like, as the API shows them: entities and lists."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from uuid import UUID

from aiohttp import hdrs

from bcpicture.emulator import catalog, paging
from bcpicture.emulator.catalog import COMPANY_FIELDS, PICTURE_FIELDS, Kind
from bcpicture.emulator.filters import Condition, OneOf
from bcpicture.emulator.paging import Page
from bcpicture.emulator.problems import no_record, not_allowed, not_supported
from bcpicture.emulator.query import Query, parse_query
from bcpicture.emulator.records import Record
from bcpicture.emulator.reply import Reply, json_reply
from bcpicture.emulator.service import Call
from bcpicture.emulator.store import Company
from bcpicture.emulator.views import picture_json


async def companies(call: Call, guid: str | None) -> Reply:
    """``companies`` and ``companies({id})``."""
    _only_reads(call, "companies", single=guid is not None)
    query = parse_query(call.options, COMPANY_FIELDS, "company", picture={})
    if guid is not None:
        company = call.company(guid)
        context = {"@odata.context": f"{call.base}/$metadata#companies/$entity"}
        return json_reply(200, context | _company_json(company, query))
    page = paging.cut(call.store.companies, query, call.page_size)
    rows = [_company_json(company, query) for company in page.rows]
    return _listing(call, "companies", query, page, rows)


async def entities(call: Call, company: Company, kind: Kind) -> Reply:
    """``items`` and the other sets."""
    return await _entities(call, company, kind, None)


async def entity(call: Call, record: Record) -> Reply:
    """``items({id})`` and the like."""
    _only_reads(call, record.kind.singular, single=True)
    query = _query(call, record.kind)
    if query.expand:
        await call.work.take(call.service.options.expand_seconds)
    place = f"companies({catalog.company_guid(record.company)})/{record.kind.plural}"
    context = {"@odata.context": f"{call.base}/$metadata#{place}/$entity"}
    return json_reply(200, context | entity_json(call, record, query))


async def variants(call: Call, item: Record, company: Company) -> Reply:
    """``items({id})/itemVariants``."""
    only = OneOf("itemId", frozenset({UUID(item.id)}))
    return await _entities(call, company, catalog.KINDS["itemVariants"], only)


async def _entities(
    call: Call, company: Company, kind: Kind, only: Condition | None
) -> Reply:
    _only_reads(call, kind.plural, single=False)
    query = _query(call, kind)
    records = company.table(kind.plural).candidates(query.condition)
    if only is not None:
        records = [record for record in records if only.accepts(record.get)]
    page = paging.cut(records, query, call.page_size)
    if query.expand:
        await call.work.take(call.service.options.expand_seconds * len(page.rows))
    rows = [entity_json(call, record, query) for record in page.rows]
    return _listing(call, f"companies({company.id})/{kind.plural}", query, page, rows)


def entity_json(call: Call, record: Record, query: Query) -> dict[str, object]:
    """One record as the API shows it."""
    shown: dict[str, object] = {"@odata.etag": record.etag}
    for field in record.kind.fields:
        if query.select is None or field in query.select:
            shown[field] = record.shown(field)
    if query.expand:
        picture = picture_json(call, record, query.expand_select)
        shown["picture"] = picture if call.address.api == "v2.0" else [picture]
    return shown


def _query(call: Call, kind: Kind) -> Query:
    options = tuple(call.options.items())
    return _parsed(options, kind.plural, pictured=call.address.api in kind.apis)


@lru_cache(1024)  # the requests of a batch are mostly alike
def _parsed(
    options: tuple[tuple[str, str], ...], plural: str, *, pictured: bool
) -> Query:
    kind, picture = catalog.KINDS[plural], PICTURE_FIELDS if pictured else {}
    return parse_query(dict(options), kind.fields, kind.singular, picture=picture)


def _company_json(company: Company, query: Query) -> dict[str, object]:
    return {
        field: str(company.get(field))
        for field in COMPANY_FIELDS
        if query.select is None or field in query.select
    }


def _listing(
    call: Call,
    place: str,
    query: Query,
    page: Page[Record] | Page[Company],
    rows: Sequence[Mapping[str, object]],
) -> Reply:
    shown: dict[str, object] = {"@odata.context": f"{call.base}/$metadata#{place}"}
    if query.count:
        shown["@odata.count"] = page.total
    shown["value"] = rows
    if page.mark is not None:
        shown["@odata.nextLink"] = call.next_link(page.mark, page.left)
    elif call.exchange.links == "looping":
        shown["@odata.nextLink"] = call.exchange.origin + call.exchange.target
    reply = json_reply(200, shown)
    if call.preferred_size is not None and call.service.options.honour_maxpagesize:
        size = f"odata.maxpagesize={call.preferred_size}"
        return reply.with_headers(("Preference-Applied", size))
    return reply


def _only_reads(call: Call, name: str, *, single: bool) -> None:
    method = call.exchange.method
    if method == hdrs.METH_GET:
        return
    if method in {hdrs.METH_PATCH, hdrs.METH_DELETE, hdrs.METH_PUT} and not single:
        raise not_allowed(method, name, "Collection")
    raise not_supported(f"{method} on '{name}'")


def find(call: Call, company: Company, plural: str, guid: str) -> Record:
    """The record with a GUID, or the service's complaint."""
    record = company.table(plural).by_id(guid)
    if record is None:
        raise no_record(call.service.answers.unknown_parent)
    return record
