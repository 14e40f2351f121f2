"""``bcpicture emulator``: an emulated Business Central, served until it is stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from bcpicture.cli.codes import Exit
from bcpicture.cli.options import PLAIN, Output
from bcpicture.cli.running import run
from bcpicture.emulator.command import serve


def emulator(
    *,
    port: Annotated[int, Parameter(help="Where to listen; 0 finds a free one.")] = 0,
    host: Annotated[
        str, Parameter(help="The address to listen at; loopback unless told otherwise.")
    ] = "127.0.0.1",
    items: Annotated[
        int | None, Parameter(help="How many items a company has; 20 if not told.")
    ] = None,
    numbers_from: Annotated[
        Path | None,
        Parameter(help="Folder of pictures whose names are the numbers of the items."),
    ] = None,
    pictures: Annotated[
        Path | None, Parameter(help="Folder of pictures that are there at the start.")
    ] = None,
    data: Annotated[
        Path | None, Parameter(help="Folder that keeps everything for the next time.")
    ] = None,
    tls: Annotated[
        bool,
        Parameter(
            help="Serve https, with an authority made on the spot.", show_default=False
        ),
    ] = False,
    output: Output = PLAIN,
) -> int:
    """Serve an emulated Business Central until it is stopped.

    It prints where it listens and which credentials it takes; with --json, that is
    one line for machines. Everything in it is made up, and nothing leaves the machine.
    """

    async def work() -> int:
        await serve(
            host=host,
            port=port,
            items=items,
            numbers_from=numbers_from,
            pictures=pictures,
            data=data,
            tls=tls,
            as_json=output.as_json,
        )
        return Exit.DONE

    return run(work, debug=output.debug)
