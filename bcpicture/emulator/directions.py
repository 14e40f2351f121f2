"""How to reach an emulator, and with which credentials."""

import ipaddress
from pathlib import Path

import attrs

from bcpicture.emulator.identity import (
    CLIENT_ID,
    CLIENT_SECRET,
    KEY,
    SCOPE,
    TENANT,
    USER,
)
from bcpicture.emulator.options import Options

PATHS = {
    "v2.0": "/v2.0/Production/api/v2.0",
    "v1.0": "/v2.0/Production/api/v1.0",
    "beta": "/v1.0/api/beta",
    "graph": "/v1.0/businesscentral",
}


@attrs.define(kw_only=True, eq=False)
class Directions(Options):
    """All that a client must know of a running emulator."""

    ca_path: Path | None = attrs.field(init=False, default=None)
    """The certificate that clients must trust; None without TLS."""

    _port: int = attrs.field(init=False, default=0, repr=False)

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{reachable(self.host)}:{self._port}"

    @property
    def base_urls(self) -> dict[str, str]:
        """The service root of every API version that is there."""
        return {api: self.url + path for api, path in PATHS.items() if api in self.apis}

    @property
    def authority(self) -> str:
        """The authority host for identity libraries."""
        return self.url

    @property
    def token_url(self) -> str:
        """The token endpoint."""
        return self.tenant_token_url(self.tenant)

    def tenant_url(
        self, tenant: str, environment: str = "Production", api: str = "v2.0"
    ) -> str:
        """The service root of a tenant, which its address names."""
        return f"{self.url}/v2.0/{tenant}/{environment}/api/{api}"

    def tenant_token_url(self, tenant: str) -> str:
        """The token endpoint of a tenant."""
        return f"{self.url}/{tenant}/oauth2/v2.0/token"

    @property
    def tenant(self) -> str:
        """The tenant's GUID."""
        return TENANT

    @property
    def client_id(self) -> str:
        """The app registration."""
        return CLIENT_ID

    @property
    def client_secret(self) -> str:
        """Its secret."""
        return CLIENT_SECRET

    @property
    def scope(self) -> str:
        """What tokens are asked for."""
        return SCOPE

    @property
    def user(self) -> str:
        """The on-premises user."""
        return USER

    @property
    def key(self) -> str:
        """The user's web service access key."""
        return KEY

    def connection(self) -> dict[str, object]:
        """All that a client needs, as JSON values."""
        return {
            "base_urls": self.base_urls,
            "token_url": self.token_url,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "scope": self.scope,
            "tenant": self.tenant,
            "user": self.user,
            "key": self.key,
            "ca": str(self.ca_path) if self.ca_path else None,
        }


def reachable(host: str) -> str:
    """Where clients of this machine find somebody who listens at a host."""
    if not host:
        return "127.0.0.1"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        address = ipaddress.ip_address("127.0.0.1" if address.version == 4 else "::1")
    return f"[{address}]" if address.version == 6 else str(address)
