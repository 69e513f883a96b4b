"""One reader of the user's table, for `collector import` and for `trainer fit` and `evaluate`."""

import os
from pathlib import Path

import pytest

from maskage.classes.ready_made import MASK_AGE
from maskage.errors import DatasetError
from maskage.formats.metadata_file import PhotoMetadata, read_metadata

COLUMNS = ("source", "subject", "session", "group", "label")


def write_table(path: Path, *lines: bytes) -> Path:
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def test_paths_are_read_however_a_program_wrote_them(tmp_path: Path) -> None:
    table = write_table(
        tmp_path / "t.csv",
        b"\xef\xbb\xbfpath,subject",
        b"./a/one.jpg,p1",
        b"a\\two.jpg, p2 ",
        b"a//f\xfcr.jpg,p3",
        b"b/f\\xfcr.jpg,",
        b"c/short.jpg",
    )
    found = read_metadata(table, COLUMNS, MASK_AGE.labels)
    assert {os.fsencode(path): each.subject for path, each in found.items()} == {
        b"a/one.jpg": "p1",
        b"a/two.jpg": "p2",
        b"a/f\xfcr.jpg": "p3",
        b"b/f\xfcr.jpg": None,
        b"c/short.jpg": None,
    }


def test_only_the_wanted_columns_are_read(tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.csv", b"path,label,subject,note", b"a.jpg,old,p1,x")
    assert read_metadata(table, ("subject", "session")) == {"a.jpg": PhotoMetadata(subject="p1")}
    with pytest.raises(DatasetError, match=r"unknown label 'old' for a\.jpg.*mask_old"):
        read_metadata(table, COLUMNS, MASK_AGE.labels)
    right = write_table(tmp_path / "r.csv", b"path,label", b"a.jpg,mask_old")
    assert read_metadata(right, COLUMNS, MASK_AGE.labels) == {
        "a.jpg": PhotoMetadata(label="mask_old")
    }


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"name,subject", "no column 'path'. Found: name, subject. It takes path and any of"),
        (b"path,licence", "no column that is used here. Found: path, licence."),
        (b"", "no column 'path'. Found: nothing."),
    ],
)
def test_a_table_of_something_else_is_refused(tmp_path: Path, head: bytes, found: str) -> None:
    with pytest.raises(DatasetError) as fault:
        read_metadata(write_table(tmp_path / "t.csv", head, b"a,b"), COLUMNS, MASK_AGE.labels)
    assert found in str(fault.value)
    with pytest.raises(DatasetError, match=r"No such file: .*missing\.csv"):
        read_metadata(tmp_path / "missing.csv", COLUMNS, MASK_AGE.labels)
