"""``bcpicture demo``: pictures up and back again, and whether they are the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number as Limits

from bcpicture import BusinessCentral, sync
from bcpicture.cli.account import Account, Leg, tell_account
from bcpicture.cli.comparing import Comparison
from bcpicture.cli.console import Console
from bcpicture.cli.emulated import emulated
from bcpicture.cli.options import PLAIN, Output
from bcpicture.cli.progress import progress
from bcpicture.cli.running import run
from bcpicture.cli.transfers import tell_strangers, tell_trouble
from bcpicture.core.filenames import safe_name
from bcpicture.emulator.artwork import jpeg, png
from bcpicture.resources.companies import CompanyHandle
from bcpicture.sync import PushPlan

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
        company = bc.company(_COMPANY)
        if pictures is None:
            pictures = folder / "up"
            await _paint_all(company, pictures)
        plan = await sync.plan(company, pictures)
        tell_strangers(console, plan)
        comparison = Comparison(plan)
        up = await _up(console, company, plan)
        total = len(plan.uploads) + len(plan.without_file)
        down = await _down(console, company, folder / "down", comparison, total)
        tell_account(console, account := _account(bc, up, down, comparison))
    return account.code


def _account(
    bc: BusinessCentral, up: Leg, down: Leg, comparison: Comparison
) -> Account:
    return Account(
        up=up,
        down=down,
        identical=comparison.identical,
        different=comparison.different,
        requests=bc.statistics.requests,
        retries=bc.statistics.retries,
    )


async def _up(console: Console, company: CompanyHandle, plan: PushPlan) -> Leg:
    started = time.monotonic()
    total = len(plan.uploads)
    with progress(console, "Up", total) as shown:
        async with sync.push(company, plan) as run:
            async for outcome in run:
                shown.advance(outcome)
                tell_trouble(console, outcome)
    return Leg(name="up", report=run.report, seconds=time.monotonic() - started)


async def _down(
    console: Console,
    company: CompanyHandle,
    folder: Path,
    comparison: Comparison,
    total: int,
) -> Leg:
    started = time.monotonic()
    with progress(console, "Down", total) as shown:
        async with sync.pull(company, folder) as run:
            async for outcome in run:
                await comparison.add(outcome)
                shown.advance(outcome)
                tell_trouble(console, outcome)
    return Leg(name="down", report=run.report, seconds=time.monotonic() - started)


async def _paint_all(company: CompanyHandle, folder: Path) -> None:
    numbers = [item.number async for item in company.items.select("number")]
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
