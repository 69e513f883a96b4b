"""Rows of CSV with any separator, and of JSON Lines."""

import pytest

from maskage.errors import DatasetError
from maskage.formats.tables.table_rows import RawTable, TableRow, parse_table


def cells(table: RawTable) -> list[list[str]]:
    return [list(row.cells.values()) for row in table.rows]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separator_is_that_of_the_column_names(separator: str) -> None:
    lines = [["path", "subject", "note"], ["a.jpg", "p1", '"1,5; or so"']]
    text = "\r\n".join(separator.join(line) for line in lines)
    table = parse_table(text, "t.csv")
    assert table.columns == ("path", "subject", "note")
    assert cells(table) == [["a.jpg", "p1", "1,5; or so"]]


def test_lines_may_end_as_on_an_old_mac_and_two_columns_of_notes_do_no_harm() -> None:
    table = parse_table("path,note,note\ra.jpg,1,2\rb.jpg,3,4\r", "t.csv")
    assert [row.cells["path"] for row in table.rows] == ["a.jpg", "b.jpg"]


def test_decimal_commas_do_not_make_a_comma_the_separator() -> None:
    table = parse_table("path;score;subject\na.jpg;0,5;p1\nb.jpg;0,7;p2\n", "t.csv")
    assert cells(table) == [["a.jpg", "0,5", "p1"], ["b.jpg", "0,7", "p2"]]


def test_blank_rows_and_the_line_with_the_separator_are_no_rows() -> None:
    table = parse_table("sep=;\npath;subject\n;\n\na.jpg;p1\n ; \n", "t.csv")
    assert table.rows == (TableRow(5, {"path": "a.jpg", "subject": "p1"}),)


def test_a_quoted_line_end_is_part_of_its_cell_and_lines_are_counted() -> None:
    table = parse_table('path,note\na.jpg,"two\nlines"\nb.jpg,x\n', "t.csv")
    assert [row.line for row in table.rows] == [2, 4]
    assert cells(table)[0] == ["a.jpg", "two\nlines"]


def test_blank_cells_at_the_end_of_a_row_do_no_harm() -> None:
    assert cells(parse_table("path,subject\na.jpg,p1,,\n", "t.csv")) == [["a.jpg", "p1"]]


def test_a_table_with_column_names_alone_has_no_rows() -> None:
    assert parse_table("path,subject\n", "t.csv").rows == ()
    assert parse_table("", "t.csv") == RawTable((), ())


def test_json_lines_are_rows_with_their_numbers_and_nothing() -> None:
    text = '{"file_name": "a.jpg", "subject": 7, "x": [1]}\n\n{"file_name": "b.jpg", "y": null}\n'
    table = parse_table(text, "metadata.jsonl")
    assert table.columns == ("file_name", "subject", "x", "y")
    assert table.rows[0] == TableRow(1, {"file_name": "a.jpg", "subject": "7", "x": "[1]"})
    assert table.rows[1] == TableRow(3, {"file_name": "b.jpg", "y": ""})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,subject\na.jpg\n", "line 2 has too few cells: 1, under 2 columns"),
        ("path,subject\na.jpg,p1\nb.jpg,p,2\n", "line 3 has too many cells: 3, under 2"),
        ('path,subject\na.jpg,"p1\nb.jpg,p2\n', "row at line 2 cannot be read.*not closed"),
        ("path,path\na.jpg,b.jpg\n", "names the column 'path' twice"),
        ('{"path": "a.jpg"}\n{"path": \n', "line 2 is no JSON object"),
        ('{"path": "a.jpg"}\n["b.jpg"]\n', "line 2 is no JSON object, but"),
        ('[{"path": "a.jpg"}]', "one JSON list"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        parse_table(text, "t.csv")
