"""How much of bare aiohttp's speed is left: small pictures, and one long stream.

Both clients talk to the same nginx in short turns, one after the other, so that a busy
machine disturbs both alike; the ratio is the median over pairs of turns.
"""

import argparse
import asyncio
import gc
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from statistics import median, quantiles

import aiohttp
import attrs
from table import Figure, show
from yardstick import (
    COMPANY,
    LARGE,
    SIZES,
    SMALL,
    NoNginxError,
    Yardstick,
    yardstick,
)

from bcpicture import BusinessCentral, ClientSecret, Endpoint, Quota

Work = Callable[[], Awaitable[object]]
PICTURE = bytes(range(256)) * (SIZES[SMALL] // 256)
FLOOR_SMALL, OLD_FLOOR_SMALL = 0.90, 0.80
FLOOR_STREAM, OLD_FLOOR_STREAM = 0.97, 0.95


@attrs.frozen
class Bare:
    """What a careful person writes with aiohttp alone."""

    session: aiohttp.ClientSession
    """With aiohttp's defaults."""

    server: Yardstick
    """Where the pictures are."""

    @staticmethod
    def headers() -> dict[str, str]:
        """What every request carries."""
        return {"Authorization": "Bearer t"}

    async def read(self) -> None:
        """Read a small picture."""
        url = self.server.content(SMALL)
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
        url = self.server.content(SMALL)
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

    async def read(self) -> None:
        """Read a small picture."""
        picture = self.client.company(COMPANY).item(SMALL).picture
        assert len(await picture.read()) == SIZES[SMALL]

    async def upload(self) -> None:
        """Replace a small picture."""
        picture = self.client.company(COMPANY).item(SMALL).picture
        assert (await picture.upload(PICTURE)).size == SIZES[SMALL]

    async def stream(self) -> None:
        """Pass through a large picture."""
        picture, size = self.client.company(COMPANY).item(LARGE).picture, 0
        async with picture.open() as stream:
            async for chunk in stream:
                size += len(chunk)
        assert size == SIZES[LARGE]


@asynccontextmanager
async def both(server: Yardstick) -> AsyncIterator[tuple[Bare, Ours]]:
    """Both clients, open; ours with a quota so high that it never waits."""
    client = BusinessCentral(
        Endpoint.at(server.base),
        ClientSecret(client_id="a", client_secret="b", token_url=server.token_url),
        quota=Quota(concurrent=10_000, requests=100_000_000),
    )
    async with aiohttp.ClientSession() as session, client:
        yield Bare(session, server), Ours(client)


async def turn(work: Work, in_flight: int, times: int) -> float:
    """Seconds for *times* calls, *in_flight* of them at once."""
    left = iter(range(times))

    async def worker() -> None:
        for _ in left:
            await work()

    gc.collect()
    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(worker())
    return time.perf_counter() - start


async def compare(
    theirs: Work, ours: Work, *, in_flight: int, times: int, pairs: int
) -> list[tuple[float, float]]:
    """Seconds of both, turn by turn; who begins alternates."""
    for work in (theirs, ours):
        await turn(work, in_flight, max(in_flight, times // 4))
    measured = []
    for number in range(pairs):
        order = (theirs, ours) if number % 2 else (ours, theirs)
        spent = {work: await turn(work, in_flight, times) for work in order}
        measured.append((spent[theirs], spent[ours]))
    return measured


def figures(
    name: str, measured: list[tuple[float, float]], *, amount: float, floors: str
) -> Iterator[Figure]:
    """What a comparison came to."""
    unit, floor, old = floors.split()
    ratios = [theirs / ours for theirs, ours in measured]
    theirs, ours = (amount / median(column) for column in zip(*measured, strict=True))
    low, _, high = quantiles(ratios, n=4)
    note = f"aiohttp {theirs:.0f} {unit}, ours {ours:.0f}; "
    note += f"middle half {low:.2f}…{high:.2f}; the older floor was {old}"
    yield Figure(name=name, value=median(ratios), limit=float(floor), note=note)


async def measure(server: Yardstick, *, quick: bool) -> list[Figure]:
    """All comparisons, one after the other."""
    small = f"requests/s {FLOOR_SMALL} {OLD_FLOOR_SMALL}"
    large = f"MB/s {FLOOR_STREAM} {OLD_FLOOR_STREAM}"
    times, pairs = (100, 3) if quick else (400, 50)
    found: list[Figure] = []
    async with both(server) as (bare, ours):
        for in_flight in (5, 32):
            for verb in ("read", "upload"):
                works = getattr(bare, verb), getattr(ours, verb)
                measured = await compare(
                    *works, in_flight=in_flight, times=times, pairs=pairs
                )
                name = f"{verb}() of 20 KB, {in_flight} in flight"
                found += figures(name, measured, amount=times, floors=small)
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
