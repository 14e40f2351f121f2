"""Which setting wins: a flag over a variable, a variable over the file.

Settings that exclude each other (an address and an environment, a secret and a token)
are decided by the same order; in one place together they contradict each other, and an
error says so.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from bcpicture.core.settings import (
    NAMES,
    SECRETS,
    Setting,
    Settings,
    in_words,
    variable,
)
from bcpicture.errors import ConfigurationError

TABLE = "connection"
"""The table of the settings file that holds them."""

_PLACES = (frozenset({"url"}), frozenset({"environment"}), frozenset({"host"}))
_PRINCIPALS = (
    frozenset({"client_id", "client_secret", "client_secret_file"}),
    frozenset({"token", "token_file"}),
    frozenset({"user", "key", "key_file"}),
)
_RIVALS = (
    _PLACES,
    _PRINCIPALS,
    *((frozenset({name}), frozenset({f"{name}_file"})) for name in SECRETS),
)
"""Groups of settings of which one excludes the others."""


def resolve(
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    file: Mapping[str, object],
    *,
    file_name: str = "the settings file",
) -> Settings:
    """Merge the three places into one value.

    Args:
        flags: By setting's name; None stands for a flag that was not given.
        environ: The environment; variables without the prefix are not looked at.
        file: The settings file, parsed.
        file_name: What errors call it.

    Raises:
        ConfigurationError: A setting is unknown, a secret is where secrets do not
            belong, or two settings contradict each other.
    """
    _refuse_secrets(flags, "a flag", "where every user of the machine can read it")
    found: dict[str, Setting] = {}
    layers = (_flags(flags), _variables(environ), _table(file, file_name))
    for layer in layers:
        found = {**dict(layer), **found}
    for rivals in _RIVALS:
        found = _without_losers(found, rivals)
    return Settings(MappingProxyType(found))


_Layer = Iterator[tuple[str, Setting]]


def _flags(flags: Mapping[str, object]) -> _Layer:
    for name, value in flags.items():
        _require_known(name, NAMES, "flags")
        if value is not None:
            yield name, Setting(_text(value), f"--{name.replace('_', '-')}", 0)


def _variables(environ: Mapping[str, str]) -> _Layer:
    for name in NAMES:
        # Set to nothing is how container tools say "not set".
        if value := environ.get(variable(name)):
            yield name, Setting(value, variable(name), 1)


def _table(file: Mapping[str, object], file_name: str) -> _Layer:
    for name in file:
        _require_known(name, (TABLE,), file_name)
    table = file.get(TABLE, {})
    if not isinstance(table, Mapping):
        raise ConfigurationError(
            f"In {file_name}, {TABLE} is no table.", advice=f"Write [{TABLE}] above it."
        )
    _refuse_secrets(table, file_name, "which tends to be copied and shared")
    for name, value in table.items():
        _require_known(name, NAMES, file_name)
        if not isinstance(value, str | int | bool):
            raise ConfigurationError(
                f"In {file_name}, {name} is neither text, number, nor true or false.",
                advice=f'Write it as {name} = "…".',
            )
        yield name, Setting(_text(value), f"{name} in {file_name}", 2)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _require_known(name: str, known: Iterable[str], place: str) -> None:
    if name in known:
        return
    near = difflib.get_close_matches(name, tuple(known), n=1)
    raise ConfigurationError(
        f'There is no setting "{name}" (in {place}).',
        advice=f'Did you mean "{near[0]}"?' if near else f"Known: {', '.join(known)}.",
    )


def _refuse_secrets(layer: Mapping[str, object], place: str, why: str) -> None:
    for name in SECRETS:
        if layer.get(name) is not None:
            raise ConfigurationError(
                f"The {in_words(name)} is in {place}, {why}.",
                advice=(
                    f"Put it into a file of its own and name that with {name}_file, "
                    f"or set {variable(name)}."
                ),
            )


def _without_losers(
    found: Mapping[str, Setting], rivals: Iterable[frozenset[str]]
) -> dict[str, Setting]:
    ranks = {rival: _rank(found, rival) for rival in rivals}
    best = min(ranks.values())
    winners = [rival for rival, rank in ranks.items() if rank == best]
    if best <= _FILE and len(winners) > 1:
        raise _contradiction(found, winners, best)
    losing = frozenset().union(*(rival for rival in rivals if rival not in winners))
    return {name: one for name, one in found.items() if name not in losing}


_FILE = 2
_NOWHERE = 3


def _rank(found: Mapping[str, Setting], names: frozenset[str]) -> int:
    return min((found[name].rank for name in names if name in found), default=_NOWHERE)


def _contradiction(
    found: Mapping[str, Setting], winners: Iterable[frozenset[str]], rank: int
) -> ConfigurationError:
    origins = [
        found[name].origin
        for rival in winners
        for name in sorted(rival)
        if name in found and found[name].rank == rank
    ]
    return ConfigurationError(
        f"These contradict each other: {', '.join(origins)}.",
        advice="Take all but one kind of them away.",
    )
