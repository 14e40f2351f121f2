"""The options that commands share. Secrets have none: a flag shows in process lists."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import attrs
from cyclopts import Group, Parameter

from bcpicture.errors import ConfigurationError
from bcpicture.net.settings_files import STANDARD_INPUT

_CONNECTION = Group("Connection", sort_key=8)
_OUTPUT = Group("Output", sort_key=9)


@Parameter(name="*", group=_CONNECTION, show_default=False)
@attrs.frozen(kw_only=True)
class Connection:
    """Which Business Central, and who asks.

    A flag wins over its variable, ``BCPICTURE_`` and its name in capitals, and that
    over the settings file.
    """

    url: str | None = None
    """Address of the API, such as https://bc.example.com:7048/BC/api/v2.0."""

    tenant: str | None = None
    """Microsoft Entra tenant, or on-premises the database tenant."""

    environment: str | None = None
    """Environment of the online service, such as Production."""

    api: str | None = None
    """API version: v2.0 (default), v1.0 or beta."""

    host: str | None = None
    """Name of an on-premises server."""

    port: int | None = None
    """Its OData port (default 7048)."""

    instance: str | None = None
    """Its server instance (default BC)."""

    plain_http: bool | None = None
    """Send credentials unencrypted to another machine."""

    client_id: str | None = None
    """Application (client) id."""

    client_secret_file: Path | None = None
    """File with the client secret."""

    client_secret_stdin: bool = False
    """Read the client secret from standard input."""

    authority: str | None = None
    """Address of the identity provider, for sovereign clouds."""

    token_url: str | None = None
    """Address of the token endpoint, instead of authority and tenant."""

    scope: str | None = None
    """OAuth scope, where it is not the usual one."""

    token_file: Path | None = None
    """File with a bearer token, instead of a client secret."""

    user: str | None = None
    """On-premises user."""

    key_file: Path | None = None
    """File with that user's web service access key."""

    ca_file: Path | None = None
    """File with the certificate authorities to trust."""

    config: Path | None = None
    """Settings file in TOML, with the table [connection]."""

    def flags(self, company: str | None = None) -> Mapping[str, object]:
        """Return what was given, by setting's name."""
        given = attrs.asdict(self)
        if given.pop("client_secret_stdin"):
            if self.client_secret_file is not None:
                raise ConfigurationError(
                    "The client secret comes from a file, and from standard input.",
                    advice="Take --client-secret-file or --client-secret-stdin away.",
                )
            given["client_secret_file"] = STANDARD_INPUT
        return {**given, "company": company}


@Parameter(name="*", group=_OUTPUT, show_default=False)
@attrs.frozen(kw_only=True)
class Output:
    """How to tell what happens."""

    as_json: Annotated[bool, Parameter(name="--json")] = False
    """Print JSON lines for machines."""

    debug: bool = False
    """Print the traceback of an error."""


NO_FLAGS = Connection()
PLAIN = Output()

Company = Annotated[
    str | None, Parameter(help="Name or id of the company (BCPICTURE_COMPANY).")
]
Number = Annotated[str, Parameter(help="The item's number, such as 1896-S.")]
Source = Annotated[Path, Parameter(help="Folder that holds the pictures.")]
Sink = Annotated[Path, Parameter(help="Folder to write to; made if it is not there.")]
Verbose = Annotated[
    bool,
    Parameter(
        help="Print every name, and a line for every picture.",
        group=_OUTPUT,
        show_default=False,
    ),
]
