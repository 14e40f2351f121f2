"""``bcpicture verify``: whether files and pictures hold the same bytes."""

from __future__ import annotations

from bcpicture import sync
from bcpicture.cli.choices import (
    MATCHING,
    MEMORY,
    READING,
    Matching,
    Memory,
    ParentName,
    Reading,
)
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
from bcpicture.cli.running import run
from bcpicture.core.settings import Settings


def verify(
    folder: Source,
    /,
    *,
    company: Company = None,
    parent: ParentName = "item",
    matching: Matching = MATCHING,
    running: Reading = READING,
    state: Memory = MEMORY,
    connection: Connection = NO_FLAGS,
    verbose: Verbose = False,
    output: Output = PLAIN,
) -> int:
    """Compare files and pictures by their bytes, and change nothing.

    The folder may have been pushed or pulled. The exit code is 1 if anything differs,
    or is on one side only.
    """
    console = Console(output, verbose=verbose)

    async def work(settings: Settings, options: sync.VerifyOptions) -> int:
        async with opened(
            console,
            settings,
            command="verify",
            folder=folder,
            parent=parent,
            state=state,
            running=running,
        ) as desk:
            width = running.concurrency
            look = await desk.box.verify(folder, options, width=width)
            return await desk.look(look, "Comparing")

    return run(
        lambda: work(
            settings_for(connection, company, running),
            sync.VerifyOptions(match=matching.options()),
        ),
        debug=output.debug,
    )
