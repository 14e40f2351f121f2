"""Who gets what, once it is known which records each file wants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from bcpicture.core.matches import Ambiguous, Pair, PassedOver, Row
from bcpicture.core.picking import best
from bcpicture.core.steps import LocalFile


@attrs.frozen
class Claim:
    """A file and the records that fit it equally well."""

    file: LocalFile
    """The file."""

    rows: tuple[Row, ...]
    """One record or more."""

    pick: str = attrs.field(kw_only=True)
    """What tells it apart from other files of the same record."""


@attrs.define
class Settlement:
    """What became of all claims, in no order."""

    pairs: list[Pair] = attrs.field(factory=list)
    ambiguous: set[Ambiguous] = attrs.field(factory=set)
    passed_over: list[PassedOver] = attrs.field(factory=list)
    unclear: set[str] = attrs.field(factory=set)
    claimed: set[str] = attrs.field(factory=set)


def settle(claims: Iterable[Claim], order: Sequence[str] | None) -> Settlement:
    """Decide about all claims.

    Args:
        claims: One for each file.
        order: What decides between the files of one record; None: nothing does.
    """
    settled = Settlement()
    lone: dict[str, Claim] = {}
    rivals: dict[str, list[Claim]] = {}
    for claim in claims:
        for row in claim.rows:
            if (other := lone.setdefault(row.id, claim)) is not claim:
                rivals.setdefault(row.id, [other]).append(claim)
    for id_, claim in lone.items():
        claimants = rivals.get(id_, [claim])
        row = next(row for row in claim.rows if row.id == id_)
        _decide(row, claimants, order, settled)
    settled.claimed.update(lone)
    return settled


def _decide(
    row: Row,
    claimants: list[Claim],
    order: Sequence[str] | None,
    settled: Settlement,
) -> None:
    chosen = _chosen(claimants, order)
    if chosen is None:
        settled.unclear.add(row.id)
        settled.ambiguous.add(_unclear(row, claimants))
        return
    settled.pairs.append(Pair(file=chosen.file, row=row))
    settled.passed_over += (
        PassedOver(name=it.file.name, number=row.number, picked=chosen.file.name)
        for it in claimants
        if it is not chosen
    )


def _chosen(claimants: list[Claim], order: Sequence[str] | None) -> Claim | None:
    if any(len(claim.rows) > 1 for claim in claimants):
        return None
    if len(claimants) == 1:
        return claimants[0]
    return None if order is None else best([(it.pick, it) for it in claimants], order)


def _unclear(row: Row, claimants: list[Claim]) -> Ambiguous:
    rows = claimants[0].rows if len(claimants) == 1 else (row,)
    return Ambiguous(
        numbers=tuple(sorted(one.number for one in rows)),
        names=tuple(sorted(claim.file.name for claim in claimants)),
    )
