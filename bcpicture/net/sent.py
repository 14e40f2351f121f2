"""Bytes that went out and cannot be taken back: nothing goes out twice."""

from __future__ import annotations

import hashlib

from bcpicture.errors import TargetError


class Sent:
    """What went out and cannot be taken back, so that nothing of it goes out twice.

    When the answer has to be asked for again, its beginning is compared with what is
    out already, and only what comes after that is written.
    """

    def __init__(self) -> None:
        self._out = hashlib.sha256()
        self._size = 0
        self._check = self._out
        self._left = 0

    def again(self) -> None:
        """The answer begins once more."""
        self._check = hashlib.sha256()
        self._left = self._size

    def new_of(self, data: bytes) -> memoryview:
        """What of *data* is not out yet; it is taken to be out from now on.

        Raises:
            TargetError: The answer is another one than before.
        """
        view = memoryview(data)
        if self._left:
            self._check.update(view[: self._left])
            view, self._left = view[self._left :], max(0, self._left - len(view))
            if not self._left and self._check.digest() != self._out.digest():
                raise _differs()
        self._out.update(view)
        self._size += len(view)
        return view

    def end(self) -> None:
        """The answer ends.

        Raises:
            TargetError: It is shorter than what is out.
        """
        if self._left:
            raise _differs()


def _differs() -> TargetError:
    return TargetError(
        "The picture had to be asked for again and is another one now, but what was "
        "written of the first one cannot be taken back.",
        advice="Use a file that can seek, or download to a path.",
    )
