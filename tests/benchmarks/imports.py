"""What `import bcpicture` costs: at most 1.3 times `import aiohttp, cattrs`.

Each import is timed inside an interpreter of its own, in turn, so that a busy machine
disturbs both alike. Both read bytecode that an earlier run wrote: what is installed is
compiled, whereas a checkout may never be (`PYTHONDONTWRITEBYTECODE`).
"""

import argparse
import os
import subprocess
import sys
import tempfile
from statistics import median

from table import Figure, show

TIMED = "import time; start = time.perf_counter(); import {}; print({})"
SPENT = "time.perf_counter() - start"


def seconds(modules: str, bytecode: str) -> float:
    """Time one import in a fresh interpreter that keeps its bytecode in a folder."""
    environ = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, "-c", TIMED.format(modules, SPENT)],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def measure(rounds: int) -> list[tuple[float, float]]:
    """Time both, turn by turn, after a turn that writes the bytecode."""
    both = ("aiohttp, cattrs", "bcpicture")
    with tempfile.TemporaryDirectory() as bytecode:
        turns = [[seconds(it, bytecode) for it in both] for _ in range(rounds + 1)]
    return [(theirs, ours) for theirs, ours in turns[1:]]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three rounds, not 25")
    rounds = 3 if parser.parse_args().quick else 25
    pairs = measure(rounds)
    theirs, ours = (median(column) for column in zip(*pairs, strict=True))
    ratio = median(own / their for their, own in pairs)
    figures = [
        Figure(name="import aiohttp, cattrs", value=1000 * theirs, unit=" ms"),
        Figure(name="import bcpicture", value=1000 * ours, unit=" ms"),
        Figure(name="ratio, median of pairs", value=ratio, limit=1.3, sense="≤"),
    ]
    return show(f"Import time, {rounds} rounds", figures)


if __name__ == "__main__":
    sys.exit(main())
