"""A process that synchronises until somebody kills it.

It is told what to do as JSON on its command line, and prints the report's counts.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from bcpicture import BusinessCentral, Endpoint, Quota, RetryPolicy, StaticToken, sync


async def work(told: dict[str, Any]) -> dict[str, int]:
    """Plan one way, and carry it out."""
    endpoint, credential = Endpoint.at(told["base"]), StaticToken(told["token"])
    quota = Quota(concurrent=5, requests=1_000_000, seconds=0.06)
    retries = RetryPolicy(base=0.0, cap=0.0)
    async with BusinessCentral(
        endpoint, credential, quota=quota, retries=retries
    ) as bc:
        items = bc.company(told["company"]).items
        async with sync.open(items, state_dir=told["state"]) as box:
            where = () if told["way"] == "undo" else (told["folder"],)
            plan = await getattr(box, f"plan_{told['way']}")(*where)
            async with box.run(plan) as run:
                report = await run.finish()
    return {str(ending): count for ending, count in report.counts.items()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(work(json.loads(sys.argv[1])))))
