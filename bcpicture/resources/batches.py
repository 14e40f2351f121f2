"""A few hundred known records: what is asked of each is told by 100 a request.

Whether a server has ``$batch`` is found out by the first one; how it goes without is
for each question to say. What goes wrong with one record is that record's alone.
"""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from math import inf
from typing import Generic, Protocol, Self, TypeVar
from uuid import UUID

import attrs
from yarl import URL

from bcpicture.core import batches, urls
from bcpicture.core.batches import Answer
from bcpicture.core.decoding import picture_of, read_json
from bcpicture.core.dialects import Parent
from bcpicture.core.meanings import error_for
from bcpicture.core.models import Item, Picture, PictureInfo
from bcpicture.core.pagesize import PageSize
from bcpicture.core.retries import Attempt, TryAgain, decide
from bcpicture.core.wire import READ_JSON, Operation, Request
from bcpicture.errors import (
    AnswerError,
    ApiSwitchedOffError,
    AuthenticationError,
    BcPictureError,
    ClosedError,
    Failure,
    MissingError,
    RejectedError,
    StalledError,
    TooLargeError,
    UnavailableError,
)
from bcpicture.net.bodies import BytesBody
from bcpicture.net.exchange import Exchange
from bcpicture.resources.references import CompanyRef, RecordRef

Known = str | UUID | Item
"""A record whose id is known."""

_FULL = PageSize(size=batches.LONGEST, most=batches.LONGEST)

_NO_BATCH = (MissingError, RejectedError, ApiSwitchedOffError)
"""What a server without batches answers: it differs."""

_TOO_LONG = (UnavailableError, TooLargeError, StalledError)
"""A batch was too long for the service: shorter ones follow."""

_FOR_ALL = (AuthenticationError, ClosedError)
"""What concerns one record concerns all others."""


class Told(Protocol):
    """What is told of one record."""

    @property
    def error(self) -> BcPictureError | None:
        """Why there is nothing to tell."""


InfoT = TypeVar("InfoT", bound=Told)


@attrs.define
class Batches(Generic[InfoT]):
    """One question about each of some known records, answered as it comes."""

    _company: CompanyRef
    _parent: Parent
    _refs: deque[RecordRef]
    _size: PageSize = attrs.field(default=_FULL)
    _clock: Callable[[], float] = time.monotonic
    _ready: deque[InfoT] = attrs.field(factory=deque, init=False)

    @classmethod
    def of(cls, company: CompanyRef, parent: Parent, known: Iterable[Known]) -> Self:
        """The question about *known* records.

        Raises:
            UsageError: One of them is no id, and no value with one.
        """
        refs = [RecordRef.of(company, parent, one, None) for one in known]
        once = {ref.known_id: ref for ref in refs}
        return cls(company, parent, deque(once.values()))

    # -- the question

    @abstractmethod
    def _address(self, company_id: str, ref: RecordRef) -> URL:
        """Where it is asked of one record."""

    @abstractmethod
    def _read(self, ref: RecordRef, told: object) -> InfoT:
        """What is told of one record, by JSON that has been read.

        Raises:
            AnswerError: It cannot be read.
        """

    @abstractmethod
    def _failed(self, ref: RecordRef, error: BcPictureError) -> InfoT:
        """That nothing is told of one record."""

    async def _without_batch(self, refs: Sequence[RecordRef]) -> list[InfoT]:
        """How it is asked of some records where there is no ``$batch``."""
        return await self._one_by_one(refs)

    # -- its answers

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> InfoT:
        while not self._ready:
            count = min(self._size.size, len(self._refs))
            if not count:
                raise StopAsyncIteration
            refs = [self._refs.popleft() for _ in range(count)]
            try:
                self._ready.extend(await self._told(refs))
            except BaseException:
                self._refs.extendleft(reversed(refs))  # for whoever goes on
                raise
        return self._ready.popleft()

    async def _told(self, refs: Sequence[RecordRef]) -> list[InfoT]:
        """What is told of *refs*; of some of them, the rest comes back later."""
        ability = self._company.directory.batch
        if len(refs) == 1:
            return await self._one_by_one(refs)
        if ability.known is False:
            return await self._without_batch(refs)
        if ability.known:
            return await self._batch(refs)
        async with ability.alone:
            if ability.known is None:
                return await self._batch(refs)
        return await self._told(refs)

    async def _batch(self, refs: Sequence[RecordRef]) -> list[InfoT]:
        ability = self._company.directory.batch
        started = self._clock()
        try:
            addresses, answers = await self._ask(refs)
        except _NO_BATCH:
            ability.known = bool(ability.known)
            return await self._without_batch(refs)
        except _TOO_LONG as error:
            return self._shorter(refs, error, self._clock() - started)
        ability.known = True
        self._size = self._size.came(len(refs), self._clock() - started)
        if not any(answers):
            return await self._without_batch(refs)
        return await self._sorted(refs, addresses, answers)

    async def _ask(
        self, refs: Sequence[RecordRef]
    ) -> tuple[list[str], list[Answer | None]]:
        endpoint, company_id = self._company.endpoint, await self._company.id()
        wanted = [self._address(company_id, ref) for ref in refs]
        addresses = [urls.inner(endpoint, url) for url in wanted]
        request = Request(
            method="POST",
            url=urls.batch(endpoint),
            headers=batches.HEADERS,
            operation=Operation.LIST,
        )
        form = BytesBody(batches.build(addresses))

        async def answers(exchange: Exchange) -> list[Answer | None]:
            return batches.read(await exchange.read(), len(refs))

        return addresses, await self._company.session.call(request, answers, form)

    def _shorter(
        self, refs: Sequence[RecordRef], error: BcPictureError, seconds: float
    ) -> list[InfoT]:
        """Let *refs* come back in shorter batches.

        Raises:
            BcPictureError: *error*, as the length was not what it is about.
        """
        status = error.failure.status if error.failure else None
        if isinstance(error, UnavailableError) and status not in {408, 504}:
            raise error
        self._size = attrs.evolve(self._size, size=len(refs)).failed(seconds)
        self._refs.extendleft(reversed(refs))
        return []

    async def _sorted(
        self,
        refs: Sequence[RecordRef],
        addresses: Sequence[str],
        answers: Sequence[Answer | None],
    ) -> list[InfoT]:
        """What was told, once what failed for a while has been asked for again."""
        told, again, delay = [], [], 0.0
        for ref, url, answer in zip(refs, addresses, answers, strict=True):
            if answer is None:
                self._refs.append(ref)
            elif answer.status < 300:
                told.append(self._legible(ref, answer))
            elif (wait := self._wait(failure := self._failure(url, answer))) < inf:
                delay = max(delay, wait)
                again.append(ref)
            else:
                told.append(self._failed(ref, _named(ref, error_for(failure))))
        if again:
            await self._company.session.sleep(delay)
            told += await self._without_batch(again)
        return told

    def _legible(self, ref: RecordRef, answer: Answer) -> InfoT:
        try:
            return self._read(ref, answer.read())
        except AnswerError as error:
            return self._failed(ref, error)

    def _failure(self, url: str, answer: Answer) -> Failure:
        return answer.failure(url, now=self._company.session.wall())

    def _wait(self, failure: Failure) -> float:
        """Seconds until it should be asked for again; infinite if it should not."""
        session = self._company.session
        attempt = Attempt(
            failure=failure, operation=Operation.READ, number=1, like_it=1, elapsed=0.0
        )
        verdict = decide(session.policy, attempt, jitter=session.jitter())
        return verdict.delay if isinstance(verdict, TryAgain) else inf

    async def _one_by_one(self, refs: Sequence[RecordRef]) -> list[InfoT]:
        async with asyncio.TaskGroup() as group:
            # No more than a batch holds; the quota lets a few at a time through.
            tasks = [group.create_task(self._alone(ref)) for ref in refs]
        told = [task.result() for task in tasks]
        for one in told:
            if isinstance(one.error, _FOR_ALL):
                raise one.error
        return told

    async def _alone(self, ref: RecordRef) -> InfoT:
        url = self._address(await self._company.id(), ref)
        request = Request(method="GET", url=url, headers=READ_JSON)

        async def answer(exchange: Exchange) -> InfoT:
            return self._read(ref, read_json(await exchange.read()))

        try:
            return await self._company.session.call(request, answer)
        except BcPictureError as error:
            return self._failed(ref, _named(ref, error))


@attrs.define
class PictureInfos(Batches[PictureInfo]):
    """What is told of the pictures of known records, as it comes."""

    def _address(self, company_id: str, ref: RecordRef) -> URL:
        endpoint, record_id = self._company.endpoint, ref.known_id or ""
        return urls.picture(endpoint, company_id, self._parent, record_id)

    def _read(self, ref: RecordRef, told: object) -> PictureInfo:
        return _info(ref, picture=picture_of(told))

    def _failed(self, ref: RecordRef, error: BcPictureError) -> PictureInfo:
        return _info(ref, error=error)


def _info(
    ref: RecordRef,
    picture: Picture | None = None,
    error: BcPictureError | None = None,
) -> PictureInfo:
    return PictureInfo(id=ref.known_id or "", key=ref.key, picture=picture, error=error)


def _named(ref: RecordRef, error: BcPictureError) -> BcPictureError:
    """Say what is missing, rather than that something is."""
    if type(error) is not MissingError:
        return error
    missing = ref.missing()
    missing.failure = error.failure
    return missing
