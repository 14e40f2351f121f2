"""``bcpicture companies``: which ones there are."""

from __future__ import annotations

from bcpicture.cli.codes import Exit
from bcpicture.cli.connecting import connect, settings_of
from bcpicture.cli.console import Console
from bcpicture.cli.options import NO_FLAGS, PLAIN, Connection, Output
from bcpicture.cli.running import run
from bcpicture.core.settings import Settings


def companies(*, connection: Connection = NO_FLAGS, output: Output = PLAIN) -> int:
    """List the companies: their ids, and the names that address them."""
    console = Console(output)

    async def work(settings: Settings) -> int:
        async with connect(settings) as bc:
            async for company in bc.companies:
                console.emit(
                    id=company.id, name=company.name, display_name=company.display_name
                )
                console.say(f"{company.id}  {company.name}")
        return Exit.DONE

    return run(lambda: work(settings_of(connection)), debug=output.debug)
