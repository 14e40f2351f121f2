"""What a comparison is about: every pair, and what is without a counterpart."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

import attrs

from bcpicture.core.filenames import extension_of
from bcpicture.core.ledger import Link, Way
from bcpicture.core.manifest import NAME, read_manifest
from bcpicture.core.matches import Matching
from bcpicture.core.matching import Matcher
from bcpicture.core.media import PICTURE_EXTENSIONS
from bcpicture.core.options import VerifyOptions
from bcpicture.core.report import Outcome
from bcpicture.core.steps import Compare, LocalFile
from bcpicture.errors import BcPictureError, MissingError, SourceError
from bcpicture.resources.records import Records
from bcpicture.sync.engine import Run
from bcpicture.sync.kit import Kit
from bcpicture.sync.looks import look_at
from bcpicture.sync.survey import PAGE
from bcpicture.sync.targets import Target
from bcpicture.sync.verifying import Hashed, Verifying

_STRAY = "nothing tells whose it is"
_AT_ONCE = 2000
"""Records that are looked at before the next ones are."""


async def start_verify(
    kit: Kit, place: Target, options: VerifyOptions, *, width: int
) -> Run[Hashed, Outcome]:
    """The run that compares; the journal does not hear of it.

    Raises:
        SourceError: The files cannot be listed.
        BcPictureError: The records cannot be listed.
    """
    if not await place.exists():
        raise SourceError(
            f"The folder {place.place} is not there.",
            advice="Name the folder that holds the pictures.",
        )
    pairs = await _Pairing(kit=kit, place=place, options=options).pairs()
    return Run(pairs, Verifying(records=kit.records, source=place), width=width)


@attrs.frozen
class _Owners:
    """Whose the files of a pulled folder are."""

    links: Mapping[str, Link]
    """By the record's id, as the journal tells."""

    names: Mapping[str, str]
    """The file, by the record's number, as the manifest tells."""

    def __bool__(self) -> bool:
        return bool(self.links or self.names)

    def file_of(self, id_: str, number: str) -> str:
        """The file of a record; empty if it has none."""
        link = self.links.get(id_)
        return link.name if link else self.names.get(number, "")


@attrs.frozen(kw_only=True)
class _Pairing:
    kit: Kit
    place: Target
    options: VerifyOptions

    async def pairs(self) -> list[Compare]:
        """Everything that is to be compared, and what is alone."""
        files = {it.name: it for it in (await self.place.scan()).files}
        owners = await self._owners()
        if owners if self.options.pulled is None else self.options.pulled:
            numbers = await self._list(None)
            found = [*_by_owner(files, owners, numbers)]
        else:
            found, numbers = await self._by_name(files)
        taken = {it.id for it in found}
        left = {id_: it for id_, it in numbers.items() if id_ not in taken}
        return [*found, *await _alone(self.kit.records, left)]

    async def _owners(self) -> _Owners:
        memory = await self.kit.journal.load(Way.PULL, self.place.place)
        links = {id_: memory.links[id_] for id_ in memory.links}
        manifest = read_manifest(await self.place.text(NAME))
        entries = {} if links else manifest.entries
        return _Owners(links, {number: it.file for number, it in entries.items()})

    async def _by_name(
        self, files: Mapping[str, LocalFile]
    ) -> tuple[list[Compare], dict[str, str]]:
        company = self.kit.records.company
        named = (company.name, await company.id())
        options = self.options.match
        matcher = Matcher([*files.values()], options, watched=(), company=named)
        numbers = await self._list(matcher)
        memory = await self.kit.journal.load(Way.PUSH, self.place.place)
        matching = await asyncio.to_thread(matcher.result)
        return [*_by_match(matching, memory.links)], numbers

    async def _list(self, matcher: Matcher | None) -> dict[str, str]:
        """Numbers of all records, by their ids."""
        records, numbers = self.kit.records, {}
        fields = ["id", records.parent.key]
        if matcher and self.options.match.field == "gtin":
            fields.append("gtin")
        async for page in records.select(*fields).page_size(PAGE).pages():
            numbers.update({it.id: it.number for it in page.values})
            if matcher is not None:
                await asyncio.to_thread(matcher.offer, page.values)
            del page  # or it would be held until the next one has been read
        return numbers


def _by_owner(
    files: Mapping[str, LocalFile], owners: _Owners, numbers: Mapping[str, str]
) -> Iterator[Compare]:
    taken = {NAME}
    for id_, number in numbers.items():
        name = owners.file_of(id_, number)
        if file := files.get(name):
            taken.add(name)
            yield Compare(number=number, id=id_, name=name, file=file)
    for name in sorted(files.keys() - taken):
        if extension_of(name) in PICTURE_EXTENSIONS:
            yield _stray(files[name], _STRAY)


def _by_match(matching: Matching, links: Mapping[str, Link]) -> Iterator[Compare]:
    for pair in matching.pairs:
        row, file = pair.row, pair.file
        link = links.get(row.id)
        yield Compare(
            number=row.number, id=row.id, name=file.name, file=file, link=link
        )
    for alone in matching.unmatched:
        if extension_of(alone.name) in PICTURE_EXTENSIONS:
            yield Compare(number="", id="", name=alone.name, reason=alone.reason)
    for several in matching.ambiguous:
        for name in several.names:
            yield Compare(number="", id="", name=name, reason=several.reason)


def _stray(file: LocalFile, reason: str) -> Compare:
    return Compare(number="", id="", name=file.name, file=file, reason=reason)


async def _alone(records: Records, numbers: Mapping[str, str]) -> list[Compare]:
    """The records that have a picture, of those that have no file."""
    ids, found = [*numbers], []
    for start in range(0, len(ids), _AT_ONCE):
        looks = await look_at(records, ids[start : start + _AT_ONCE], 0.0)
        for id_, look in looks.items():
            if look.picture.exists or _unclear(look.error):
                found.append(Compare(number=numbers[id_], id=id_, name=""))
    return found


def _unclear(error: BcPictureError | None) -> bool:
    """Whether nobody knows if there is a picture: reading it tells why."""
    return error is not None and not isinstance(error, MissingError)
