"""Plans without a journal, for as long as there are commands that have none.

A file belongs to the item whose number its name tells, in this order: exactly as
`safe_name` would write it, literally, in the same Unicode normal form, in upper case.
Upper case, since that is how Business Central keeps its codes, letter by letter:
``casefold`` would take ``STRASSE`` for ``straße`` and send a picture to a stranger.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Protocol

import attrs

from bcpicture.core.filenames import extension_of, safe_stem, stem_of
from bcpicture.core.keys import nfc, upper
from bcpicture.core.media import PICTURE_EXTENSIONS


class Numbered(Protocol):
    """What a plan wants to know of an item; every `Item` has it."""

    @property
    def id(self) -> str:
        """GUID."""

    @property
    def number(self) -> str:
        """The number that people know it by."""


@attrs.frozen
class Target:
    """An item, cut down to what a plan keeps of it, since there may be 100,000."""

    id: str
    """GUID."""

    number: str
    """The number that people know it by."""


@attrs.frozen(kw_only=True)
class LocalFile:
    """A file of the folder, as the file system lists it."""

    path: str
    """Where it is."""

    name: str
    """Its name alone, with its extension."""

    size: int
    """Bytes."""


@attrs.frozen(kw_only=True)
class Upload:
    """A step: send this file to that item."""

    number: str
    """The item's number."""

    item_id: str
    """The item's GUID."""

    file: LocalFile
    """What to send."""


@attrs.frozen(kw_only=True)
class Download:
    """A step: write that item's picture into this file."""

    number: str
    """The item's number."""

    item_id: str
    """The item's GUID."""

    stem: str
    """Name of the file; its extension is known when the first bytes are."""


Step = Upload | Download


@attrs.frozen
class Unmatched:
    """A file that no item wants."""

    file: LocalFile
    """The file."""

    reason: str
    """Why not."""


@attrs.frozen
class Ambiguous:
    """Files and items of which nobody can say which belong together."""

    numbers: tuple[str, ...]
    """Numbers of the items."""

    files: tuple[LocalFile, ...]
    """The files; none of them is sent."""

    @property
    def reason(self) -> str:
        """What is unclear, in a few words."""
        if len(self.files) > 1:
            return f"{len(self.files)} files for one item"
        return f"one file for {len(self.numbers)} items"


@attrs.frozen(kw_only=True)
class PushPlan:
    """What a push will do, and what it will leave alone. Every list is in order."""

    uploads: tuple[Upload, ...] = ()
    """The steps."""

    unmatched: tuple[Unmatched, ...] = ()
    """Files that stay at home."""

    ambiguous: tuple[Ambiguous, ...] = ()
    """Files of which it is not clear where they belong; they stay at home too."""

    without_file: tuple[str, ...] = ()
    """Numbers of the items that no file was found for."""

    @property
    def size(self) -> int:
        """Bytes to send."""
        return sum(step.file.size for step in self.uploads)


def download_of(item: Numbered) -> Download:
    """Say where the picture of *item* goes."""
    return Download(number=item.number, item_id=item.id, stem=safe_stem(item.number))


def plan_push(files: Iterable[LocalFile], items: Iterable[Numbered]) -> PushPlan:
    """Match *files* to *items* by number.

    Two files for one item, or one file for two items, upload nothing: a wrong picture
    is worse than none.
    """
    pictures, others = _sorted_out(files)
    targets = {item.id: Target(item.id, item.number) for item in items}
    homes = _homes(pictures, targets.values())
    claims = _claims(homes)
    strangers = [
        *(Unmatched(file, "not a picture, by its extension") for file in others),
        *(Unmatched(file, "no such item") for file in pictures if file not in homes),
    ]
    return PushPlan(
        uploads=tuple(sorted(_clear(claims), key=lambda step: step.number)),
        unmatched=tuple(sorted(strangers, key=lambda one: one.file.name)),
        ambiguous=tuple(sorted(_unclear(claims), key=lambda one: one.numbers)),
        without_file=tuple(
            sorted(one.number for one in targets.values() if one not in claims)
        ),
    )


def _sorted_out(files: Iterable[LocalFile]) -> tuple[list[LocalFile], list[LocalFile]]:
    pictures: list[LocalFile] = []
    others: list[LocalFile] = []
    for file in files:
        known = extension_of(file.name) in PICTURE_EXTENSIONS
        (pictures if known else others).append(file)
    return pictures, others


def _homes(
    files: Iterable[LocalFile], targets: Collection[Target]
) -> dict[LocalFile, tuple[Target, ...]]:
    """Give each file the items that the first rule finds for it, if any does."""
    homes: dict[LocalFile, tuple[Target, ...]] = {}
    homeless = list(files)
    for of_stem, of_number in _RULES:
        wanted = {file: of_stem(stem_of(file.name)) for file in homeless}
        found = _by_key(targets, of_number, frozenset(wanted.values()))
        homes |= {file: found[key] for file, key in wanted.items() if key in found}
        homeless = [file for file in homeless if file not in homes]
        if not homeless:  # the usual case: the rules below need not look at all items
            break
    return homes


def _by_key(
    targets: Iterable[Target], key_of: Callable[[str], str], wanted: frozenset[str]
) -> dict[str, tuple[Target, ...]]:
    found: defaultdict[str, tuple[Target, ...]] = defaultdict(tuple)
    for target in targets:
        if (key := key_of(target.number)) in wanted:
            found[key] += (target,)
    return dict(found)


_Claims = Mapping[Target, list[tuple[LocalFile, tuple[Target, ...]]]]
"""Per item the files that want it, each with all the items that it wants."""


def _claims(homes: Mapping[LocalFile, tuple[Target, ...]]) -> _Claims:
    claims: defaultdict[Target, list[tuple[LocalFile, tuple[Target, ...]]]]
    claims = defaultdict(list)
    for file, found in homes.items():
        for target in found:
            claims[target].append((file, found))
    return claims


def _clear(claims: _Claims) -> Iterator[Upload]:
    for target, claimants in claims.items():
        file, wants = claimants[0]
        if len(claimants) == len(wants) == 1:
            yield Upload(number=target.number, item_id=target.id, file=file)


def _unclear(claims: _Claims) -> set[Ambiguous]:
    unclear = set()
    for target, claimants in claims.items():
        files = tuple(sorted((file for file, _ in claimants), key=lambda f: f.name))
        wants = claimants[0][1] if len(claimants) == 1 else (target,)
        if len(files) > 1 or len(wants) > 1:
            unclear.add(Ambiguous(tuple(sorted(one.number for one in wants)), files))
    return unclear


def _same(text: str) -> str:
    return text


_RULES: tuple[tuple[Callable[[str], str], Callable[[str], str]], ...] = (
    (nfc, safe_stem),  # what `pull` wrote, on a file system that decomposes too
    (_same, _same),
    (nfc, nfc),
    (upper, upper),
)
"""What to compare, of a file's stem and of an item's number; the first that fits."""
