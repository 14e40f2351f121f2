"""Thousands of uploads while one request in five goes wrong: every report is true."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Container, Iterator
from pathlib import Path
from typing import Any, get_args

import attrs
import pytest

from bcpicture import (
    BcPictureError,
    BusinessCentral,
    ClientSecret,
    Endpoint,
    OutcomeUnknownError,
    Quota,
    RetryPolicy,
    Timeouts,
    Uploaded,
)
from bcpicture.emulator import Emulator, Fault
from bcpicture.emulator import Quota as ServiceQuota
from bcpicture.emulator.faults import ACTIONS, Action, Faults
from bcpicture.emulator.records import Record
from bcpicture.emulator.seen import Seen

SEED = 20180716
UPLOADS = 2000
WORKERS = 8
COMPANY = "CRONUS USA, Inc."

QUOTA = Quota(concurrent=5, requests=600, seconds=0.5)
SERVICE = ServiceQuota(concurrent=100, queue=0, requests=600, seconds=0.5)
"""More at once than the client's five: what stalls here keeps its place to the end."""

TIMEOUTS = Timeouts(reply=0.6, stall=0.6)
PATIENCE = [RetryPolicy(attempts=attempts, base=0.0, cap=0.0) for attempts in (1, 2, 5)]
"""The less patient, the more has to be found out by looking."""

NOISE = random.Random(SEED).randbytes(3_000_000)
SIZES = [(1, 60_000)] * 14 + [(60_000, 300_000)] * 4 + [(300_000, 1_000_000)] * 2
STATUSES = (400, 401, 401, 403, 404, 408, 409, 412, 413, 429, 500, 501, 502, 503, 504)
APPLIED = (408, 500, 502, 503, 504)
SOURCES = ("bytes", "path", "file", "stream", "stream", "unspooled")


def draw(dice: random.Random) -> Fault:
    """Any kind of fault, with anything that may be said about it."""
    action = dice.choice(get_args(Action))
    told = {"status": STATUSES, "apply_then_status": APPLIED}.get(action, (None,))
    return Fault(
        action,
        status=dice.choice(told),
        code=dice.choice([None, None, "Internal_RecordLocked"]),
        retry_after=dice.choice([None, "0", "Wed, 21 Oct 2015 07:28:00 GMT"]),
        message="https://elsewhere.invalid/" if action == "redirect" else None,
        at=dice.randrange(1, dice.choice([100, 20_000, 200_000])),
        # Never longer than the client waits: what it gave up is not done later.
        seconds=dice.choice([0.0, 0.01, 0.01]),
    )


@attrs.define
class Dice(Faults):
    """One request in five is struck; the same ones in whatever order they come."""

    asked: Counter[tuple[str, str]] = attrs.field(init=False, factory=Counter)

    def take(
        self, method: str, target: str, among: Container[str] = ACTIONS
    ) -> Fault | None:
        del among  # all are possible
        number = self.asked[method, target] = self.asked[method, target] + 1
        dice = random.Random(f"{SEED} {method} {target} {number}")
        if dice.random() >= 0.2:
            return None
        fault = draw(dice)
        self.struck.append(fault)
        return fault

    def __len__(self) -> int:
        return 1


@attrs.frozen(kw_only=True)
class Job:
    """One upload."""

    number: str
    old: bytes
    new: bytes
    source: str
    retries: RetryPolicy
    by_number: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.new).hexdigest()


def jobs() -> Iterator[Job]:
    dice = random.Random(SEED)
    for count in range(UPLOADS):
        size = dice.randrange(*dice.choice(SIZES))
        if count % 200 == 0:
            size = 2_500_000  # more than a stream keeps in memory
        start = dice.randrange(len(NOISE) - size)
        yield Job(
            number=f"C{count:04}",
            old=b"the old picture of %d" % count,
            new=b"%d:" % count + NOISE[start : start + size],
            source=dice.choice(SOURCES),
            retries=dice.choice(PATIENCE),
            by_number=count % 10 == 0,
        )


@attrs.define
class Run:
    """An emulator, a client of it, and what became of the uploads."""

    server: Emulator
    bc: BusinessCentral
    dice: Dice
    folder: Path
    reports: dict[str, object] = attrs.field(factory=dict)

    def record(self, job: Job) -> Record:
        return self.server.store.company(COMPANY).item(job.number)

    async def work(self, todo: Iterator[Job]) -> None:
        for job in todo:
            if len(self.reports) % 50 == 0:  # else there are few requests for tokens
                self.server.identity.revoke_all()
            try:
                self.reports[job.number] = await self.upload(job)
            except Exception as error:  # noqa: BLE001 - it is judged later
                self.reports[job.number] = error

    async def upload(self, job: Job) -> Uploaded:
        bc = self.bc.with_options(retries=job.retries)
        company = bc.company(self.server.store.company(COMPANY).id)
        item = (
            company.item(number=job.number)
            if job.by_number
            else company.item(self.record(job).id)
        )
        options: dict[str, Any] = {}
        if job.source == "unspooled":
            options = {"spool": False, "length": len(job.new)}
        path = self.folder / job.number
        if job.source not in {"path", "file"}:
            source = job.new if job.source == "bytes" else stream(job.new)
            return await item.picture.upload(source, preflight=False, **options)
        path.write_bytes(job.new)
        try:
            if job.source == "path":
                return await item.picture.upload(path, preflight=False)
            with path.open("rb") as file:
                return await item.picture.upload(file, preflight=False)
        finally:
            path.unlink()


async def stream(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 70_000):
        yield data[start : start + 70_000]


def judged(job: Job, report: object, stored: str | None, seen: list[Seen]) -> str:
    """What is wrong with a report; empty if it is the truth."""
    there = stored == job.sha256
    if not there and stored != hashlib.sha256(job.old).hexdigest():
        return "neither the old picture is there nor the new one"
    if isinstance(report, Uploaded):
        return judged_done(job, report, seen) if there else "it is said to be done"
    if not isinstance(report, BcPictureError):
        return "that is no error of ours"
    if isinstance(report, OutcomeUnknownError):
        looks = [one for one in seen if one.method == "GET"]
        # No look at all: there was no token for it.
        failed = any(one.fault or one.status == 401 for one in looks) or not looks
        return "" if failed else "nothing stood in the way of looking"
    doubtful = report.failure is not None and report.failure.doubtful
    return "it is not said to be there" if there or doubtful else ""


def judged_done(job: Job, report: Uploaded, seen: list[Seen]) -> str:
    """What is wrong with the success of an upload that is stored."""
    sent = sum(one.method == "PATCH" for one in seen)
    right = report.size == len(job.new) and report.sha256 in {None, job.sha256}
    return "" if right and report.attempts >= sent >= 1 else "it is told wrongly"


def kind(seen: Seen) -> str:
    """What a request is for."""
    if "/oauth2/" in seen.target:
        return "token"
    if "/picture" not in seen.target:
        return "lookup"
    return "upload" if seen.method == "PATCH" else "look"


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Run]:
    """Everything up to the first upload."""
    server = Emulator(items=1, companies=(COMPANY,), quota=SERVICE)
    dice = server.faults = Dice()
    async with server:
        credential = ClientSecret(
            client_id=server.client_id,
            client_secret=server.client_secret,
            token_url=server.token_url,
        )
        async with BusinessCentral(
            Endpoint.at(server.base_urls["v2.0"]),
            credential,
            quota=QUOTA,
            timeouts=TIMEOUTS,
        ) as bc:
            yield Run(server, bc, dice, tmp_path)


def false_reports(run: Run, every: list[Job]) -> list[tuple[object, ...]]:
    """What was reported falsely, with the requests that there were."""
    by_id: dict[str, list[Seen]] = {}
    for one in run.server.log:
        _, _, rest = one.target.partition("items(")
        by_id.setdefault(rest.partition(")")[0], []).append(one)
    found: list[tuple[object, ...]] = []
    for job in every:
        record, report = run.record(job), run.reports[job.number]
        seen = by_id.get(record.id, [])
        if wrong := judged(job, report, record.picture_sha256, seen):
            told = [(one.method, one.fault, one.status) for one in seen]
            found.append((job.number, job.source, wrong, repr(report), told))
    return found


def most_at_once(log: list[Seen]) -> int:
    """Requests that the service had in hand at once; who gave up a stall is gone."""
    steps: list[tuple[float, int]] = []
    for one in log:
        if one.principal and one.fault is None and one.finished is not None:
            steps += [(one.started, 1), (one.finished, -1)]
    return max(itertools.accumulate(step for _, step in sorted(steps)))


def assert_it_was_worth_the_trouble(run: Run) -> None:
    """All kinds of faults struck all kinds of requests; most uploads got through."""
    faults, log = run.dice.struck, run.server.log
    assert {fault.action for fault in faults} == set(get_args(Action))
    assert 0.15 < len(faults) / len(log) < 0.25
    struck = Counter(kind(one) for one in log if one.fault)
    assert min(struck[it] for it in ("upload", "look", "lookup", "token")) > 2, struck
    ends = Counter(type(report) for report in run.reports.values())
    assert 0.8 < ends[Uploaded] / UPLOADS < 1.0
    assert 0 < ends[OutcomeUnknownError] < UPLOADS / 50


async def test_every_upload_is_stored_or_its_outcome_truly_told(run: Run):
    every = list(jobs())
    company = run.server.store.company(COMPANY)
    for job in every:
        company.add("items", job.number).set_picture(job.old)
    todo = iter(every)
    async with asyncio.TaskGroup() as group:
        for _ in range(WORKERS):
            group.create_task(run.work(todo))
    bad = false_reports(run, every)
    assert not bad, (SEED, len(bad), bad[:5])
    # The quota was kept, and nothing is left of it.
    assert run.server.throttled == 0
    assert 2 <= most_at_once(run.server.log) <= QUOTA.concurrent
    governor: Any = run.bc._opened().session.lanes.members[0].governor
    assert (governor.in_flight, governor.waiting) == (0, 0)
    assert not list(run.folder.iterdir())
    assert_it_was_worth_the_trouble(run)
