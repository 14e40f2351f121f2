"""Which file belongs to which record.

Files are few enough to be held, records may be many: they are offered page by page, and
what is kept of them are those that a file wants, or that somebody watches. A wrong
picture is worse than none: two files for one record, or one file for two, belong to
nobody, unless `MatchOptions.pick` decides between the files of one record.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator
from operator import attrgetter

import attrs

from bcpicture.core.claims import Claim, Settlement, settle
from bcpicture.core.filenames import extension_of, safe_stem, stem_of
from bcpicture.core.globs import chooser
from bcpicture.core.keys import RULES, nfc, rule, upper
from bcpicture.core.mapping import rows_for
from bcpicture.core.matches import Matching, Pair, Record, Row, Sample, Unmatched
from bcpicture.core.media import PICTURE_EXTENSIONS
from bcpicture.core.options import MatchOptions
from bcpicture.core.steps import LocalFile
from bcpicture.core.unique import Ids

_SHOWN = 100
"""Records without a file that are named."""

_NOT_A_PICTURE = "not a picture, by its extension"
_MISFIT = "its name does not fit the template"
_NOT_IN_MAP = "not in the map"
_NOT_THERE = "in the map, but not there"
_NO_RECORD = "no such item"

_Reading = tuple[str, str]
"""What a file's name may tell of its record, and what tells its files apart."""


@attrs.frozen
class _Wish:
    """One reading of one file's name."""

    file: int
    place: int  # among the readings of the same name; the first is the best
    text: str
    pick: str


@attrs.define
class _Home:
    """The records that fit a file best, so far: mostly one."""

    rank: int
    pick: str
    rows: Row | dict[str, Row]

    def add(self, row: Row) -> None:
        if isinstance(self.rows, Row):
            self.rows = {self.rows.id: self.rows}
        self.rows.setdefault(row.id, row)

    def all(self) -> tuple[Row, ...]:
        return (self.rows,) if isinstance(self.rows, Row) else tuple(self.rows.values())


class Matcher:
    """Matches files with records that come page by page.

    Args:
        files: All there are, of one listing.
        options: How to match.
        watched: Ids of records that the result tells of even if no file wants them.
        company: Name and id of the company, for a map that is about several.
        aside: Files that are there and cannot be sent, whatever they are called.
    """

    def __init__(
        self,
        files: Iterable[LocalFile],
        options: MatchOptions,
        *,
        watched: Container[str] = (),
        company: Collection[str] = (),
        aside: Iterable[Unmatched] = (),
    ) -> None:
        self._options = options
        self._watched = watched
        self._escaped = options.field == "number" and options.map is None
        self._value = attrgetter(options.field)
        self._unmatched = list(aside)
        self._names = {one.name for one in self._unmatched}
        self._files: list[LocalFile] = []
        self._left_out = 0
        self._index: dict[str, _Wish | list[_Wish]] = {}
        self._homes: dict[int, _Home] = {}
        self._losers: dict[str, str] = {}
        self._listed: dict[str, Row] = {}
        self._without: list[str] = []
        self._ids = Ids()
        self._take(files, _Reader(options, company))

    def offer(self, records: Iterable[Record]) -> None:
        """Look at one more page.

        Raises:
            AnswerError: A record has no id of its own.
        """
        for record in records:
            self._ids.add(record)
            row = self._place(record)
            if row is None:
                self._without.append(record.number)
            if record.id in self._watched:
                self._listed.setdefault(record.id, row or Row.of(record))
        if len(self._without) > 10 * _SHOWN:
            self._without = sorted(self._without)[:_SHOWN]

    def result(self) -> Matching:
        """Return what belongs together, after the last page.

        Raises:
            AnswerError: Two records have one id.
        """
        options = self._options
        self._index.clear()  # room for what comes now
        settled = settle(
            self._claims(), (options.pick or ()) if options.picks else None
        )
        self._ids.refuse_doubled((it.row.id, it.row.number) for it in settled.pairs)
        return Matching(
            pairs=tuple(sorted(settled.pairs, key=_by_number)),
            unmatched=tuple(
                sorted(self._strangers(), key=attrgetter("name", "reason"))
            ),
            ambiguous=tuple(
                sorted(settled.ambiguous, key=attrgetter("numbers", "names"))
            ),
            passed_over=tuple(sorted(settled.passed_over, key=attrgetter("name"))),
            without_file=self._without_file(settled),
            watched=self._listed,
            unclear=frozenset(settled.unclear),
            names=frozenset(self._names),
            left_out=self._left_out,
            records=len(self._ids),
            fingerprint=options.fingerprint,
        )

    def _take(self, files: Iterable[LocalFile], reader: _Reader) -> None:
        for file in files:
            self._names.add(file.name)
            readings = reader.read(file.name)
            if isinstance(readings, str):
                self._unmatched.append(Unmatched(name=file.name, reason=readings))
            elif not readings:
                self._left_out += 1
            else:
                self._note(file, readings)
        there = set(map(nfc, self._names)) if reader.mapped else set()
        absent = (name for name in reader.mapped if nfc(name) not in there)
        self._unmatched += (Unmatched(name=it, reason=_NOT_THERE) for it in absent)

    def _note(self, file: LocalFile, readings: list[_Reading]) -> None:
        self._files.append(file)
        for place, (text, pick) in enumerate(readings):
            wish = _Wish(len(self._files) - 1, place, text, pick)
            capital = upper(text)
            there = self._index.setdefault(capital if capital != text else text, wish)
            if isinstance(there, list):
                there.append(wish)
            elif there is not wish:
                self._index[capital] = [there, wish]

    def _wishes(self, value: str) -> Iterator[tuple[_Wish, int]]:
        """Who may want the record with *value*, each with its rank."""
        stem = safe_stem(value) if self._escaped else value
        if stem != value:
            for wish in self._found(stem):
                if nfc(wish.text) == stem:
                    yield wish, wish.place * RULES
        for wish in self._found(value):
            how = rule(wish.text, value, escaped=self._escaped)
            yield wish, wish.place * RULES + how

    def _found(self, value: str) -> list[_Wish]:
        found = self._index.get(upper(value), [])
        return found if isinstance(found, list) else [found]

    def _place(self, record: Record) -> Row | None:
        """Give a record to the files that want it; None if none does."""
        value: str = self._value(record)
        if not value and self._options.field != "number":
            return None
        row, placed = None, False
        for wish, rank in self._wishes(value):
            row = row or Row.of(record)
            placed = self._offer_home(wish, rank, row) or placed
        return row if placed else None

    def _offer_home(self, wish: _Wish, rank: int, row: Row) -> bool:
        home = self._homes.get(wish.file)
        if home is None or rank < home.rank:
            self._lose(home)
            self._homes[wish.file] = _Home(rank, wish.pick, row)
            return True
        if rank == home.rank:
            home.add(row)
        return rank == home.rank

    def _lose(self, home: _Home | None) -> None:
        if home is not None:
            self._losers |= {row.id: row.number for row in home.all()}

    def _claims(self) -> Iterator[Claim]:
        for at, home in self._homes.items():
            yield Claim(self._files[at], home.all(), pick=home.pick)

    def _strangers(self) -> Iterator[Unmatched]:
        yield from self._unmatched
        for at, file in enumerate(self._files):
            if at not in self._homes:
                yield Unmatched(name=file.name, reason=_NO_RECORD)

    def _without_file(self, settled: Settlement) -> Sample:
        lost = (no for id_, no in self._losers.items() if id_ not in settled.claimed)
        first = sorted({*self._without, *lost})[:_SHOWN]
        count = len(self._ids) - len(settled.claimed)
        return Sample(count=count, first=tuple(first))


class _Reader:
    """Reads in a file's name what record it may belong to."""

    def __init__(self, options: MatchOptions, company: Collection[str]) -> None:
        self._template = options.parsed
        self._picks = options.picks
        self._chosen = chooser(options.include, options.exclude)
        self._by_map = options.map is not None
        self.mapped = {it.file: it.item for it in rows_for(options.map or (), company)}
        self._composed = {nfc(name): item for name, item in self.mapped.items()}

    def read(self, name: str) -> list[_Reading] | str:
        """The readings, the best first; none for what is left out, or why not."""
        if not self._chosen(name):
            return []
        if extension_of(name) not in PICTURE_EXTENSIONS:
            return _NOT_A_PICTURE
        if self._by_map:
            item = self.mapped.get(name) or self._composed.get(nfc(name))
            return _NOT_IN_MAP if item is None else [(item, "")]
        if self._template:
            reading = self._template.read(name)
            return _MISFIT if reading is None else [reading]
        return list(self._plain(stem_of(name.rpartition("/")[2])))

    def _plain(self, stem: str) -> Iterator[_Reading]:
        """The whole name, then what stands before each underscore, from the last."""
        yield stem, ""
        head = stem.rpartition("_")[0] if self._picks else ""
        while head:
            yield head, stem[len(head) + 1 :]
            head = head.rpartition("_")[0]


def _by_number(pair: Pair) -> tuple[str, str]:
    return pair.row.number, pair.row.id
