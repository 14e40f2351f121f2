"""``bcpicture push``: the pictures of a folder go to their items."""

from __future__ import annotations

from bcpicture import sync
from bcpicture.cli.choices import (
    PREPARATION,
    RUNNING,
    SAFETY,
    SAVING,
    STATE,
    STRICT_MATCHING,
    ParentName,
    Preparation,
    Running,
    Safety,
    Saving,
    State,
    StrictMatching,
    push_options,
)
from bcpicture.cli.codes import Exit
from bcpicture.cli.console import Console
from bcpicture.cli.following import opened, settings_for
from bcpicture.cli.options import (
    NO_FLAGS,
    PLAIN,
    Company,
    Connection,
    Output,
    Source,
    Verbose,
)
from bcpicture.cli.plans import tell_push_plan, unclear_of
from bcpicture.cli.running import run
from bcpicture.core.settings import Settings


def push(
    folder: Source,
    /,
    *,
    company: Company = None,
    parent: ParentName = "item",
    matching: StrictMatching = STRICT_MATCHING,
    safety: Safety = SAFETY,
    saving: Saving = SAVING,
    preparation: Preparation = PREPARATION,
    running: Running = RUNNING,
    state: State = STATE,
    connection: Connection = NO_FLAGS,
    verbose: Verbose = False,
    output: Output = PLAIN,
) -> int:
    """Send the pictures of a folder to their items.

    A file belongs to the item whose number is its name: 1896-S.jpg, in any case and
    with any extension of a picture. Only what is new or changed is sent. Whatever is
    replaced is saved first, and `bcpicture undo` puts it back.
    """
    console = Console(output, verbose=verbose)

    async def work(settings: Settings, options: sync.PushOptions) -> int:
        async with opened(
            console,
            settings,
            command="push",
            folder=folder,
            parent=parent,
            state=state,
            keep=state.kept,
            running=running,
            rebase=safety.rebase,
        ) as desk:
            plan = await desk.box.plan_push(folder, options)
            tell_push_plan(console, plan)
            unclear = matching.strict and unclear_of(plan)
            least = Exit.FAILED if unclear else Exit.DONE
            return await desk.carry_out(plan, "Pushing") or least

    return run(
        lambda: work(
            settings_for(connection, company, running),
            push_options(matching, safety, saving, preparation),
        ),
        debug=output.debug,
    )
