"""What the emulator saw: one frozen value a request, in order of arrival."""

import re
from collections import Counter
from collections.abc import Callable, Mapping

import attrs
from multidict import CIMultiDict

_KEY = r"\([^/()]*\)"
_KINDS: Mapping[re.Pattern[str], Mapping[str, str]] = {
    re.compile(r"/oauth2/"): {"POST": "token"},
    re.compile(r"/\$batch$"): {"POST": "batch"},
    re.compile(rf"/picture({_KEY})?/(pictureContent|content)$"): {
        "GET": "read",
        "PATCH": "upload",
        "PUT": "upload",
    },
    re.compile(rf"/picture({_KEY})?$"): {"GET": "metadata", "DELETE": "delete"},
    re.compile(rf"/\w+{_KEY}$"): {"GET": "record"},
    re.compile(r"/\w+$"): {"GET": "list"},
}
"""What requests are for, by the end of their path; the first that fits counts."""


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

    wrote: bool = False
    """Whether it set a picture or took one away, whatever became of the reply."""

    replaced: str | None = None
    """Digest of the picture that was there before it wrote; None: there was none."""

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

    @property
    def kind(self) -> str:
        """What it was for: ``list``, ``batch``, ``upload`` or another word.

        The others are ``record``, ``metadata``, ``read``, ``delete``, ``token`` and
        ``other``.
        """
        path = self.path
        for ending, kinds in _KINDS.items():
            if ending.search(path):
                return kinds.get(self.method, "other")
        return "other"


class Log(list[Seen]):
    """The requests so far, oldest first; only the newest ``limit`` are kept."""

    def __init__(self, limit: int = 100_000) -> None:
        super().__init__()
        self._limit = limit
        self.listener: Callable[[Seen], object] | None = None
        """Is told of each request when it arrives, before it is answered; None: nobody
        listens."""

    def open(self, seen: Seen) -> None:
        """Notes a request that has begun."""
        if len(self) >= self._limit:
            del self[: self._limit // 2]
        self.append(seen)
        if self.listener is not None:
            self.listener(seen)

    def kinds(self) -> Counter[str]:
        """How many requests there were of each `Seen.kind`; a batch counts as one."""
        return Counter(seen.kind for seen in self)

    def close(self, begun: Seen, finished: Seen) -> None:
        """Replaces the note of a request by its final one."""
        # Newest first: almost always one of the last few.
        for index in range(len(self) - 1, -1, -1):
            if self[index] is begun:
                self[index] = finished
                return
