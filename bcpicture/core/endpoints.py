"""Where a Business Central is: every address form, as one frozen value.

The version right after the host (``/v2.0/…``) is for routing, the one after ``/api/``
is the API's; they are independent (Microsoft, "Endpoints for the APIs").
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Self

import attrs
from yarl import URL

from bcpicture.core.addresses import is_loopback, parsed, segment
from bcpicture.core.dialects import BETA, DIALECTS, GRAPH, Dialect
from bcpicture.core.guards import clean
from bcpicture.core.quota import CLOUD, SELF_HOSTED, Quota
from bcpicture.errors import ConfigurationError

CLOUD_HOST = URL("https://api.businesscentral.dynamics.com")
_CLOUD_VERSIONS = ("v2.0", "v1.0")


def _dialect(base: URL, api: str | None) -> Dialect:
    told = next(
        (one for one in DIALECTS.values() if base.raw_path.endswith(one.tails)), None
    )
    if api is None:
        if told is None:
            raise ConfigurationError(
                f"The address {str(base)!r} does not tell its API version.",
                advice=(
                    "Let it end in /api/v2.0 (or /api/v1.0, /api/beta), "
                    "or say api='v2.0'."
                ),
            )
        return told
    if api not in DIALECTS:
        raise ConfigurationError(
            f"There is no API version {api!r}.",
            advice=f"The versions are: {', '.join(DIALECTS)}.",
        )
    if told is not None and told is not DIALECTS[api]:
        raise ConfigurationError(
            f"The address ends in the API version {told.name}, yet {api} is asked for.",
            advice="Change one of the two.",
        )
    return DIALECTS[api]


@attrs.frozen(kw_only=True)
class Endpoint:
    """The address of one environment, and how its API version speaks."""

    base: URL
    """Address of the API, up to and with its version, without a trailing slash."""

    dialect: Dialect = attrs.field(repr=lambda dialect: str(dialect.name))
    """What is particular to the API version."""

    tenant: str | None = None
    """Microsoft Entra tenant, a GUID or a domain; None where the credential knows."""

    scope: str = attrs.field(default="", repr=False)
    """OAuth scope that a token needs; the dialect's own unless given."""

    query: tuple[tuple[str, str], ...] = ()
    """What goes with every address, such as an on-premises ``tenant``."""

    quota: Quota = attrs.field(default=CLOUD, repr=False)
    """What the server allows one user."""

    plain_http: bool = attrs.field(default=False, repr=False)
    """Whether credentials may travel unencrypted to another machine."""

    root: str = attrs.field(init=False, repr=False, eq=False)
    """`base` as text, since every address begins with it."""

    # Asking has to wait, which nothing down here does: a higher floor comes by.
    detector: ClassVar[Callable[..., Awaitable[Endpoint]] | None] = None

    @root.default
    def _root(self) -> str:
        return str(self.base)

    def __attrs_post_init__(self) -> None:
        if self.tenant is not None:
            segment(self.tenant, "tenant")
        if not self.scope:
            object.__setattr__(self, "scope", self.dialect.scope)
        if self.base.scheme == "http" and not self.plain_http:
            self._require_loopback()

    def _require_loopback(self) -> None:
        if not is_loopback(self.base.host):
            raise ConfigurationError(
                f"Credentials would travel to {self.base.host} unencrypted.",
                advice="Use https, or say plain_http=True if the network is yours.",
            )

    @property
    def origin(self) -> URL:
        """Scheme, host and port: the only place where the token may go."""
        return self.base.origin()

    @property
    def listed(self) -> bool:
        """Whether it has the form of the online service, which lists environments."""
        routing = self.base.raw_path.strip("/").partition("/")[0]
        return routing in _CLOUD_VERSIONS and "/api/" in self.root

    @property
    def environment(self) -> str:
        """What the quota is for: the address without the API and its version."""
        return self.root.rsplit("/api/", 1)[0]

    @classmethod
    def cloud(
        cls,
        tenant: str | None = None,
        environment: str = "Production",
        *,
        api: str = "v2.0",
        host: str | URL = CLOUD_HOST,
    ) -> Self:
        """The online service.

        Args:
            tenant: Entra tenant (GUID or domain). Without it the address is the
                common one, and the credential has to name the tenant.
            environment: Its name, as the admin center shows it.
            api: ``v2.0`` or ``v1.0``.
            host: For embed apps: ``https://{family}.api.bc.dynamics.com``.
        """
        if api not in _CLOUD_VERSIONS:
            raise ConfigurationError(
                f"The online service has no API {api!r}.",
                advice="It has v2.0, and v1.0 in older versions.",
            )
        parts = [segment(tenant, "tenant")] if tenant else []
        parts.append(segment(environment, "environment"))
        root = parsed(host)
        if root.query_string:
            raise ConfigurationError(
                "The host has a query.", advice="Give scheme and host alone."
            )
        base = URL(f"{root}/v2.0/{'/'.join(parts)}/api/{api}", encoded=True)
        return cls(base=base, dialect=_dialect(base, api), tenant=tenant)

    @classmethod
    def on_premises(
        cls,
        host: str,
        *,
        port: int = 7048,
        instance: str = "BC",
        tenant: str | None = None,
        api: str = "v2.0",
        plain_http: bool = False,
    ) -> Self:
        """A server of one's own, or a container.

        Args:
            host: Its name or IP address.
            port: Of the OData services.
            instance: Name of the server instance.
            tenant: Database tenant, sent as ``?tenant=`` with every request.
            api: ``v2.0``, ``v1.0`` or ``beta``.
            plain_http: Speak http; credentials then travel unencrypted.
        """
        scheme = "http" if plain_http else "https"
        path = f"/{segment(instance, 'instance')}/api/{api}"
        clean(host, "host")
        try:
            root = URL.build(scheme=scheme, host=host, port=port)
            base = URL(f"{root}{path}", encoded=True)
        except (ValueError, TypeError):
            base = URL()
        if not host or base.port != port or not 0 < port < 65536:
            raise ConfigurationError(
                f"The host {host!r} with port {port!r} is no address.",
                advice="Give the bare name, such as bc.example.com, and 1 to 65535.",
            )
        query = (("tenant", clean(tenant, "tenant")),) if tenant else ()
        return cls(
            base=base,
            dialect=_dialect(base, api),
            query=query,
            quota=SELF_HOSTED,
            plain_http=plain_http,
        )

    @classmethod
    def legacy(cls, tenant: str | None = None) -> Self:
        """The address of the beta API, before environments had names.

        Microsoft removed it in 2021; it is here for servers that still answer it.
        """
        base = CLOUD_HOST / "v1.0/api/beta"
        return cls(base=base, dialect=BETA, tenant=tenant)

    @classmethod
    def graph(cls, tenant: str | None = None) -> Self:
        """Business Central behind Microsoft Graph: beta's facts, Graph's scope."""
        base = URL("https://graph.microsoft.com/v1.0/businesscentral")
        return cls(base=base, dialect=GRAPH, tenant=tenant)

    @classmethod
    def detect(
        cls,
        url: str | URL,
        credential: object = None,
        **options: Any,  # noqa: ANN401 - of an endpoint, and of a client
    ) -> Awaitable[Endpoint]:
        """The newest API at an address: v2.0, else v1.0. To be awaited.

        Args:
            url: Up to the server instance or environment, or longer.
            credential: Who asks. Without one, a server that wants to know counts as
                there.
            options: Of `at`, and the ``session``, ``tls`` or ``proxy`` of a client.

        Raises:
            ApiSwitchedOffError: There is a server, and its APIs are switched off.
            MissingError: There is none of the two APIs.
            AuthenticationError: The credential is not accepted.
        """
        if cls.detector is None:
            raise ConfigurationError(
                "Nobody is here who could ask.", advice="Import bcpicture first."
            )
        return cls.detector(url, credential, **options)

    @classmethod
    def at(
        cls,
        url: str | URL,
        *,
        api: str | None = None,
        tenant: str | None = None,
        scope: str = "",
        quota: Quota = SELF_HOSTED,
        plain_http: bool = False,
    ) -> Self:
        """Any other base address.

        Args:
            url: Up to the API version; a query such as ``?tenant=`` is kept.
            api: Its version, where the end of the address does not tell.
            tenant: Entra tenant, for credentials that do not name one.
            scope: OAuth scope, where it is not the usual one.
            quota: What the server allows one user.
            plain_http: Allow http to another machine.
        """
        base = parsed(url)
        return cls(
            base=base.with_query(None),
            dialect=_dialect(base, api),
            tenant=tenant,
            scope=scope,
            query=tuple(base.query.items()),
            quota=quota,
            plain_http=plain_http,
        )
