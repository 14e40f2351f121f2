"""From settings to an open client, and to the company that is meant."""

from __future__ import annotations

import sys

from bcpicture import BusinessCentral
from bcpicture.cli.options import Connection
from bcpicture.core.settings import Settings
from bcpicture.errors import ConfigurationError
from bcpicture.net.connect import tls_with_authority
from bcpicture.net.settings_files import load_settings
from bcpicture.resources.companies import CompanyHandle


def settings_of(connection: Connection, company: str | None = None) -> Settings:
    """Gather the settings of a command, reading standard input if one says so."""
    return load_settings(connection.flags(company), stdin=sys.stdin)


def connect(settings: Settings) -> BusinessCentral:
    """Return the client that the settings describe, not open yet."""
    return BusinessCentral(
        settings.endpoint(),
        settings.credential(),
        tls=tls_with_authority(settings.ca_file),
        trust_env=True,
    )


async def company_of(bc: BusinessCentral, settings: Settings) -> CompanyHandle:
    """Return the company that the settings name, or else the only one there is."""
    if settings.company:
        company = bc.company(settings.company)
        await company.info()
        return company
    names = [company.name async for company in bc.companies]
    if len(names) == 1:
        return bc.company(names[0])
    known = ", ".join(f'"{name}"' for name in names)
    raise ConfigurationError(
        f"Which company? The environment has {len(names)}: {known}.",
        advice="Say it with --company, or set BCPICTURE_COMPANY.",
    )
