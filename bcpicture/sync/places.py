"""Where the journals, locks and backups of this machine lie."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import attrs

from bcpicture.core.ledger import JournalTarget
from bcpicture.errors import JournalError, UsageError

VARIABLE = "BCPICTURE_STATE_DIR"
"""Names the state directory, if nothing else does."""

_NAME = "bcpicture"
_LONGEST_PART = 24
_DIGITS = 12


@attrs.frozen(kw_only=True)
class Place:
    """Where everything lies that belongs to one `JournalTarget`."""

    folder: Path
    """It has the following, and nothing else."""

    @property
    def journal(self) -> Path:
        """The database."""
        return self.folder / "journal.sqlite"

    @property
    def lock(self) -> Path:
        """The file that says who works with it."""
        return self.folder / "lock"

    @property
    def backups(self) -> Path:
        """The folder of pictures that were replaced."""
        return self.folder / "backups"


def state_folder(
    given: str | os.PathLike[str] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    platform: str = sys.platform,
) -> Path:
    """The state directory.

    Args:
        given: What somebody chose; it wins over everything.
        environ: The environment; None for the process's own.
        platform: As `sys.platform` names it.
    """
    environ = os.environ if environ is None else environ
    chosen = given or environ.get(VARIABLE)
    return Path(chosen).expanduser() if chosen else _usual(environ, platform)


def _usual(environ: Mapping[str, str], platform: str) -> Path:
    if platform == "win32":
        local = environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / _NAME
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support" / _NAME
    state = environ.get("XDG_STATE_HOME", "")
    # A relative one is to be ignored, says the XDG Base Directory Specification.
    base = Path(state) if Path(state).is_absolute() else Path.home() / ".local/state"
    return base / _NAME


def place_of(root: Path, target: JournalTarget) -> Place:
    """Where the things of *target* lie: a name for people, and a digest for the rest.

    The company's name is no part of the digest, and a renamed one keeps its journal
    under the name that it had; see `find_place`.
    """
    return Place(folder=root / f"{_slug(target)}-{_digest(target)}")


def find_place(root: Path, target: JournalTarget) -> Place:
    """Where the things of *target* lie already, else where they are to lie."""
    found = sorted(root.glob(f"*-{_digest(target)}"))
    return Place(folder=found[0]) if found else place_of(root, target)


def _digest(target: JournalTarget) -> str:
    where = (target.endpoint, target.tenant, target.environment)
    identity = "\0".join((*where, target.company_id, target.parent))
    return hashlib.sha256(identity.encode()).hexdigest()[:_DIGITS]


def _slug(target: JournalTarget) -> str:
    words = (target.company, target.environment, target.parent)
    parts = (re.sub(r"[^a-z0-9]+", "-", word.lower()) for word in words)
    return "-".join(filter(None, (it.strip("-")[:_LONGEST_PART] for it in parts)))


def prepare(root: Path, target: JournalTarget, *pictures: Path) -> Place:
    """Make the place of *target*, for the user alone.

    Args:
        root: The state directory.
        target: Whose pictures.
        pictures: Folders that are pushed or pulled.

    Raises:
        UsageError: The state directory lies among the pictures, or they in it.
        JournalError: It cannot be made.
    """
    for folder in pictures:
        require_apart(root, folder)
    try:
        make_private(root)
        place = find_place(root, target)
        make_private(place.folder)
        make_private(place.backups)
    except OSError as exc:
        raise JournalError(
            f"The state directory {root} cannot be used: {exc.strerror}.",
            advice=f"Choose another with `--state-dir` or {VARIABLE}.",
        ) from exc
    return place


def require_apart(root: Path, pictures: Path) -> None:
    """Refuse a state directory among the pictures, or pictures in it.

    Raises:
        UsageError: So it is. What mirrors the pictures would mirror, or delete, it.
    """
    state, folder = root.resolve(), pictures.resolve()
    if state.is_relative_to(folder) or folder.is_relative_to(state):
        raise UsageError(
            f"The state directory {root} and the pictures in {pictures} lie one in "
            "the other.",
            advice="Choose another state directory with `--state-dir`.",
        )


def make_private(folder: Path) -> None:
    """Make a folder that nobody else can read; one that is there stays as it is."""
    if not folder.is_dir():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flush_folder(folder.parent)


def flush_folder(folder: Path) -> None:
    """Have the disk remember which files a folder has."""
    if sys.platform == "win32":
        return  # a folder cannot be opened there, and need not be
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
