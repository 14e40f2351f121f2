"""``bcpicture pull``: the items' pictures go into a folder."""

from __future__ import annotations

from bcpicture import sync
from bcpicture.cli.choices import (
    RUNNING,
    SAFETY,
    STATE,
    ParentName,
    Running,
    Safety,
    State,
)
from bcpicture.cli.console import Console
from bcpicture.cli.following import opened, settings_for
from bcpicture.cli.options import (
    NO_FLAGS,
    PLAIN,
    Company,
    Connection,
    Output,
    Sink,
    Verbose,
)
from bcpicture.cli.plans import tell_pull_plan
from bcpicture.cli.running import run
from bcpicture.core.settings import Settings


def pull(
    folder: Sink,
    /,
    *,
    company: Company = None,
    parent: ParentName = "item",
    safety: Safety = SAFETY,
    running: Running = RUNNING,
    state: State = STATE,
    connection: Connection = NO_FLAGS,
    verbose: Verbose = False,
    output: Output = PLAIN,
) -> int:
    """Write the items' pictures into a folder.

    Each file is named after its item's number, with the extension of what its bytes
    really are. Only what is new or changed is fetched. A file that is there is saved
    first and replaced in one step, and `bcpicture undo` puts it back. manifest.json
    tells which file is whose.
    """
    console = Console(output, verbose=verbose)

    async def work(settings: Settings, options: sync.PullOptions) -> int:
        async with opened(
            console,
            settings,
            command="pull",
            folder=folder,
            parent=parent,
            state=state,
            keep=state.kept,
            running=running,
            rebase=safety.rebase,
        ) as desk:
            plan = await desk.box.plan_pull(folder, options)
            tell_pull_plan(console, plan)
            return await desk.carry_out(plan, "Pulling")

    return run(
        lambda: work(settings_for(connection, company, running), safety.pull_options()),
        debug=output.debug,
    )
