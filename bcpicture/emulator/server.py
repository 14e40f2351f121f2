"""The emulator itself: starts, listens, tells how to connect, stops at once."""

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self, TypeVar

import attrs
from aiohttp import web

from bcpicture.emulator.app import App
from bcpicture.emulator.blobs import Blob, Blobs, adopt
from bcpicture.emulator.directions import Directions
from bcpicture.emulator.faults import Faults
from bcpicture.emulator.identity import TENANT, Identity
from bcpicture.emulator.journal import Journal
from bcpicture.emulator.options import Options
from bcpicture.emulator.patience import Patience
from bcpicture.emulator.quota import Gate
from bcpicture.emulator.seen import Log
from bcpicture.emulator.store import Store
from bcpicture.emulator.tenants import Stores
from bcpicture.emulator.tls import make_context

LINE_LIMIT = 1024 * 1024
DEFAULT_ITEMS = 20

T = TypeVar("T")


@attrs.define(kw_only=True, eq=False)
class Emulator(Directions):
    """A Business Central picture service on this machine, for tests and demos.

    It runs on the running loop, from ``async with`` on. Whatever it has is reachable
    while it runs: its store, its log, its identity, its faults.

    Example:
        >>> async with Emulator(items=100) as server:
        ...     print(server.base_urls["v2.0"])
    """

    faults: Faults = attrs.field(init=False, factory=Faults)
    """What goes wrong next."""

    log: Log = attrs.field(init=False, factory=Log, repr=False)
    """Every request so far."""

    identity: Identity = attrs.field(init=False, repr=False)
    """Apps, users and tokens."""

    stores: Stores = attrs.field(init=False, repr=False)
    """What every tenant has; see `tenant_store`."""

    blobs: Blobs = attrs.field(init=False, repr=False)
    """The bytes of the pictures."""

    journal: Journal | None = attrs.field(init=False, default=None, repr=False)
    """Where changes are noted when there is a data folder."""

    gate: Gate = attrs.field(init=False, repr=False)
    """Counts requests against the quota."""

    _folder: Path = attrs.field(init=False, repr=False)
    _temporary: tempfile.TemporaryDirectory[str] | None = attrs.field(
        init=False, default=None, repr=False
    )
    _initial: dict[str, Blob] = attrs.field(init=False, factory=dict, repr=False)
    _patience: Patience = attrs.field(init=False, repr=False)
    _server: asyncio.Server = attrs.field(init=False, repr=False)
    _web: web.Server = attrs.field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.stores = Stores(TENANT, self._make_store)
        self.identity = Identity(token_seconds=self.token_seconds, clock=self.clock)
        self.gate = Gate(self.quota)

    def _make_store(self) -> Store:
        count = self.items
        if count is None:
            count = 0 if self.numbers else DEFAULT_ITEMS
        return Store(count, self.clock, tuple(self.companies), self.numbers)

    @property
    def store(self) -> Store:
        """Companies, records and pictures of the tenant that needs no name."""
        return self.stores.default

    def tenant_store(self, tenant: str) -> Store:
        """Companies, records and pictures of a tenant, by any of its names.

        They are made when they are first asked for, here or by a request.
        """
        return self.stores.of(self.identity.canonical(tenant))

    @property
    def options(self) -> Options:
        """How it was set up."""
        return self

    @property
    def concurrent_peak(self) -> int:
        """Most API requests handled at once."""
        return self.gate.peak

    @property
    def throttled(self) -> int:
        """How many requests the quota answered with 429."""
        return self.gate.throttled

    def reset(self) -> None:
        """Forgets everything that happened; pictures of the start come back."""
        self.faults.clear()
        self.faults.struck.clear()
        self.stores.reset()
        self.identity.reset()
        self.gate.reset()
        self.log.clear()
        self._hang_up_pictures()

    def __enter__(self) -> NoReturn:
        raise TypeError(
            "The emulator runs on the event loop: `async with Emulator(...)`. "
            "For synchronous code there is ThreadedEmulator."
        )

    def __exit__(self, *_: object) -> None:
        """Is never reached; without it `with` would not even ask `__enter__`."""

    async def __aenter__(self) -> Self:
        try:
            await _to_the_end(self._prepare)
            await self._start()
        except BaseException:
            await _to_the_end(self._throw_away)
            raise
        return self

    async def _start(self) -> None:
        self.blobs = Blobs(self._folder / "pictures", on_disk=self.data is not None)
        await _to_the_end(self._load)
        context = None
        if self.tls:
            context, self.ca_path = await _to_the_end(
                make_context, self._folder, self.host
            )
        self._patience = Patience()
        self.faults.on_clear = self._patience.end
        self._web = self._make_web()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._web, self.host, self.port, ssl=context
        )
        self._port = self._server.sockets[0].getsockname()[1]

    def _make_web(self) -> web.Server:
        app = App(
            self,
            identity=self.identity,
            faults=self.faults,
            gate=self.gate,
            log=self.log,
            patience=self._patience,
        )
        return web.Server(
            app.handle,
            access_log=None,
            auto_decompress=False,
            max_line_size=LINE_LIMIT,
            max_field_size=LINE_LIMIT,
            lingering_time=2.0,
        )

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._stop()
        finally:
            await _to_the_end(self._put_away)

    async def _stop(self) -> None:
        await self._stop_accepting()
        self._patience.end()
        open_still = [each.transport for each in self._web.connections]
        # A moment for handlers that are done anyway; the others are cancelled.
        await self._web.shutdown(0.05)
        for transport in filter(None, open_still):
            # What is closed waits for its listener to read; nobody may.
            transport.abort()
        await self._server.wait_closed()

    async def _stop_accepting(self) -> None:
        """Closes the door without hurting whoever stands in it.

        Closing a server at once fails for a connection that has just been accepted: it
        gets no protocol, and nobody closes it.
        """
        loop = asyncio.get_running_loop()
        for door in self._server.sockets:
            with suppress(NotImplementedError, RuntimeError):
                loop.remove_reader(door.fileno())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self._server.close()

    def _prepare(self) -> None:
        if self.data is None:
            # It is removed at the end of the interpreter, too, if nobody did before.
            self._temporary = tempfile.TemporaryDirectory(
                prefix="bcpicture-emulator-", ignore_cleanup_errors=True
            )
            self._folder = Path(self._temporary.name)
        else:
            self._folder = Path(self.data)
            self.journal = Journal(self._folder / "state.jsonl")
        (self._folder / "pictures").mkdir(parents=True, exist_ok=True)

    def _load(self) -> None:
        if self.pictures is not None:
            for path in sorted(Path(self.pictures).iterdir()):
                if path.is_file():
                    blob = adopt(path, self.blobs)
                    blob.pinned = True
                    self._initial.setdefault(path.stem.casefold(), blob)
        self._hang_up_pictures()
        if self.journal is not None:
            self.journal.replay(self.stores, self.blobs)

    def _hang_up_pictures(self) -> None:
        if not self._initial or not self.store.companies:
            return
        for record in self.store.companies[0].table("items").records:
            record.blob = self._initial.get(record.number.casefold())

    def _put_away(self) -> None:
        if self.journal is not None:
            self.journal.rewrite(self.stores)
        self._throw_away()

    def _throw_away(self) -> None:
        if self._temporary is not None:
            self._temporary.cleanup()


async def _to_the_end(work: Callable[..., T], *arguments: object) -> T:
    """Works in a thread, and outwaits the thread even when it is cancelled.

    A thread cannot be stopped: it would go on to write into a folder that is being
    removed.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise
