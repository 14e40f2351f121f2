"""What signs prove, and what they do not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest

from bcpicture.core.dialects import DIALECTS, V1, V2, Dialect
from bcpicture.core.signs import (
    YOUNG,
    FileSigns,
    ItemSigns,
    PictureSigns,
    Proof,
    judge_signs,
    moved_backwards,
    within,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ITEM = ItemSigns(etag='W/"1"', modified=NOON)
PICTURE = PictureSigns(exists=True, etag='W/"p"', width=3, height=2)
OTHER_ITEM = attrs.evolve(ITEM, etag='W/"2"')
LATER = attrs.evolve(ITEM, modified=NOON + SECOND)
WIDER = attrs.evolve(PICTURE, width=4)


@pytest.mark.parametrize(
    ("dialect", "item", "picture", "proof"),
    [
        pytest.param(V2, ITEM, None, Proof.SAME, id="nothing moved"),
        pytest.param(V2, ITEM, PICTURE, Proof.SAME, id="and the picture says so too"),
        pytest.param(V2, OTHER_ITEM, None, Proof.UNPROVEN, id="another etag"),
        pytest.param(V2, LATER, None, Proof.UNPROVEN, id="another time stamp"),
        pytest.param(V2, LATER, PICTURE, Proof.UNPROVEN, id="same size, same etag"),
        pytest.param(V2, LATER, WIDER, Proof.CHANGED, id="another size"),
        pytest.param(V2, ITEM, WIDER, Proof.CHANGED, id="another size all the same"),
        pytest.param(V1, ITEM, None, Proof.UNPROVEN, id="v1.0 vouches for nothing"),
        pytest.param(V1, ITEM, PICTURE, Proof.UNPROVEN, id="not even with all signs"),
        pytest.param(V1, ITEM, WIDER, Proof.CHANGED, id="v1.0, another size"),
    ],
)
def test_what_the_signs_of_a_record_prove(
    dialect: Dialect, item: ItemSigns, picture: PictureSigns | None, proof: Proof
):
    known = (ITEM, PICTURE)
    assert judge_signs(dialect, known=known, item=item, picture=picture) is proof


@pytest.mark.parametrize("lacking", [{"etag": None}, {"modified": None}])
def test_half_of_a_record_s_signs_proves_nothing(lacking: dict[str, None]):
    half = attrs.evolve(ITEM, **lacking)
    assert judge_signs(V2, known=(half, PICTURE), item=half) is Proof.UNPROVEN


def test_only_v2_vouches():
    assert [name for name, one in DIALECTS.items() if one.vouches] == ["v2.0"]


def test_time_goes_backwards_in_a_restored_environment_only():
    assert moved_backwards(LATER, ITEM)
    assert not moved_backwards(ITEM, LATER)
    assert not moved_backwards(ITEM, ITEM)
    assert not moved_backwards(ITEM, ItemSigns(etag='W/"1"'))


@pytest.mark.parametrize(
    ("modified", "ours"),
    [
        (NOON - 3 * SECOND, True),  # when the request began
        (NOON - 4 * SECOND, True),  # in the second of the header before that
        (NOON - 5 * SECOND, False),
        (NOON + SECOND, True),
        (NOON + 2 * SECOND, False),
        (None, False),
    ],
)
def test_a_modification_is_ours_within_the_time_of_our_request(
    modified: datetime | None, *, ours: bool
):
    assert within(modified, answered=NOON, seconds=3.0) is ours


def test_without_the_server_s_clock_no_modification_is_ours():
    assert not within(NOON, answered=None, seconds=3.0)


def test_a_file_as_young_as_the_look_at_it_is_not_settled(tmp_path: Path):
    file = tmp_path / "1896-S.jpg"
    file.write_bytes(b"picture")
    signs = FileSigns.of(file.stat())
    assert signs.size == 7
    assert not signs.settled(signs.modified + YOUNG - 1)
    assert signs.settled(signs.modified + YOUNG)
