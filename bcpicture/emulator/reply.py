"""Replies as values: what will be said, before anything is sent."""

import json
import uuid

import attrs

from bcpicture.emulator.blobs import Blob
from bcpicture.emulator.faults import Fault
from bcpicture.emulator.problems import ServiceError

Headers = tuple[tuple[str, str], ...]

_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

JSON = "application/json; odata.metadata=minimal; odata.streaming=true"


@attrs.frozen(kw_only=True)
class Reply:
    """One reply."""

    status: int
    """Its status."""

    body: bytes = b""
    """Its body, unless it is a picture's bytes."""

    blob: Blob | None = None
    """The picture whose bytes are the body."""

    start: int = 0
    """First byte of the picture to send; above 0 for a range."""

    stop: int | None = None
    """Where the range ends; None: with the picture."""

    content_type: str | None = None
    """Type of the body; None: none is told."""

    headers: Headers = ()
    """More headers."""

    chunked: bool = False
    """Whether the length is not told."""

    fault: Fault | None = None
    """What goes wrong on the way out."""

    @property
    def length(self) -> int:
        """Length of the body, in bytes."""
        if self.blob is None:
            return len(self.body)
        end = self.blob.size if self.stop is None else self.stop
        return end - self.start

    def with_headers(self, *more: tuple[str, str]) -> "Reply":
        """The same reply with more headers."""
        return attrs.evolve(self, headers=self.headers + more)


def written(payload: object) -> bytes:
    """Something as JSON, as short as can be."""
    return _ENCODE(payload).encode()


def json_reply(status: int, payload: object, headers: Headers = ()) -> Reply:
    """A reply with a JSON body."""
    return Reply(
        status=status, body=written(payload), content_type=JSON, headers=headers
    )


def error_reply(problem: ServiceError) -> Reply:
    """A reply with the service's error envelope."""
    correlation = str(uuid.uuid4())
    if problem.bare:
        return Reply(status=problem.status, headers=problem.headers)
    # Two spaces, and a full stop at the end: that is how the service writes it.
    message = f"{problem.message}  CorrelationId:  {correlation}."
    envelope = {"error": {"code": problem.code, "message": message}}
    headers = (*problem.headers, ("ms-correlation-x", correlation))
    return json_reply(problem.status, envelope, headers)
