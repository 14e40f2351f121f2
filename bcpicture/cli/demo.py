"""``bcpicture demo``: pictures up and back again, and whether they are the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number as Limits

from bcpicture import sync
from bcpicture.cli.account import Account, Leg, tell_account
from bcpicture.cli.comparing import compare
from bcpicture.cli.console import Console
from bcpicture.cli.emulated import emulated
from bcpicture.cli.options import PLAIN, Output
from bcpicture.cli.outcomes import tell_trouble
from bcpicture.cli.plans import tell_strangers
from bcpicture.cli.progress import progress, ticking
from bcpicture.cli.running import run
from bcpicture.core.filenames import safe_name
from bcpicture.emulator.artwork import jpeg, png
from bcpicture.resources.records import Records
from bcpicture.sync.engine import Run

_COMPANY = "CRONUS USA, Inc."
_ITEMS = 24
_SIDES = (96, 128, 160, 192)

Pictures = Annotated[
    Path | None, Parameter(help="Folder of pictures, named after item numbers, to use.")
]
Items = Annotated[
    int,
    Parameter(
        help="How many items there are, each with a made-up picture.",
        validator=Limits(gte=1),
    ),
]


def demo(
    *, pictures: Pictures = None, items: Items = _ITEMS, output: Output = PLAIN
) -> int:
    """Show the way up and back again, on an emulator of this machine.

    An emulated Business Central starts in a process of its own. Pictures are pushed to
    its items, pulled back into another folder, and compared byte for byte. Nothing
    leaves the machine, and nothing stays behind on it.
    """
    console = Console(output)
    with TemporaryDirectory(prefix="bcpicture-demo-") as folder:
        return run(
            lambda: _demo(console, Path(folder), pictures, items), debug=output.debug
        )


async def _demo(
    console: Console, folder: Path, pictures: Path | None, items: int
) -> int:
    options = ("--items", str(items))
    if pictures is not None:
        options = ("--numbers-from", str(pictures))
    async with emulated(*options) as bc:
        records = bc.company(_COMPANY).items
        if pictures is None:
            pictures = folder / "up"
            await _paint_all(records, pictures)
        async with sync.open(records, state_dir=folder / "state") as box:
            up_plan = await box.plan_push(pictures)
            tell_strangers(console, up_plan)
            up = await _leg(console, "up", box.run(up_plan), len([*up_plan.steps]))
            # What was sent a moment ago proves nothing: every byte comes back.
            down_plan = await box.plan_pull(folder / "down")
            down_run = box.run(down_plan)
            down = await _leg(console, "down", down_run, len([*down_plan.steps]))
        comparison = await compare(up_plan, pictures, folder / "down")
        account = Account(
            up=up,
            down=down,
            identical=comparison.identical,
            different=comparison.different,
            requests=bc.statistics.requests,
            retries=bc.statistics.retries,
        )
        tell_account(console, account)
    return account.code


async def _leg(console: Console, name: str, run: Run[Any, Any], total: int) -> Leg:
    started = time.monotonic()
    with progress(console, name.capitalize(), total) as shown, ticking(shown):
        async with run:
            async for outcome in run:
                shown.advance(outcome)
                tell_trouble(console, outcome)
    return Leg(name=name, report=run.report, seconds=time.monotonic() - started)


async def _paint_all(records: Records, folder: Path) -> None:
    numbers = [item.number async for item in records.select("number")]
    await asyncio.to_thread(_paint, folder, numbers)


def _paint(folder: Path, numbers: Sequence[str]) -> None:
    """Make a picture for each number; some PNGs are called .jpg, as in real life."""
    folder.mkdir()
    for at, number in enumerate(numbers):
        side = _SIDES[at % len(_SIDES)]
        if at % 2:
            picture = jpeg(number, side, side * 3 // 4)
        else:
            picture = png(number, side=side)
        extension = ".png" if at % 4 == 0 else ".jpg"
        (folder / safe_name(number, extension)).write_bytes(picture)
