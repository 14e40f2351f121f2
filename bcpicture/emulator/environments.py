"""``GET /environments/v1.2``: which environments a tenant has."""

import re

from bcpicture.emulator.answers import Answers
from bcpicture.emulator.options import Options
from bcpicture.emulator.reply import Reply, json_reply

_PATH = re.compile(r"/environments/(v1\.1|v1\.2)/?")


def version_of(path: str) -> str | None:
    """The version of the list that a path asks for; None: the path is no list."""
    found = _PATH.fullmatch(path)
    return found.group(1) if found else None


def listed(options: Options, *, version: str, tenant: str, origin: str) -> Reply:
    """The environments of a tenant.

    Args:
        options: How the emulator was set up.
        version: Of the list.
        tenant: The tenant's GUID.
        origin: Where the client reached the emulator.
    """
    rows = [
        _row(name, options.answers, tenant=tenant, origin=origin)
        for name in options.environments
    ]
    if version != "v1.1":
        rows = [row | {"ringName": "Production"} for row in rows]
    return json_reply(200, {"value": rows})


def _row(name: str, answers: Answers, *, tenant: str, origin: str) -> dict[str, object]:
    service = origin
    if answers.web_service_url == "api":
        service = f"{origin}/v2.0/{name}/api/v2.0"
    return {
        "aadTenantId": tenant,
        "applicationFamily": "BusinessCentral",
        "type": "Sandbox" if "sandbox" in name.lower() else "Production",
        "name": name,
        "countryCode": "US",
        "webServiceUrl": service,
        "webClientLoginUrl": f"{origin}/{tenant}/{name}",
    }
