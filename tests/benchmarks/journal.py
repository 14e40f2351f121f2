"""What a full journal costs: to be opened and loaded, and to be written.

It is filled here, and loaded in processes of their own, whose memory shows nothing
else; the fastest counts, because the others were disturbed. The limit is on processor
time, of which a busy machine shows no more than an idle one.
"""

import argparse
import asyncio
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from table import Figure, show

from bcpicture.core.ledger import (
    Action,
    Agreement,
    Intent,
    JournalTarget,
    Link,
    Way,
)
from bcpicture.core.signs import FileSigns, ItemSigns, PictureSigns
from bcpicture.sync.journal import Journal

TARGET = JournalTarget(
    endpoint="https://bc.example/api/v2.0",
    company_id="11111111-2222-3333-4444-555555555555",
    company="CRONUS",
    parent="item",
)
FOLDER = "/home/somebody/photos"
NOW = datetime(2026, 5, 1, tzinfo=UTC)
BLOCK = 1000
ROUNDS = 3
MEGA = 2**20


def digest(number: int) -> str:
    """A digest like any other."""
    return hashlib.sha256(b"%d" % number).hexdigest()


def agreement(number: int) -> Agreement:
    """A record with a picture."""
    etag = f'W/"JzQ0O{digest(-number)[:40]}"'
    picture = PictureSigns(
        exists=True, etag=etag[::-1], width=500, height=375, content_type="image/jpeg"
    )
    return Agreement(
        id=str(UUID(digest(number)[:32])),
        number=f"{number:08}",
        digest=digest(number),
        size=20_000,
        item=ItemSigns(etag=etag, modified=NOW),
        picture=picture,
    )


def link(known: Agreement) -> Link:
    """Its file."""
    return Link(
        way=Way.PUSH,
        folder=FOLDER,
        id=known.id,
        name=f"{known.number}.jpg",
        signs=FileSigns(known.size, 1_770_000_000_000_000_000, int(known.number)),
        digest=digest(int(known.number)),
        sent=digest(int(known.number)),
    )


def intent(known: Agreement) -> Intent:
    """How it got there."""
    return Intent(
        run="r1",
        id=known.id,
        number=known.number,
        action=Action.UPLOAD,
        name=f"{known.number}.jpg",
        after=known.digest,
    )


async def fill(path: Path, count: int) -> None:
    """Write *count* records and their files."""
    async with Journal.open(path, TARGET) as journal:
        for start in range(0, count, BLOCK):
            known = [agreement(it) for it in range(start, start + BLOCK)]
            await journal.note(agreements=known, links=[*map(link, known)])


async def commits(path: Path, count: int, width: int) -> float:
    """Intents a second that *width* tasks write, each waiting for its own."""
    intents = [intent(agreement(it)) for it in range(count)]
    async with Journal.open(path, TARGET) as journal:

        async def some(first: int) -> None:
            for one in intents[first::width]:
                await journal.intend([one])

        start = time.perf_counter()
        await asyncio.gather(*map(some, range(width)))
        return count / (time.perf_counter() - start)


async def load(path: Path) -> None:
    """Print what it takes to load it, as JSON."""
    start = time.perf_counter()
    async with Journal.open(path, TARGET) as journal:
        opened = time.perf_counter()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        spent = time.process_time()
        memory = await journal.load(Way.PUSH, FOLDER)
        spent, loaded = time.process_time() - spent, time.perf_counter()
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        rows = len(memory.agreements) + len(memory.links)
    told = {
        "rows": rows,
        "open": opened - start,
        "load": loaded - opened,
        "spent": spent,
        "memory": 1024 * (after - before) / MEGA,
    }
    print(json.dumps(told))


def loaded(path: Path) -> dict[str, float]:
    """Load it in a process of its own."""
    command = [sys.executable, __file__, "--load", str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    told: dict[str, float] = json.loads(done.stdout)
    return told


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2,000 rows, not 100,000")
    parser.add_argument("--load", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.load:
        asyncio.run(load(chosen.load))
        return 0
    count, writes = (2_000, 200) if chosen.quick else (100_000, 5_000)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        asyncio.run(fill(path, count))
        told = min((loaded(path) for _ in range(ROUNDS)), key=lambda it: it["load"])
        speeds = {
            width: asyncio.run(commits(path, writes, width)) for width in (1, 5, 16)
        }
    figures = [
        Figure(name="rows", value=told["rows"], limit=2 * count, sense="="),
        Figure(name="open and check", value=told["open"], unit=" s"),
        Figure(name="load", value=told["load"], unit=" s"),
        Figure(
            name="load, processor time",
            value=told["spent"],
            limit=1,
            sense="≤",
            unit=" s",
        ),
        Figure(name="memory", value=told["memory"], limit=150, sense="≤", unit=" MB"),
        *(
            Figure(name=f"intents a second, {width} at once", value=speed)
            for width, speed in speeds.items()
        ),
    ]
    return show(f"The journal, {count:,} records with files", figures)


if __name__ == "__main__":
    sys.exit(main())
