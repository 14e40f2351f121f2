"""From a path to an open journal that is whole, and about the right pictures."""

from __future__ import annotations

import itertools
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from bcpicture.core.ledger import JournalTarget
from bcpicture.core.rows import target_of, target_row
from bcpicture.errors import JournalError
from bcpicture.sync import schema
from bcpicture.sync.database import damaged, explained
from bcpicture.sync.places import flush_folder
from bcpicture.sync.reading import Reader
from bcpicture.sync.statements import run

_BESIDE = ("", "-wal", "-shm")
"""What the names of a journal's files end with."""

_BUSY = 5.0
"""Seconds to wait for another program that has the file open."""


def opener(target: JournalTarget) -> Callable[[Path], sqlite3.Connection]:
    """What opens the journal about *target*, and makes it if there is none."""

    def connect(path: Path) -> sqlite3.Connection:
        if not path.exists():
            _create(path, target)
        connection = _connected(path)
        try:
            _verify(connection, path)
            _require_target(connection, path, target)
        except sqlite3.Error as exc:
            connection.close()
            raise explained(exc, path) from exc
        except BaseException:
            connection.close()
            raise
        return connection

    return connect


def rename_aside(path: Path, now: datetime) -> Path | None:
    """Give a journal another name; return that name, None if there was no journal."""
    aside, found = _aside(path, now), False
    try:
        for ending in _BESIDE:
            with suppress(FileNotFoundError):
                path.with_name(path.name + ending).rename(f"{aside}{ending}")
                found = True
    except OSError as exc:
        raise JournalError(
            f"The journal {path} cannot be set aside: {exc.strerror}.",
            advice="Move it by hand, with all files that begin with its name.",
        ) from exc
    return aside if found else None


def copy_aside(path: Path, now: datetime) -> Path:
    """Copy an open journal, as it was committed last; return the copy's name."""
    aside = _aside(path, now)
    with closing(_connected(path)) as connection:
        run(connection, schema.COPY, (str(aside),))
    return aside


def _aside(path: Path, now: datetime) -> Path:
    stem = f"{path.stem}.aside-{now:%Y%m%dT%H%M%S}"
    names = itertools.chain([stem], (f"{stem}-{again}" for again in itertools.count(2)))
    places = (path.with_name(f"{name}{path.suffix}") for name in names)
    return next(place for place in places if not place.exists())


def _connected(path: Path) -> sqlite3.Connection:
    # Transactions are begun and ended by hand; a missing file is not made.
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        timeout=_BUSY,
    )
    for setting in schema.SETTINGS:
        run(connection, setting)
    return connection


def _create(path: Path, target: JournalTarget) -> None:
    """Make a whole journal under another name, then give it its own.

    So an empty file that is found later is a damaged journal and no new one.
    """
    if path.with_name(f"{path.name}-wal").exists():
        raise damaged(path, "its file is gone, and what was written last is there")
    new = path.with_name(f".{secrets.token_hex(8)}.new")
    try:
        new.touch(mode=0o600)
        with closing(_connected(new)) as connection:
            run(connection, "BEGIN")
            for statement in schema.TABLES:
                run(connection, statement)
            run(connection, schema.SET_TARGET, target_row(target))
            run(connection, f"PRAGMA application_id = {schema.APPLICATION}")
            run(connection, f"PRAGMA user_version = {schema.VERSION}")
            run(connection, "COMMIT")
        new.replace(path)
        flush_folder(path.parent)
    except sqlite3.Error as exc:
        raise explained(exc, path) from exc
    except OSError as exc:
        raise JournalError(
            f"The journal {path} cannot be made: {exc.strerror}.",
            advice="Choose a local folder that you may write to; see `--state-dir`.",
        ) from exc
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)


def _verify(connection: sqlite3.Connection, path: Path) -> None:
    ((application,),) = run(connection, "PRAGMA application_id")
    if application != schema.APPLICATION:
        raise damaged(path, "it is no journal of bcpicture")
    ((version,),) = run(connection, "PRAGMA user_version")
    if version != schema.VERSION:
        raise JournalError(
            f"The journal {path} was written by a later version of bcpicture "
            f"(tables {version}, this version knows {schema.VERSION}).",
            advice="Upgrade bcpicture, or choose another folder with `--state-dir`.",
        )
    found = {statement for (statement,) in run(connection, schema.TABLES_FOUND)}
    if found != set(schema.TABLES):
        raise damaged(path, "its tables are not what was made")
    ((verdict,),) = run(connection, schema.CHECK)
    if verdict != "ok":
        raise damaged(path, verdict)
    ((mode,),) = run(connection, schema.WRITE_AHEAD)
    if mode != "wal":
        raise JournalError(
            f"The journal {path} lies where SQLite has no write-ahead log.",
            advice="Choose a folder on a local disk with `--state-dir`.",
        )


def _require_target(
    connection: sqlite3.Connection, path: Path, target: JournalTarget
) -> None:
    found = [*map(target_of, Reader(path).texts(connection, schema.TARGET))]
    if len(found) != 1:
        raise damaged(path, "it does not say whose pictures it is about")
    if found[0] != target:
        raise JournalError(
            f"The journal {path} is about {named(found[0])}, "
            f"and was to be used for {named(target)}.",
            advice="Each has a journal of its own; choose another `--state-dir`.",
        )


def named(target: JournalTarget) -> str:
    """Whose pictures, in words."""
    where = " ".join(filter(None, (target.tenant, target.environment)))
    at = f"{target.endpoint} ({where})" if where else target.endpoint
    company = f'"{target.company}" ({target.company_id})'
    return f"the {target.parent} pictures of {company} at {at}"
