"""A folder of pictures, an emulator, and what keeps the two in step."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import pytest

from bcpicture import BusinessCentral, ClientSecret, Endpoint, Quota, RetryPolicy
from bcpicture.core.media import sniff
from bcpicture.core.options import PullOptions, PushOptions
from bcpicture.core.report import Outcome, Report
from bcpicture.emulator import Emulator, Seen
from bcpicture.emulator.artwork import png
from bcpicture.emulator.records import Record
from bcpicture.resources.records import Records
from bcpicture.sync.kit import Clocks
from bcpicture.sync.pull_plans import PlannedPull
from bcpicture.sync.push_plans import PlannedPush
from bcpicture.sync.undo_plans import PlannedUndo
from bcpicture.sync.workspace import Workspace

Option: TypeAlias = Any  # of any type: a keyword that is passed on

COMPANY = "CRONUS USA, Inc."
LONG_AGO = 1_700_000_000


@attrs.frozen
class Pushed:
    """A run that has ended."""

    plan: PlannedPush | PlannedPull | PlannedUndo
    outcomes: dict[str, Outcome]
    report: Report

    @property
    def endings(self) -> dict[str, str]:
        """What became of each number."""
        return {number: str(one.ending) for number, one in self.outcomes.items()}


@attrs.define
class Shop:
    """A company in an emulator, and a folder that belongs to it."""

    server: Emulator
    bc: BusinessCentral
    photos: Path
    state: Path
    clocks: Clocks = attrs.field(factory=Clocks)
    rebase: bool = False
    _ticks: int = 0

    @property
    def items(self) -> Records:
        return self.bc.company(COMPANY).items

    @property
    def box(self) -> Workspace:
        return Workspace(
            self.items, state_dir=self.state, clocks=self.clocks, rebase=self.rebase
        )

    # -- here

    def put(self, name: str, data: bytes | str = "") -> bytes:
        """Write a file, long ago, each a little later than the one before."""
        if isinstance(data, str):
            data = png(data or name, side=16)
        path = self.photos / name
        path.write_bytes(data)
        self._ticks += 1
        os.utime(path, (LONG_AGO + self._ticks, LONG_AGO + self._ticks))
        return data

    def files(self) -> dict[str, bytes]:
        """What is in the folder, but for the manifest."""
        return {
            path.name: path.read_bytes()
            for path in sorted(self.photos.iterdir())
            if path.name != "manifest.json"
        }

    def manifest(self) -> dict[str, str]:
        """The files that the manifest tells of, once it is proven to be true."""
        told = json.loads((self.photos / "manifest.json").read_text("utf-8"))["items"]
        for entry in told.values():
            data = (self.photos / entry["file"]).read_bytes()
            assert hashlib.sha256(data).hexdigest() == entry["sha256"]
            assert len(data) == entry["size"]
            kind = sniff(data)
            assert entry["type"] == (kind.content_type if kind else "")
        return {number: entry["file"] for number, entry in told.items()}

    # -- there

    @property
    def numbers(self) -> list[str]:
        table = self.server.store.company(COMPANY).table("items")
        return [record.number for record in table.records]

    def record(self, number: str) -> Record:
        return self.server.store.company(COMPANY).parent("items", number)

    def there(self, number: str) -> bytes | None:
        return self.record(number).picture_bytes()

    def all_there(self) -> dict[str, bytes | None]:
        return {number: self.there(number) for number in self.numbers}

    def requests(self) -> dict[str, int]:
        """How many there were of each kind, but for tokens and companies."""
        kinds = self.server.log.kinds()
        kinds["list"] -= sum(seen.path.endswith("/companies") for seen in self.log)
        kinds.pop("token", None)
        return {kind: count for kind, count in kinds.items() if count}

    @property
    def log(self) -> list[Any]:
        return self.server.log

    def backup(self) -> dict[str, bytes]:
        """What is in the backup, by its digest."""
        found = {}
        for path in self.state.glob("*/backups/*/*"):
            data = path.read_bytes()
            assert hashlib.sha256(data).hexdigest() == path.parent.name + path.name
            found[path.parent.name + path.name] = data
        return found

    def at(self, kind: str, work: Callable[[], object], *, skip: int = 0) -> None:
        """Do *work* once, when a request of a kind arrives, before it is answered."""
        left = [skip]

        def heard(seen: Seen) -> None:
            if seen.kind == kind:
                left[0] -= 1
                if left[0] == -1:
                    work()

        self.log.listener = heard

    # -- both

    async def push(self, **options: Option) -> Pushed:
        source = options.pop("source", self.photos)
        async with self.box as box:
            plan = await box.plan_push(source, PushOptions(**options))
            async with box.run(plan) as run:
                outcomes = {one.number: one async for one in run}
            return Pushed(plan, outcomes, run.report)

    async def pull(self, **options: Option) -> Pushed:
        target = options.pop("target", self.photos)
        async with self.box as box:
            plan = await box.plan_pull(target, PullOptions(**options))
            async with box.run(plan) as run:
                outcomes = {one.number: one async for one in run}
            return Pushed(plan, outcomes, run.report)

    async def undo(self, run_id: str | None = None) -> Pushed:
        async with self.box as box:
            plan = await box.plan_undo(run_id)
            async with box.run(plan) as run:
                outcomes = {one.number: one async for one in run}
            return Pushed(plan, outcomes, run.report)

    # -- in a process of its own

    async def begin(self, way: str = "push") -> asyncio.subprocess.Process:
        """Synchronise in a process of its own, which may be killed."""
        told = {
            "way": way,
            "base": self.server.base_urls["v2.0"],
            "token": self.server.identity.token(),
            "company": COMPANY,
            "folder": str(self.photos),
            "state": str(self.state),
        }
        program = Path(__file__).with_name("killable.py")
        return await asyncio.create_subprocess_exec(
            *(sys.executable, str(program), json.dumps(told)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def pause(self) -> None:
        """Let the other process go on for a moment."""
        await asyncio.sleep(0.005)

    async def kill(self, way: str, kind: str, skip: int) -> bool:
        """Synchronise, and kill it when a request of a kind has arrived.

        Returns:
            Whether it came that far.
        """
        process = await self.begin(way)
        left = [skip]

        def heard(seen: Seen) -> None:
            left[0] -= seen.kind == kind
            if left[0] < 0 and process.returncode is None:
                self.log.listener = None
                process.kill()

        self.log.listener = heard
        _, complaint = await process.communicate()
        self.log.listener = None
        assert process.returncode in {0, -signal.SIGKILL}, complaint.decode()
        return process.returncode != 0


@asynccontextmanager
async def _open_shop(
    tmp_path: Path,
    api: str = "v2.0",
    clocks: Clocks | None = None,
    client: dict[str, Any] | None = None,
    **server: Option,
) -> AsyncIterator[Shop]:
    photos = tmp_path / "photos"
    photos.mkdir(exist_ok=True)
    async with Emulator(**server) as emulator:
        credential = ClientSecret(
            client_id=emulator.client_id,
            client_secret=emulator.client_secret,
            token_url=emulator.token_url,
        )
        chosen = {
            "retries": RetryPolicy(base=0.0, cap=0.0),
            "quota": Quota(concurrent=5, requests=1_000_000, seconds=0.06),
        } | (client or {})
        endpoint = Endpoint.at(emulator.base_urls[api])
        async with BusinessCentral(endpoint, credential, **chosen) as bc:
            state = tmp_path / "state"
            yield Shop(emulator, bc, photos, state, clocks or Clocks())


@pytest.fixture
def open_shop(tmp_path: Path) -> Callable[..., Any]:
    """Starts an emulator and a client, with options of the test's own."""

    def start(**options: Option) -> Any:  # noqa: ANN401 - see above
        return _open_shop(tmp_path, **options)

    return start


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """A company with twenty items, and an empty folder."""
    async with _open_shop(tmp_path) as it:
        yield it


@pytest.fixture(params=["v2.0", "v1.0"])
async def any_shop(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Shop]:
    """A shop in each API version in turn."""
    async with _open_shop(tmp_path, api=request.param) as it:
        yield it
