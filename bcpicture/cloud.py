"""Objects in buckets, as sources and targets of pictures.

Needs the extra ``cloud``. S3, Azure, Google Cloud, a folder and memory are all the same
to it: `picture.upload(CloudObject.at("s3://bucket/1896-S.jpg"))`.
"""

from __future__ import annotations

from typing import Any, Self
from urllib.parse import unquote

import attrs

from bcpicture.errors import UsageError
from bcpicture.net.bodies import Body
from bcpicture.net.sinks import Sink

try:
    import obstore.store
    from obstore.store import ObjectStore
except ImportError as exc:
    raise ImportError(
        'Buckets need obstore. Install the extra: pip install "bcpicture[cloud]"'
    ) from exc

from bcpicture.net.bucket_sinks import BucketSink
from bcpicture.net.buckets import bucket_body

_SCHEMES = frozenset({"s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss"})
"""Beginnings of addresses that name a bucket, and an object in it."""


def _refused(url: str, why: str) -> UsageError:
    return UsageError(
        f"{url.partition('?')[0]!r} {why}.",
        advice="Give an address like s3://bucket/photos/1896-S.jpg (or az://, gs://, "
        "file:///, memory:///), or CloudObject(store, path) for any other store.",
    )


@attrs.frozen
class CloudObject:
    """One object of a store, which need not be there yet."""

    store: ObjectStore = attrs.field(repr=lambda store: type(store).__name__)
    """A store of obstore, such as an `S3Store` of one bucket."""

    path: str = attrs.field()
    """Its name in the store, such as ``photos/1896-S.jpg``."""

    @path.validator
    def _require_path(self, _: object, path: str) -> None:
        if not path.strip("/"):
            raise UsageError(
                "The path of an object in a bucket is empty.",
                advice="Name the object, such as photos/1896-S.jpg.",
            )

    @classmethod
    def at(cls, url: str, **options: Any) -> Self:  # noqa: ANN401 - obstore's own options
        """The object at an address.

        Args:
            url: ``s3://bucket/path``, ``az://container/path``, ``gs://bucket/path``,
                ``file:///path`` or ``memory:///path``. What stands behind the bucket
                is the object's name as it is; in ``file:`` it is percent-encoded.
            options: Whatever `obstore.store.from_url` takes beside the address:
                ``region=``, ``access_key_id=``, ``client_options=``, … Without them
                the usual variables of the environment are asked.

        Raises:
            UsageError: The address names no object.
        """
        scheme, colon, rest = url.partition("://")
        bucket, slash, path = rest.partition("/")
        if not (colon and slash and path.strip("/")):
            raise _refused(url, "names no object")
        scheme = scheme.lower()
        if scheme == "memory":
            return cls(obstore.store.MemoryStore(), path)
        if scheme == "file":
            return cls(obstore.store.LocalStore("/"), unquote(path))
        if scheme not in _SCHEMES:
            raise _refused(url, "is of an unknown kind")
        return cls(obstore.store.from_url(f"{scheme}://{bucket}", **options), path)

    async def open_body(self) -> Body:
        """What an upload reads: each attempt anew, as long as it is the same object.

        Raises:
            SourceError: It is not there, or cannot be read.
        """
        return await bucket_body(self.store, self.path)

    def open_sink(self) -> Sink:
        """What a download fills: whole or not at all."""
        return BucketSink(self.store, self.path)
