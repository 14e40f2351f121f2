"""What is said on the command line is what the library is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from cyclopts import App, Parameter

from bcpicture.cli.choices import (
    MATCHING,
    PREPARATION,
    RUNNING,
    SAFETY,
    SAVING,
    STATE,
    Matching,
    Preparation,
    Running,
    Safety,
    Saving,
    State,
    push_options,
)
from bcpicture.core.brakes import Limit
from bcpicture.core.mapping import MapRow
from bcpicture.core.options import MatchOptions, PullOptions, PushOptions
from bcpicture.core.preparation import Prepare
from bcpicture.errors import UsageError

Bcpicture: TypeAlias = Callable[..., Any]


def parsed(*arguments: str) -> tuple[PushOptions, PullOptions, Running, State]:
    """The options of a command line, as the library gets them."""
    app = App(default_parameter=Parameter(negative=()))

    @app.default
    def command(
        *,
        matching: Matching = MATCHING,
        safety: Safety = SAFETY,
        saving: Saving = SAVING,
        preparation: Preparation = PREPARATION,
        running: Running = RUNNING,
        state: State = STATE,
    ) -> tuple[PushOptions, PullOptions, Running, State]:
        push = push_options(matching, safety, saving, preparation)
        return push, safety.pull_options(), running, state

    result: Any = app(
        list(arguments), exit_on_error=False, result_action="return_value"
    )
    return result  # type: ignore[no-any-return]  # of whatever the command returns


PREPARED = "prepare"
MATCH = "match"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param((), PushOptions(), id="nothing"),
        pytest.param(("--delete",), PushOptions(delete=True), id="delete"),
        pytest.param(
            ("--max-replace", "20%", "--max-delete", "7"),
            PushOptions(max_replace=Limit(share=0.2), max_delete=Limit(7)),
            id="limits",
        ),
        pytest.param(
            ("--require-file", "here.txt", "--settle", "2.5", "--rebase"),
            PushOptions(require_file="here.txt", settle=2.5, rebase=True),
            id="care",
        ),
        pytest.param(
            ("--compare", "content", "--backup", "foreign"),
            PushOptions(compare="content", backup="foreign"),
            id="content",
        ),
        pytest.param(("--backup", "all"), PushOptions(), id="all of them"),
        pytest.param(("--no-preflight",), PushOptions(preflight=False), id="anyway"),
        pytest.param(("--convert",), PushOptions(prepare=Prepare()), id="convert"),
        pytest.param(
            ("--max-side", "800", "--max-bytes", "90000", "--quality", "70"),
            PushOptions(prepare=Prepare(max_side=800, max_bytes=90000, quality=70)),
            id="smaller",
        ),
        pytest.param(
            ("--strip", "--max-pixels", "100"),
            PushOptions(prepare=Prepare(strip=True, max_pixels=100)),
            id="stripped",
        ),
    ],
)
def test_options_of_a_push(arguments: tuple[str, ...], expected: PushOptions):
    assert parsed(*arguments)[0] == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--by", "gtin"), MatchOptions(by="gtin")),
        (("--by", "id"), MatchOptions(by="id")),
        (("--by", "{number}_x"), MatchOptions(template="{number}_x")),
        (("--pick", "front,1"), MatchOptions(pick=("front", "1"))),
        (("--pick", "natural"), MatchOptions(pick=())),
        (("--recursive",), MatchOptions(recursive=True)),
        (
            ("--include", "*.jpg", "--include", "*.png", "--exclude", "old*"),
            MatchOptions(include=("*.jpg", "*.png"), exclude=("old*",)),
        ),
    ],
)
def test_options_of_matching(arguments: tuple[str, ...], expected: MatchOptions):
    assert parsed(*arguments)[0].match == expected


def test_a_map_is_read_and_its_zeros_stay(tmp_path: Path):
    table = tmp_path / "map.csv"
    table.write_text("file,item\na.jpg,0042\n", encoding="utf-8-sig")
    match = parsed("--map", str(table))[0].match
    assert match.map == (MapRow(file="a.jpg", item="0042"),)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (None, "cannot be read: No such file"),
        (b"file,item\n\xe4.jpg,1\n", "is not UTF-8"),
        (b"name,item\na.jpg,1\n", "begins with the columns"),
    ],
)
def test_a_map_that_is_none_is_wrong_usage(
    tmp_path: Path, data: bytes | None, told: str
):
    table = tmp_path / "map.csv"
    if data is not None:
        table.write_bytes(data)
    with pytest.raises(UsageError, match=told) as caught:
        parsed("--map", str(table))
    assert "map.csv" in str(caught.value)


def test_options_of_a_pull_are_those_that_make_sense_there():
    pull = parsed("--delete", "--max-replace", "5", "--compare", "content")[1]
    assert pull == PullOptions(delete=True, max_replace=Limit(5), compare="content")


def test_how_a_run_goes_and_what_is_kept(tmp_path: Path):
    *_, running, state = parsed(
        *("--dry-run", "--concurrency", "3", "--report", "out.csv"),
        *("--state-dir", str(tmp_path), "--keep", "7.5"),
    )
    assert (running.dry_run, running.concurrency) == (True, 3)
    assert running.report == Path("out.csv")
    assert (state.state_dir, state.kept) == (tmp_path, timedelta(days=7.5))


@pytest.mark.usefixtures("online")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--by", "name"), "Files cannot be matched by 'name'"),
        (("--by", "{name}.jpg"), "{name}"),
        (("--max-replace", "many"), "'many' is no limit"),
        (("--max-side", "0"), "No picture could ever be made"),
        (("--settle", "-1"), "--settle"),
        (("--keep", "-1"), "--keep"),
        (("--concurrency", "0"), "--concurrency"),
        (("--compare", "dates"), "--compare"),
        (("--backup", "none"), "--backup"),
        (("--parent", "bank"), "--parent"),
        (("--report", "out.txt"), "neither JSON nor CSV"),
        (("--report", "nowhere/out.json"), "has no folder to be in"),
        (("--by", "{number}.*", "--map", "map.csv"), "both say"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(
    bcpicture: Bcpicture, photos: Path, arguments: tuple[str, ...], told: str
):
    if "map.csv" in arguments:
        (photos.parent / "map.csv").write_text("file,item\n")
        arguments = (*arguments[:-1], str(photos.parent / "map.csv"))
    ended = bcpicture("push", photos, *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert told in ended.err
