"""How an emulator is set up."""

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

import attrs

from bcpicture.emulator.answers import Answers
from bcpicture.emulator.quota import Quota
from bcpicture.emulator.store import COMPANY_NAMES
from bcpicture.emulator.work import Sleep

_APIS = ("v2.0", "v1.0", "beta", "graph")


def _each_once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


@attrs.define(kw_only=True, eq=False)
class Options:
    """Everything that can be chosen, with defaults that suit a test."""

    items: int | None = None
    """How many items a company begins with, the demo company's first; None: twenty, or
    as many as there are numbers."""

    numbers: tuple[str, ...] = attrs.field(default=(), converter=_each_once)
    """The numbers of the first items, in place of the demo company's."""

    host: str = "127.0.0.1"
    """Where to listen; anything but loopback lets strangers in."""

    port: int = 0
    """On which port; 0: on a free one."""

    pictures: Path | None = None
    """A folder: files named after item numbers become pictures of the first company."""

    data: Path | None = None
    """A folder for the state, found again at the next start; None: a temporary one."""

    tls: bool = False
    """Whether to serve https, with a certificate authority made on the spot."""

    quota: Quota | None = None
    """The limits per user; None: there are none."""

    body_limit: int = 350 * 1024 * 1024
    """The largest request body, in bytes."""

    answers: Answers = attrs.field(factory=Answers)
    """How open questions about the service are answered."""

    token_seconds: float = 3600.0
    """How long a token works."""

    clock: Callable[[], float] = time.time
    """Seconds since the epoch, for tokens and time stamps."""

    companies: tuple[str, ...] = COMPANY_NAMES
    """The names of the companies; the first is the default."""

    default_company: bool = True
    """Whether a request that names no company gets the first."""

    page_size: int = 20_000
    """How many rows a page holds when the client asks for no less."""

    honour_maxpagesize: bool = True
    """Whether ``Prefer: odata.maxpagesize`` is heeded."""

    links_keep_tenant: bool = False
    """Whether next links repeat ``?tenant=``."""

    strict_plus: bool = True
    """Whether a plus sign in a query is a plus sign, not a space."""

    apis: tuple[str, ...] = attrs.field(default=_APIS, converter=_each_once)
    """The API versions that are there: a 404 for the others."""

    environments: tuple[str, ...] = ("Production", "Sandbox")
    """The environments of every tenant, as the list of them tells."""

    only_environments: bool = False
    """Whether an environment that is not among them is a 404; else it is all one."""

    batch: bool = True
    """Whether there is ``$batch``."""

    batch_reversed: bool = False
    """Whether a batch is answered in the reverse order: its ids are what counts."""

    expand_seconds: float = 0.0
    """Server time for each item that is expanded."""

    metadata_seconds: float = 0.0
    """Server time for each picture whose metadata are read by themselves."""

    operation_seconds: float | None = None
    """The longest that a request may work; None: as long as it likes."""

    operation_status: Literal[408, 504] = 408
    """What a request that would work longer is answered, when that time is over."""

    sleep: Sleep = asyncio.sleep
    """How server time passes."""

    api_enabled: bool = True
    """Whether the API is switched on; it is off by default on premises."""

    require_tenant: bool = False
    """Whether on-premises requests need ``?tenant=default``."""
