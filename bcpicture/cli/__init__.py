"""The roof: the command line. Needs the extra ``cli``, and says so without it."""

from __future__ import annotations

import sys

_LIBRARY = "cyclopts"
"""What the extra brings; the other library in it, rich, comes along with this one."""


def main() -> None:
    """Run the command line, and exit with its code."""
    try:
        # Here, since only now it may turn out that the extra is missing.
        from bcpicture.cli.app import run
    except ModuleNotFoundError as exc:
        if exc.name != _LIBRARY:
            raise
        sys.exit(_missing())
    sys.exit(run())


def _missing() -> int:
    sys.stderr.write(
        f"bcpicture: The command line needs {_LIBRARY}, which is not installed. "
        'Install it with: pip install "bcpicture[cli]"\n'
    )
    return 2
