"""The picture of a record: what is told about it, and its bytes up and down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import TYPE_CHECKING, TypeVar, overload

import attrs

from bcpicture.core.digests import Unless, read_unless
from bcpicture.core.models import ANY, RAISE, Downloaded, Picture, Uploaded
from bcpicture.core.preflight import UNSEEN, at_a_glance
from bcpicture.errors import (
    BcPictureError,
    MissingError,
    NoPictureError,
    UsageError,
)
from bcpicture.net.bodies import Body, BytesBody, HashedBody
from bcpicture.net.exchange import Exchange
from bcpicture.net.preflight import inspect
from bcpicture.net.progress import Meter, MeteredBody, OnProgress
from bcpicture.net.session import Session
from bcpicture.net.sources import Source, open_source
from bcpicture.resources.errands import (
    CONTENT,
    INFO,
    REPLACE,
    ask,
    deleting,
    read_info,
    replacing,
    request_for,
)
from bcpicture.resources.references import RecordRef
from bcpicture.resources.streams import Opening, PictureStream, detach
from bcpicture.resources.writes import (
    IfMatch,
    Look,
    Written,
    etag_of_nothing,
    header_for,
    look_at,
    patient,
    read_reply,
    settle,
)

if TYPE_CHECKING:
    from bcpicture.core.preparation import Prepare
    from bcpicture.net.targets import Target

T = TypeVar("T")


@attrs.define
class PictureHandle:
    """The picture of one record; no request is sent before something is asked for."""

    _of: RecordRef

    @property
    def identity(self) -> Hashable:
        """Equal while two handles of the same client ask for the same picture."""
        return self._of.identity

    @property
    def _session(self) -> Session:
        return self._of.company.session

    def _meter(self, progress: OnProgress) -> Meter:
        return Meter(progress, self._session.clock)

    def _content(self, consume: Callable[[Exchange], Awaitable[T]]) -> Awaitable[T]:
        """Read the picture's bytes."""
        return ask(self._of, CONTENT, consume)

    async def info(self) -> Picture:
        """What the service tells about the picture; also if there is none.

        One request. The service reads the whole image for it, so it is no cheaper for
        the service than `read`.

        Raises:
            ItemNotFoundError: The record is not there.
        """
        return await ask(self._of, INFO, read_info)

    @overload
    async def read(
        self, *, max_bytes: int | None = None, progress: OnProgress | None = None
    ) -> bytes: ...

    @overload
    async def read(
        self,
        *,
        default: T,
        max_bytes: int | None = None,
        progress: OnProgress | None = None,
    ) -> bytes | T: ...

    async def read(
        self,
        *,
        default: object = RAISE,
        max_bytes: int | None = None,
        progress: OnProgress | None = None,
    ) -> object:
        """All bytes of the picture, in memory.

        Args:
            default: What to return if there is no picture, instead of raising.
            max_bytes: Longer pictures are an error instead of memory.
            progress: Is told how far it is; an exception of its own ends it all.

        Raises:
            NoPictureError: The record has no picture.
            ItemNotFoundError: The record is not there.
            AnswerError: The picture is longer than *max_bytes*.
        """
        consume: Callable[[Exchange], Awaitable[bytes]] = Exchange.read
        if progress is not None:
            # Not for everybody, and not for `import bcpicture`; likewise below.
            from bcpicture.resources.saving import read_told

            meter = self._meter(progress)
            consume = partial(read_told, meter=meter, max_bytes=max_bytes)
        elif max_bytes is not None:
            consume = partial(Exchange.read, max_bytes=max_bytes)
        if data := await ask(self._of, CONTENT, consume):
            return data
        if default is RAISE:
            raise NoPictureError(str(self._of))
        return default

    def open(self, *, max_bytes: int | None = None) -> Opening:
        """The bytes of the picture as a stream; await it, or use ``async with``.

        Args:
            max_bytes: More than this is an error, at once if the length is announced.

        Raises:
            NoPictureError: The record has no picture.
            ItemNotFoundError: The record is not there.
            AnswerError: The picture is longer than *max_bytes*.
        """
        return Opening(partial(self._open, max_bytes))

    async def _open(self, max_bytes: int | None) -> PictureStream:
        exchange = await self._content(partial(detach, max_bytes=max_bytes))
        if exchange.status == 204 or exchange.length == 0:
            exchange.close()
            raise NoPictureError(str(self._of))
        return PictureStream(self._session, exchange, max_bytes)

    async def download(
        self,
        target: Target,
        *,
        digest: bool = False,
        unless: Unless | None = None,
        max_bytes: int | None = None,
        sniff_extension: bool = False,
        progress: OnProgress | None = None,
    ) -> Downloaded:
        """Save the picture; under a path it appears, whole, at the very end.

        Args:
            target: A path, or a file object, sync or async, that is open for writing
                bytes. A file of that path is replaced; an error leaves it alone.
            digest: Compute the SHA-256 of the bytes.
            unless: Leave the target alone if the bytes have this digest, or are
                `ALREADY_THERE`.
            max_bytes: More than this is an error.
            sniff_extension: Take the extension from the bytes' signature instead of
                the path: the service calls every picture ``.jpg``.
            progress: Is told how far it is; an exception of its own ends it all, and
                a file of that path stays what it was.

        Raises:
            NoPictureError: The record has no picture.
            ItemNotFoundError: The record is not there.
            AnswerError: The picture is longer than *max_bytes*.
            TargetError: What went out could not be taken back, and had to be.
            OSError: The disk is full, the folder missing, and the like.
        """
        from bcpicture.net.targets import open_target
        from bcpicture.resources.saving import Saving

        unwanted = read_unless(unless)
        sink = await open_target(
            target, sniff_extension=sniff_extension, unless=unwanted
        )
        saving = Saving(
            sink=sink,
            digest=digest,
            unless=unwanted,
            max_bytes=max_bytes,
            meter=None if progress is None else self._meter(progress),
        )
        done = await saving.save(self._content)
        if done is None:
            raise NoPictureError(str(self._of))
        return done

    async def upload(
        self,
        source: Source,
        *,
        if_match: IfMatch = ANY,
        only_if_absent: bool = False,
        digest: bool = False,
        spool: bool = True,
        length: int | None = None,
        progress: OnProgress | None = None,
        preflight: bool = True,
        prepare: Prepare | None = None,
    ) -> Uploaded:
        """Replace the picture, whatever it was, or set the first one.

        The service erases the record's whole picture set for it, further pictures that
        it never shows included (BCApps, ``PictureEntity.Table.al``).

        Args:
            source: Bytes, a path, a binary file, a stream of bytes, or a function that
                opens one of these anew for every attempt.
            if_match: Only if the picture still has this etag; an etag proves little,
                since it may not cover the bytes. `ANY` replaces anything.
            only_if_absent: Only if there is no picture; asks for `info` before.
            digest: Compute the SHA-256 of the bytes.
            spool: Read a stream that cannot seek to its end before it is sent, so that
                it can be sent again.
            length: Number of bytes; needed for a stream that is not spooled.
            progress: Is told how far it is. An exception of its own ends the upload,
                and nothing is stored; only the last call comes when the picture is.
            preflight: Look at the bytes first, and refuse those that are no whole
                picture of a kind that is proven to show.
            prepare: Make of it what shows, and fits, before it is looked at.

        Raises:
            UnfitPictureError: They would not show; nothing was sent.
            SourceError: The bytes cannot be had, or changed on the way.
            ConflictError: Somebody else changed the picture.
            OutcomeUnknownError: It is not known whether the picture is there.
            ItemNotFoundError: The record is not there.
        """
        if only_if_absent and if_match is not ANY:
            raise UsageError(
                "if_match and only_if_absent exclude each other.", advice="Choose one."
            )
        etag = "*" if if_match is ANY else header_for(if_match)
        body: Body
        if isinstance(source, bytes) and source and length is None:
            body = BytesBody(source)  # the usual case, without a detour
        else:
            body = await open_source(source, spool=spool, length=length)
        try:
            if prepare is not None:
                # Not for everybody: it needs the extra `images`.
                from bcpicture.net.preparing import prepare_body

                _, body = await prepare_body(body, prepare, source)
            limit = self._of.company.endpoint.quota.body
            seen = at_a_glance(body.whole, limit) if preflight else UNSEEN
            if seen is None:
                seen, body = await inspect(body, limit, source)
            if only_if_absent:
                etag = etag_of_nothing(await self.info(), str(self._of))
            # What cannot be read again could not be compared after a lost reply.
            sent: Body = body
            if digest or not body.replayable:
                sent = HashedBody(body)
            meter = None if progress is None else self._meter(progress)
            metered = sent if meter is None else MeteredBody(sent, meter)
            errand = REPLACE if etag == "*" else replacing(etag)
            told = await ask(self._of, errand, read_reply, metered, self._settle)
            if meter is not None:
                await meter.confirm(told.attempts, body.size)
            return Uploaded(
                size=body.size,
                sha256=sent.sha256 if isinstance(sent, HashedBody) else None,
                etag=told.etag,
                attempts=told.attempts,
                request_id=told.request_id,
                answered=told.answered,
                content_type=seen.content_type,
                width=seen.width,
                height=seen.height,
            )
        finally:
            if not isinstance(body, BytesBody):
                await body.aclose()

    async def delete(self, *, if_match: IfMatch = ANY) -> None:
        """Take the picture away; it is no error if there is none.

        Args:
            if_match: Only if the picture still has this etag.

        Raises:
            ConflictError: Somebody else changed the picture.
            OutcomeUnknownError: It is not known whether the picture is still there.
            ItemNotFoundError: The record is not there.
        """
        try:
            errand = deleting(header_for(if_match))
            await ask(self._of, errand, read_reply, None, self._settle)
        except MissingError:
            # Some answer so for a picture that is not there. Is the record?
            if (await self.info()).exists:
                raise

    def _settle(self, error: BcPictureError, body: Body | None) -> Awaitable[Written]:
        return settle(error, body, self._look)

    async def _look(self) -> Look:
        request = await request_for(self._of, CONTENT)
        return await patient(self._session).call(request, look_at)
