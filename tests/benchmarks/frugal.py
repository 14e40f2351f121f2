"""How few requests a push takes, counted by the server, and how few files it reads.

The listing of all items is one request for 20,000 of them, and is counted apart.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import attrs
from stand import COMPANY, Stand, put, stand
from table import Figure, show

from bcpicture import sync
from bcpicture.core.steps import LocalFile
from bcpicture.sync.folder import Folder
from bcpicture.sync.sources import Loaded


class Counting(Folder):
    """A folder that knows which of its files are read."""

    def __init__(self, path: Path) -> None:
        super().__init__(path=path)
        self.read: set[str] = set()

    async def load(self, files: Sequence[LocalFile]) -> list[Loaded]:
        """Read files that are to be sent."""
        self.read |= {file.name for file in files}
        return await super().load(files)

    async def digests(self, files: Sequence[LocalFile]) -> list[Loaded]:
        """Read files for their digest alone."""
        self.read |= {file.name for file in files}
        return await super().digests(files)


@attrs.frozen(kw_only=True)
class Cost:
    """What one push took."""

    done: int
    """Pictures that were written."""

    listing: int
    """Requests that listed the items."""

    others: int
    """All other requests."""

    read: int
    """Files that were read."""


async def push(server: Stand, photos: Path, state: Path) -> Cost:
    """Push a folder."""
    folder = Counting(photos)
    server.requests()
    async with server.client() as client:
        items = client.company(COMPANY).items
        async with sync.open(items, state_dir=state) as box:
            plan = await box.plan_push(folder, sync.PushOptions(max_replace=None))
            async with box.run(plan) as run:
                report = await run.finish()
    counts = server.requests()
    listing = counts.pop("list")
    return Cost(
        done=report.done,
        listing=listing,
        others=sum(counts.values()),
        read=len(folder.read),
    )


def per_picture(name: str, cost: Cost, count: int, limit: float) -> list[Figure]:
    """What a push of many pictures is held to."""
    each = cost.others / count
    note = f"and {cost.listing} to list the items"
    return [
        Figure(name=f"{name}: pictures", value=cost.done, limit=count, sense="="),
        Figure(
            name=f"{name}: requests for each",
            value=each,
            limit=limit,
            sense="≤",
            note=note,
        ),
    ]


def all_in_all(name: str, cost: Cost, done: int, most: int) -> list[Figure]:
    """What a push of hardly anything is held to."""
    total = cost.listing + cost.others
    return [
        Figure(name=f"{name}: pictures", value=cost.done, limit=done, sense="="),
        Figure(name=f"{name}: requests", value=total, limit=most, sense="≤"),
        Figure(name=f"{name}: files read", value=cost.read, limit=done, sense="="),
    ]


async def measure(server: Stand, folder: Path, count: int) -> list[Figure]:
    """All pushes, one after the other."""
    numbers, photos = [*server.ids], folder / "photos"
    photos.mkdir()
    for number in numbers[:count]:
        put(photos, number, 0)
    cold = await push(server, photos, folder / "state")
    found = per_picture("onto nothing", cold, count, 1.05)

    server.tell(do="fill", count=count)
    foreign = await push(server, photos, folder / "another")
    found += per_picture("onto foreign pictures", foreign, count, 2.1)

    for number in numbers[count:]:
        put(photos, number, 0)
    await push(server, photos, folder / "another")
    nothing = await push(server, photos, folder / "another")
    found += all_in_all(f"nothing new for {len(numbers):,}", nothing, 0, 5)

    put(photos, numbers[7], 1)
    one = await push(server, photos, folder / "another")
    found += all_in_all("one changed", one, 1, 8)
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few pictures")
    quick = parser.parse_args().quick
    items, count = (200, 100) if quick else (20_000, 5000)
    with stand(items) as server, tempfile.TemporaryDirectory() as name:
        found = asyncio.run(measure(server, Path(name), count))
    return show(f"Requests of a push, {count:,} of {items:,} items", found)


if __name__ == "__main__":
    sys.exit(main())
