"""A map is read as a merchant writes it, or refused by its line."""

from __future__ import annotations

import pytest

from bcpicture.core.mapping import MapRow, parse_map, rows_for
from bcpicture.errors import UsageError


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("file,item\n1.jpg,0012\nx/2.jpg,A\n", id="commas"),
        pytest.param("file;item\r\n1.jpg;0012\r\nx/2.jpg;A\r\n", id="semicolons"),
        pytest.param("\ufefffile,item\n1.jpg,0012\nx/2.jpg,A", id="a mark before it"),
        pytest.param("item,FILE\n0012,1.jpg\nA,x/2.jpg\n", id="another order"),
        pytest.param('"file","item"\n"1.jpg","0012"\n"x/2.jpg","A"', id="quoted"),
        pytest.param("\nfile, item\n\n1.jpg, 0012 \n,\nx\\2.jpg,A\n", id="untidy"),
        pytest.param("file;item\n./1.jpg;0012\nx/2.jpg;A", id="with a dot"),
    ],
)
def test_cells_are_text(text: str):
    assert parse_map(text) == (
        MapRow(file="1.jpg", item="0012"),
        MapRow(file="x/2.jpg", item="A"),
    )


def test_a_cell_may_hold_what_parts_cells():
    (row,) = parse_map('file;item\n"a;b,""c"".jpg";1,5\n')
    assert (row.file, row.item) == ('a;b,"c".jpg', "1,5")


def test_rows_of_other_companies_do_not_count():
    rows = parse_map("file,item,company\n1.jpg,A,CRONUS\n1.jpg,B,\n2.jpg,C,Else\n")
    found = [(row.file, row.item) for row in rows_for(rows, {"CRONUS", "guid"})]
    assert found == [("1.jpg", "B"), ("1.jpg", "A")]  # the later one holds


def test_a_table_without_rows_is_an_empty_map():
    assert parse_map("file,item") == ()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "begins with the columns nothing"),
        ("1.jpg,A\n2.jpg,B\n", "begins with the columns '1.jpg', 'A'"),
        ("file,item,price\n", "begins with the columns 'file', 'item', 'price'"),
        ("file\n", "begins with the columns 'file'"),
        ("file,item,item\n", "begins with the columns"),
        ("file,item\n1.jpg\n", "line 2: 1 cells, 2 columns"),
        ("file,item\n1.jpg,A,B\n", "line 2: 3 cells, 2 columns"),
        ("file,item\n1.jpg,A\n\n,B\n", "line 4: the file or the item is missing"),
        ("file,item\n1.jpg,\n", "line 2: the file or the item is missing"),
        (
            "file,item\n1.jpg,A\n1.jpg,B\n",
            "line 3: the file '1.jpg' is there already (map.csv, line 2)",
        ),
        ("file,item\n\u00e4,A\na\u0308,B\n", "line 3: the file"),
        ('file,item\n"1.jpg,A\n', "line 2: unexpected end of data"),
        ('file,item\n"1.jpg"x,A\n', "line 2: "),
    ],
)
def test_what_is_wrong_is_named_by_its_line(text: str, what: str):
    with pytest.raises(UsageError) as told:
        parse_map(text, name="map.csv")
    assert str(told.value).startswith("map.csv")
    assert what in str(told.value)
    assert told.value.advice
