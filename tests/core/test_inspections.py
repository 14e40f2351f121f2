"""What is worth a word about a picture."""

from __future__ import annotations

import pytest

from bcpicture import Item, Picture
from bcpicture.core.inspections import Bounds, Remark, Sniffed, inspect
from bcpicture.core.media import HTML, JPEG, PNG


def item(width: int = 500, height: int = 375, content_type: str = "image/jpeg") -> Item:
    picture = Picture(
        exists=True, width=width, height=height, content_type=content_type
    )
    return Item(id="1", number="A", picture=picture)


NONE = Item(id="1", number="A", picture=Picture(exists=False, width=0, height=0))


@pytest.mark.parametrize(
    ("given", "sniffed", "remarks", "comment"),
    [
        pytest.param(NONE, None, [Remark.MISSING], "no picture", id="missing"),
        pytest.param(
            Item(id="1", number="A"), None, [Remark.MISSING], "no picture", id="untold"
        ),
        pytest.param(item(), None, [], "", id="fine"),
        pytest.param(item(2001, 5), None, [Remark.LARGE], "large", id="large"),
        pytest.param(item(2000, 5), None, [], "", id="not large"),
        pytest.param(item(10, 199), None, [Remark.SMALL], "small", id="small"),
        pytest.param(item(0, 0), None, [], "", id="size unknown"),
        pytest.param(item(), Sniffed(kind=JPEG), [], "", id="as told"),
        pytest.param(
            item(content_type="Image/JPEG; q=1"), Sniffed(kind=JPEG), [], "", id="case"
        ),
        pytest.param(
            item(10, 10),
            Sniffed(kind=PNG),
            [Remark.SMALL, Remark.WRONG],
            "small, is image/png",
            id="another kind",
        ),
        pytest.param(
            item(), Sniffed(kind=HTML), [Remark.WRONG], "is text/html", id="no picture"
        ),
        pytest.param(
            item(), Sniffed(), [Remark.WRONG], "is no known kind of picture", id="what?"
        ),
        pytest.param(
            item(), Sniffed(error="Cut."), [Remark.FAILED], "Cut.", id="failed"
        ),
    ],
)
def test_a_picture_gets_the_remarks_that_it_deserves(
    given: Item, sniffed: Sniffed | None, remarks: list[Remark], comment: str
):
    found = inspect(given, sniffed)
    assert list(found.remarks) == remarks
    assert found.comment == comment
    assert found.told == (given.picture.content_type if given.picture else "")


def test_what_is_large_or_small_can_be_chosen():
    bounds = Bounds(large=100, small=0)
    assert inspect(item(101, 1), bounds=bounds).remarks == (Remark.LARGE,)
    assert inspect(item(1, 1), bounds=bounds).remarks == ()
