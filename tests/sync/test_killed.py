"""A run that is killed again and again ends where an undisturbed one does."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from killing import Victim, kill_until_done

OpenShop: TypeAlias = Callable[..., Any]

ITEMS = 120


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("way", ["push", "pull"])
async def test_a_rerun_ends_where_an_undisturbed_run_does(
    open_shop: OpenShop, way: str, seed: int
):
    """Of 500 pictures, 50 times each way: ``python tests/benchmarks/kills.py``."""
    async with open_shop(items=ITEMS) as shop:
        victim = Victim(shop, way, random.Random(seed))
        await kill_until_done(victim, kills=3)
        assert victim.kills
