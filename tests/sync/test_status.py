"""What is known of a synchronisation can be asked at any time."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from typing import Any, TypeAlias

import attrs

from bcpicture import sync
from bcpicture.core.ledger import Action, Intent
from bcpicture.emulator.artwork import png
from bcpicture.sync.holder import Holder
from bcpicture.sync.journal import utc_now

Shop: TypeAlias = Any  # the harness is in conftest.py, which nobody can import

ONE = "1896-S"


async def status(shop: Shop) -> sync.Status:
    return await sync.status(shop.items, state_dir=shop.state)


async def test_before_the_first_run_nothing_is_known_and_nothing_is_made(shop: Shop):
    told = await status(shop)
    assert told.target.company == "CRONUS USA, Inc."
    assert told.known.agreements == told.backups == 0
    assert told.holder is None
    assert told.runs == ()
    assert not shop.state.exists()


async def test_it_tells_what_was_done(shop: Shop):
    shop.record(ONE).set_picture(theirs := png("theirs", side=16))
    shop.put(f"{ONE}.png")
    pushed = await shop.push(max_replace=None)
    told = await status(shop)
    assert told.place.journal.is_file()
    assert told.holder is None
    assert told.known.agreements == told.known.pictures == told.known.links == 1
    assert told.open == told.rejections == ()
    [run] = told.runs
    assert (run.id, run.command) == (pushed.report.run, "push")
    assert run.summary == "1 uploaded"
    assert told.backups == len(theirs)


async def test_it_can_be_asked_while_somebody_is_at_work(shop: Shop):
    async with shop.box as box:
        record = box.kit.new_run("pull", folder=str(shop.photos))
        await box.kit.journal.begin(record)
        intent = Intent(
            run=record.id, id="1", number=ONE, action=Action.DOWNLOAD, name="a.png"
        )
        await box.kit.journal.intend([intent])
        told = await status(shop)
        assert told.holder is not None
        assert (told.holder.pid, told.holder.host) == (
            os.getpid(),
            socket.gethostname(),
        )
        assert told.holder.command == "bcpicture"
        assert told.open == (intent,)
        assert told.runs[0].ended is None
        assert await box.status() == await status(shop)


async def test_a_process_that_was_killed_holds_nothing(shop: Shop):
    await shop.push()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "input()"), stdin=asyncio.subprocess.PIPE
    )
    me = await asyncio.to_thread(Holder.me, "push", utc_now(), 0.0)
    holder = attrs.evolve(me, pid=process.pid)
    told = await status(shop)
    await asyncio.to_thread(told.place.lock.write_text, holder.text())
    assert (await status(shop)).holder == holder
    process.kill()
    await process.communicate()
    if holder.boot:
        assert (await status(shop)).holder is None
