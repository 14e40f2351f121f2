"""What a handler needs of a request, whether it came alone or in a batch."""

from abc import ABC, abstractmethod
from urllib.parse import unquote

from bcpicture.emulator.blobs import Blob, Blobs, Incoming
from bcpicture.emulator.faults import Fault
from bcpicture.emulator.patience import Patience


class CutError(Exception):
    """The connection is to be cut, without a reply."""


class Message(ABC):
    """A verb, a target, headers and a body; and the fault that struck it."""

    def __init__(
        self,
        method: str,
        target: str,
        *,
        origin: str,
        fault: Fault | None,
        blobs: Blobs,
        patience: Patience,
    ) -> None:
        self.method, self.target, self.origin = method, target, origin
        self.raw_path, _, self.raw_query = target.partition("?")
        self.fault, self.patience = fault, patience
        self.incoming = Incoming(blobs)
        self.wrote = False
        self.replaced: str | None = None
        self._blobs = blobs
        self._held: list[Blob] = []

    @property
    @abstractmethod
    def length(self) -> int | None:
        """Length of the body, as far as it is told."""

    @abstractmethod
    def header(self, name: str) -> str | None:
        """The value of a header."""

    @abstractmethod
    async def receive(self, limit: int) -> Incoming:
        """Reads the whole body into a file or into memory.

        Raises:
            ServiceError: it is larger than the limit.
            ConnectionError: it ended before it was complete.
        """

    @abstractmethod
    async def receive_until(self, position: float) -> None:
        """Reads the body up to a position, or to its end."""

    @abstractmethod
    async def drain(self) -> None:
        """Reads a small body that nobody needs, so that the reply finds a listener."""

    def hold(self, blob: Blob) -> None:
        """Keeps a blob readable until `let_go`, though it is replaced meanwhile."""
        blob.readers += 1
        self._held.append(blob)

    async def let_go(self) -> None:
        """The reply has left, or never will."""
        while self._held:
            await self._blobs.let_go(self._held.pop())

    @property
    def links(self) -> str:
        """Where the links of the reply point to."""
        action = self.fault.action if self.fault else ""
        return action.removesuffix("_links") if action.endswith("_links") else "own"

    async def stall(self) -> None:
        """Does nothing for as long as the fault says.

        Raises:
            CutError: the faults were cleared, or the server ends.
        """
        seconds = self.fault.seconds if self.fault else 0.0
        if not await self.patience.wait(seconds):
            raise CutError


def relative(target: str) -> str:
    """The target without scheme and host, which a proxy is told."""
    if target.startswith("/"):
        return target
    _, _, behind = target.partition("://")
    return "/" + behind.partition("/")[2]


def readable(target: str) -> str:
    """The target, decoded, for faults to match."""
    return unquote(target)
