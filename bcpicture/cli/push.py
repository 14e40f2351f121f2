"""``bcpicture push``: the pictures of a folder go to their items."""

from __future__ import annotations

from bcpicture import sync
from bcpicture.cli.codes import Exit
from bcpicture.cli.connecting import company_of, connect, settings_of
from bcpicture.cli.console import Console
from bcpicture.cli.options import (
    NO_FLAGS,
    PLAIN,
    Company,
    Concurrency,
    Connection,
    DryRun,
    Output,
    Source,
    Verbose,
)
from bcpicture.cli.running import run
from bcpicture.cli.transfers import follow, tell_plan, tell_steps
from bcpicture.core.settings import Settings


def push(
    folder: Source,
    /,
    *,
    company: Company = None,
    concurrency: Concurrency = sync.WIDTH,
    dry_run: DryRun = False,
    connection: Connection = NO_FLAGS,
    verbose: Verbose = False,
    output: Output = PLAIN,
) -> int:
    """Send the pictures of a folder to their items.

    A file belongs to the item whose number is its name: 1896-S.jpg, in any case and
    with any extension of a picture. Whatever picture the item has is replaced.
    """
    console = Console(output, verbose=verbose)

    async def work(settings: Settings) -> int:
        async with connect(settings) as bc:
            handle = await company_of(bc, settings)
            plan = await sync.plan(handle, folder)
            tell_plan(console, plan)
            if dry_run:
                tell_steps(console, plan)
                return Exit.DONE
            pushing = sync.push(handle, plan, width=concurrency)
            report = await follow(console, pushing, "Pushing", len(plan.uploads))
        return sync.exit_code(report)

    return run(lambda: work(settings_of(connection, company)), debug=output.debug)
