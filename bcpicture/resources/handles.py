"""One item, or one other record: a handle that asks nothing before it has to."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import attrs

from bcpicture.core.dialects import ITEM, ITEM_VARIANT, require
from bcpicture.core.models import Item
from bcpicture.errors import UsageError
from bcpicture.resources.pictures import PictureHandle
from bcpicture.resources.references import RecordRef

if TYPE_CHECKING:
    from bcpicture.resources.records import Records


@attrs.define
class RecordHandle:
    """One item, or other record; no request is sent before something is asked for."""

    _ref: RecordRef

    @property
    def key(self) -> str:
        """The number, or the id, that it was asked for by."""
        return self._ref.key

    async def id(self) -> str:
        """Its GUID, looked up once.

        Raises:
            ItemNotFoundError: There is none of this number.
        """
        return await self._ref.id()

    async def info(self) -> Item:
        """What the service tells about it now.

        Raises:
            ItemNotFoundError: It is not there.
        """
        ref = self._ref
        if ref.known_id is None:
            found = await ref.find()
        else:
            # Not for everybody, and not for `import bcpicture`; likewise below.
            from bcpicture.core.fields import F
            from bcpicture.resources.records import Records

            query = Records(ref.company, ref.parent).filter(F.id == ref.known_id)
            found = await anext(aiter(query), None)
        if found is None:
            raise ref.missing()
        return found

    def variant(
        self, variant: str | UUID | Item | None = None, *, number: str | None = None
    ) -> RecordHandle:
        """A variant of this item, by its id, by a value, or by its code.

        Raises:
            UsageError: This is no item, or the API version has no pictures of variants.
        """
        ref = self._of_item()
        found = RecordRef.of(ref.company, ITEM_VARIANT, variant, number)
        return RecordHandle(attrs.evolve(found, item=ref))

    @property
    def variants(self) -> Records:
        """All variants of this item.

        Raises:
            UsageError: This is no item, or the API version has no pictures of variants.
        """
        from bcpicture.resources.records import Records

        return Records(self._of_item().company, ITEM_VARIANT, item=self._ref)

    def _of_item(self) -> RecordRef:
        ref = self._ref
        if ref.parent is not ITEM:
            raise UsageError(
                f"A {ref.parent.kind} has no variants.", advice="Only an item has."
            )
        require(ref.company.endpoint.dialect, ITEM_VARIANT)
        return ref

    @property
    def picture(self) -> PictureHandle:
        """Its picture."""
        return PictureHandle(self._ref)
