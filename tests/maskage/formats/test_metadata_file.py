"""One reader of the user's table, for `collector import` and for `trainer fit` and `evaluate`."""

import os
from pathlib import Path

import pytest

from maskage.classes.ready_made import MASK_AGE
from maskage.errors import DatasetError
from maskage.formats.metadata_file import PhotoMetadata, match_metadata, read_metadata

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
        b"c/short.jpg,",
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
        (b"", "no column 'path'. Found: a, b."),
    ],
)
def test_a_table_of_something_else_is_refused(tmp_path: Path, head: bytes, found: str) -> None:
    with pytest.raises(DatasetError) as fault:
        read_metadata(write_table(tmp_path / "t.csv", head, b"a,b"), COLUMNS, MASK_AGE.labels)
    assert found in str(fault.value)
    with pytest.raises(DatasetError, match=r"No such file: .*missing\.csv"):
        read_metadata(tmp_path / "missing.csv", COLUMNS, MASK_AGE.labels)


def test_a_table_in_windows_text_is_read_and_that_is_said(tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.csv", b"path;subject", b"a\xe4.jpg;J\xfcrgen", b"b.jpg;p2")
    found = read_metadata(table, COLUMNS)
    assert [each.subject for each in found.values()] == ["Jürgen", "p2"]
    assert next(iter(found)) == os.fsdecode(b"a\xe4.jpg")
    assert "it is not UTF-8" in found.notes[-1]
    assert dict(match_metadata(found, ["aä.jpg", "b.jpg"], tmp_path).rows).keys() == {
        "aä.jpg",
        "b.jpg",
    }
    with pytest.raises(DatasetError, match=r"line 2 holds .* neither UTF-8 nor Windows text"):
        read_metadata(write_table(tmp_path / "t.csv", b"path,subject", b"a.jpg,\x81"), COLUMNS)


def test_two_rows_of_one_path_are_one_or_an_error_with_both_lines(tmp_path: Path) -> None:
    table = write_table(
        tmp_path / "t.csv", b"path,subject,group", b"a.jpg,p1,", b"./a.jpg,p1,g", b"a.jpg,p1,"
    )
    assert read_metadata(table, COLUMNS) == {"a.jpg": PhotoMetadata(subject="p1", group="g")}
    table = write_table(tmp_path / "t.csv", b"path,subject", b"a.jpg,p1", b"b.jpg,p1", b"a.jpg,p2")
    with pytest.raises(DatasetError, match=r"lines 2 and 4, both of a\.jpg, disagree: subject p1"):
        read_metadata(table, COLUMNS)


def test_rows_in_other_spellings_of_one_path_may_not_disagree_either(tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.csv", b"path,subject", b"m/a.jpg,p1", b"M/A.jpg,p2")
    with pytest.raises(DatasetError, match=r"m/a\.jpg \(line 2\) and M/A\.jpg \(line 3\), dis"):
        match_metadata(read_metadata(table, COLUMNS), ["m/a.jpg"], tmp_path)


def test_a_row_without_a_path_is_named(tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.csv", b"Path,subject", b"a.jpg,p1", b",p2")
    with pytest.raises(DatasetError, match="line 3 has no path, in the column 'Path'"):
        read_metadata(table, COLUMNS)


def test_the_metadata_of_hugging_face_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    table = write_table(
        tmp_path / "train" / "metadata.jsonl", b'{"file_name": "a.jpg", "label": "mask_old"}'
    )
    found = read_metadata(table, COLUMNS)
    assert found == {"a.jpg": PhotoMetadata(label="mask_old")}
    match = match_metadata(found, ["train/a.jpg", "test/a.jpg"], tmp_path)
    assert dict(match.rows) == {"train/a.jpg": PhotoMetadata(label="mask_old")}
