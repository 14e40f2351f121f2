"""The API versions differ in a handful of facts, and in nothing else."""

from __future__ import annotations

import attrs
import pytest

from bcpicture.core.dialects import BETA, DIALECTS, GRAPH, V1, V2, Dialect

FOUR = {"items", "customers", "vendors", "employees"}


def test_every_dialect_is_found_by_its_name():
    assert list(DIALECTS) == ["v2.0", "v1.0", "beta", "graph"]
    assert all(dialect.name == name for name, dialect in DIALECTS.items())


@pytest.mark.parametrize(
    ("dialect", "stream", "keyed", "more"),
    [
        pytest.param(V2, "pictureContent", False, {"contacts", "itemVariants"}),
        pytest.param(V1, "content", True, set()),
        pytest.param(BETA, "content", True, set()),
        pytest.param(GRAPH, "content", True, set()),
    ],
    ids=lambda it: it.name if isinstance(it, Dialect) else "",
)
def test_the_facts_of_a_dialect(
    dialect: Dialect, stream: str, more: set[str], *, keyed: bool
):
    assert dialect.stream == stream
    assert dialect.keyed is keyed
    assert {parent.segment for parent in dialect.parents} == FOUR | more


def test_graph_and_beta_are_like_v1_but_for_name_and_scope():
    assert attrs.evolve(BETA, name="v1.0", tails=V1.tails) == V1
    assert attrs.evolve(GRAPH, name="v1.0", tails=V1.tails, scope=V1.scope) == V1
    assert GRAPH.scope == "https://graph.microsoft.com/.default"
    assert V2.scope == V1.scope == "https://api.businesscentral.dynamics.com/.default"


def test_all_parents_are_known_by_number_except_variants_by_code():
    keys = {parent.segment: parent.key for parent in V2.parents}
    assert keys.pop("itemVariants") == "code"
    assert set(keys.values()) == {"number"}
