"""Whatever happens to both sides, nothing is lost: the walks of the tests, and more.

`python tests/benchmarks/model.py [--quick] [--walks N] [--steps N]
[--seed N] [--shrink]`
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from table import Figure, show

sys.path.insert(0, str(Path(__file__).parents[1] / "sync"))

from model_edits import TALLY
from model_machine import Machine


def main() -> int:
    """Walk, and tell what came to pass; a walk that finds something is an error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short walk")
    parser.add_argument("--walks", type=int, default=500)
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--seed", type=int, help="the same walks again")
    parser.add_argument("--shrink", action="store_true", help="make a failure small")
    told = parser.parse_args()
    started = time.perf_counter()
    walks = settings(
        max_examples=5 if told.quick else told.walks,
        stateful_step_count=told.steps,
        deadline=None,
        database=None,
        phases=[Phase.generate, *([Phase.shrink] if told.shrink else [])],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(told.seed)(Machine), settings=walks)
    seconds = time.perf_counter() - started
    figures = [Figure(name=name, value=count) for name, count in TALLY.items()]
    figures.append(Figure(name="seconds", value=seconds))
    return show("A model of both sides, walked at random", figures)


if __name__ == "__main__":
    sys.exit(main())
