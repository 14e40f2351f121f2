"""``bcpicture undo``: what a run replaced or took away is put back."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from bcpicture.cli.choices import RUNNING, STATE, ParentName, Running, State
from bcpicture.cli.codes import Exit
from bcpicture.cli.console import Console
from bcpicture.cli.following import opened, settings_for
from bcpicture.cli.options import (
    NO_FLAGS,
    PLAIN,
    Company,
    Connection,
    Output,
    Verbose,
)
from bcpicture.cli.plans import tell_undo_plan
from bcpicture.cli.running import run
from bcpicture.core.settings import Settings

RunName = Annotated[
    str | None,
    Parameter(help="Which run, by its name (see status); else the last that changed."),
]


def undo(
    run_name: RunName = None,
    /,
    *,
    company: Company = None,
    parent: ParentName = "item",
    running: Running = RUNNING,
    state: State = STATE,
    connection: Connection = NO_FLAGS,
    verbose: Verbose = False,
    output: Output = PLAIN,
) -> int:
    """Put back what a push or pull replaced or took away.

    Without a name, the last run is undone that changed something. What somebody has
    changed since then is left alone, and told. An undo can be undone as well.
    """
    console = Console(output, verbose=verbose)

    async def work(settings: Settings) -> int:
        async with opened(
            console,
            settings,
            command="undo",
            parent=parent,
            state=state,
            keep=state.kept,
            running=running,
        ) as desk:
            plan = await desk.box.plan_undo(run_name)
            tell_undo_plan(console, plan)
            # What cannot be put back has failed, although nothing was tried.
            least = Exit.FAILED if plan.kept else Exit.DONE
            return await desk.carry_out(plan, "Undoing") or least

    return run(
        lambda: work(settings_for(connection, company, running)), debug=output.debug
    )
