"""The governor against the service's quota, at a scale of 1:100.

The emulator admits 60 requests in any 3 seconds, 5 at once, and counts each up to 20
ms late, as a network would. All situations run side by side: they mostly wait.
"""

import argparse
import asyncio
import sys
import time

import attrs
from table import Figure, show

from bcpicture import BusinessCentral, ClientSecret, Endpoint, Quota
from bcpicture.emulator import Emulator
from bcpicture.emulator import Quota as Limits

COMPANY = "CRONUS USA, Inc."
NUMBER = "1896-S"
WINDOW, SECONDS, AT_ONCE, JITTER = 60, 3.0, 5, 0.02
CALLERS = 20


@attrs.frozen(kw_only=True)
class Run:
    """What came of one situation."""

    requests: int
    """Answered as they should be."""

    seconds: float
    """From the first to the last."""

    refused: int
    """Answered 429."""

    room: int = WINDOW
    """Requests that the window admits."""

    @property
    def share(self) -> float:
        """Of what the window admits in that time, its full start included."""
        return self.requests / (self.room * (1 + self.seconds / SECONDS))

    @property
    def refusals(self) -> float:
        """Percentage of requests that were refused."""
        return 100 * self.refused / (self.requests + self.refused)


async def work(server: Emulator, client_id: str, secret: str, requests: int) -> None:
    """Ask for as much as one principal may, with more callers than places."""
    credential = ClientSecret(
        client_id=client_id, client_secret=secret, token_url=server.token_url
    )
    quota = Quota(concurrent=AT_ONCE, requests=WINDOW, seconds=SECONDS)
    left = iter(range(requests))
    item = server.store.company(COMPANY).item(NUMBER)

    async def caller(client: BusinessCentral) -> None:
        company = server.store.company(COMPANY).id
        for _ in left:
            await client.company(company).item(item.id).picture.info()

    endpoint = Endpoint.at(server.base_urls["v2.0"])
    async with (
        BusinessCentral(endpoint, credential, quota=quota) as client,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(CALLERS):
            group.create_task(caller(client))


async def situation(
    requests: int,
    *,
    principals: int = 1,
    background: int = 0,
    retry_after: str | None = None,
) -> Run:
    """Let each principal send *requests* to an emulator of its own kind."""
    limits = Limits(
        concurrent=AT_ONCE,
        requests=WINDOW,
        seconds=SECONDS,
        jitter=JITTER,
        background=background,
        retry_after=retry_after,
    )
    async with Emulator(quota=limits) as server:
        for number in range(principals):
            server.identity.register(f"app-{number}", "secret")
        start = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in range(principals):
                group.create_task(work(server, f"app-{number}", "secret", requests))
        return Run(
            requests=requests * principals,
            seconds=time.monotonic() - start,
            refused=server.throttled,
            room=(WINDOW - background) * principals,
        )


def limited(name: str, run: Run) -> Figure:
    """What is asked of a situation in which somebody else uses half of the quota."""
    note = f"{100 * run.share:.0f} % of what was left, in {run.seconds:.1f} s"
    return Figure(
        name=name, value=run.refusals, limit=3, sense="≤", unit=" %", note=note
    )


async def measure(requests: int) -> list[Figure]:
    """All situations, side by side."""
    one, two, silent, telling = await asyncio.gather(
        situation(requests),
        situation(requests, principals=2),
        situation(requests, background=WINDOW // 2),
        situation(requests, background=WINDOW // 2, retry_after="1"),
    )
    speedup = (two.requests / two.seconds) / (one.requests / one.seconds)
    share = f"{one.requests} requests in {one.seconds:.1f} s"
    return [
        Figure(name="share of the window", value=one.share, limit=0.93, note=share),
        Figure(name="429s", value=one.refused, limit=0, sense="="),
        Figure(name="two principals, times one", value=speedup, limit=1.9),
        Figure(name="429s of the two", value=two.refused, limit=0, sense="="),
        limited("429s, half used by others", silent),
        limited("the same with Retry-After", telling),
    ]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few requests")
    requests = 40 if parser.parse_args().quick else 1200
    return show("The quota, scale 1:100", asyncio.run(measure(requests)))


if __name__ == "__main__":
    sys.exit(main())
