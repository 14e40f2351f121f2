"""Where the time of a small read and a small upload goes, function by function.

A profiler makes short functions look longer than they are: compare lines of this table
with each other, and take speeds from `throughput.py`.
"""

import argparse
import asyncio
import cProfile
import pstats
import sys

from table import Figure, show
from throughput import Work, both, turn
from yardstick import SMALL, NoNginxError, Yardstick, yardstick

PACKAGE = "/bcpicture/"
SHOWN = 15


async def profile(work: Work, times: int) -> list[tuple[float, str]]:
    """Microseconds a call, by the function that spends them, the largest first."""
    await turn(work, 5, times // 4)
    profiler = cProfile.Profile()
    profiler.enable()
    await turn(work, 5, times)
    profiler.disable()
    stats = pstats.Stats(profiler).stats.items()
    rows = (
        (1e6 * timings[2] / times, f"{file}:{line} {name}")
        for (file, line, name), timings in stats
    )
    return sorted(rows, reverse=True)


def figures(verb: str, theirs: float, rows: list[tuple[float, str]]) -> list[Figure]:
    """Totals, then the functions of ours that spend most."""
    own = [(spent, name) for spent, name in rows if PACKAGE in name]
    total, ours = sum(spent for spent, _ in rows), sum(spent for spent, _ in own)
    return [
        Figure(name=f"{verb}: all of it, with aiohttp", value=total, unit=" µs"),
        Figure(name="a bare client's whole request", value=theirs, unit=" µs"),
        Figure(name="functions of this package", value=ours, unit=" µs"),
        *(
            Figure(name=f"  {name.rpartition(PACKAGE)[2]}", value=spent, unit=" µs")
            for spent, name in own[:SHOWN]
        ),
    ]


async def measure(server: Yardstick, times: int) -> list[Figure]:
    """Profile both verbs."""
    found: list[Figure] = []
    async with both(server) as (bare, ours):
        for verb in ("read", "upload"):
            whole = await profile(getattr(bare, verb), times)
            theirs = sum(spent for spent, _ in whole)
            found += figures(verb, theirs, await profile(getattr(ours, verb), times))
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few requests")
    times = 200 if parser.parse_args().quick else 4000
    try:
        with yardstick(SMALL) as server:
            found = asyncio.run(measure(server, times))
    except NoNginxError as exc:
        print(exc, file=sys.stderr)
        return 2
    return show("Time spent, under a profiler", found)


if __name__ == "__main__":
    sys.exit(main())
