"""What a transfer asks of its process: memory at its peak, and how long it holds up."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from table import Figure
from yardstick import MB

TICK = 0.005


def memory(name: str) -> float:
    """A line of what Linux tells about this process's memory, in MB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"this system does not tell {name}")


def queued_for() -> float:
    """Seconds that this thread has waited for a processor."""
    told = Path("/proc/thread-self/schedstat").read_text(encoding="ascii")
    return int(told.split()[1]) / 1e9


def begin_anew() -> float:
    """Forget the peak so far; tell the memory that is in use, in MB."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return memory("VmRSS")


@asynccontextmanager
async def watched(
    found: dict[str, float], held: Callable[[], int] = lambda: 0
) -> AsyncIterator[None]:
    """Notes the latest tick of a timer, in ms, and the growth of memory, in MB.

    The time in which the processor was somebody else's does not count; the kernel
    tells it, and `raw` has both.

    Args:
        found: Takes what was found.
        held: Tells how many bytes the caller holds in the end.
    """
    latest = raw = 0.0

    async def watch() -> None:
        nonlocal latest, raw
        while True:
            due, queued = time.perf_counter() + TICK, queued_for()
            await asyncio.sleep(TICK)
            late = time.perf_counter() - due
            raw = max(raw, late)
            latest = max(latest, late - (queued_for() - queued))

    before = begin_anew()
    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
    growth = memory("VmHWM") - before - held() / MB
    found |= {"growth": growth, "stall": 1000 * latest, "raw": 1000 * raw}


def figures(kind: str, told: dict[str, float | None]) -> list[Figure]:
    """What one kind of source or target came to, beside its limits."""
    growth, stall, raw, ratio = (
        told[name] or 0.0 for name in ("growth", "stall", "raw", "ratio")
    )
    note = f"{raw:.3g} ms with the time of other processes"
    memory_limit = {"limit": 30.0, "sense": "≤", "unit": " MB"}
    stall_limit = {"limit": 50.0, "sense": "≤", "unit": " ms"}
    found = [
        Figure(name=f"{kind}: memory", value=growth, **memory_limit),
        Figure(name=f"{kind}: stall", value=stall, note=note, **stall_limit),
    ]
    if told["ratio"] is not None:
        found.append(Figure(name=f"{kind}: speed", value=ratio, limit=0.9))
    return found
