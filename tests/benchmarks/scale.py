"""What a plan takes from end to end: a hundred thousand items, nothing to do.

The journal is on the disk and full, the files lie in a folder, and the items are listed
by a server. Each plan is made in a process of its own; what counts of its memory is the
peak, as Linux keeps it (`VmHWM`), and the processor time, of which a busy machine shows
little more than an idle one. The garbage collector is set as by the command line. A
last plan has ten times the items for the same files.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import attrs
from stand import COMPANY, Stand, put, stand
from strain import memory
from table import Figure, show

from bcpicture import BusinessCentral, Endpoint, StaticToken, sync
from bcpicture.cli.running import spare_collector
from bcpicture.core.ledger import Agreement, Link, RunRecord, Way
from bcpicture.core.models import Item
from bcpicture.core.options import MatchOptions
from bcpicture.core.signs import FileSigns, ItemSigns, PictureSigns
from bcpicture.resources.records import Records
from bcpicture.sync.journal import utc_now

PAGE = 5000
DIGEST = "0" * 64


@attrs.frozen(kw_only=True)
class Place:
    """Whatever a plan needs to know, as JSON on a command line."""

    base: str
    """Address of the API."""

    token: str
    """What opens it."""

    folder: str
    """Where the files are."""

    state: str
    """Where the journal is."""

    @property
    def client(self) -> BusinessCentral:
        """A client."""
        return BusinessCentral(Endpoint.at(self.base), StaticToken(self.token))


async def pages(items: Records, count: int) -> AsyncIterator[list[Item]]:
    """The first *count* items with their pictures' metadata, some at a time."""
    found: list[Item] = []
    async for item in items.select("id", "number", "lastModifiedDateTime").pictures():
        found.append(item)
        count -= 1
        if not count or len(found) == PAGE:
            yield found
            found = []
        if not count:
            return


def agreement(item: Item) -> Agreement:
    """What a run would have noted of an item."""
    assert item.picture
    return Agreement(
        id=item.id,
        number=item.number,
        digest=DIGEST,
        size=100,
        item=ItemSigns.of(item),
        picture=PictureSigns.of(item.picture),
    )


def link(way: Way, folder: Path, item: Item) -> Link:
    """Its file."""
    name = f"{item.number}.png"
    return Link(
        way=way,
        folder=str(folder),
        id=item.id,
        name=name,
        signs=FileSigns.of((folder / name).stat()),
        digest=DIGEST,
        sent=DIGEST,
    )


async def fill(place: Place, count: int) -> None:
    """Write files and a journal for the first *count* items, as if all were in step."""
    folder = Path(place.folder)
    folder.mkdir()  # noqa: ASYNC240 - nothing else runs yet
    async with place.client as client:
        items = client.company(COMPANY).items
        async with sync.open(items, state_dir=place.state) as box:
            journal = box.kit.journal
            async for page in pages(items, count):
                for item in page:
                    put(folder, item.number, 0)
                links = [link(way, folder, item) for way in Way for item in page]
                await journal.note(agreements=map(agreement, page), links=links)
            await journal.begin(
                RunRecord(
                    id="1",
                    command="push",
                    folder=place.folder,
                    matching=MatchOptions().fingerprint,
                    host="here",
                    started=utc_now(),
                )
            )
            await journal.end("1", utc_now(), "")


async def plan(way: str, place: Place) -> None:
    """Print what a plan takes, as JSON."""
    spare_collector()
    async with place.client as client:
        items = client.company(COMPANY).items
        await items.top(1).count()
        before = memory("VmRSS")
        start, spent = time.perf_counter(), time.process_time()
        async with sync.open(items, state_dir=place.state) as box:
            make = {"push": box.plan_push, "pull": box.plan_pull}[way]
            made = await make(place.folder)
        told = {
            "seconds": time.perf_counter() - start,
            "processor": time.process_time() - spent,
            "before": before,
            "peak": memory("VmHWM"),
            "unchanged": made.unchanged,
            "steps": sum(1 for _ in made.steps),
        }
    print(json.dumps(told))


def planned(way: str, place: Place) -> dict[str, float]:
    """A plan in a process of its own."""
    command = [sys.executable, __file__, "--plan", way, json.dumps(attrs.asdict(place))]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    told: dict[str, float] = json.loads(done.stdout)
    return told


def figures(way: str, told: dict[str, float], count: int) -> list[Figure]:
    """What one plan is held to."""
    waited = f"{told['seconds']:.2f} s by the clock, those of the server included"
    before = f"{told['before']:.0f} MB before it began"
    return [
        Figure(name=f"{way}: known", value=told["unchanged"], limit=count, sense="="),
        Figure(name=f"{way}: steps", value=told["steps"], limit=0, sense="="),
        Figure(
            name=f"{way}: processor time",
            value=told["processor"],
            limit=5,
            sense="≤",
            unit=" s",
            note=waited,
        ),
        Figure(
            name=f"{way}: memory",
            value=told["peak"],
            limit=300,
            sense="≤",
            unit=" MB",
            note=before,
        ),
    ]


def settle(server: Stand, folder: Path, name: str, count: int) -> Place:
    """Have everything in step for the first *count* items."""
    server.tell(do="fill")
    place = Place(
        base=server.base,
        token=server.token,
        folder=str(folder / f"photos-{name}"),
        state=str(folder / f"state-{name}"),
    )
    asyncio.run(fill(place, count))
    return place


def many(count: int) -> list[Figure]:
    """As many files as items, both ways."""
    with stand(count) as server, tempfile.TemporaryDirectory() as name:
        place = settle(server, Path(name), "all", count)
        ways = [*map(str, ("push", "pull"))]
        return [it for way in ways for it in figures(way, planned(way, place), count)]


def growth(count: int) -> list[Figure]:
    """A tenth of the files, for as many items, and for ten times as many."""
    found = []
    for items in (count // 10, count):
        with stand(items) as server, tempfile.TemporaryDirectory() as name:
            place = settle(server, Path(name), "few", count // 10)
            told = planned("push", place)
            found += [told["peak"]]
    few, more = found
    return [
        Figure(name=f"{count // 10:,} files and items: memory", value=few, unit=" MB"),
        Figure(
            name="ten times the items: growth",
            value=more - few,
            limit=25,
            sense="≤",
            unit=" MB",
            note="a page of them is held at a time",
        ),
    ]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer of everything")
    parser.add_argument("--plan", nargs=2, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.plan:
        way, told = chosen.plan
        given: dict[str, Any] = json.loads(told)
        asyncio.run(plan(way, Place(**given)))
        return 0
    count = 1000 if chosen.quick else 100_000
    return show(f"Plans of {count:,} items", [*many(count), *growth(count)])


if __name__ == "__main__":
    sys.exit(main())
