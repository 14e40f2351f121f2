"""``bcpicture info``: what there is to know about one picture."""

from __future__ import annotations

import attrs

from bcpicture.cli.codes import Exit
from bcpicture.cli.connecting import company_of, connect, settings_of
from bcpicture.cli.console import Console
from bcpicture.cli.options import NO_FLAGS, PLAIN, Company, Connection, Number, Output
from bcpicture.cli.running import run
from bcpicture.core.models import Picture
from bcpicture.core.settings import Settings


def info(
    number: Number,
    /,
    *,
    company: Company = None,
    connection: Connection = NO_FLAGS,
    output: Output = PLAIN,
) -> int:
    """Tell what Business Central says about the picture of an item."""
    console = Console(output)

    async def work(settings: Settings) -> int:
        async with connect(settings) as bc:
            handle = await company_of(bc, settings)
            _tell(console, number, await handle.item(number=number).picture.info())
        return Exit.DONE

    return run(lambda: work(settings_of(connection, company)), debug=output.debug)


def _tell(console: Console, number: str, picture: Picture) -> None:
    told = attrs.fields(Picture)
    fields = (told.exists, told.width, told.height, told.content_type, told.etag)
    console.emit(
        number=number, **{one.name: getattr(picture, one.name) for one in fields}
    )
    if not picture.exists:
        console.say(f"{number} has no picture.")
        return
    console.say(
        f"{number}: {picture.width} \N{MULTIPLICATION SIGN} {picture.height}"
        f", {picture.content_type or 'no content type'}"
    )
