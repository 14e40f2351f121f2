"""How few requests the inventory of 20,000 items takes, and how much memory.

The service works for each picture that it tells of, and gives up on a page that takes
too long. For three pairs of that cost and that time-out, minutes scaled to a fraction
of a second, the best that anybody could do is items x cost / time-out requests. Pages
fail on the way, too, by accident. Client and emulator are processes of their own.
"""

import argparse
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator

from table import Figure, show

COMPANY = "CRONUS USA, Inc."
PAIRS = ((0.0005, 0.1), (0.001, 0.4), (0.002, 0.1))
"""Seconds for each picture, and until the service gives up."""

SERVER = """
import asyncio, json, sys
from bcpicture.emulator import Emulator, Fault

async def main(items, cost, time_out):
    options = {"expand_seconds": cost, "operation_seconds": time_out}
    async with Emulator(items=items, companies=("CRONUS USA, Inc.",), **options) as it:
        # On top of the pages that are too long: one reply of fifty is lost.
        for skip in (2, 9):
            it.faults.add(Fault("reset_reply", path="expand", skip=skip))
        told = [it.base_urls["v2.0"], it.token_url, it.client_id, it.client_secret]
        print(json.dumps(told), flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
"""

CLIENT = """
import asyncio, json, sys
from bcpicture import BusinessCentral, ClientSecret, Endpoint, Quota

def peak():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024

async def main(base, token_url, client_id, secret, company):
    credential = ClientSecret(
        client_id=client_id, client_secret=secret, token_url=token_url
    )
    async with BusinessCentral(Endpoint.at(base), credential) as bc:
        items = bc.company(company).items
        await items.top(1).count()
        before, start, total, numbers = peak(), bc.statistics.requests, 0, set()
        async for item in items.pictures():
            assert item.picture is not None
            total += 1
            numbers.add(item.number)
        requests = bc.statistics.requests - start
        print(json.dumps([total, len(numbers), requests, peak() - before]))

asyncio.run(main(*sys.argv[1:]))
"""


@contextlib.contextmanager
def served(items: int, cost: float, time_out: float) -> Iterator[list[str]]:
    """Run an emulator; how to connect to it."""
    command = [sys.executable, "-c", SERVER, str(items), str(cost), str(time_out)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield json.loads(process.stdout.readline() if process.stdout else "")
        finally:
            process.communicate()


def figures(items: int, cost: float, time_out: float) -> list[Figure]:
    """One inventory against one service."""
    with served(items, cost, time_out) as place:
        command = [sys.executable, "-c", CLIENT, *place, COMPANY]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    total, distinct, requests, memory = json.loads(done.stdout)
    name = f"{cost * 1000:g} ms each, {time_out:g} s"
    best = items * cost / time_out
    return [
        Figure(
            name=f"{name}: items lost or doubled",
            value=(items - distinct) + (total - distinct),
            limit=0,
            sense="=",
        ),
        Figure(
            name=f"{name}: requests",
            value=requests,
            limit=1.25 * best,
            sense="≤",
            note=f"{best:g} at best; two replies were lost",
        ),
        Figure(name=f"{name}: growth", value=memory, limit=40, sense="≤", unit=" MB"),
    ]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything")
    quick = parser.parse_args().quick
    pairs = ((0.0005, 0.02),) if quick else PAIRS
    items = 2000 if quick else 20_000
    return show(
        f"Inventory of {items} items",
        [figure for pair in pairs for figure in figures(items, *pair)],
    )


if __name__ == "__main__":
    sys.exit(main())
