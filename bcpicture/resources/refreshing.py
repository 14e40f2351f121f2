"""Known records as they are now, each with its picture, in few requests.

By ``$batch`` where there is one; else by pages that are filtered by id. One request a
record is the last resort, for a server that refuses such a filter.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from yarl import URL

from bcpicture.core import urls
from bcpicture.core.decoding import item_of
from bcpicture.core.fields import F
from bcpicture.core.models import Item, RecordInfo
from bcpicture.errors import BcPictureError, RejectedError
from bcpicture.resources.batches import Batches
from bcpicture.resources.records import Records
from bcpicture.resources.references import RecordRef


@attrs.define
class Refreshed(Batches[RecordInfo]):
    """Known records as they are now, each with its picture, as they come."""

    def _fields(self) -> tuple[str, ...]:
        return ("id", self._parent.key, "lastModifiedDateTime")

    def _address(self, company_id: str, ref: RecordRef) -> URL:
        options = [("$select", ",".join(self._fields())), ("$expand", "picture")]
        return urls.record(
            self._company.endpoint,
            company_id,
            self._parent,
            ref.known_id or "",
            options,
        )

    def _read(self, ref: RecordRef, told: object) -> RecordInfo:
        return _info(ref, item=item_of(told))

    def _failed(self, ref: RecordRef, error: BcPictureError) -> RecordInfo:
        return _info(ref, error=error)

    async def _without_batch(self, refs: Sequence[RecordRef]) -> list[RecordInfo]:
        by_id = {ref.known_id or "": ref for ref in refs}
        wanted = Records(self._company, self._parent).filter(F.id.is_in(by_id))
        pages = wanted.select(*self._fields()).page_size(len(refs)).pictures()
        try:
            found = {item.id.lower(): item async for item in pages}
        except RejectedError:
            return await self._one_by_one(refs)
        return [
            _info(ref, item=found[record_id])
            if record_id in found
            else _info(ref, error=ref.missing())
            for record_id, ref in by_id.items()
        ]


def _info(
    ref: RecordRef, item: Item | None = None, error: BcPictureError | None = None
) -> RecordInfo:
    return RecordInfo(id=ref.known_id or "", key=ref.key, item=item, error=error)
