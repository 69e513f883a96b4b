"""Columns under the names that people give them."""

import pytest

from maskage.errors import DatasetError
from maskage.formats.tables.column_names import take_columns

WANTED = ("subject", "session", "group", "label")


@pytest.mark.parametrize("header", ["path", "PATH", "file_name", "File Name", "filename", "Image"])
@pytest.mark.parametrize("subject", ["subject", "Subject", "SUBJECT_ID", "Person"])
def test_a_column_is_known_by_its_usual_names(header: str, subject: str) -> None:
    assert take_columns([header, subject], WANTED, "t.csv").headers == {
        "path": header,
        "subject": subject,
    }


def test_another_name_than_the_usual_one_is_said() -> None:
    taken = take_columns(["file_name", "Label"], WANTED, "t.csv")
    assert taken.notes == ("the column 'file_name' is read as path",)


def test_the_usual_name_goes_before_another_and_the_other_is_said() -> None:
    taken = take_columns(["image", "path", "subject"], WANTED, "t.csv")
    assert taken.headers == {"path": "path", "subject": "subject"}
    assert taken.notes == ("columns that are not used: image",)


def test_a_slip_and_a_column_that_is_not_used_are_said() -> None:
    taken = take_columns(["path", "Subjekt", "sesion", "label", "size"], WANTED, "t.csv")
    assert taken.headers == {"path": "path", "label": "label"}
    assert taken.notes == (
        "the column 'Subjekt' is not read: is it subject?",
        "the column 'sesion' is not read: is it session?",
        "columns that are not used: size",
    )


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        (["pfad", "subject"], "no column 'path'. Found: pfad, subject"),
        (["path", "subjekt"], "no column that is used here.*Is 'subjekt' the subject"),
        (["path", "licence"], "no column that is used here. Found: path, licence"),
        (["path", "Subject", "subject"], "'Subject' and 'subject' are both subject"),
        ([], "Found: nothing"),
    ],
)
def test_columns_that_cannot_be_used_are_named(headers: list[str], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        take_columns(headers, WANTED, "t.csv")
