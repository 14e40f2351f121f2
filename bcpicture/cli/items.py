"""``bcpicture items``: which ones a company has."""

from __future__ import annotations

from bcpicture.cli.codes import Exit
from bcpicture.cli.connecting import company_of, connect, settings_of
from bcpicture.cli.console import Console
from bcpicture.cli.options import NO_FLAGS, PLAIN, Company, Connection, Output
from bcpicture.cli.running import run
from bcpicture.core.models import Item
from bcpicture.core.settings import Settings

_PAGE = 5000
_NUMBER_WIDTH = 20
"""As long as Business Central's own item numbers get."""


def items(
    *,
    company: Company = None,
    connection: Connection = NO_FLAGS,
    output: Output = PLAIN,
) -> int:
    """List the items of a company: their numbers and names."""
    console = Console(output)

    async def work(settings: Settings) -> int:
        async with connect(settings) as bc:
            handle = await company_of(bc, settings)
            async for item in handle.items.page_size(_PAGE):
                _tell(console, item)
        return Exit.DONE

    return run(lambda: work(settings_of(connection, company)), debug=output.debug)


def _tell(console: Console, item: Item) -> None:
    console.emit(
        id=item.id,
        number=item.number,
        display_name=item.display_name,
        gtin=item.gtin,
        last_modified=item.last_modified.isoformat() if item.last_modified else None,
    )
    console.say(f"{item.number:<{_NUMBER_WIDTH}}  {item.display_name}")
