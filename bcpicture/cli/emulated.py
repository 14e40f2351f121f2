"""An emulator in a process of its own, for as long as somebody needs it."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from bcpicture import BcPictureError, BusinessCentral, ClientSecret, Endpoint

_PATIENCE = 5.0
"""Seconds that it has to put things away before it is killed."""


@asynccontextmanager
async def emulated(*options: str) -> AsyncIterator[BusinessCentral]:
    """Start an emulator on a free port, and open a client of it.

    The process is ended by its id, in every case that leaves us the time to do so.

    Args:
        *options: Of its command line.
    """
    # A session of its own keeps a Ctrl-C that is meant for us away from it.
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bcpicture.emulator", "--port", "0", "--json"),
        *options,
        stdin=DEVNULL,
        stdout=PIPE,
        start_new_session=True,
    )
    try:
        async with _client_of(await _connection(process)) as bc:
            yield bc
    finally:
        await _end(process)


async def _connection(process: Process) -> Mapping[str, Any]:
    line = await process.stdout.readline() if process.stdout else b""
    if not line:
        raise BcPictureError(
            "The emulator did not start.",
            advice="To see why, run: bcpicture emulator",
        )
    connection: Mapping[str, Any] = json.loads(line)
    return connection


def _client_of(connection: Mapping[str, Any]) -> BusinessCentral:
    credential = ClientSecret(
        client_id=connection["client_id"],
        client_secret=connection["client_secret"],
        token_url=connection["token_url"],
        scope=connection["scope"],
    )
    return BusinessCentral(Endpoint.at(connection["base_urls"]["v2.0"]), credential)


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_PATIENCE):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
