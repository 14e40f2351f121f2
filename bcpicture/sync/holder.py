"""Who works with a journal, as a value, and as the text of its lock file."""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import attrs

from bcpicture.errors import LockedError

SILENT = timedelta(minutes=1)
"""Without a sign of life for so long, something is wrong with the owner."""


@attrs.frozen(kw_only=True)
class Holder:
    """Who works with a journal."""

    host: str
    """Name of the machine."""

    boot: str = ""
    """Which start of that machine; empty where it cannot be told."""

    pid: int
    """Number of the process."""

    command: str
    """What it does, as people call it."""

    started: datetime
    """By that machine's clock."""

    beat: datetime
    """Its last sign of life, by that machine's clock."""

    monotonic: float
    """The same on the clock that nobody can set, in seconds since some start."""

    @classmethod
    def me(cls, command: str, now: datetime, monotonic: float) -> Self:
        """This process."""
        return cls(
            host=socket.gethostname(),
            boot=_boot(),
            pid=os.getpid(),
            command=command,
            started=now,
            beat=now,
            monotonic=monotonic,
        )

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The one that a lock file tells of; None if it tells nothing of use."""
        try:
            told = json.loads(text)
            return cls(
                host=str(told["host"]),
                boot=str(told["boot"]),
                pid=int(told["pid"]),
                command=str(told["command"]),
                started=datetime.fromisoformat(told["started"]),
                beat=datetime.fromisoformat(told["beat"]),
                monotonic=float(told["monotonic"]),
            )
        except (ValueError, KeyError, TypeError):
            return None

    def text(self) -> str:
        """What stands in the lock file."""
        told = attrs.asdict(self)
        for name in ("started", "beat"):
            told[name] = told[name].isoformat()
        return json.dumps(told, ensure_ascii=False, indent=1)

    @property
    def gone(self) -> bool:
        """Whether the process has ended without a word; False where nobody can tell."""
        if not self.boot or self.boot != _boot():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False  # it is somebody else's
        return False

    def silent(self, now: datetime, monotonic: float) -> timedelta:
        """How long there was no sign of life."""
        if self.boot and self.boot == _boot():
            return timedelta(seconds=monotonic - self.monotonic)
        return now - self.beat


def _boot() -> str:
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    return ""


def locked(
    path: Path, holder: Holder | None, now: datetime, monotonic: float
) -> LockedError:
    """The error for a journal that another process works with."""
    what = f"Another process works with the journal in {path.parent}"
    if holder is None:
        return LockedError(f"{what}.", advice="Wait for its end, then run it again.")
    advice = "Wait for its end, or stop it; then run it again."
    silent = holder.silent(now, monotonic)
    if silent > SILENT:
        advice = f"It has shown no sign of life for {_rounded(silent)}. {advice}"
    since = holder.started.astimezone().isoformat(" ", "seconds")
    who = f'"{holder.command}", process {holder.pid} on {holder.host}'
    return LockedError(f"{what}: {who}, since {since}.", advice=advice)


def _rounded(time: timedelta) -> str:
    return str(timedelta(seconds=round(time.total_seconds())))
