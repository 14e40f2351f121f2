"""How an emulator is set up."""

import time
from collections.abc import Callable
from pathlib import Path

import attrs

from bcpicture.emulator.answers import Answers
from bcpicture.emulator.quota import Quota
from bcpicture.emulator.store import COMPANY_NAMES


@attrs.define(kw_only=True, eq=False)
class Options:
    """Everything that can be chosen, with defaults that suit a test."""

    items: int = 20
    """How many items a company begins with; the first twenty are the demo company's."""

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

    api_enabled: bool = True
    """Whether the API is switched on; it is off by default on premises."""

    require_tenant: bool = False
    """Whether on-premises requests need ``?tenant=default``."""
