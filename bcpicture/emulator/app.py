"""The whole way of a request: fault, identity, quota, route, reply, log."""

from email.utils import formatdate

from aiohttp import hdrs, web

from bcpicture.emulator import batch, entra, environments, routes, strikes
from bcpicture.emulator.address import Address, check_length, understand
from bcpicture.emulator.blobs import Blobs
from bcpicture.emulator.exchange import Exchange
from bcpicture.emulator.faults import Fault, Faults
from bcpicture.emulator.identity import Caller, Identity, tenant_guid
from bcpicture.emulator.message import CutError, readable, relative
from bcpicture.emulator.options import Options
from bcpicture.emulator.patience import Patience
from bcpicture.emulator.problems import (
    ServiceError,
    bad_request,
    no_environment,
    unauthorized,
)
from bcpicture.emulator.query import decode, split_query
from bcpicture.emulator.quota import Gate, TooManyRequestsError
from bcpicture.emulator.reply import Reply, error_reply
from bcpicture.emulator.seen import Log
from bcpicture.emulator.sending import Answer, Severed
from bcpicture.emulator.service import Call, Service
from bcpicture.emulator.work import Work

CHALLENGES = 'Bearer realm=""'


class App:
    """Answers every request of one emulator."""

    def __init__(
        self,
        service: Service,
        *,
        identity: Identity,
        faults: Faults,
        gate: Gate,
        log: Log,
        patience: Patience,
    ) -> None:
        self._service, self._identity = service, identity
        self._faults, self._gate = faults, gate
        self._log, self._patience = log, patience
        self._doomed: set[web.RequestHandler] = set()

    @property
    def _blobs(self) -> Blobs:
        return self._service.blobs

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers a request, or cuts its connection."""
        exchange = Exchange(
            request,
            fault=self._strike(request),
            blobs=self._blobs,
            patience=self._patience,
        )
        self._log.open(exchange.begun)
        status = None
        try:
            reply = await self._reply(exchange)
            status = reply.status
        except CutError:
            exchange.reset()
            return Severed()
        except (ConnectionError, web.RequestPayloadError):
            # The client went away, or sent less than it had promised.
            exchange.reset()
            return Severed()
        finally:
            await exchange.incoming.settle()
            await exchange.incoming.discard()
            if status is None:
                await exchange.let_go()
            self._log.close(exchange.begun, exchange.seen(status))
        return Answer(self._dated(reply), exchange)

    @property
    def _options(self) -> Options:
        return self._service.options

    def _dated(self, reply: Reply) -> Reply:
        """The reply with the time by the emulator's clock, which may be wrong."""
        if any(name.lower() == "date" for name, _ in reply.headers):
            return reply
        date = formatdate(self._options.clock(), usegmt=True)
        return reply.with_headers((hdrs.DATE, date))

    def _strike(self, request: web.BaseRequest) -> Fault | None:
        """The fault that strikes a request."""
        if self._doomed:
            if request.protocol in self._doomed:
                self._doomed.discard(request.protocol)
                return Fault("reset_before")
            self._doomed = {it for it in self._doomed if it.transport is not None}
        if not len(self._faults):
            return None
        target = readable(relative(request.raw_path))
        fault = self._faults.take(request.method, target)
        if fault is not None and fault.action == "cut_next":
            self._doomed.add(request.protocol)
        return fault

    async def _reply(self, exchange: Exchange) -> Reply:
        fault = exchange.fault
        if fault is None:
            return await self._safely(exchange)
        reply = await strikes.before(exchange, fault)
        if reply is not None:
            return reply
        return await strikes.after(exchange, fault, await self._safely(exchange))

    async def _safely(self, exchange: Exchange) -> Reply:
        try:
            path = decode(exchange.raw_path)
            if entra.is_entra_path(path):
                return await self._identify(exchange, path)
            check_length(len(exchange.origin) + len(exchange.target))
            return await self._serve(exchange)
        except ServiceError as problem:
            if problem.status != 413:
                await exchange.drain()
            return error_reply(problem)
        except RecursionError:
            return error_reply(bad_request("The request is nested too deeply."))

    async def _identify(self, exchange: Exchange, path: str) -> Reply:
        await exchange.receive(65536)
        body = exchange.incoming.peek()
        return entra.answer(
            self._identity,
            method=exchange.method,
            path=path,
            origin=exchange.origin,
            headers=exchange.request.headers,
            body=body,
        )

    async def _serve(self, exchange: Exchange) -> Reply:
        options = self._options
        if not options.api_enabled:
            raise ServiceError(405, "", "", bare=True)
        version = environments.version_of(exchange.raw_path)
        if version is not None:
            return self._list_environments(exchange, version)
        address = understand(exchange.raw_path, options.apis)
        caller = self._who(exchange, address.tenant, graph=address.is_graph)
        named = address.environment
        if options.only_environments and named not in {None, *options.environments}:
            raise no_environment()
        try:
            async with self._gate.admit(caller.account):
                return await self._route(exchange, address, caller)
        except TooManyRequestsError as refusal:
            raise self._refusal(refusal) from None

    def _who(self, exchange: Exchange, tenant: str | None, *, graph: bool) -> Caller:
        header = exchange.header(hdrs.AUTHORIZATION)
        if header is None:
            raise unauthorized("Authentication credentials are missing.", CHALLENGES)
        caller = self._identity.caller(header, tenant=tenant, graph=graph)
        exchange.caller = caller
        return caller

    def _list_environments(self, exchange: Exchange, version: str) -> Reply:
        caller = self._who(exchange, None, graph=False)
        if exchange.method != hdrs.METH_GET:
            raise ServiceError(405, "", "", bare=True)
        return environments.listed(
            self._options,
            version=version,
            tenant=tenant_guid(caller.tenant),
            origin=exchange.origin,
        )

    async def _route(
        self, exchange: Exchange, address: Address, caller: Caller
    ) -> Reply:
        options = self._options
        query = split_query(exchange.raw_query, strict_plus=options.strict_plus)
        tenant = query.get("tenant") or query.get("Tenant")
        if address.on_premises and options.require_tenant and tenant != "default":
            raise ServiceError(
                400,
                "Internal_TenantUnavailable",
                "The tenant is not specified or is not available.",
            )
        exchange.work = work = Work(
            limit=options.operation_seconds,
            status=options.operation_status,
            sleep=options.sleep,
        )
        call = Call(
            service=self._service,
            exchange=exchange,
            address=address,
            options=query,
            caller=caller,
            work=work,
        )
        if address.is_batch:
            return await batch.answer(call, exchange, self._faults)
        return await routes.serve(call)

    def _refusal(self, refusal: TooManyRequestsError) -> ServiceError:
        quota = self._gate.quota
        told = quota.retry_after if quota else None
        if self._service.answers.retry_after_on_429 or refusal.status == 503:
            told = told or refusal.seconds
        return ServiceError(
            refusal.status,
            "Application_TooManyRequests",
            str(refusal),
            headers=((hdrs.RETRY_AFTER, told),) if told else (),
        )
