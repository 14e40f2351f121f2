"""Pictures are sent by id: each has to be there, and be one record's alone."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable

from bcpicture.core.matches import Record
from bcpicture.errors import AnswerError

_ZERO = re.compile(r"[{}0-]*")


class Ids:
    """The ids of all records of a listing, in sixteen bytes each."""

    def __init__(self) -> None:
        self._ids = array("q")
        self._with_numbers = array("q")

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, record: Record) -> None:
        """Note one more.

        Raises:
            AnswerError: It has no id of its own.
        """
        if _ZERO.fullmatch(record.id):
            raise _useless(f'The record "{record.number}" has no id of its own.')
        self._ids.append(hash(record.id))
        self._with_numbers.append(hash((record.id, record.number)))

    def refuse_doubled(self, known: Iterable[tuple[str, str]]) -> None:
        """Fail if one id has two numbers; a row that two pages repeat is no harm.

        Args:
            known: Ids with their numbers, to name some that are concerned.

        Raises:
            AnswerError: Two records have one id.
        """
        if len(set(self._ids)) == len(self._ids):
            return
        distinct = set(zip(self._ids, self._with_numbers, strict=True))
        times = Counter(id_ for id_, _ in distinct)
        doubled = sum(count > 1 for count in times.values())
        if doubled:
            named = sorted(number for id_, number in known if times[hash(id_)] > 1)
            told = ", ".join(f'"{number}"' for number in named[:3])
            among = f", among them that of {told}" if told else ""
            raise _useless(f"{doubled} ids belong to two records or more{among}.")


def _useless(what: str) -> AnswerError:
    return AnswerError(
        what,
        advice=(
            "Pictures cannot be sent safely before that is mended: open the page "
            "API Setup in Business Central and run its action Integrate APIs."
        ),
    )
