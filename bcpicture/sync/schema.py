"""The journal's tables, and every statement about them.

All rows end with their mark (see `rows`). A statement that reads takes the form of its
rows' text as its first parameter. What a damaged cell could hide from a condition is
read without one: rows are chosen when they have been compared with their marks. There
is no index beside the keys: SQLite's quick check does not look into one, and to keep it
up costs more than it would save.
"""

from __future__ import annotations

from functools import lru_cache

import attrs

APPLICATION = 0x62637069
"""What tells a journal from other SQLite files: "bcpi"."""

VERSION = 1
"""Of the tables; a journal with a higher one was written by a later version."""

TABLES = (
    """CREATE TABLE target (
    endpoint TEXT NOT NULL,
    tenant TEXT NOT NULL,
    environment TEXT NOT NULL,
    company_id TEXT NOT NULL,
    company TEXT NOT NULL,
    parent TEXT NOT NULL,
    mark INTEGER NOT NULL
)""",
    """CREATE TABLE records (
    id TEXT PRIMARY KEY,
    number TEXT NOT NULL,
    digest TEXT,
    size INTEGER NOT NULL,
    etag TEXT,
    modified TEXT,
    shown INTEGER NOT NULL,
    picture_etag TEXT,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    content_type TEXT NOT NULL,
    mark INTEGER NOT NULL
) WITHOUT ROWID""",
    """CREATE TABLE links (
    way TEXT NOT NULL,
    folder TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    size INTEGER,
    modified TEXT,
    inode TEXT,
    digest TEXT NOT NULL,
    recipe TEXT NOT NULL,
    sent TEXT NOT NULL,
    mark INTEGER NOT NULL,
    PRIMARY KEY (way, folder, id)
) WITHOUT ROWID""",
    """CREATE TABLE rejections (
    id TEXT PRIMARY KEY,
    sent TEXT NOT NULL,
    etag TEXT,
    modified TEXT,
    reason TEXT NOT NULL,
    mark INTEGER NOT NULL
) WITHOUT ROWID""",
    """CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    command TEXT NOT NULL,
    folder TEXT NOT NULL,
    matching TEXT NOT NULL,
    host TEXT NOT NULL,
    started TEXT NOT NULL,
    ended TEXT,
    summary TEXT NOT NULL,
    mark INTEGER NOT NULL
) WITHOUT ROWID""",
    """CREATE TABLE steps (
    seq INTEGER PRIMARY KEY,
    run TEXT NOT NULL,
    id TEXT NOT NULL,
    action TEXT NOT NULL,
    name TEXT NOT NULL,
    number TEXT NOT NULL,
    before TEXT,
    saved INTEGER NOT NULL,
    after TEXT,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    changed TEXT NOT NULL,
    mark INTEGER NOT NULL
)""",
)
"""A new journal has these and nothing else."""

TABLES_FOUND = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"

SETTINGS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",
    "PRAGMA checkpoint_fullfsync = ON",
    "PRAGMA cell_size_check = ON",
    "PRAGMA trusted_schema = OFF",
)
"""Of every connection. Some systems' fsync leaves the bytes in the disk's cache."""

WRITE_AHEAD = "PRAGMA journal_mode = WAL"
CHECK = "PRAGMA quick_check(1)"
COPY = "VACUUM INTO ?"


@attrs.frozen
class Insertion:
    """A statement that writes some rows of one table at once.

    Python lets go of its lock for each statement, and waits for it afterwards, as the
    event loop does then: one about sixteen rows makes both wait once.
    """

    statement: str
    """What stands before the rows."""

    columns: int
    """Cells of a row."""

    @lru_cache(64)  # noqa: B019 - the few there are live as long as the module
    def of(self, rows: int) -> str:
        """It, with parameters for so many rows."""
        row = f"({', '.join('?' * self.columns)})"
        return f"{self.statement} {', '.join([row] * rows)}"


@attrs.frozen
class Selection:
    """A statement that reads the rows of one table, each as its mark and text."""

    statement: str
    """With a first parameter for the form."""

    columns: int
    """Cells of the text."""


TARGET = Selection(
    "SELECT mark, printf(?, endpoint, tenant, environment, company_id, company, parent)"
    " FROM target",
    6,
)
RECORDS = Selection(
    "SELECT mark, printf(?, id, number, digest, size, etag, modified, shown,"
    " picture_etag, width, height, content_type) FROM records",
    11,
)
LINKS = Selection(
    "SELECT mark, printf(?, way, folder, id, name, size, modified, inode, digest,"
    " recipe, sent) FROM links",
    10,
)
REJECTIONS = Selection(
    "SELECT mark, printf(?, id, sent, etag, modified, reason) FROM rejections", 5
)
RUNS = Selection(
    "SELECT mark, printf(?, id, command, folder, matching, host, started, ended,"
    " summary) FROM runs ORDER BY started DESC, id DESC",
    8,
)
STEPS = Selection(
    "SELECT mark, printf(?, run, id, action, name, number, before, saved, after, state,"
    " reason, changed), seq FROM steps ORDER BY seq",
    11,
)
OPEN_STEPS = Selection(
    "SELECT mark, printf(?, run, id, action, name, number, before, saved, after, state,"
    " reason, changed), seq FROM steps"
    " WHERE state NOT IN ('done', 'failed', 'unknown', 'undone') ORDER BY seq",
    11,
)

SET_TARGET = "INSERT INTO target VALUES (?, ?, ?, ?, ?, ?, ?)"
PUT_RECORD = Insertion("INSERT OR REPLACE INTO records VALUES", 12)
DROP_RECORD = "DELETE FROM records WHERE id = ?"
PUT_LINK = Insertion("INSERT OR REPLACE INTO links VALUES", 11)
DROP_LINK = "DELETE FROM links WHERE way = ? AND folder = ? AND id = ?"
PUT_REJECTION = Insertion("INSERT OR REPLACE INTO rejections VALUES", 6)
ANY_REJECTION = "SELECT 1 FROM rejections LIMIT 1"
DROP_REJECTION = "DELETE FROM rejections WHERE id = ?"
DROP_ACCEPTED = "DELETE FROM rejections WHERE id = ? AND sent = ?"
PUT_RUN = "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
LAST_STEP = "SELECT ifnull(max(seq), 0) FROM steps"
ADD_STEP = Insertion("INSERT INTO steps VALUES", 13)
PUT_STEP = Insertion("INSERT OR REPLACE INTO steps VALUES", 13)
PUT_LAST_STEP = (
    "INSERT OR REPLACE INTO steps SELECT max(seq), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
    " ?10, ?11, ?12 FROM steps WHERE run = ?1 AND id = ?2 AND action = ?3 AND name = ?4"
)
DROP_STEP = "DELETE FROM steps WHERE seq = ?"
DROP_ALL = ("DELETE FROM records", "DELETE FROM links", "DELETE FROM rejections")

STATISTICS = """SELECT
    (SELECT count(*) FROM records),
    (SELECT count(digest) FROM records),
    (SELECT count(*) FROM links),
    (SELECT count(*) FROM rejections),
    (SELECT count(*) FROM runs),
    (SELECT count(*) FROM steps),
    (SELECT count(*) FROM steps WHERE state = 'intended'),
    (SELECT page_count * page_size FROM pragma_page_count, pragma_page_size)
"""
