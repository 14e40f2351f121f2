"""How much of bare aiohttp's speed is left: small pictures, and one long stream.

Both clients talk to the same nginx in short turns, one after the other, so that a busy
machine disturbs both alike; the ratio is the median over pairs of turns.
"""

import argparse
import asyncio
import gc
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import cycle, product
from statistics import median, quantiles
from typing import NamedTuple

import aiohttp
import attrs
from table import Figure, show
from yardstick import (
    COMPANY,
    LARGE,
    MANY,
    SIZES,
    SMALL,
    NoNginxError,
    Yardstick,
    yardstick,
)

from bcpicture import BusinessCentral, ClientSecret, Endpoint, Quota
from bcpicture.emulator.artwork import jpeg

Work = Callable[[], Awaitable[object]]
SKETCH = jpeg("speed", 160, 120)
PICTURE = SKETCH[:-2] + bytes(SIZES[SMALL] - len(SKETCH)) + SKETCH[-2:]
"""A JPEG of the size that is asked for: an upload looks at its two ends."""

FLOOR_SMALL, OLD_FLOOR_SMALL = 0.90, 0.80
FLOOR_STREAM, OLD_FLOOR_STREAM = 0.97, 0.95


@attrs.frozen
class Bare:
    """What a careful person writes with aiohttp alone."""

    session: aiohttp.ClientSession
    """With aiohttp's defaults."""

    server: Yardstick
    """Where the pictures are."""

    items: Iterator[str]
    """Whose small pictures, one after the other."""

    @staticmethod
    def headers() -> dict[str, str]:
        """What every request carries."""
        return {"Authorization": "Bearer t"}

    async def read(self) -> None:
        """Read a small picture."""
        url = self.server.content(next(self.items))
        async with self.session.get(url, headers=self.headers()) as reply:
            reply.raise_for_status()
            assert len(await reply.read()) == SIZES[SMALL]

    async def upload(self) -> None:
        """Replace a small picture."""
        headers = {
            **self.headers(),
            "If-Match": "*",
            "Content-Type": "application/octet-stream",
        }
        url = self.server.content(next(self.items))
        async with self.session.patch(url, data=PICTURE, headers=headers) as reply:
            reply.raise_for_status()
            await reply.read()

    async def stream(self) -> None:
        """Pass through a large picture."""
        url, size = self.server.content(LARGE), 0
        async with self.session.get(url, headers=self.headers()) as reply:
            reply.raise_for_status()
            async for chunk in reply.content.iter_any():
                size += len(chunk)
        assert size == SIZES[LARGE]


@attrs.frozen
class Ours:
    """The same, as a user of this package writes it."""

    client: BusinessCentral
    """Open."""

    items: Iterator[str]
    """Whose small pictures, one after the other."""

    async def read(self) -> None:
        """Read a small picture."""
        picture = self.client.company(COMPANY).item(next(self.items)).picture
        assert len(await picture.read()) == SIZES[SMALL]

    async def upload(self) -> None:
        """Replace a small picture."""
        picture = self.client.company(COMPANY).item(next(self.items)).picture
        assert (await picture.upload(PICTURE)).size == SIZES[SMALL]

    async def stream(self) -> None:
        """Pass through a large picture."""
        picture, size = self.client.company(COMPANY).item(LARGE).picture, 0
        async with picture.open() as stream:
            async for chunk in stream:
                size += len(chunk)
        assert size == SIZES[LARGE]


@asynccontextmanager
async def both(
    server: Yardstick, items: Sequence[str] = (SMALL,)
) -> AsyncIterator[tuple[Bare, Ours]]:
    """Both clients, open; ours with a quota so high that it never waits."""
    client = BusinessCentral(
        Endpoint.at(server.base),
        ClientSecret(client_id="a", client_secret="b", token_url=server.token_url),
        quota=Quota(concurrent=10_000, requests=100_000_000),
    )
    async with aiohttp.ClientSession() as session, client:
        yield Bare(session, server, cycle(items)), Ours(client, cycle(items))


class Spent(NamedTuple):
    """What a turn took."""

    seconds: float
    """By the clock."""

    processor: float
    """Of this process's processor time, which other processes disturb less."""


async def turn(work: Work, in_flight: int, times: int) -> Spent:
    """Spends *times* calls, *in_flight* of them at once."""
    left = iter(range(times))

    async def worker() -> None:
        for _ in left:
            await work()

    gc.collect()
    start, start_processor = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(worker())
    return Spent(time.perf_counter() - start, time.process_time() - start_processor)


async def compare(
    theirs: Work, ours: Work, *, in_flight: int, times: int, pairs: int
) -> list[tuple[Spent, Spent]]:
    """What both spent, turn by turn; who begins alternates."""
    for work in (theirs, ours):
        await turn(work, in_flight, max(in_flight, times // 4))
    measured = []
    for number in range(pairs):
        order = (theirs, ours) if number % 2 else (ours, theirs)
        spent = {work: await turn(work, in_flight, times) for work in order}
        measured.append((spent[theirs], spent[ours]))
    return measured


def figures(
    name: str, measured: list[tuple[Spent, Spent]], *, amount: float, floors: str
) -> Iterator[Figure]:
    """What a comparison came to."""
    unit, floor, old = floors.split()
    ratios = [theirs.seconds / ours.seconds for theirs, ours in measured]
    processor = median(theirs.processor / ours.processor for theirs, ours in measured)
    theirs, ours = (
        amount / median(spent.seconds for spent in column)
        for column in zip(*measured, strict=True)
    )
    low, _, high = quantiles(ratios, n=4)
    note = f"aiohttp {theirs:.0f} {unit}, ours {ours:.0f}; "
    note += f"middle half {low:.2f}…{high:.2f}; by processor time {processor:.3f}; "
    note += f"the older floor was {old}"
    yield Figure(name=name, value=median(ratios), limit=float(floor), note=note)


async def measure(server: Yardstick, *, quick: bool) -> list[Figure]:
    """All comparisons, one after the other."""
    small = f"requests/s {FLOOR_SMALL} {OLD_FLOOR_SMALL}"
    large = f"MB/s {FLOOR_STREAM} {OLD_FLOOR_STREAM}"
    times, pairs = (100, 3) if quick else (200, 120)
    found: list[Figure] = []
    # One picture again and again; then each a different one, which the floor is not
    # about: aiohttp and we remember addresses, and neither finds one there.
    for items, which in (((SMALL,), ""), (MANY, ", all different")):
        for in_flight, verb in product((5, 32), ("read", "upload")):
            async with both(server, items) as (bare, ours):
                measured = await compare(
                    getattr(bare, verb),
                    getattr(ours, verb),
                    in_flight=in_flight,
                    times=times,
                    pairs=pairs,
                )
            name = f"{verb}() of 20 KB{which}, {in_flight} in flight"
            told = figures(name, measured, amount=times, floors=small)
            found += (
                told if not which else (attrs.evolve(one, limit=None) for one in told)
            )
    async with both(server) as (bare, ours):
        measured = await compare(
            bare.stream, ours.stream, in_flight=1, times=1, pairs=2 if quick else 150
        )
    found += figures("open() of 100 MB", measured, amount=100, floors=large)
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="show that it works")
    quick = parser.parse_args().quick
    try:
        with yardstick(SMALL, LARGE) as server:
            found = asyncio.run(measure(server, quick=quick))
    except NoNginxError as exc:
        print(exc, file=sys.stderr)
        return 2
    return show("Speed, as a share of bare aiohttp's", found)


if __name__ == "__main__":
    sys.exit(main())
