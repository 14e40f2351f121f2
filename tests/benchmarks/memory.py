"""What the client needs of memory: for many items, and for one huge picture.

Each measurement is a process of its own; what counts is its peak of resident memory,
as Linux keeps it (`VmHWM`). Where there is no such figure, there is no benchmark.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from table import Figure, show
from yardstick import COMPANY, HUGE, LARGE, SIZES, SMALL, NoNginxError, yardstick

PEAK = """
def peak():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
"""

DEMO = """
import sys
from bcpicture.cli import main
sys.argv = ["bcpicture", "demo", "--items", sys.argv[1]]
try:
    main()
finally:
    print(f"\\n{peak()}")
"""

CARRY = """
import asyncio, json, sys
from pathlib import Path
from bcpicture import BusinessCentral, ClientSecret, Endpoint
from bcpicture.emulator.artwork import dot

async def main(base, token_url, company, small, large, source, target):
    credential = ClientSecret(client_id="a", client_secret="b", token_url=token_url)
    found, warm = [], dot(bytes(20_000))
    async with BusinessCentral(Endpoint.at(base), credential) as bc:
        await bc.company(company).item(small).picture.upload(warm)
        await bc.company(company).item(small).picture.download(Path(target))
        found.append(peak())
        picture = bc.company(company).item(large).picture
        sent = await picture.upload(Path(source), preflight=False)
        found.append(peak())
        received = await picture.download(Path(target))
        found.append(peak())
    print(json.dumps([*found, sent.size, received.size]))

asyncio.run(main(*sys.argv[1:]))
"""


def run(program: str, *arguments: str) -> str:
    """The last line that a program printed, which must have succeeded."""
    command = [sys.executable, "-c", PEAK + program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{done.stdout}\n{done.stderr}")
    return done.stdout.strip().rpartition("\n")[2]


def many_items(few: int, many: int) -> list[Figure]:
    """The demo's client, with few items and with many."""
    low, high = (float(run(DEMO, str(count))) for count in (few, many))
    return [
        Figure(name=f"demo of {few} items, peak", value=low, unit=" MB"),
        Figure(
            name=f"demo of {many} items, peak",
            value=high,
            limit=120,
            sense="≤",
            unit=" MB",
        ),
        Figure(
            name="growth per 1000 items",
            value=1000 * (high - low) / (many - few),
            limit=2,
            sense="≤",
            unit=" MB",
            note="numbers and ids; their pictures are 15 MB",
        ),
    ]


def huge_picture(item: str) -> list[Figure]:
    """One picture up and down, from path to path."""
    with tempfile.TemporaryDirectory() as name, yardstick(SMALL, item) as server:
        source = Path(name, "source")
        with source.open("wb") as file:
            file.truncate(SIZES[item])
        target = str(Path(name, "target"))
        places = (server.base, server.token_url, COMPANY, SMALL, item)
        before, up, down, *sizes = json.loads(run(CARRY, *places, str(source), target))
    if sizes != [SIZES[item]] * 2:
        raise RuntimeError(f"{sizes} bytes were carried, not {SIZES[item]}")
    size = SIZES[item] // 1024**2
    limits = {"limit": 30.0, "sense": "≤", "unit": " MB"}
    return [
        Figure(name=f"growth by {size} MB up", value=up - before, **limits),
        Figure(name="growth by the same down", value=down - before, **limits),
    ]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything")
    quick = parser.parse_args().quick
    try:
        figures = huge_picture(LARGE if quick else HUGE)
    except NoNginxError as exc:
        print(exc, file=sys.stderr)
        return 2
    figures += many_items(20, 60) if quick else many_items(1000, 5000)
    return show("Memory of the client", figures)


if __name__ == "__main__":
    sys.exit(main())
