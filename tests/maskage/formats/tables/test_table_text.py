"""Tables in the encodings that programs write."""

import pytest

from maskage.errors import DatasetError
from maskage.formats.tables.table_text import as_windows_text, decode_table

TEXT = "path;subject\nmüll/a.jpg;p1\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-32"),
    ],
)
def test_a_table_is_read_in_every_unicode_encoding(data: bytes) -> None:
    assert decode_table(data, "t.csv") == TEXT


def test_bytes_that_are_no_unicode_stay_and_can_be_read_as_windows_text() -> None:
    text = decode_table(TEXT.encode("cp1252"), "t.csv")
    assert "m\udcfcll" in text
    assert as_windows_text("m\udcfcll") == "müll"
    assert as_windows_text("m\udc81ll") is None


def test_an_empty_file_is_an_empty_text() -> None:
    assert decode_table(b"", "t.csv") == ""
    assert decode_table(b"a", "t.csv") == "a"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04\x14\x00", "t.csv: this is a workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "t.csv: this is a workbook"),
        (b"path,subject\na.jpg\0,p1\n", "line 2 holds a NUL byte"),
        (b"\xff\xfea", "begins as UTF-16"),
    ],
)
def test_what_is_no_text_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        decode_table(data, "t.csv")
