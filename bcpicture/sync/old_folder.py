"""What lies in a folder."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from bcpicture.core.pairing import LocalFile
from bcpicture.errors import SourceError


async def scan(folder: str | Path) -> list[LocalFile]:
    """List the files of a folder by name, without those below it and hidden ones.

    Raises:
        SourceError: It is not there, no folder, or may not be read.
    """
    return await asyncio.to_thread(_scan, os.fspath(folder))


def _scan(folder: str) -> list[LocalFile]:
    try:
        with os.scandir(folder) as entries:
            files = [_local(entry) for entry in entries if _counts(entry)]
    except OSError as exc:
        raise SourceError(
            f"The folder {folder} cannot be read: {exc.strerror}.",
            advice="Name the folder that holds the pictures.",
        ) from exc
    return sorted(files, key=lambda file: file.name)


def _counts(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and entry.is_file()


def _local(entry: os.DirEntry[str]) -> LocalFile:
    return LocalFile(path=entry.path, name=entry.name, size=entry.stat().st_size)
