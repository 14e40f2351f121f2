"""A push and a pull of 500 pictures that are killed at 50 random moments each.

`python tests/benchmarks/kills.py [--quick] [--way push|pull]`
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path

from table import Figure, show

sys.path.insert(0, str(Path(__file__).parents[1] / "sync"))

from conftest import _open_shop
from killing import TRANSFERS, Victim, kill_until_done

IN_A_ROW = 5
"""Kills before it is let to its end, and everything begins anew."""


async def one_way(way: str, *, items: int, kills: int) -> list[Figure]:
    """Kill it until there were that many moments."""
    dice, done, rounds, repeated, allowed = random.Random(way), 0, 0, 0, 0
    while done < kills:
        with tempfile.TemporaryDirectory() as folder:
            async with _open_shop(Path(folder), items=items) as shop:
                victim = Victim(shop, way, dice)
                await kill_until_done(victim, min(IN_A_ROW, kills - done))
        rounds += 1
        done += victim.kills
        repeated += victim.repeated
        allowed += victim.allowed
        print(f"  {way}: {done} kills, {repeated} repeated", file=sys.stderr)
    return [
        Figure(name=f"{way}: kills", value=done, limit=kills),
        Figure(name=f"{way}: brought to their end", value=rounds, note="all in step"),
        Figure(
            name=f"{way}: {TRANSFERS[way]}s repeated",
            value=repeated,
            limit=allowed,
            sense="≤",
            note="twice what was in flight",
        ),
    ]


async def main() -> int:
    """Kill; whatever is lost, doubled or left over is an error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two kills of a few")
    parser.add_argument("--way", choices=[*TRANSFERS], help="only this one")
    told = parser.parse_args()
    figures = []
    for way in [told.way] if told.way else TRANSFERS:
        items, kills = (60, 2) if told.quick else (500, 50)
        figures += await one_way(way, items=items, kills=kills)
    return show("Killed at random moments, and run again", figures)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
