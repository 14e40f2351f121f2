"""Settings as they lie about: in variables, a TOML file, and secrets' own files.

Reading them is plain file I/O that happens once, before anything runs.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

import attrs

from bcpicture.core.layers import resolve
from bcpicture.core.settings import Setting, Settings, variable
from bcpicture.errors import ConfigurationError

STANDARD_INPUT = "-"
"""Given as a secret's file, it means standard input."""

_FILE_RANK = 2


def load_settings(
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    stdin: TextIO | None = None,
) -> Settings:
    """Gather the settings, and read the files that they name.

    Args:
        flags: Settings by name that win over everything, and ``config``, the path of
            a settings file.
        environ: The environment; None for the process's own.
        stdin: What a secret's file ``-`` means; without it that is refused.

    Raises:
        ConfigurationError: A file cannot be read, or a setting is wrong.
    """
    flags = dict(flags or {})
    environ = os.environ if environ is None else environ
    config = flags.pop("config", None) or environ.get(variable("config"))
    path = Path(str(config)) if config else None
    table = _toml(path) if path else {}
    settings = resolve(flags, environ, table, file_name=str(path))
    if path:
        settings = _beside(settings, path.parent)
    for name, setting in settings.secret_files().items():
        text, origin = _secret(setting, stdin)
        settings = settings.with_secret(name, text, origin)
    return settings


def _toml(path: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(_read(path, "settings file"))
    except tomllib.TOMLDecodeError as exc:
        raise ConfigurationError(
            f"{path} is no TOML: {exc}.",
            advice='Write lines such as url = "https://…" below [connection].',
        ) from exc


def _beside(settings: Settings, folder: Path) -> Settings:
    """Take the paths that the settings file names from that file's folder."""
    moved = {
        name: attrs.evolve(one, value=str(folder / one.value))
        for name, one in settings.found.items()
        if name.endswith("_file") and one.rank == _FILE_RANK
    }
    return Settings({**settings.found, **moved})


def _secret(setting: Setting, stdin: TextIO | None) -> tuple[str, str]:
    if setting.value != STANDARD_INPUT:
        return _read(Path(setting.value), "secret's file"), setting.value
    if stdin is None:
        raise ConfigurationError(
            f"A secret is to come from standard input, says {setting.origin}.",
            advice="Name a file: only the command line reads standard input.",
        )
    return stdin.readline(), "standard input"


def _read(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as exc:
        raise ConfigurationError(
            f"The {what} {path} is not UTF-8 text.", advice="Save it as UTF-8."
        ) from exc
    except OSError as exc:
        raise ConfigurationError(
            f"The {what} {path} cannot be read: {exc.strerror}.",
            advice="Check its path and its permissions.",
        ) from exc
