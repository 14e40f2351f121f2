"""A synchronisation that is killed again and again, and ends as if it had not been."""

from __future__ import annotations

import asyncio
import random
import signal
from typing import Any, TypeAlias

import attrs

from bcpicture.core.report import Ending
from bcpicture.emulator.artwork import png
from bcpicture.emulator.seen import Seen
from bcpicture.sync.engine import WIDTH

Shop: TypeAlias = Any  # the harness is in conftest.py

FOREIGN = 10
"""One in so many has a picture, or a file, of somebody else."""

LATER = 0.02
"""Seconds within which the blow falls once a request has arrived."""

TRANSFERS = {"push": "upload", "pull": "read"}
LEFT_OVER = {".part", ".new", ".tmp"}


@attrs.define
class Victim:
    """One way of synchronising a shop, about to be killed."""

    shop: Shop
    way: str
    dice: random.Random
    kills: int = 0
    ours: dict[str, bytes] = attrs.field(factory=dict)
    theirs: set[bytes] = attrs.field(factory=set)

    def prepare(self) -> None:
        """Something to transfer for every item, and something of somebody else's."""
        shop = self.shop
        for place, number in enumerate(shop.numbers):
            self.ours[number] = png(f"ours {number}", side=16)
            foreign = png(f"theirs {number}", side=16)
            here, there = self.ours[number], foreign
            if self.way == "pull":
                here, there = there, here
                shop.record(number).set_picture(there)
            elif place % FOREIGN == 0:
                shop.record(number).set_picture(there)
            if self.way == "push" or place % FOREIGN == 0:
                shop.put(f"{number}.png", here)
            if place % FOREIGN == 0:
                self.theirs.add(foreign)

    async def strike(self) -> bool:
        """Begin, and kill it at some moment; whether it was still alive."""
        shop, dice = self.shop, self.dice
        process = await shop.begin(self.way)
        left = [dice.randrange(1 + len(shop.numbers) // 3)]
        blow = asyncio.Event()

        def heard(seen: Seen) -> None:
            left[0] -= seen.kind != "token"
            if left[0] < 0:
                blow.set()

        async def fall() -> None:
            await blow.wait()
            await asyncio.sleep(dice.random() * LATER)
            if process.returncode is None:
                process.kill()

        shop.log.listener = heard
        falling = asyncio.create_task(fall())
        _, complaint = await process.communicate()
        falling.cancel()
        shop.log.listener = None
        assert process.returncode in {0, -signal.SIGKILL}, complaint.decode()
        self.kills += process.returncode != 0
        return process.returncode != 0

    async def finish(self) -> dict[Ending, int]:
        """Let it come to its end; how many steps there still were."""
        async with self.shop.box as box:
            plan = await getattr(box, f"plan_{self.way}")(self.shop.photos)
            async with box.run(plan) as run:
                report = await run.finish()
            assert await box.kit.journal.open_intents() == []
        assert not report.failures
        return dict(report.counts)

    # -- afterwards

    @property
    def repeated(self) -> int:
        """Transfers that were made more than once, as the service counts."""
        found = self.shop.log.kinds()[TRANSFERS[self.way]]
        return found - len(self.ours)

    @property
    def allowed(self) -> int:
        """How many may have been repeated."""
        return 2 * WIDTH * self.kills

    def check_whole(self) -> None:
        """Whatever there is, is whole."""
        whole = {*self.ours.values(), *self.theirs, None}
        there = [*self.shop.all_there().values(), *self.files().values()]
        assert {*there} <= whole

    def files(self) -> dict[str, bytes]:
        """All but what is written for a moment, and the manifest."""
        paths = self.shop.photos.glob("[!.]*.png")
        return {path.name: path.read_bytes() for path in paths}

    def check(self) -> None:
        """Everything is as after an undisturbed run, and nothing besides."""
        shop, files = self.shop, self.files()
        assert shop.all_there() == self.ours
        if self.way == "pull":
            assert {*shop.manifest().values()} == {*files}
            (shop.photos / "manifest.json").unlink()
        assert files.keys() == {path.name for path in shop.photos.iterdir()}
        assert files == {f"{number}.png": data for number, data in self.ours.items()}
        assert set(shop.backup().values()) == self.theirs
        assert not [it for it in shop.state.rglob("*") if it.suffix in LEFT_OVER]
        assert self.repeated <= self.allowed, (self.repeated, self.kills)


async def kill_until_done(victim: Victim, kills: int) -> None:
    """Kill it that often, if it lives so long, then let it end and look."""
    victim.prepare()
    for _ in range(kills):
        await victim.strike()
        victim.check_whole()
    await victim.finish()
    victim.check()
    assert not {*await victim.finish()} - {Ending.KEPT}
