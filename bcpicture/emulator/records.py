"""One record: its fields, its stamp, its etags, and maybe a picture."""

import base64
import hashlib
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

import attrs

from bcpicture.emulator import catalog
from bcpicture.emulator.blobs import Blob, blob_of
from bcpicture.emulator.catalog import Kind
from bcpicture.emulator.filters import Comparable

Clock = Callable[[], float]
"""Seconds since the epoch."""


@lru_cache(1 << 15)
def etag(*values: object) -> str:
    """A weak etag over some values, which looks like the service's."""
    digest = hashlib.sha256(repr(values).encode()).digest()
    number = int.from_bytes(digest[:8], "big")
    return f'W/"{base64.b64encode(f"20;{number:020d}1;00;".encode()).decode()}"'


@attrs.define(eq=False)
class Record:
    """An item, a customer, …: anything that has a picture."""

    kind: Kind
    """What it is."""

    company: str
    """The company's name."""

    number: str
    """Its number or code; a variant's has its item's number in front."""

    id: str
    """Its GUID."""

    values: dict[str, object]
    """The fields that are not computed."""

    stamp: float
    """When it was last modified, in seconds since the epoch."""

    version: int = 1
    """Grows with each modification."""

    blob: Blob | None = None
    """Its picture."""

    clock: Clock = attrs.field(default=time.time, repr=False)
    """Where the stamp comes from."""

    @property
    def code(self) -> str:
        """The number as the API shows it."""
        if self.kind.key == "code":
            return self.number.rpartition("/")[2]
        return self.number

    @property
    def place(self) -> str:
        """What its table is sorted by."""
        return self.number

    @property
    def last_modified(self) -> datetime:
        """When it was last modified, to the millisecond, as the service tells."""
        return datetime.fromtimestamp(int(self.stamp * 1000) / 1000, UTC)

    @property
    def etag(self) -> str:
        """The record's own etag."""
        return etag(self.id, self.number, self.version)

    @property
    def picture_etag(self) -> str:
        """The picture's etag, which does not cover its bytes."""
        return self.picture_etag_over(covers_bytes=False)

    def picture_etag_over(self, *, covers_bytes: bool) -> str:
        """The picture's etag, over its metadata and maybe its bytes."""
        blob = self.blob
        if blob is None:
            return etag(self.id, 0, 0, "")
        measured = blob.measured
        seal = blob.sha256 if covers_bytes else ""
        return etag(
            self.id, measured.width, measured.height, measured.content_type, seal
        )

    @property
    def picture_sha256(self) -> str | None:
        """Digest of the stored bytes; None without a picture."""
        return self.blob.sha256 if self.blob else None

    @property
    def picture_size(self) -> int | None:
        """Length of the stored bytes; None without a picture."""
        return self.blob.size if self.blob else None

    def picture_bytes(self) -> bytes | None:
        """The stored bytes; None without a picture. Large ones come from the disk."""
        while (blob := self.blob) is not None:
            try:
                return blob.read()
            except FileNotFoundError:
                # Another upload has replaced it since, so there is a new one.
                if blob is self.blob:
                    raise
        return None

    def set_picture(self, data: bytes | None) -> None:
        """Stores a picture, as if a user had done it; None removes it."""
        self.put(blob_of(data) if data is not None else None)

    def put(self, blob: Blob | None) -> None:
        """Replaces the picture, and stamps the record."""
        self.blob = blob
        self.touch()

    def touch(self) -> None:
        """Modifies the record without changing anything that shows."""
        self.stamp = max(self.clock(), self.stamp + 0.001)
        self.version += 1

    def shown(self, field: str) -> object:
        """The value of a field as JSON has it."""
        if field == "id":
            return self.id
        if field == self.kind.key:
            return self.code
        if field == "lastModifiedDateTime":
            when = self.last_modified
            return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03}Z"
        kept = self.values.get(field)
        if kept is None:
            kept = catalog.default(self.kind.fields[field])
        return str(kept) if isinstance(kept, uuid.UUID) else kept

    def get(self, field: str) -> Comparable:
        """The comparable value of a field, for filters and orders."""
        if field == "lastModifiedDateTime":
            return self.last_modified
        if field == self.kind.key:
            return self.code
        if field == "id":
            return uuid.UUID(self.id)
        kept = self.values.get(field)
        return catalog.default(self.kind.fields[field]) if kept is None else kept
