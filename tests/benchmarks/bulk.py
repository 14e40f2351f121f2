"""How much of a bare loop's speed is left to a push and a pull of many pictures.

The bare loop merely reads each file, right where it is, and sends it; or receives each
picture, and writes it. It knows all ids beforehand. Ours lists and plans first, keeps
its journal and its digests, and looks at everything once more at the end. Both talk to
the same server, which is a process of its own, in turns.

A server that answers at once makes this a comparison of what both compute: the emulator
takes 0.2 ms, where the online service lets a user ask once in 50 ms. So both are
measured a second time with a server that takes 5 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import aiohttp
import attrs
from stand import COMPANY, Stand, stand, write_pictures
from table import Figure, show

from bcpicture import sync

WIDTH = 5
FLOOR = 0.7


class Spent(NamedTuple):
    """What a turn took."""

    seconds: float
    """By the clock."""

    processor: float
    """Of this process's processor time, all threads."""


@attrs.frozen(kw_only=True, eq=False)
class Bare:
    """What a careless person writes with aiohttp alone."""

    server: Stand
    """Where the pictures are."""

    photos: Path
    """Where the files are."""

    copies: Path
    """Where they go."""

    async def push(self) -> None:
        """Send every file."""
        await self._all(self._upload)

    async def pull(self) -> None:
        """Receive every picture."""
        self.copies.mkdir()
        await self._all(self._download)

    def _url(self, id_: str) -> str:
        place = f"companies({self.server.company})/items({id_})"
        return f"{self.server.base}/{place}/picture/pictureContent"

    async def _all(
        self, work: Callable[[aiohttp.ClientSession, str, str], Awaitable[None]]
    ) -> None:
        left = iter(self.server.ids.items())
        headers = {"Authorization": f"Bearer {self.server.token}"}

        async def some(session: aiohttp.ClientSession) -> None:
            for number, id_ in left:
                await work(session, number, self._url(id_))

        async with (
            aiohttp.ClientSession(headers=headers) as session,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(WIDTH):
                group.create_task(some(session))

    async def _upload(
        self, session: aiohttp.ClientSession, number: str, url: str
    ) -> None:
        data = (self.photos / f"{number}.png").read_bytes()
        headers = {"If-Match": "*", "Content-Type": "application/octet-stream"}
        async with session.patch(url, data=data, headers=headers) as reply:
            reply.raise_for_status()
            await reply.read()

    async def _download(
        self, session: aiohttp.ClientSession, number: str, url: str
    ) -> None:
        async with session.get(url) as reply:
            reply.raise_for_status()
            data = await reply.read()
        (self.copies / f"{number}.png").write_bytes(data)


@attrs.frozen(kw_only=True, eq=False)
class Ours:
    """The same, as a user of this package writes it."""

    server: Stand
    """Where the pictures are."""

    photos: Path
    """Where the files are."""

    copies: Path
    """Where they go."""

    state: Path
    """Where the journal is."""

    async def push(self) -> None:
        """Send every file."""
        async with self.server.client() as client:
            items = client.company(COMPANY).items
            async with sync.open(items, state_dir=self.state) as box:
                plan = await box.plan_push(self.photos)
                async with box.run(plan, width=WIDTH) as run:
                    report = await run.finish()
        require(report.done, len(self.server.ids))

    async def pull(self) -> None:
        """Receive every picture."""
        async with self.server.client() as client:
            items = client.company(COMPANY).items
            async with sync.open(items, state_dir=self.state) as box:
                plan = await box.plan_pull(self.copies)
                async with box.run(plan, width=WIDTH) as run:
                    report = await run.finish()
        require(report.done, len(self.server.ids))


def require(done: int, wanted: int) -> None:
    """Refuse a measurement of something else."""
    if done != wanted:
        raise RuntimeError(f"{done} pictures were carried, not {wanted}")


async def turn(work: Callable[[], Awaitable[None]]) -> Spent:
    """How long something takes."""
    gc.collect()
    start, processor = time.perf_counter(), time.process_time()
    await work()
    return Spent(time.perf_counter() - start, time.process_time() - processor)


def put_away(folder: Path) -> None:
    """Have a folder out of the way; it is deleted in the end.

    Deleting it here would be paid for by whoever flushes a file next: some disks are
    told of every block that is free again, and that takes seconds.
    """
    if folder.exists():
        folder.rename(folder.with_name(f"{folder.name}-{time.monotonic_ns()}"))


async def compare(
    verb: str, theirs: Bare, ours: Ours, rounds: int
) -> list[tuple[Spent, Spent]]:
    """What both spent, turn by turn; who begins alternates."""
    measured = []
    for number in range(rounds):
        found = {}
        for who in (theirs, ours) if number % 2 else (ours, theirs):
            if verb == "push":
                who.server.tell(do="clear")
            found[who] = await turn(getattr(who, verb))
            put_away(ours.copies)
            put_away(ours.state)
        measured.append((found[theirs], found[ours]))
    return measured


def figure(name: str, measured: list[tuple[Spent, Spent]], count: int) -> Figure:
    """What a comparison came to."""
    ratio = median(theirs.seconds / ours.seconds for theirs, ours in measured)
    speeds = [
        count / median(spent.seconds for spent in column)
        for column in zip(*measured, strict=True)
    ]
    theirs, ours = (
        1000 * median(spent.processor for spent in column) / count
        for column in zip(*measured, strict=True)
    )
    note = f"bare {speeds[0]:.0f} pictures/s, ours {speeds[1]:.0f}; "
    note += f"processor time {theirs:.2f} and {ours:.2f} ms a picture"
    return Figure(name=name, value=ratio, limit=FLOOR, note=note)


async def measure(server: Stand, folder: Path, rounds: int, which: str) -> list[Figure]:
    """All comparisons with one server, one after the other."""
    numbers, places = [*server.ids], {"photos": folder / "photos"}
    write_pictures(folder / "photos", numbers)
    places["copies"] = folder / "copies"
    theirs = Bare(server=server, **places)
    ours = Ours(server=server, state=folder / "state", **places)
    found = []
    for verb in ("push", "pull"):
        measured = await compare(verb, theirs, ours, rounds)
        found.append(figure(f"{verb}, {which}", measured, len(numbers)))
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few pictures")
    quick = parser.parse_args().quick
    count, rounds = (100, 1) if quick else (5000, 3)
    found = []
    with tempfile.TemporaryDirectory() as name:
        for which, seconds in (("answered at once", 0.0), ("in 5 ms", 0.01)):
            folder = Path(name, which)
            folder.mkdir()
            with stand(count, in_files=True, seconds=seconds) as server:
                found += asyncio.run(measure(server, folder, rounds, which))
    return show(f"{count:,} pictures of 20 KB, as a share of a bare loop", found)


if __name__ == "__main__":
    sys.exit(main())
