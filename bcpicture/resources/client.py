"""The client: opens and closes what it needs, and hands out companies."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from types import TracebackType
from typing import NoReturn, Self
from uuid import UUID

import aiohttp
import attrs

from bcpicture.core.credentials import ClientSecret
from bcpicture.core.endpoints import Endpoint
from bcpicture.core.models import Company, Environment
from bcpicture.core.oauth import token_url
from bcpicture.core.quota import Quota, QuotaUse
from bcpicture.core.retries import RetryPolicy
from bcpicture.errors import ClosedError, UsageError
from bcpicture.net.commons import Commons
from bcpicture.net.connect import open_http, proxy_for, tls_with_authority
from bcpicture.net.lanes import Lane, Lanes
from bcpicture.net.observers import Observer, Observers
from bcpicture.net.reporter import Reporter
from bcpicture.net.session import Session
from bcpicture.net.signers import (
    Credential,
    CredentialPool,
    make_signer,
    members_of,
    principal,
    token_session,
)
from bcpicture.net.transport import Transport
from bcpicture.net.tries import Statistics
from bcpicture.net.watchdog import Timeouts
from bcpicture.resources.companies import Companies, CompanyHandle
from bcpicture.resources.directory import Directory
from bcpicture.resources.discovery import environments
from bcpicture.resources.references import CompanyRef

_KEPT_HANDLES = 256
"""Handles of companies that are kept for the next call."""


@attrs.define(eq=False, slots=False)
class BusinessCentral:
    """One environment of Business Central, as one principal sees it.

    An async context manager; what it opens, it closes. One instance serves any number
    of tasks of one event loop.
    """

    endpoint: Endpoint
    """Where it is."""

    credential: Credential | CredentialPool = attrs.field(repr=False)
    """Who asks: `ClientSecret`, `StaticToken`, `BasicKey`, a credential of
    azure-identity, something to call for a token, or a `CredentialPool` of these."""

    session: aiohttp.ClientSession | None = attrs.field(
        default=None, kw_only=True, repr=False
    )
    """Connections that somebody else opened, and closes; None to open own ones."""

    retries: RetryPolicy = attrs.field(factory=RetryPolicy, kw_only=True, repr=False)
    """How often, and for how long, a failed request is repeated."""

    timeouts: Timeouts = attrs.field(factory=Timeouts, kw_only=True, repr=False)
    """How long nothing may happen."""

    quota: Quota | None = attrs.field(default=None, kw_only=True, repr=False)
    """What the service allows; None to take the endpoint's."""

    reserve: float = attrs.field(default=0.0, kw_only=True, repr=False)
    """Share of the quota, from 0 to 1, that bulk work leaves to other callers."""

    tls: ssl.SSLContext | None = attrs.field(default=None, kw_only=True, repr=False)
    """Private authorities and client certificates; None for the system's."""

    proxy: str | None = attrs.field(default=None, kw_only=True, repr=False)
    """Address of a proxy; None for none."""

    trust_env: bool = attrs.field(default=False, kw_only=True, repr=False)
    """Take the proxy from the environment, looked up once."""

    hooks: Sequence[Observer] = attrs.field(default=(), kw_only=True, repr=False)
    """Observers, sync or async, that are told every event."""

    queue_wait: float | None = attrs.field(default=None, kw_only=True, repr=False)
    """Seconds to wait for a place in the quota; None for as long as it takes."""

    _exits: AsyncExitStack = attrs.field(factory=AsyncExitStack, init=False, repr=False)
    _directory: Directory | None = attrs.field(default=None, init=False, repr=False)

    # Most programs name the same company again and again.
    _handles: dict[object, CompanyHandle] = attrs.field(
        factory=dict, init=False, repr=False
    )

    # What a view opens is closed by the client that it comes from.
    _origin: BusinessCentral | None = attrs.field(default=None, init=False, repr=False)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """A client by the same settings as the command line's.

        They are ``BCPICTURE_*`` variables, and a TOML file that one of them names.

        Raises:
            ConfigurationError: One is missing, malformed, or contradicts another.
        """
        # Not for everybody: TOML and all that costs a tenth of `import bcpicture`.
        from bcpicture.net.settings_files import load_settings

        settings = load_settings(environ=os.environ if environ is None else environ)
        return cls(
            settings.endpoint(),
            settings.credential(),
            tls=tls_with_authority(settings.ca_file),
            trust_env=True,
        )

    # -- opening and closing

    async def __aenter__(self) -> Self:
        if self._directory is not None:
            raise ClosedError("The client is open already.", advice="Open it once.")
        if self.session is not None and self.tls is not None:
            raise UsageError(
                "tls= has no effect on connections that somebody else opened.",
                advice="Give it to the connector of the lent session.",
            )
        async with AsyncExitStack() as stack:
            http = self.session
            if http is None:
                http = await stack.enter_async_context(open_http(self.tls))
            endpoint = self.endpoint
            if self.quota is not None:
                endpoint = attrs.evolve(endpoint, quota=self.quota)
            self._directory = Directory(self._connect(http, stack), endpoint)
            self._exits = stack.pop_all()
        return self

    def _connect(self, http: aiohttp.ClientSession, stack: AsyncExitStack) -> Session:
        """Put together what sends the requests; *stack* takes it apart again."""
        commons = Commons.enter(http)
        stack.push_async_callback(commons.leave)
        commons.watchdog.look_every(self.timeouts.every)
        proxy = self.proxy
        if proxy is None and self.trust_env:
            proxy = proxy_for(self.endpoint.base)
        reporter = Reporter(self._observers(self.hooks, stack))
        session = Session(
            transport=Transport(
                http=http,
                timeouts=self.timeouts,
                watchdog=commons.watchdog,
                proxy=proxy,
                own=self.session is None,
            ),
            lanes=Lanes([], reporter.set_aside),
            policy=self.retries,
            queue_wait=self.queue_wait,
            reporter=reporter,
        )
        stack.callback(session.lanes.close)
        session.lanes.members = self._lanes(commons, token_session(session))
        return session

    def _lanes(self, commons: Commons, tokens: Session) -> list[Lane]:
        """One way to the service for each principal."""
        lanes = []
        for number, credential in enumerate(members_of(self.credential), 1):
            who = principal(credential, self.endpoint)
            quota = self.quota or self.endpoint.quota
            if self.trust_env and isinstance(credential, ClientSecret):
                tokens = self._by_its_own_proxy(tokens, credential)
            signer = commons.signer(
                who, partial(make_signer, credential, self.endpoint, tokens)
            )
            governor = commons.governor(
                (who, self.endpoint.environment), quota, self.reserve
            )
            lanes.append(Lane(f"member {number} of the pool", signer, governor))
        return lanes

    def _by_its_own_proxy(self, tokens: Session, credential: ClientSecret) -> Session:
        """The environment may name another proxy for the identity provider."""
        proxy = self.proxy or proxy_for(token_url(credential, self.endpoint))
        transport = attrs.evolve(tokens.transport, proxy=proxy)
        return attrs.evolve(tokens, transport=transport)

    @staticmethod
    def _observers(
        hooks: Sequence[Observer], stack: AsyncExitStack
    ) -> Observers | None:
        if not hooks:
            return None
        observers = Observers(hooks)
        stack.push_async_callback(observers.aclose)
        return observers

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close what was opened; a lent session stays open. Twice is fine."""
        self._directory = None
        self._handles.clear()
        await self._exits.aclose()

    def __enter__(self) -> NoReturn:
        """Tell that it is asynchronous."""
        raise TypeError("BusinessCentral is asynchronous: did you mean `async with`?")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Never: `__enter__` raises."""

    # -- what it is for

    def _opened(self) -> Directory:
        directory = self._directory
        if directory is None or directory.session.lanes.closed:
            raise ClosedError(
                "The client is not open.",
                advice="Use it inside `async with BusinessCentral(...) as bc:`.",
            )
        return directory

    @property
    def companies(self) -> Companies:
        """All companies: ``async for company in bc.companies``."""
        return Companies(self._opened())

    def company(self, company: str | UUID | Company) -> CompanyHandle:
        """One company, by its name, its id, or a value that a query returned."""
        directory = self._opened()
        known = self._handles.get(company) if isinstance(company, str) else None
        if known is None:
            known = CompanyHandle(CompanyRef.of(directory, company))
            if isinstance(company, str) and len(self._handles) < _KEPT_HANDLES:
                self._handles[company] = known
        return known

    async def environments(self) -> tuple[Environment, ...]:
        """The environments of the tenant, where the online service lists them.

        Raises:
            UsageError: The endpoint is not the online service.
        """
        return await environments(self._opened())

    def with_options(
        self,
        *,
        retries: RetryPolicy | None = None,
        timeouts: Timeouts | None = None,
        queue_wait: float | None = None,
        bulk: bool = False,
        hooks: Sequence[Observer] | None = None,
    ) -> Self:
        """The same client for other demands; it shares everything else.

        It is closed with the client that it comes from.

        Args:
            retries: Another patience.
            timeouts: Other time-outs.
            queue_wait: Seconds to wait for a place in the quota at most.
            bulk: Stand behind all others, and leave them the client's reserve.
            hooks: Other observers.
        """
        directory, origin = self._opened(), self._origin or self
        session = directory.session
        transport, reporter = session.transport, session.reporter
        if timeouts is not None:
            transport = attrs.evolve(transport, timeouts=timeouts)
            transport.watchdog.look_every(timeouts.every)
        if hooks is not None:
            reporter = Reporter(self._observers(hooks, origin._exits))  # noqa: SLF001 - of our own class
        view = attrs.evolve(self)
        view._origin = origin  # noqa: SLF001 - likewise
        view._directory = directory.through(  # noqa: SLF001 - likewise
            attrs.evolve(
                session,
                transport=transport,
                reporter=reporter,
                policy=retries or session.policy,
                queue_wait=session.queue_wait if queue_wait is None else queue_wait,
                bulk=bulk or session.bulk,
            )
        )
        return view

    @property
    def statistics(self) -> Statistics:
        """What it has done so far; a copy, which does not change any more."""
        return attrs.evolve(self._opened().session.statistics)

    @property
    def quota_use(self) -> QuotaUse:
        """How busy it is at this moment, and how much more it may do."""
        return self._opened().session.lanes.use
