"""Tables brought to `collector import`: those that fit, fit in part, or do not fit."""

from collections.abc import Callable
from pathlib import Path

import pytest

from collector.cli import main
from maskage.dataset.photo_listing import list_photos
from maskage.records import Photo

MakeFolders = Callable[..., Path]
Capture = pytest.CaptureFixture[str]
Import = Callable[..., int]


@pytest.fixture
def source(four_folders: MakeFolders) -> Path:
    return four_folders(2)


@pytest.fixture
def run(source: Path, tmp_path: Path) -> Import:
    """Import the source with a table of this content."""

    def import_with(content: str | bytes, name: str = "t.csv", **options: str) -> int:
        table = tmp_path / name
        table.write_bytes(content.encode() if isinstance(content, str) else content)
        words = ["import", str(source), str(tmp_path / "data"), "--metadata", str(table)]
        return main([*words, *(f"--{key}={value}" for key, value in options.items())])

    return import_with


def photos(tmp_path: Path) -> dict[str, Photo]:
    return {photo.path: photo for photo in list_photos(tmp_path / "data")}


def test_a_table_that_names_no_photo_is_refused_before_anything_is_made(
    run: Import, tmp_path: Path, capsys: Capture
) -> None:
    assert run("path,subject\ndataset/mask_old/mask_old_000.jpg,p1\n") == 4
    error = capsys.readouterr().err
    assert "none of its 1 paths is a photo of" in error
    assert "Its first paths are dataset/mask_old/mask_old_000.jpg." in error
    assert 'Write the paths without "dataset/". Nothing was changed.' in error
    assert not (tmp_path / "data").exists()


def test_a_table_without_rows_is_refused(run: Import, tmp_path: Path, capsys: Capture) -> None:
    assert run("path,subject\n") == 4
    assert "it has no rows" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_two_labels_for_one_path_are_refused_with_both_lines(
    run: Import, tmp_path: Path, capsys: Capture
) -> None:
    rows = "mask_old/mask_old_000.jpg,mask_old\nmask_old/mask_old_000.jpg,nomask_young\n"
    assert run(f"path,label\n{rows}") == 4
    assert "lines 2 and 3, both of mask_old/mask_old_000.jpg, disagree" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "content",
    [
        "Path;Subject\r\nmask_old/mask_old_000.jpg;p1\r\n;\r\n".encode("utf-16"),
        b"\xef\xbb\xbfFILE_NAME\tPerson\nmask_old\\mask_old_000.jpg\tp1\n",
        b'sep=;\n"path";"subject"\n"./MASK_OLD/mask_old_000.JPG";"p1"\n',
        b'{"file_name": "mask_old_000.jpg", "subject": "p1"}\n',
    ],
)
def test_tables_as_programs_write_them_give_their_facts(
    run: Import, tmp_path: Path, content: bytes
) -> None:
    assert run(content) == 0
    subjects = [photo.subject for photo in photos(tmp_path).values()]
    assert subjects == ["p1", *[None] * 7]


def test_rows_and_photos_that_are_left_over_are_said(run: Import, capsys: Capture) -> None:
    assert run("path,subject,size\nmask_old_000.jpg,p1,3\nother.jpg,p2,4\n") == 0
    error = capsys.readouterr().err
    assert "columns that are not used: size." in error
    assert "1 path given without folder, such as mask_old_000.jpg for mask_old/mask" in error
    assert "1 of 2 paths are not in" in error
    assert "other.jpg" in error
    assert "7 photos have no row in it: mask_old/mask_old_001.jpg, " in error


def test_a_later_table_corrects_what_was_imported_and_can_be_undone(
    run: Import, source: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert main(["import", str(source), str(tmp_path / "data")]) == 0
    path = "mask_old/mask_old_000.jpg"
    assert run(f"path,subject,session\n{path},p1,\nmask_old/mask_old_001.jpg,p1,s\n") == 0
    out = capsys.readouterr().out
    assert "2 of them have a row in the table; facts of 2 photos were changed" in out
    assert "subject: 2 set" in out
    assert run(f"path,subject,session\n{path},p2,\nmask_old/mask_old_001.jpg,,s\n") == 0
    out = capsys.readouterr().out
    assert "subject: 1 changed (p1 -> p2: 1)" in out
    assert "1 empty cell of the table: what is known there stays as it is." in out
    found = photos(tmp_path)
    assert (found[path].subject, found[path].session) == ("p2", None)
    assert (found["mask_old/mask_old_001.jpg"].subject) == "p1"
    assert main(["edit", str(tmp_path / "data"), "--undo"]) == 0
    assert photos(tmp_path)[path].subject == "p1"


def test_a_table_corrects_photos_that_were_relabelled_or_removed_since(
    run: Import, source: Path, tmp_path: Path, capsys: Capture
) -> None:
    data = tmp_path / "data"
    assert main(["import", str(source), str(data)]) == 0
    (data / "mask_old" / "mask_old_000.jpg").rename(data / "mask_young" / "mask_old_000.jpg")
    (data / "mask_old" / "mask_old_001.jpg").unlink()
    assert main(["doctor", str(data), "--fix"]) == 0
    assert run("path,group\nmask_old_000.jpg,g\nmask_young_000.jpg,g\n") == 0
    assert "group: 2 set" in capsys.readouterr().out
    assert photos(tmp_path)["mask_young/mask_old_000.jpg"].group == "g"


def test_a_label_that_differs_in_the_table_is_a_conflict_and_moves_nothing(
    run: Import, source: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert main(["import", str(source), str(tmp_path / "data")]) == 0
    run("path,label,subject\nmask_old/mask_old_000.jpg,mask_young,p1\n")
    answer = capsys.readouterr()
    assert "mask_old/mask_old_000.jpg: here mask_young, there mask_old" in answer.err
    assert photos(tmp_path)["mask_old/mask_old_000.jpg"].subject == "p1"
