"""Whatever happens to both sides, nothing is lost, and every report is true."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from model_machine import Machine

WALKS = settings(
    max_examples=20,
    stateful_step_count=15,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # the benchmark makes a failure small
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


def test_whatever_happens_nothing_is_lost_and_every_report_is_true():
    """A longer walk: ``python tests/benchmarks/model.py``."""
    run_state_machine_as_test(Machine, settings=WALKS)
