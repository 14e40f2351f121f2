"""Room for bodies: never more than there is, in order, and none of it lost."""

from __future__ import annotations

import asyncio

import pytest

from bcpicture import ThrottledError
from bcpicture.web.budget import Budget


def budget(memory: int = 10, disk: int = 10) -> Budget:
    return Budget(memory, disk, lambda: None)


async def test_what_is_taken_comes_back_once():
    rooms = budget()
    room = await rooms.take(4, 6, 1.0)
    assert (rooms.memory, rooms.disk) == (6, 4)
    room.resize(memory=1, disk=0)
    assert (rooms.memory, rooms.disk) == (9, 10)
    room.close()
    room.close()
    assert (rooms.memory, rooms.disk) == (10, 10)


@pytest.mark.parametrize(
    ("memory", "disk"), [(5, 0), (0, 5)], ids=["memory-is-short", "disk-is-short"]
)
async def test_first_come_first_served(memory: int, disk: int):
    """Somebody who needs little does not overtake somebody who needs much."""
    rooms = budget()
    held = await rooms.take(memory + 1, disk + 1, 1.0)
    much = asyncio.create_task(rooms.take(memory * 2, disk * 2, 1.0))
    little = asyncio.create_task(rooms.take(1, 1, 1.0))
    await asyncio.sleep(0)
    assert rooms.waiting == 2
    held.close()
    taken = await much
    assert not little.done()
    taken.close()
    (await little).close()
    assert (rooms.memory, rooms.disk, rooms.waiting) == (10, 10, 0)


async def test_whoever_leaves_the_queue_holds_nobody_up():
    rooms = budget()
    held = await rooms.take(5, 5, 1.0)
    much = asyncio.create_task(rooms.take(10, 10, 1.0))
    little = asyncio.create_task(rooms.take(1, 1, 1.0))
    await asyncio.sleep(0)
    much.cancel()
    (await little).close()
    held.close()
    assert (rooms.memory, rooms.disk, rooms.waiting) == (10, 10, 0)


async def test_room_that_comes_together_with_a_cancellation_is_not_lost():
    rooms = budget()
    held = await rooms.take(10, 10, 1.0)
    waiting = asyncio.create_task(rooms.take(10, 10, 1.0))
    await asyncio.sleep(0)
    held.close()
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert (rooms.memory, rooms.disk, rooms.waiting) == (10, 10, 0)


async def test_patience_ends():
    rooms = budget()
    held = await rooms.take(10, 10, 1.0)
    with pytest.raises(ThrottledError, match=r"within 0\.01 s.*more memory and disk"):
        await rooms.take(1, 1, 0.01)
    held.close()
    assert (rooms.memory, rooms.disk, rooms.waiting) == (10, 10, 0)
