"""The commands, each loaded when it is called, and what wrong usage answers."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError, Parameter

from bcpicture import __version__
from bcpicture.cli.codes import Exit

COMMANDS = {
    "demo": "Show the way up and back again, on an emulator of this machine.",
    "emulator": "Serve an emulated Business Central until it is stopped.",
    "companies": "List the companies.",
    "items": "List the items of a company.",
    "inventory": "List the items with what is told about their pictures.",
    "info": "Tell what Business Central says about the picture of an item.",
    "push": "Send the pictures of a folder to their items.",
    "pull": "Write the items' pictures into a folder.",
    "verify": "Compare files and pictures by their bytes, and change nothing.",
    "undo": "Put back what a push or pull replaced or took away.",
    "status": "Tell what is remembered of a synchronisation, and the last runs.",
    "doctor": "Check the connection, and tell what to do about it.",
}
"""What each command does. The names are modules' and functions' names, too."""


def build() -> App:
    """Return the application, without any of its commands imported yet."""
    app = App(
        name="bcpicture",
        help="Keep the item pictures of Business Central in step with a folder.",
        version=__version__,
        default_parameter=Parameter(negative=()),
        help_format="plaintext",
    )
    for name, what in COMMANDS.items():
        app.command(f"bcpicture.cli.{name}:{name}", name=name, help=what)
    return app


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, and return its exit code."""
    app = build()
    try:
        code = app(
            arguments,
            print_error=False,
            exit_on_error=False,
            result_action="return_value",
        )
    except CycloptsError as exc:
        command = " ".join(("bcpicture", *(exc.command_chain or ())))
        sys.stderr.write(f"bcpicture: {exc} Try: {command} --help\n")
        return Exit.USAGE
    return code if isinstance(code, int) else Exit.DONE
