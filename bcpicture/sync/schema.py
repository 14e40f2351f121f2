"""The journal's tables, and every statement about them.

All rows end with their mark (see `rows`). A statement that reads takes the form of its
rows' text as its first parameter. What a damaged cell could hide from a condition is
read without one, and without an index, which SQLite's quick check does not look into:
rows are chosen when they have been compared with their marks.
"""

from __future__ import annotations

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
    "CREATE INDEX steps_of_run ON steps (run, id)",
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
    " reason, changed), seq FROM steps NOT INDEXED ORDER BY seq",
    11,
)
OPEN_STEPS = Selection(
    "SELECT mark, printf(?, run, id, action, name, number, before, saved, after, state,"
    " reason, changed), seq FROM steps NOT INDEXED"
    " WHERE state NOT IN ('done', 'failed', 'unknown', 'undone') ORDER BY seq",
    11,
)

SET_TARGET = "INSERT INTO target VALUES (?, ?, ?, ?, ?, ?, ?)"
PUT_RECORD = (
    "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
DROP_RECORD = "DELETE FROM records WHERE id = ?"
PUT_LINK = "INSERT OR REPLACE INTO links VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
DROP_LINK = "DELETE FROM links WHERE way = ? AND folder = ? AND id = ?"
PUT_REJECTION = "INSERT OR REPLACE INTO rejections VALUES (?, ?, ?, ?, ?, ?)"
DROP_REJECTION = "DELETE FROM rejections WHERE id = ?"
DROP_ACCEPTED = "DELETE FROM rejections WHERE id = ? AND sent = ?"
PUT_RUN = "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
ADD_STEP = "INSERT INTO steps VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
PUT_STEP = "INSERT OR REPLACE INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
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
