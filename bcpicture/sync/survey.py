"""What a plan is made of: listed, asked for and read, and nothing is changed by it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import attrs

from bcpicture.core.matches import Matching
from bcpicture.core.matching import Matcher
from bcpicture.core.models import Item
from bcpicture.core.options import MatchOptions
from bcpicture.core.steps import LocalFile
from bcpicture.core.surveys import Answers, Questions, Seen
from bcpicture.errors import BcPictureError, MissingError
from bcpicture.resources.records import Records
from bcpicture.sync.looks import digest_of, look_at, look_at_most
from bcpicture.sync.sources import Source
from bcpicture.sync.targets import Target
from bcpicture.sync.turns import in_turns

PAGE = 20_000
"""Records a page: few requests; nothing of their pictures is read for it."""

_FEW = 100
"""Records that are looked at in one request in any case."""


@attrs.define(kw_only=True)
class Surveyor:
    """Gathers what a plan asks for."""

    records: Records
    """The records, asked for in bulk."""

    clock: Callable[[], float]
    """Monotonic seconds."""

    source: Source | Target | None = None
    """Where files are read; None where none are asked for."""

    _listed: int = attrs.field(default=0, init=False)

    async def list_all(
        self, offer: Callable[[Sequence[Item]], object], *fields: str
    ) -> None:
        """List all records, and hand each page of them to *offer*, in a thread.

        Args:
            offer: Takes them.
            fields: What is asked for, beside what is compared with the journal.

        Raises:
            BcPictureError: The listing did not end; nothing can be planned.
        """
        usual = ("id", self.records.parent.key, "lastModifiedDateTime")
        async for page in self.records.select(*usual, *fields).page_size(PAGE).pages():
            self._listed += len(page.values)
            await asyncio.to_thread(offer, page.values)
            del page  # or it would be held until the next one has been read

    async def match(self, matcher: Matcher, options: MatchOptions) -> Matching:
        """List all records, and match them.

        Raises:
            BcPictureError: The listing did not end; nothing can be planned.
        """
        fields = ("gtin",) if options.field == "gtin" else ()
        await self.list_all(matcher.offer, *fields)
        return await asyncio.to_thread(matcher.result)

    async def answer(self, asked: Questions, answers: Answers) -> None:
        """Find out what is asked, and add it to *answers*."""
        await self._hash(asked.hash, answers)
        await self._expand(asked.expand, answers)
        await self._read(asked.read, answers)

    async def _hash(self, files: Sequence[LocalFile], answers: Answers) -> None:
        if not files or self.source is None:
            return
        for read in await self.source.digests(files):
            if read.error is not None:
                answers.failed[read.file.name] = str(read.error)
            else:
                answers.digests[read.file.name] = read.digest

    async def _expand(self, ids: Sequence[str], answers: Answers) -> None:
        most = len(ids) > max(_FEW, self._listed // 2)
        ask = look_at_most if most else look_at
        looks = await ask(self.records, ids, self.clock())
        for id_, look in looks.items():
            if look.error is None:
                answers.seen[id_] = Seen(item=look.item, picture=look.picture)
            elif isinstance(look.error, MissingError):
                answers.seen[id_] = None
            else:
                answers.failed[id_] = str(look.error)

    async def _read(self, ids: Sequence[str], answers: Answers) -> None:
        async def read(id_: str) -> None:
            try:
                digest, _ = await digest_of(self.records.picture_of(id_))
            except MissingError:
                answers.read[id_] = None
            except BcPictureError as error:
                answers.failed[id_] = str(error)
            else:
                answers.read[id_] = digest

        await in_turns(read, ids)
