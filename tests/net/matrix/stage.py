"""One cell: an operation meets a fault, and what came of it is put into words."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import attrs
from table import AT, LATER, SHORT, STALLING, VERBS, WRITES, fault_named

from bcpicture import (
    BcPictureError,
    BusinessCentral,
    ClientSecret,
    Endpoint,
    OutcomeUnknownError,
    Quota,
    RetryPolicy,
    Timeouts,
)
from bcpicture.emulator import Emulator
from bcpicture.emulator.records import Record
from bcpicture.resources.pictures import PictureHandle

COMPANY = "CRONUS USA, Inc."


def picture(side: int, size: int) -> bytes:
    """So many bytes that begin and end like a PNG; another side makes another etag."""
    head = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", side, side)
    body = bytes(index % 251 for index in range(side)) * (size // side)
    return head + body + b"IEND\xaeB`\x82"


OLD = picture(700, 1_300_000)
NEW = picture(300, 300_000)
SMALL = picture(200, 60_000)
"""One write to the socket: then it is certain that it left before a reset."""

AT_ONCE = RetryPolicy(base=0.0, cap=0.0)
NO_PAUSE = Quota(concurrent=5, requests=1_000_000, seconds=0.006)
CALM, HASTY = Timeouts(reply=30.0, stall=30.0), Timeouts(reply=0.5, stall=0.5)


@attrs.frozen
class Trial:
    """The operations, each of which says what it brought."""

    picture: PictureHandle
    data: bytes
    etag: str
    folder: Path

    async def info(self) -> str:
        told = await self.picture.info()
        return "done" if told.exists and told.width == 700 else "wrong"

    async def read(self) -> str:
        return brought(await self.picture.read())

    async def open(self) -> str:
        async with self.picture.open() as stream:
            return brought(b"".join([chunk async for chunk in stream]))

    async def download(self) -> str:
        target = self.folder / "out.jpg"
        target.write_bytes(b"before")
        try:
            await self.picture.download(target)
            return brought(target.read_bytes())
        except BaseException:
            assert target.read_bytes() == b"before"
            raise
        finally:
            target.unlink()

    async def from_bytes(self) -> str:
        return await self._upload(self.data)

    async def if_match(self) -> str:
        return await self._upload(self.data, if_match=self.etag)

    async def from_path(self) -> str:
        return await self._upload(self.folder.parent / str(len(self.data)))

    async def from_file(self) -> str:
        with (self.folder.parent / str(len(self.data))).open("rb") as file:
            return await self._upload(file)

    async def from_stream(self) -> str:
        return await self._upload(self._once())

    async def unspooled(self) -> str:
        size = len(self.data)
        return await self._upload(self._once(), spool=False, length=size)

    async def delete(self) -> str:
        await self.picture.delete()
        return "done"

    async def _once(self) -> AsyncIterator[bytes]:
        for start, stop in pairwise([*range(0, len(self.data), 50_000), None]):
            yield self.data[start:stop]

    async def _upload(self, source: object, **options: object) -> str:
        done = await self.picture.upload(source, **options)  # type: ignore[arg-type]  # of any kind
        digests = {None, sha256(self.data).hexdigest()}
        right = done.size == len(self.data) and done.sha256 in digests
        return "done" if right else "wrong"


def brought(data: bytes) -> str:
    if data == OLD:
        return "done"
    return "short" if data == OLD[:AT] else "wrong"


@attrs.define
class Stage:
    """An emulator, on which one cell after the other is played."""

    server: Emulator
    folder: Path

    @property
    def record(self) -> Record:
        return self.server.store.company(COMPANY).item("1896-S")

    def client(self, timeouts: Timeouts) -> BusinessCentral:
        server = self.server
        credential = ClientSecret(
            client_id=server.client_id,
            client_secret=server.client_secret,
            token_url=server.token_url,
        )
        endpoint = Endpoint.at(server.base_urls["v2.0"])
        return BusinessCentral(
            endpoint, credential, retries=AT_ONCE, quota=NO_PAUSE, timeouts=timeouts
        )

    async def play(self, mode: str, name: str, column: str, operation: str) -> str:
        """Run a cell; what is wrong beyond it, is said behind it."""
        fault, server = fault_named(name), self.server
        server.reset()
        self.record.set_picture(OLD)
        async with self.client(HASTY if name.startswith(STALLING) else CALM) as bc:
            handle = bc.company(COMPANY).item(number="1896-S").picture
            etag = (await handle.info()).etag or ""
            data = SMALL if fault.action in SHORT else NEW
            server.log.clear()
            server.faults.add(
                attrs.evolve(
                    fault,
                    at=100 if operation == "info" else fault.at,
                    path="/picture",
                    method=None if mode == "blind" else VERBS[column],
                    times=1 if mode == "once" else None,
                )
            )
            trial = Trial(handle, data, etag, self.folder)
            said = await self._ended(getattr(trial, operation)(), column, data)
            server.faults.clear()
            if fault.retry_after == LATER:
                return said  # nothing goes for ten minutes
            # A connection may be lost once, but has no answer of its own.
            most = 1 if name == "duplicate_reply" else 2
            return said + await self._aftermath(bc, handle, most)

    async def _ended(self, call: Awaitable[str], column: str, data: bytes) -> str:
        """What the caller got, and whether that is the truth."""
        unknown = False
        try:
            async with asyncio.timeout(10):
                ending = await call
        except BcPictureError as error:
            ending = type(error).__name__.removesuffix("Error")
            unknown = isinstance(error, OutcomeUnknownError)
            if error.failure and error.failure.doubtful is not unknown:
                ending += " (of a doubt that is none)"
        except TimeoutError:
            ending = "hangs"
        stored = {OLD: "old", data: "new", None: "none"}.get(
            self.record.picture_bytes(), "a mixture"
        )
        wanted = "none" if column == "delete" else "new" if column in WRITES else "old"
        right = (
            {wanted} if ending == "done" else {wanted, "old"} if unknown else {"old"}
        )
        ending = ending.replace("OutcomeUnknown", "Unknown")
        ending += self._requests(VERBS[column])
        if unknown or stored not in right:
            ending += f" {stored}" + (", WHICH IS FALSE" if stored not in right else "")
        return ending

    def _requests(self, verb: str) -> str:
        log = self.server.log
        own = sum(one.method == verb and "/picture" in one.target for one in log)
        return f" {own}+{len(log) - own}".removesuffix("+0")

    async def _aftermath(
        self, bc: BusinessCentral, handle: PictureHandle, most: int
    ) -> str:
        """What is left behind, and whether the next answer is the next one's."""
        session = bc._opened().session
        governor = session.lanes.members[0].governor
        pool = session.transport.http.connector
        assert governor is not None
        assert pool is not None
        for _ in range(5000):
            await asyncio.sleep(0.002)
            held = governor.in_flight or governor.waiting or pool._acquired
            if not held and not list(self.folder.iterdir()):
                break
        else:
            return ", SOMETHING IS LEFT"
        self.record.set_picture(SMALL)
        before = len(self.server.log)
        right = await handle.read(default=None) == SMALL
        right = right and len(self.server.log) - before <= most
        return "" if right else ", THE NEXT ANSWER IS WRONG"
