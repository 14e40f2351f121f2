"""A push that makes files fit first, and remembers what it made of them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest
from PIL import Image

from bcpicture.core.media import JPEG, sniff
from bcpicture.core.preparation import Prepare
from bcpicture.core.steps import Why
from bcpicture.emulator.artwork import jpeg
from bcpicture.errors import UnfitPictureError
from bcpicture.images import prepare_picture
from bcpicture.sync.folder import SMALL
from bcpicture.sync.kit import Clocks
from bcpicture.sync.workspace import Workspace

Shop: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
OpenShop: TypeAlias = Callable[..., Any]

SMALLER = Prepare(max_side=100)


def tiff(side: int) -> bytes:
    """A picture that Business Central would not show, larger than most."""
    sink = io.BytesIO()
    Image.effect_noise((side, side), 80).convert("RGB").save(sink, "TIFF")
    return sink.getvalue()


@pytest.mark.parametrize("side", [120, 400])
async def test_what_was_prepared_is_sent_and_remembered(shop: Shop, side: int):
    data = shop.put("1896-S.tiff", tiff(side))
    assert (len(data) > SMALL) == (side == 400)
    small = shop.put("1900-S.jpg", jpeg("small", 64, 48))
    pushed = await shop.push(prepare=SMALLER)
    assert pushed.endings == {"1896-S": "uploaded", "1900-S": "uploaded"}
    there = shop.there("1896-S")
    assert there == (await prepare_picture(data, SMALLER)).data
    assert sniff(there) is JPEG
    assert shop.there("1900-S") == small
    assert pushed.outcomes["1896-S"].after == hashlib.sha256(there).hexdigest()
    again = await shop.push(prepare=SMALLER)
    assert (again.outcomes, again.plan.unchanged) == ({}, 2)


async def test_another_preparation_sends_it_again(shop: Shop):
    shop.put("1896-S.jpg", jpeg("large", 400, 300))
    await shop.push(prepare=SMALLER)
    pushed = await shop.push(prepare=Prepare(max_side=50))
    assert pushed.outcomes["1896-S"].reason == Why.PREPARED_OTHERWISE
    assert Image.open(io.BytesIO(shop.there("1896-S"))).size == (50, 38)


async def test_what_would_become_the_same_is_adopted(shop: Shop):
    data = shop.put("1896-S.jpg", jpeg("large", 400, 300))
    made = (await prepare_picture(data, SMALLER)).data
    shop.record("1896-S").set_picture(made)
    pushed = await shop.push(prepare=SMALLER)
    assert pushed.endings == {"1896-S": "adopted"}
    assert "upload" not in shop.requests()


async def test_what_cannot_be_prepared_fails_alone(shop: Shop):
    shop.put("1896-S.jpg", b"<html>Please sign in.")
    shop.put("1900-S.jpg", jpeg("fine", 64, 48))
    pushed = await shop.push(prepare=SMALLER)
    assert pushed.endings == {"1896-S": "failed", "1900-S": "uploaded"}
    assert shop.there("1896-S") is None


async def test_a_file_that_would_not_show_is_sent_only_if_that_is_wanted(shop: Shop):
    page = shop.put("1896-S.jpg", b"<html>Please sign in.")
    pushed = await shop.push()
    assert isinstance(pushed.outcomes["1896-S"].error, UnfitPictureError)
    assert shop.there("1896-S") is None
    pushed = await shop.push(preflight=False)
    assert pushed.endings == {"1896-S": "uploaded"}
    assert shop.there("1896-S") == page


@pytest.mark.parametrize("days", [1, 90])
async def test_old_backups_go_when_a_run_has_ended(open_shop: OpenShop, days: int):
    now = datetime.now(UTC) - timedelta(days=10)
    clocks = Clocks(wall=lambda: now)
    async with open_shop(clocks=clocks) as shop:
        for number in ("1896-S", "1900-S"):
            now += timedelta(days=2)
            theirs = jpeg(f"theirs {number}", 64, 48)
            shop.record(number).set_picture(theirs)
            shop.put(f"{number}.jpg", jpeg(number, 64, 48))
            await shop.push()
        assert len(shop.backup()) == 2
        # The date of a saved picture is the disk's own, and the clock goes ahead of it.
        now = datetime.now(UTC) + timedelta(days=30)
        box = Workspace(
            shop.items, state_dir=shop.state, clocks=clocks, keep=timedelta(days=days)
        )
        async with box:
            plan = await box.plan_push(shop.photos)
        assert len(shop.backup()) == 2
        async with box, box.run(plan) as run:
            await run.finish()
        last = jpeg("theirs 1900-S", 64, 48)  # can be undone however old it is
        assert last in shop.backup().values()
        assert len(shop.backup()) == (1 if days == 1 else 2)
