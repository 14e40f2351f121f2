"""Whose pictures a journal is about."""

from __future__ import annotations

from bcpicture.core.ledger import JournalTarget
from bcpicture.resources.records import Records


async def target_of(records: Records) -> JournalTarget:
    """Whose pictures a journal about *records* is about."""
    company = records.company
    endpoint = company.endpoint
    tenant = endpoint.tenant or dict(endpoint.query).get("tenant", "")
    return JournalTarget(
        endpoint=str(endpoint.base),
        tenant=tenant,
        company_id=await company.id(),
        company=company.name,
        parent=records.parent.kind,
    )
