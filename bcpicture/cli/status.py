"""``bcpicture status``: what is remembered, and which runs there were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number as Limits

from bcpicture import sync
from bcpicture.cli.choices import MEMORY, Memory, ParentName
from bcpicture.cli.codes import Exit
from bcpicture.cli.connecting import company_of, connect, settings_of
from bcpicture.cli.console import Console, count, size
from bcpicture.cli.following import records_of
from bcpicture.cli.options import NO_FLAGS, PLAIN, Company, Connection, Output
from bcpicture.cli.running import run
from bcpicture.core.ledger import RunRecord
from bcpicture.core.settings import Settings

Runs = Annotated[
    int,
    Parameter(help="How many of the last runs are told.", validator=Limits(gte=1)),
]


def status(
    *,
    company: Company = None,
    parent: ParentName = "item",
    runs: Runs = 10,
    state: Memory = MEMORY,
    connection: Connection = NO_FLAGS,
    output: Output = PLAIN,
) -> int:
    """Tell what is remembered of a synchronisation, and the last runs.

    It works while another process is at it, too, and says which.
    """
    console = Console(output)

    async def work(settings: Settings) -> int:
        async with connect(settings) as bc:
            records = records_of(await company_of(bc, settings), parent)
            told = await sync.status(records, state_dir=state.state_dir, runs=runs)
        _emit(console, told)
        _say(console, told)
        return Exit.DONE

    return run(lambda: work(settings_of(connection, company)), debug=output.debug)


def _emit(console: Console, told: sync.Status) -> None:
    holder = told.holder
    console.emit(
        event="status",
        company=told.target.company,
        parent=told.target.parent,
        state=str(told.place.folder),
        pictures=told.known.pictures,
        links=told.known.links,
        open=len(told.open),
        rejections=len(told.rejections),
        backups=told.backups,
        held_by=holder and {"host": holder.host, "pid": holder.pid},
    )
    for record in told.runs:
        console.emit(event="run", **_run(record))


def _run(record: RunRecord) -> Mapping[str, str | None]:
    ended = record.ended.isoformat(timespec="seconds") if record.ended else None
    return {
        "run": record.id,
        "command": record.command,
        "folder": record.folder,
        "started": record.started.isoformat(timespec="seconds"),
        "ended": ended,
        "summary": record.summary,
    }


def _say(console: Console, told: sync.Status) -> None:
    known = told.known
    console.say(f"The {told.target.parent} pictures of {told.target.company}")
    console.say(f"State:   {told.place.folder}")
    console.say(f"Known:   {count(known.pictures, 'picture')}")
    console.say(f"Backup:  {size(told.backups)}")
    if told.open:
        console.say(
            f"Open:    {count(len(told.open), 'step')}, which the next run settles"
        )
    if holder := told.holder:
        console.say(f"At work: {holder.command}, process {holder.pid}, {holder.host}")
    refused = [f"{it.id}: {it.reason}" for it in told.rejections]
    console.names(f"{count(len(refused), 'picture')} refused", refused)
    for record in told.runs:
        how = record.summary or ("" if record.ended else "not ended")
        console.say(f"{record.id}  {record.command:<5} {record.folder}: {how}")
