"""Runs every benchmark: `python tests/benchmarks [--quick]`.

Exits with 2 if one could not run, with 1 if one fell short.
"""

import subprocess
import sys
from pathlib import Path

NAMES = (
    "shape",
    "imports",
    "throughput",
    "spent",
    "memory",
    "uploads",
    "downloads",
    "quota",
    "inventory",
    "journal",
    "planning",
    "frugal",
    "bulk",
    "scale",
    "model",
    "kills",
)


def main() -> int:
    """Run them one after the other: they would disturb each other."""
    folder = Path(__file__).parent
    codes = [
        subprocess.run(
            [sys.executable, folder / f"{name}.py", *sys.argv[1:]], check=False
        ).returncode
        for name in NAMES
    ]
    return 2 if set(codes) - {0, 1} else max(codes)


if __name__ == "__main__":
    sys.exit(main())
