"""A shop for the benchmarks of synchronisation: the emulator in a process of its own.

It does what it is told, line by line, and answers each with a line of JSON. Pictures
that somebody else has put there are all alike: nobody looks at them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from bcpicture import BusinessCentral, Endpoint, Quota, StaticToken
from bcpicture.emulator import Emulator
from bcpicture.emulator import Quota as Limits
from bcpicture.emulator.artwork import dot
from bcpicture.emulator.blobs import blob_of

COMPANY = "CRONUS USA, Inc."
SIZE = 20 * 1024
LONG_AGO = 1_700_000_000
BARE = len(dot())


def picture(number: int, size: int = SIZE) -> bytes:
    """A picture of a size, different from all others."""
    return dot(random.Random(number).randbytes(size - BARE))


def put(folder: Path, number: str, which: int, size: int = BARE + 16) -> None:
    """A file for an item, as if it had been there for long."""
    path, dated = folder / f"{number}.png", LONG_AGO + which
    path.write_bytes(picture(which, size))
    os.utime(path, (dated, dated))


def write_pictures(folder: Path, numbers: list[str]) -> None:
    """A different file for each of some items."""
    folder.mkdir()
    for count, number in enumerate(numbers):
        put(folder, number, count, SIZE)


@attrs.frozen(kw_only=True, eq=False)
class Stand:
    """The shop, seen from another process."""

    process: subprocess.Popen[str]
    """It."""

    base: str
    """Address of its API."""

    token: str
    """What opens it."""

    company: str
    """Id of the company."""

    ids: dict[str, str]
    """Of all items, by their numbers."""

    def tell(self, **what: object) -> Any:  # noqa: ANN401 - JSON
        """Have it do something; see `obey`."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def requests(self) -> dict[str, int]:
        """How many there were of each kind since somebody asked last."""
        counts: dict[str, int] = self.tell(do="count")
        return counts

    def client(self) -> BusinessCentral:
        """A client with a quota so high that it never waits for it."""
        return BusinessCentral(
            Endpoint.at(self.base),
            StaticToken(self.token),
            quota=Quota(concurrent=5, requests=100_000_000),
        )


@contextlib.contextmanager
def stand(
    items: int, *, in_files: bool = False, seconds: float = 0.0
) -> Iterator[Stand]:
    """Open a shop with so many items, none of which has a picture.

    Args:
        items: How many.
        in_files: Whether every picture is kept in a file. Else the first 64 MB are kept
            in memory, and which these are depends on what was done before.
        seconds: How long a request waits at most before it is handled; half of that on
            average.
    """
    pipe = subprocess.PIPE
    told = {"items": items, "in_files": in_files, "seconds": seconds}
    command = [sys.executable, __file__, json.dumps(told)]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        try:
            yield Stand(process=process, **json.loads(process.stdout.readline()))
        finally:
            process.communicate()


# -- what follows runs in the shop


async def serve(items: int, *, in_files: bool, seconds: float) -> None:
    """Open, and do what is told until nobody is left who could tell."""
    slow = Limits(concurrent=1000, requests=10**9, jitter=seconds) if seconds else None
    async with Emulator(items=items, companies=(COMPANY,), quota=slow) as server:
        if in_files:
            server.blobs.memory = 0
        company = server.store.company(COMPANY)
        records = company.table("items").records
        told = {
            "base": server.base_urls["v2.0"],
            "token": server.identity.token(),
            "company": company.id,
            "ids": {record.number: record.id for record in records},
        }
        print(json.dumps(told), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(obey(server, **json.loads(line))), flush=True)


def obey(server: Emulator, do: str, count: int | None = None) -> object:
    """Fill or clear the first *count* items, change one more, or count requests."""
    records = server.store.company(COMPANY).table("items").records
    foreign = blob_of(picture(-1))
    match do:
        case "clear":
            for record in records[:count]:
                record.put(None)
        case "fill":
            for record in records[:count]:
                record.put(foreign)
        case "count":
            counts = server.log.kinds()
            # The companies are a list of their own, asked for once.
            lists = [seen for seen in server.log if seen.path.endswith("/companies")]
            counts["list"] -= len(lists)
            server.log.clear()
            return {kind: found for kind, found in counts.items() if found}
    return None


if __name__ == "__main__":
    asyncio.run(serve(**json.loads(sys.argv[1])))
