"""What the emulator saw: one frozen value a request, in order of arrival."""

import attrs
from multidict import CIMultiDict


@attrs.frozen(kw_only=True)
class Seen:
    """One request, exactly as it came over the wire, and how it was answered."""

    method: str
    """The verb."""

    target: str
    """Path and query, still encoded, as on the request line."""

    headers: CIMultiDict[str] = attrs.field(repr=False)
    """Every request header, ``Authorization`` included."""

    started: float
    """Monotonic seconds when the headers had arrived."""

    received: int = 0
    """Bytes of the body that arrived."""

    sha256: str | None = None
    """Digest of what arrived of the body; None when there was none."""

    status: int | None = None
    """Status of the reply; None while it runs, and when the connection was cut."""

    principal: str | None = None
    """Whose quota the request used: a client id, or a Basic user."""

    tenant: str | None = None
    """In which tenant, by its canonical name."""

    fault: str | None = None
    """The action of the fault that struck it."""

    worked: float = 0.0
    """Seconds of simulated server time that it took."""

    inner: tuple["Seen", ...] = ()
    """The requests of a batch, in the order in which they were answered."""

    finished: float | None = None
    """Monotonic seconds when the reply was ready; None while it runs."""

    @property
    def at(self) -> float:
        """Monotonic seconds of its arrival."""
        return self.started

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


class Log(list[Seen]):
    """The requests so far, oldest first; only the newest ``limit`` are kept."""

    def __init__(self, limit: int = 100_000) -> None:
        super().__init__()
        self._limit = limit

    def open(self, seen: Seen) -> None:
        """Notes a request that has begun."""
        if len(self) >= self._limit:
            del self[: self._limit // 2]
        self.append(seen)

    def close(self, begun: Seen, finished: Seen) -> None:
        """Replaces the note of a request by its final one."""
        # Newest first: almost always one of the last few.
        for index in range(len(self) - 1, -1, -1):
            if self[index] is begun:
                self[index] = finished
                return
