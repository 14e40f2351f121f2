"""Files find their records, or stay at home."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcpicture.core.filenames import safe_name
from bcpicture.core.mapping import MapRow
from bcpicture.core.matches import Ambiguous, Matching, PassedOver, Unmatched
from bcpicture.core.matching import Matcher
from bcpicture.core.models import Item
from bcpicture.core.options import MatchOptions
from bcpicture.core.signs import FileSigns
from bcpicture.core.steps import LocalFile
from bcpicture.errors import AnswerError, UsageError

SIGNS = FileSigns(1, 1, 1)


def files(*names: str) -> list[LocalFile]:
    return [LocalFile(name=name, signs=SIGNS) for name in names]


def items(*numbers: str, gtins: tuple[str, ...] = ()) -> list[Item]:
    codes = gtins or ("",) * len(numbers)
    return [
        Item(id=f"id-{at}", number=number, gtin=gtin)
        for at, (number, gtin) in enumerate(zip(numbers, codes, strict=True), 1)
    ]


def match(
    names: list[str], records: list[Item], options: MatchOptions | None = None
) -> Matching:
    matcher = Matcher(files(*names), options or MatchOptions())
    for record in records:
        matcher.offer([record])
    return matcher.result()


def pairs(made: Matching) -> dict[str, str]:
    return {pair.file.name: pair.row.number for pair in made.pairs}


def reasons(made: Matching) -> dict[str, str]:
    return {one.name: one.reason for one in made.unmatched}


@pytest.mark.parametrize(
    ("name", "number"),
    [
        pytest.param("1896-S.jpg", "1896-S", id="exactly"),
        pytest.param("1896-S.PNG", "1896-S", id="any extension"),
        pytest.param("1896-s.jpg", "1896-S", id="in lower case"),
        pytest.param("äpfel.jpg", "ÄPFEL", id="in lower case beyond ASCII"),
        pytest.param("A\u0308PFEL.jpg", "ÄPFEL", id="decomposed"),
        pytest.param("a\u0308pfel.jpg", "ÄPFEL", id="decomposed in lower case"),
        pytest.param("1896.5.jpg", "1896.5", id="with a dot"),
        pytest.param("A%2FB.jpg", "A/B", id="as pull writes it"),
        pytest.param("50%.jpg", "50%", id="with a sign that pull would escape"),
        pytest.param("straße.jpg", "STRAßE", id="a letter without a capital"),
        pytest.param(safe_name("9" * 300, ".jpeg"), "9" * 300, id="cut"),
    ],
)
def test_a_file_belongs_to_the_item_that_its_name_tells(name: str, number: str):
    made = match([name], items("OTHER", number))
    assert pairs(made) == {name: number}
    assert made.without_file.first == ("OTHER",)
    assert len(made.without_file) == 1


@pytest.mark.parametrize(
    ("name", "number"),
    [
        pytest.param("straße.jpg", "STRASSE", id="sharp s"),
        pytest.param("\u0131.jpg", "I", id="dotless i"),
        pytest.param("\u017f.jpg", "S", id="long s"),
        pytest.param("1896-S (1).jpg", "1896-S", id="a copy"),
        pytest.param("a%2fb.jpg", "A/B", id="as pull would write it, in lower case"),
    ],
)
def test_a_file_never_goes_to_a_mere_lookalike(name: str, number: str):
    made = match([name], items(number))
    assert made.pairs == ()
    assert reasons(made) == {name: "no such item"}


@pytest.mark.parametrize("backwards", [False, True])
def test_the_better_match_wins_among_items(*, backwards: bool):
    names = ["abc.jpg", "A%2FB.jpg", "A%252FB.jpg"]
    records = items("ABC", "abc", "A%2FB", "A/B")
    made = match(names, records[::-1] if backwards else records)
    assert pairs(made) == {
        "abc.jpg": "abc",
        "A%2FB.jpg": "A/B",
        "A%252FB.jpg": "A%2FB",
    }
    assert made.without_file.first == ("ABC",)
    assert made.without_file.count == 1


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["1896-S.jpg", "1896-S.png"], id="two extensions"),
        pytest.param(["1896-S.jpg", "1896-s.jpg"], id="two cases"),
    ],
)
def test_two_files_for_one_item_belong_to_nobody(names: list[str]):
    made = match([*names, "1900-S.jpg"], items("1896-S", "1900-S"))
    assert pairs(made) == {"1900-S.jpg": "1900-S"}
    assert made.ambiguous == (Ambiguous(numbers=("1896-S",), names=tuple(names)),)
    assert made.ambiguous[0].reason == "2 files for one item"
    assert made.unclear == {"id-1"}
    assert len(made.without_file) == len(made.unmatched) == 0


def test_one_file_for_two_items_belongs_to_nobody():
    made = match(["Abc.jpg"], items("ABC", "abc"))
    assert made.pairs == ()
    assert made.ambiguous == (Ambiguous(numbers=("ABC", "abc"), names=("Abc.jpg",)),)
    assert made.ambiguous[0].reason == "one file for 2 items"
    assert made.unclear == {"id-1", "id-2"}


def test_what_is_no_picture_by_its_extension_stays_at_home():
    made = match(["1896-S.txt", "README", "1896-S.webp"], items("1896-S"))
    assert pairs(made) == {"1896-S.webp": "1896-S"}
    why = "not a picture, by its extension"
    assert reasons(made) == {"1896-S.txt": why, "README": why}


def test_what_a_listing_sets_aside_stays_at_home_and_is_there():
    aside = [Unmatched(name="B.jpg", reason="a pipe")]
    made = Matcher(files("A.jpg"), MatchOptions(), aside=aside).result()
    assert reasons(made) == {"A.jpg": "no such item", "B.jpg": "a pipe"}
    assert made.names == {"A.jpg", "B.jpg"}


def test_files_of_folders_below_are_known_by_their_last_name():
    made = match(["x/A.jpg", "y/B.jpg", "z/B.jpg"], items("A", "B"))
    assert pairs(made) == {"x/A.jpg": "A"}
    assert made.ambiguous[0].names == ("y/B.jpg", "z/B.jpg")


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("gtin", "04006381333931.jpg"),
        ("id", "5D115C9C-44E3-EA11-BB43-000D3A2FEDA1.jpg"),
    ],
)
def test_a_file_is_found_by_another_field(field: str, name: str):
    item = Item(
        id="5d115c9c-44e3-ea11-bb43-000d3a2feda1", number="A", gtin="04006381333931"
    )
    other = Item(id="2", number="04006381333931")
    made = match([name], [other, item], MatchOptions(by=field))
    assert pairs(made) == {name: "A"}


def test_a_gtin_on_two_items_is_nobody_s_and_none_is_no_gtin():
    options = MatchOptions(by="gtin")
    records = items("A", "B", "C", gtins=("4006381333931", "4006381333931", ""))
    made = match(["4006381333931.jpg", ".jpg"], records, options)
    assert made.pairs == ()
    assert made.ambiguous == (
        Ambiguous(numbers=("A", "B"), names=("4006381333931.jpg",)),
    )
    assert made.without_file == match([], items("C")).without_file


def test_a_gtin_keeps_its_leading_zeros():
    records = items("A", gtins=("04006381333931",))
    assert match(["4006381333931.jpg"], records, MatchOptions(by="gtin")).pairs == ()


def test_a_template_tells_the_record():
    options = MatchOptions(template="{gtin}-*")
    records = items("A", gtins=("4006381333931",))
    made = match(["4006381333931-front.jpg", "front.jpg"], records, options)
    assert pairs(made) == {"4006381333931-front.jpg": "A"}
    assert reasons(made) == {"front.jpg": "its name does not fit the template"}


PICKED = ["S_2.jpg", "S_10.jpg", "S_back.jpg", "S_front.png", "T_1_a.jpg"]


@pytest.mark.parametrize(
    ("pick", "names", "picked"),
    [
        pytest.param((), PICKED, "S_2.jpg", id="naturally"),
        pytest.param(("front",), PICKED, "S_front.png", id="as the user says"),
        pytest.param("FRONT", PICKED, "S_front.png", id="in any case"),
        pytest.param(("side", "10"), PICKED, "S_10.jpg", id="the first that is there"),
        pytest.param((), [*PICKED, "S.jpg"], "S.jpg", id="the plain one first"),
        pytest.param(("10",), [*PICKED, "S.jpg"], "S_10.jpg", id="unless it is not"),
    ],
)
def test_one_of_several_is_picked(pick: tuple[str, ...], names: list[str], picked: str):
    made = match(names, items("S", "T_1"), MatchOptions(pick=pick))
    assert pairs(made) == {picked: "S", "T_1_a.jpg": "T_1"}
    others = {*names} - {picked, "T_1_a.jpg"}
    assert {one.name for one in made.passed_over} == others
    assert made.passed_over[0] == PassedOver(
        name=min(others), number="S", picked=picked
    )
    assert made.ambiguous == made.unmatched == ()


def test_a_template_with_a_pick_picks():
    options = MatchOptions(template="{number}/{pick}.jpg")
    made = match(["S/2.jpg", "S/1.jpg", "S.jpg"], items("S"), options)
    assert pairs(made) == {"S/1.jpg": "S"}
    assert options.deep


def test_nothing_is_picked_where_nothing_decides():
    made = match(["S_1.jpg", "S_1.png", "S_2.jpg"], items("S"), MatchOptions(pick=()))
    assert made.pairs == made.passed_over == ()
    assert made.ambiguous[0].names == ("S_1.jpg", "S_1.png", "S_2.jpg")


def test_a_number_with_an_underscore_is_no_choice():
    options = MatchOptions(pick=())
    made = match(["S_1.jpg", "S_2.jpg"], items("S", "S_1"), options)
    assert pairs(made) == {"S_1.jpg": "S_1", "S_2.jpg": "S"}


def test_patterns_leave_files_out_which_are_there_all_the_same():
    options = MatchOptions(include="*.jpg", exclude=["*-old.*"])
    made = match(["A.JPG", "B.png", "C-old.jpg"], items("A", "B"), options)
    assert pairs(made) == {"A.JPG": "A"}
    assert (made.unmatched, made.left_out) == ((), 2)
    assert made.names == {"A.JPG", "B.png", "C-old.jpg"}


def test_a_map_tells_what_names_do_not():
    rows = (
        MapRow(file="front.jpg", item="0012"),
        MapRow(file="lost.jpg", item="B"),
        MapRow(file="\u00e4.jpg", item="a"),
        MapRow(file="other.jpg", item="A", company="Elsewhere"),
    )
    matcher = Matcher(
        files("front.jpg", "0012.jpg", "a\u0308.jpg", "other.jpg"),
        MatchOptions(map=rows),
        company=("CRONUS", "guid"),
    )
    matcher.offer(items("12", "0012", "A", "B"))
    made = matcher.result()
    assert pairs(made) == {"front.jpg": "0012", "a\u0308.jpg": "A"}
    assert reasons(made) == {
        "0012.jpg": "not in the map",
        "lost.jpg": "in the map, but not there",
        "other.jpg": "not in the map",
    }


def test_a_row_of_a_map_for_this_company_comes_before_one_for_all():
    rows = (
        MapRow(file="1.jpg", item="B", company="CRONUS"),
        MapRow(file="1.jpg", item="A"),
    )
    matcher = Matcher(
        files("1.jpg"), MatchOptions(map=rows), company=("CRONUS", "guid")
    )
    matcher.offer(items("A", "B"))
    assert pairs(matcher.result()) == {"1.jpg": "B"}


def test_a_map_takes_its_cells_as_they_are():
    rows = (MapRow(file="1.jpg", item="A%2FB"),)
    made = match(["1.jpg"], items("A/B", "A%2FB"), MatchOptions(map=rows))
    assert pairs(made) == {"1.jpg": "A%2FB"}


def test_watched_records_are_told_of():
    matcher = Matcher(files("A.jpg"), MatchOptions(), watched={"id-1", "id-2", "9"})
    matcher.offer(items("A", "B", "C"))
    made = matcher.result()
    assert {id_: row.number for id_, row in made.watched.items()} == {
        "id-1": "A",
        "id-2": "B",
    }
    assert made.records == 3


def test_a_record_that_two_pages_repeat_is_one():
    made = match(["A.jpg"], [*items("A", "B"), *items("A")])
    assert pairs(made) == {"A.jpg": "A"}


@pytest.mark.parametrize("id_", ["", "00000000-0000-0000-0000-000000000000"])
def test_a_record_without_an_id_points_to_the_set_up(id_: str):
    with pytest.raises(AnswerError, match=r'"B" has no id .* Integrate APIs'):
        match(["A.jpg"], [*items("A"), Item(id=id_, number="B")])


@pytest.mark.parametrize("backwards", [False, True])
def test_an_id_of_two_records_points_to_the_set_up(*, backwards: bool):
    records = [Item(id="1", number="A"), Item(id="1", number="B")]
    with pytest.raises(AnswerError, match=r'1 ids .* that of "A".* Integrate APIs'):
        match(["A.jpg"], records[::-1] if backwards else records)


def test_an_id_of_two_records_that_no_file_wants_is_refused_as_well():
    with pytest.raises(AnswerError, match="1 ids belong to two records or more"):
        match([], [Item(id="1", number="A"), Item(id="1", number="B")])


def test_what_is_kept_of_records_without_a_file_does_not_grow():
    matcher = Matcher([], MatchOptions())
    for page in range(9, -1, -1):
        start = page * 1000
        matcher.offer(
            Item(id=f"id-{no}", number=f"{no:05}") for no in range(start, start + 1000)
        )
        assert len(matcher._without) <= 1000
    made = matcher.result()
    assert made.without_file.count == 10_000
    assert made.without_file.first[:2] == ("00000", "00001")


def test_options_that_match_alike_have_one_fingerprint():
    one = MatchOptions(include=["a*", "b*"], pick=("1",))
    other = MatchOptions(include=("b*", "a*"), pick="1")
    assert one.fingerprint == other.fingerprint
    assert MatchOptions().fingerprint == "8278be1b5d3b98d3"  # tomorrow as well
    changed = [
        MatchOptions(by="gtin"),
        MatchOptions(template="{number}"),
        MatchOptions(include="*.jpg"),
        MatchOptions(exclude="*.jpg"),
        MatchOptions(map=()),
        MatchOptions(pick=()),
        MatchOptions(pick="1"),
        MatchOptions(recursive=True),
    ]
    assert len({it.fingerprint for it in changed} | {MatchOptions().fingerprint}) == 9


def test_a_template_and_a_map_contradict_each_other():
    with pytest.raises(UsageError, match="Use one of them"):
        MatchOptions(template="{number}", map=())


def test_options_are_looked_at_when_they_are_made():
    with pytest.raises(UsageError, match="not clear"):
        MatchOptions(include="{a")
    with pytest.raises(UsageError, match="not clear"):
        MatchOptions(template="x")


NUMBERS = st.lists(
    st.text(st.sampled_from("aAbB/%.äÄ\u0308ßS2F~_1"), max_size=6), unique=True
)
OPTIONS = st.sampled_from(
    [MatchOptions(), MatchOptions(pick=()), MatchOptions(template="{number}_{pick}")]
)


@given(NUMBERS)
def test_what_pull_wrote_push_sends_back_to_the_same_items(numbers: list[str]):
    names = {safe_name(number, ".jpg"): number for number in numbers}
    made = match(list(names), items(*numbers))
    assert pairs(made) == names
    assert made.unmatched == made.ambiguous == ()
    assert len(made.without_file) == 0


@given(NUMBERS, NUMBERS, OPTIONS, st.randoms())
def test_every_file_ends_in_one_place_in_whatever_order_all_is_told(
    stems: list[str], numbers: list[str], options: MatchOptions, random: Random
):
    names = [f"{stem.replace('/', '')}.jpg" for stem in stems]
    names, records = sorted(set(names)), items(*numbers)
    made = match(names, records, options)
    random.shuffle(names)
    random.shuffle(records)
    assert match(names, records, options) == made
    ends = [
        *(pair.file.name for pair in made.pairs),
        *(one.name for one in made.unmatched),
        *(one.name for one in made.passed_over),
    ]
    unclear = {name for group in made.ambiguous for name in group.names}
    assert len(ends) == len(set(ends))
    assert not unclear & set(ends)
    assert {*ends, *unclear} == set(names)
    assert len({pair.row.id for pair in made.pairs}) == len(made.pairs)
