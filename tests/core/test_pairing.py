"""Files find their items, or stay at home."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcpicture.core.filenames import safe_name
from bcpicture.core.models import Item
from bcpicture.core.pairing import (
    Ambiguous,
    Download,
    LocalFile,
    PushPlan,
    Target,
    Upload,
    download_of,
    plan_push,
)


def file(name: str, size: int = 1) -> LocalFile:
    return LocalFile(path=f"photos/{name}", name=name, size=size)


def plan(names: list[str], numbers: list[str]) -> PushPlan:
    items = [Target(f"id-{at}", number) for at, number in enumerate(numbers)]
    return plan_push([file(name) for name in names], items)


def pairs(made: PushPlan) -> dict[str, str]:
    return {step.file.name: step.number for step in made.uploads}


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
    made = plan([name], ["OTHER", number])
    assert pairs(made) == {name: number}
    assert made.without_file == ("OTHER",)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        pytest.param("straße.jpg", "STRASSE", id="sharp s"),
        pytest.param("\u0131.jpg", "I", id="dotless i"),
        pytest.param("\u017f.jpg", "S", id="long s"),
        pytest.param("1896-S (1).jpg", "1896-S", id="a copy"),
    ],
)
def test_a_file_never_goes_to_a_mere_lookalike(name: str, number: str):
    made = plan([name], [number])
    assert made.uploads == ()
    assert made.unmatched[0].reason == "no such item"


def test_the_better_match_wins_among_items():
    names = ["abc.jpg", "A%2FB.jpg", "A%252FB.jpg"]
    made = plan(names, ["ABC", "abc", "A%2FB", "A/B"])
    assert pairs(made) == {
        "abc.jpg": "abc",
        "A%2FB.jpg": "A/B",
        "A%252FB.jpg": "A%2FB",
    }


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["1896-S.jpg", "1896-S.png"], id="two extensions"),
        pytest.param(["1896-S.jpg", "1896-s.jpg"], id="two cases"),
    ],
)
def test_two_files_for_one_item_upload_nothing(names: list[str]):
    made = plan([*names, "1900-S.jpg"], ["1896-S", "1900-S"])
    assert pairs(made) == {"1900-S.jpg": "1900-S"}
    assert made.ambiguous == (Ambiguous(("1896-S",), tuple(map(file, names))),)
    assert made.ambiguous[0].reason == "2 files for one item"
    assert made.without_file == made.unmatched == ()


def test_one_file_for_two_items_uploads_nothing():
    made = plan(["Abc.jpg"], ["ABC", "abc"])
    assert made.uploads == ()
    assert made.ambiguous == (Ambiguous(("ABC", "abc"), (file("Abc.jpg"),)),)
    assert made.ambiguous[0].reason == "one file for 2 items"


def test_what_is_no_picture_by_its_extension_stays_at_home():
    made = plan(["1896-S.txt", "README", "1896-S.webp"], ["1896-S"])
    assert pairs(made) == {"1896-S.webp": "1896-S"}
    assert [one.file.name for one in made.unmatched] == ["1896-S.txt", "README"]
    assert made.unmatched[0].reason == "not a picture, by its extension"


def test_an_item_that_is_listed_twice_is_one_item():
    item = Item(id="1", number="A")
    assert len(plan_push([file("A.jpg")], [item, item]).uploads) == 1


def test_a_plan_is_in_order_and_knows_its_size():
    files = [file("B.jpg", 3), file("A.jpg", 4), file("Z.jpg", 9), file("Y.jpg", 9)]
    made = plan_push(files, [Target("1", "B"), Target("2", "A"), Target("3", "C")])
    assert [step.number for step in made.uploads] == ["A", "B"]
    assert [one.file.name for one in made.unmatched] == ["Y.jpg", "Z.jpg"]
    assert made.size == 7


def test_a_step_names_its_item_and_its_file():
    made = plan_push([file("A.jpg")], [Item(id="1", number="A")])
    assert made.uploads == (Upload(number="A", item_id="1", file=file("A.jpg")),)
    item = Item(id="1", number="A/B")
    assert download_of(item) == Download(number="A/B", item_id="1", stem="A%2FB")


NUMBERS = st.lists(st.text(st.sampled_from("aAbB/%.äÄ\u0308ßS2F~"), max_size=6))


@given(NUMBERS.map(lambda numbers: list(dict.fromkeys(numbers))))
def test_what_pull_wrote_push_sends_back_to_the_same_items(numbers: list[str]):
    names = {safe_name(number, ".jpg"): number for number in numbers}
    made = plan(list(names), numbers)
    assert pairs(made) == names
    assert made.unmatched == made.ambiguous == made.without_file == ()


@given(NUMBERS, NUMBERS)
def test_every_file_and_every_item_ends_in_exactly_one_place(
    stems: list[str], numbers: list[str]
):
    names = {f"{stem}.jpg" for stem in stems}
    made = plan(sorted(names), numbers)
    sent = set(pairs(made))
    home = {one.file.name for one in made.unmatched}
    unclear = {one.name for group in made.ambiguous for one in group.files}
    assert sent | home | unclear == names
    assert len(sent) + len(home) + len(unclear) == len(names)
    assert len({step.item_id for step in made.uploads}) == len(made.uploads)
