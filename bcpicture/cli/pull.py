"""``bcpicture pull``: the items' pictures go into a folder."""

from __future__ import annotations

from bcpicture import sync
from bcpicture.cli.connecting import company_of, connect, settings_of
from bcpicture.cli.console import Console
from bcpicture.cli.options import (
    NO_FLAGS,
    PLAIN,
    Company,
    Concurrency,
    Connection,
    Output,
    Sink,
    Verbose,
)
from bcpicture.cli.running import run
from bcpicture.cli.transfers import follow
from bcpicture.core.settings import Settings


def pull(
    folder: Sink,
    /,
    *,
    company: Company = None,
    concurrency: Concurrency = sync.WIDTH,
    connection: Connection = NO_FLAGS,
    verbose: Verbose = False,
    output: Output = PLAIN,
) -> int:
    """Write the items' pictures into a folder.

    Each file is named after its item's number, with the extension of what its bytes
    really are. A file that is there is replaced in one step.
    """
    console = Console(output, verbose=verbose)

    async def work(settings: Settings) -> int:
        async with connect(settings) as bc:
            handle = await company_of(bc, settings)
            pulling = sync.pull(handle, folder, width=concurrency)
            report = await follow(console, pulling, "Pulling")
        return sync.exit_code(report)

    return run(lambda: work(settings_of(connection, company)), debug=output.debug)
