"""The table that was written by hand, and what its words mean."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from bcpicture.emulator import Fault

AT = 1_200_000
"""Where the bytes of a picture are cut: after a download has begun its file."""

LATER = "600"
"""Seconds that nobody is so patient as to wait."""

STALLING = ("apply_then_stall", "stall", "duplicate_reply")
"""How faults begin that may cost a time-out."""

SHORT = {"reset_before", "reset_during", "stall", "stall_reading"}
"""Faults for which it matters how much has left when they strike."""

COLUMNS = {
    "info": ("info",),
    "read": ("read", "download"),
    "open": ("open",),
    "upload": ("from_bytes", "from_path", "from_file", "from_stream"),
    "if_match": ("if_match",),
    "unspooled": ("unspooled",),
    "delete": ("delete",),
}
WRITES = {"upload": "PATCH", "if_match": "PATCH", "unspooled": "PATCH"}
VERBS = dict.fromkeys(COLUMNS, "GET") | WRITES | {"delete": "DELETE"}

Cells: TypeAlias = dict[tuple[str, str, str], str]
"""By mode, fault and column."""

Run: TypeAlias = tuple[str, str, str, str]
"""Mode, fault, column and operation."""


def fault_named(name: str) -> Fault:
    """The fault that the first column of the table calls so."""
    action, _, rest = name.partition(" ")
    status, _, more = rest.partition(", ")
    return Fault(
        action,  # type: ignore[arg-type]  # the emulator checks it
        status=int(status) if status else None,
        code="Internal_RecordLocked" if more == "busy" else None,
        retry_after=LATER if more.startswith("in ") else None,
        at=1 if action in SHORT else AT,
        message="https://elsewhere.invalid/" if action == "redirect" else None,
    )


def table() -> Cells:
    """The table of `expected.txt`."""
    cells: Cells = {}
    mode, heads = "", [""]
    for line in (
        (Path(__file__).parent / "expected.txt")
        .read_text(encoding="utf-8")
        .splitlines()
    ):
        fault, *told = (part.strip() for part in line.split("|"))
        if fault.startswith("== "):
            mode = fault[3:].partition(":")[0]
        elif fault == "fault":
            heads = told
        elif mode and fault:
            row = zip(heads, told, strict=True)
            cells |= {(mode, fault, column): cell for column, cell in row}
    return cells


EXPECTED = table()
