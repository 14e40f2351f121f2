"""Many reads in one request: the JSON form of an OData ``$batch``.

At most 100 go into one (Microsoft, "Operational limits"). Each is answered for itself,
in whatever order: the id is what counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import attrs

from bcpicture.core.decoding import read_json, unexpected
from bcpicture.core.failures import read_failure
from bcpicture.core.wire import READ_JSON
from bcpicture.errors import Failure

LONGEST = 100
"""Requests in one batch."""

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        **READ_JSON,
        "Content-Type": "application/json",
        # Without it, the first failure would be the last answer.
        "Prefer": "odata.continue-on-error",
    }
)
"""Headers of a batch."""


@attrs.frozen(kw_only=True)
class Answer:
    """What one request of a batch was answered."""

    status: int
    """HTTP status."""

    headers: Mapping[str, str]
    """By their names as the service writes them."""

    told: object = None
    """Its JSON: read already, or in a text; None if there is none."""

    @property
    def body(self) -> bytes:
        """Its JSON, as if it had come alone."""
        if self.told is None:
            return b""
        text = self.told if isinstance(self.told, str) else json.dumps(self.told)
        return text.encode()

    def read(self) -> object:
        """What it tells.

        Raises:
            AnswerError: It is no JSON.
        """
        plain = self.told is not None and not isinstance(self.told, str)
        return self.told if plain else read_json(self.body)

    def failure(self, url: str, *, now: float) -> Failure:
        """It as a failed request.

        Args:
            url: What was asked for.
            now: Seconds since the epoch.
        """
        failure = Failure(method="GET", path=url, status=self.status)
        # A reply's headers are found by any spelling of their names; these are not.
        headers = {name.title(): value for name, value in self.headers.items()}
        headers |= {name.lower(): value for name, value in self.headers.items()}
        return read_failure(failure, headers, self.body, now=now)


def build(addresses: Iterable[str]) -> bytes:
    """The body of a batch that reads *addresses*, relative to the service root.

    The id of each is its place among them.
    """
    requests = [
        {
            "id": str(place),
            "method": "GET",
            "url": url,
            "headers": {"Accept": "application/json"},
        }
        for place, url in enumerate(addresses)
    ]
    return json.dumps({"requests": requests}).encode()


def read(body: bytes, count: int) -> list[Answer | None]:
    """What each of *count* requests was answered; None where there is no answer.

    Raises:
        AnswerError: It is no answer to a batch.
    """
    raw = read_json(body)
    told = raw.get("responses") if isinstance(raw, Mapping) else None
    if not isinstance(told, Sequence) or isinstance(told, str):
        raise unexpected("expected an array @ $.responses")
    answers: list[Answer | None] = [None] * count
    for index, one in enumerate(told):
        place, answer = _answer(one, f"$.responses[{index}]")
        if 0 <= place < count:
            answers[place] = answer
    return answers


def _answer(told: object, where: str) -> tuple[int, Answer]:
    if not isinstance(told, Mapping):
        raise unexpected(f"expected an object @ {where}")
    name, status, headers = told.get("id"), told.get("status"), told.get("headers")
    if not isinstance(status, int) or isinstance(status, bool):
        raise unexpected(f"expected a whole number @ {where}.status")
    known = headers if isinstance(headers, Mapping) else {}
    place = int(name) if isinstance(name, str) and name.isdecimal() else -1
    return place, Answer(
        status=status,
        headers={str(name): str(value) for name, value in known.items()},
        told=told.get("body"),
    )
