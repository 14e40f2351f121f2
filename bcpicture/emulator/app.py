"""The whole way of a request: fault, identity, quota, route, reply, log."""

from aiohttp import hdrs, web

from bcpicture.emulator import entra, routes, strikes
from bcpicture.emulator.address import Address, check_length, understand
from bcpicture.emulator.blobs import Blobs
from bcpicture.emulator.exchange import CutError, Exchange, readable, relative
from bcpicture.emulator.faults import Fault, Faults
from bcpicture.emulator.identity import Identity
from bcpicture.emulator.patience import Patience
from bcpicture.emulator.problems import ServiceError, unauthorized
from bcpicture.emulator.query import decode, split_query
from bcpicture.emulator.quota import Gate, TooManyRequestsError
from bcpicture.emulator.reply import Reply, error_reply
from bcpicture.emulator.seen import Log
from bcpicture.emulator.sending import Answer, Severed
from bcpicture.emulator.service import Call, Service

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
            self._log.close(exchange.begun, exchange.seen(status))
        return Answer(reply, exchange, self._blobs)

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
        options = self._service.options
        if not options.api_enabled:
            raise ServiceError(405, "", "", bare=True)
        address = understand(exchange.raw_path)
        header = exchange.header(hdrs.AUTHORIZATION)
        if header is None:
            raise unauthorized("Authentication credentials are missing.", CHALLENGES)
        exchange.principal = self._identity.principal(
            header, tenant=address.tenant, graph=address.is_graph
        )
        try:
            async with self._gate.admit(exchange.principal):
                return await self._route(exchange, address)
        except TooManyRequestsError as refusal:
            raise self._refusal(refusal) from None

    async def _route(self, exchange: Exchange, address: Address) -> Reply:
        options = self._service.options
        query = split_query(exchange.raw_query, strict_plus=options.strict_plus)
        tenant = query.get("tenant") or query.get("Tenant")
        if address.on_premises and options.require_tenant and tenant != "default":
            raise ServiceError(
                400,
                "Internal_TenantUnavailable",
                "The tenant is not specified or is not available.",
            )
        call = Call(self._service, exchange, address, query)
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
