"""One call of the API: the request, understood, and what it needs of the emulator."""

import re
from collections.abc import Mapping
from typing import Protocol

import attrs
from aiohttp import hdrs

from bcpicture.emulator.address import Address
from bcpicture.emulator.answers import Answers
from bcpicture.emulator.blobs import Blobs
from bcpicture.emulator.identity import Caller
from bcpicture.emulator.journal import Journal
from bcpicture.emulator.message import Message
from bcpicture.emulator.options import Options
from bcpicture.emulator.problems import forbidden, no_company
from bcpicture.emulator.store import Company, Store
from bcpicture.emulator.tenants import Stores
from bcpicture.emulator.work import Work

FOREIGN = "https://emulated-elsewhere.invalid"


class Service(Protocol):
    """What a call needs of the emulator."""

    @property
    def stores(self) -> Stores:
        """Companies and records, tenant by tenant."""
        ...

    @property
    def blobs(self) -> Blobs:
        """Stored bytes."""
        ...

    @property
    def journal(self) -> Journal | None:
        """Where changes are noted; None: nowhere."""
        ...

    @property
    def options(self) -> Options:
        """How the emulator was set up."""
        ...

    @property
    def answers(self) -> Answers:
        """How it answers open questions."""
        ...


@attrs.frozen(kw_only=True)
class Call:
    """An API request that may come in."""

    service: Service
    """The emulator."""

    exchange: Message
    """The request."""

    address: Address
    """Where it goes."""

    options: Mapping[str, str]
    """Its query, decoded."""

    caller: Caller
    """Who sends it."""

    work: Work
    """The server time that it takes."""

    @property
    def store(self) -> Store:
        """The companies and records of the caller's tenant."""
        return self.service.stores.of(self.caller.tenant)

    def check_permission(self) -> None:
        """Refuses what the caller's permission sets do not cover."""
        reads = self.exchange.method in {hdrs.METH_GET, hdrs.METH_HEAD}
        if reads and not self.caller.may_read:
            raise forbidden("read this")
        if not reads and not self.caller.may_write:
            raise forbidden("change this")

    @property
    def base(self) -> str:
        """The service root, as the client reached it."""
        return self.exchange.origin + self.address.root

    @property
    def preferred_size(self) -> int | None:
        """The page size that the client asks for."""
        found = re.search(
            r"odata\.maxpagesize\s*=\s*(\d+)", self.exchange.header("Prefer") or ""
        )
        return int(found.group(1)) if found and int(found.group(1)) > 0 else None

    @property
    def page_size(self) -> int:
        """How many rows a page holds."""
        options = self.service.options
        if self.preferred_size is None or not options.honour_maxpagesize:
            return options.page_size
        return min(self.preferred_size, options.page_size)

    def company(self, name: str | None) -> Company:
        """The company with a name or GUID, or the default one."""
        store = self.store
        try:
            if name is not None:
                return store.company(name)
            if self.service.options.default_company:
                return store.companies[0]
        except (KeyError, IndexError):
            pass
        raise no_company()

    def link(self, path: str) -> str:
        """A link to a path below the service root."""
        match self.exchange.links:
            case "foreign":
                return f"{FOREIGN}{self.address.root}/{path}"
            case "relative":
                return path
            case _:
                return f"{self.base}/{path}"

    def next_link(self, mark: str, left: int | None) -> str:
        """The link to the next page, with the options of this one."""
        if self.exchange.links == "looping":
            return self.exchange.origin + self.exchange.target
        replaced = {"$skiptoken", "$skip", "$top"}
        if not self.service.options.links_keep_tenant:
            replaced |= {"tenant"}
        kept = [
            part
            for part in self.exchange.raw_query.split("&")
            if part and part.partition("=")[0].replace("%24", "$") not in replaced
        ]
        if left is not None:
            kept.append(f"$top={left}")
        # Base64 may end in '=', which is fine in a query but confuses simple readers.
        kept.append(f"$skiptoken={mark.replace('=', '%3D')}")
        root = self.address.root.strip("/")
        path = self.exchange.raw_path.strip("/").removeprefix(root).strip("/")
        return self.link(f"{path}?{'&'.join(kept)}")
