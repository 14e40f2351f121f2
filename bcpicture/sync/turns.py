"""The same work on many values, a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

WIDTH = 5
"""How many at a time: what the online service works on for one user."""

T = TypeVar("T")
R = TypeVar("R")


async def in_turns(
    work: Callable[[T], Awaitable[R]], values: Iterable[T], *, width: int = WIDTH
) -> list[R]:
    """Do *work* on each value; return the results in the order of the values.

    The first error ends it, and is raised as it is, in no group.
    """
    turns = asyncio.Semaphore(width)

    async def one(value: T) -> R:
        async with turns:
            return await work(value)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(value)) for value in values]
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None
    return [task.result() for task in tasks]
