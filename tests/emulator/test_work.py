"""Server time: what expansion costs, and when it costs too much."""

import asyncio
import json
from typing import Any, TypeAlias

import pytest

# What the fixtures of conftest.py hand out; a test module cannot import it.
Client: TypeAlias = Any
Start: TypeAlias = Any


class Naps:
    """Time that passes at once, and is counted."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.mark.parametrize(
    ("path", "spent"),
    [
        pytest.param("items?$expand=picture", 20, id="a page"),
        pytest.param("items?$expand=picture&$top=7", 7, id="some rows"),
        pytest.param("items?$expand=picture&$filter=number eq 'X'", 0, id="none"),
        pytest.param("items", 0, id="without expansion"),
        pytest.param("{item}?$expand=picture", 1, id="one item"),
        pytest.param("{item}/picture", 2, id="metadata"),
        pytest.param("{item}/picture/pictureContent", 0, id="bytes"),
    ],
)
async def test_every_picture_that_is_looked_into_takes_time(
    start: Start, path: str, spent: float
):
    naps = Naps()
    async with start(expand_seconds=1, metadata_seconds=2, sleep=naps) as client:
        target = path.format(item=client.path()).replace(" ", "%20")
        told = await client.get(target)
        assert told.status in {200, 204}
        assert sum(naps.seconds) == spent
        assert client.server.log[-1].worked == spent


async def test_a_page_costs_as_much_as_it_has_rows(start: Start):
    naps = Naps()
    async with start(items=50, expand_seconds=0.5, sleep=naps) as client:
        headers = {"Prefer": "odata.maxpagesize=20"}
        await client.get("items?$expand=picture", headers=headers)
    assert naps.seconds == [10]


@pytest.mark.parametrize("status", [408, 504])
async def test_what_would_take_too_long_is_ended_then(start: Start, status: int):
    naps = Naps()
    options = {"expand_seconds": 1, "operation_seconds": 12, "operation_status": status}
    async with start(sleep=naps, **options) as client:
        told = await client.get("items?$expand=picture")
        assert told.status == status
        # The gateway that says 504 knows nothing of the service's envelope.
        assert bool(told.body) == (status == 408)
        assert (await client.get("items?$expand=picture&$top=12")).status == 200
    assert naps.seconds == [12, 12]


async def test_a_batch_is_one_operation(start: Start):
    naps = Naps()
    options = {"metadata_seconds": 2, "operation_seconds": 5}
    async with start(sleep=naps, **options) as client:
        asked = [
            {"id": str(at), "method": "GET", "url": f"{client.path()}/picture"}
            for at in range(3)
        ]
        headers = {"Content-Type": "application/json"}
        bodies = [json.dumps({"requests": asked[:count]}) for count in (2, 3)]
        got = [
            await client.send("POST", "$batch", data=body, headers=headers)
            for body in bodies
        ]
        inner = client.server.log[0].inner
    assert [one.status for one in got] == [200, 408]
    assert [seen.worked for seen in inner] == [2, 2]
    assert naps.seconds == [2, 2, 2, 2, 1]


async def test_time_passes_really_unless_told_otherwise(start: Start):
    async with start(expand_seconds=0.0005) as client:
        assert client.server.sleep is asyncio.sleep
        assert (await client.get("items?$expand=picture")).status == 200
        assert client.server.log[-1].worked == pytest.approx(0.01)
