"""What was seen is what is replaced, and nothing else."""

from __future__ import annotations

import hashlib
from typing import Any, TypeAlias

import pytest

from bcpicture.core.ledger import Action, State
from bcpicture.core.signs import NO_PICTURE
from bcpicture.emulator.artwork import png
from bcpicture.errors import ConflictError
from bcpicture.sync.guarding import Allowance, Cargo, Guarded
from bcpicture.sync.looks import Look
from bcpicture.sync.workspace import Workspace

Shop: TypeAlias = Any  # the harness is in conftest.py, which nobody can import

DATA = png("ours", side=16)
THEIRS = png("theirs", side=16)


def write(box: Workspace, shop: Shop, action: Action = Action.UPLOAD) -> Guarded:
    """A write on a record of which a service told nothing but that it is there."""
    return Guarded(
        desk=box.kit.desk("R"),
        id=shop.record("1896-S").id,
        number="1896-S",
        action=action,
        look=Look(at=0.0, number="1896-S", picture=NO_PICTURE),
    )


async def test_an_absence_without_an_etag_gets_one(shop: Shop):
    async with shop.box as box:
        guarded = write(box, shop)
        assert await guarded.save() is None
        intent, _ = await guarded.set(Cargo.of(DATA), preflight=True)
    assert intent.state is State.DONE
    assert shop.there("1896-S") == DATA
    [upload] = [seen for seen in shop.log if seen.kind == "upload"]
    assert upload.headers["If-Match"] != "*"


@pytest.mark.parametrize("action", [Action.UPLOAD, Action.DELETE])
async def test_what_appeared_where_nothing_was_seen_stays(shop: Shop, action: Action):
    shop.record("1896-S").set_picture(THEIRS)
    async with shop.box as box:
        guarded = write(box, shop, action)
        with pytest.raises(ConflictError):
            await (
                guarded.clear()
                if action is Action.DELETE
                else guarded.set(Cargo.of(DATA), preflight=True)
            )
        assert await box.kit.journal.open_intents() == []
    assert shop.there("1896-S") == THEIRS


async def test_what_is_saved_is_durable_before_anything_is_written(shop: Shop):
    shop.record("1896-S").set_picture(THEIRS)
    async with shop.box as box:
        guarded = write(box, shop)
        guarded.look = Look(at=float("-inf"))
        await guarded.refresh()
        assert await guarded.save() == hashlib.sha256(THEIRS).hexdigest()
        assert list(shop.backup().values()) == [THEIRS]
        await guarded.set(Cargo.of(DATA), preflight=True)
        [intent] = await box.kit.journal.open_intents()
        assert (intent.before, intent.saved) == (guarded.before, True)
        assert intent.after == hashlib.sha256(DATA).hexdigest()


def test_no_more_is_replaced_than_is_allowed():
    allowance = Allowance(limit=2, spent=1)
    allowance.take()
    with pytest.raises(Exception, match="2 are allowed"):
        allowance.take()
    Allowance(limit=None, spent=10**6).take()
