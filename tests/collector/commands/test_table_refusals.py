"""Tables and maps of which a part does nothing: said, and no success."""

from pathlib import Path

import pytest

from collector.cli import main
from maskage.dataset.photo_listing import list_photos
from maskage.pictures.images import encode_jpeg
from tests.conftest import draw_noise

Capture = pytest.CaptureFixture[str]


def put(root: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_jpeg(draw_noise(number)))
    return root


def write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def test_a_corrected_label_of_a_known_photo_is_no_success(tmp_path: Path, capsys: Capture) -> None:
    source, data = put(tmp_path / "in", "mask_old/a.jpg"), tmp_path / "data"
    assert main(["import", str(source), str(data)]) == 0
    table = write(tmp_path / "t.csv", "path,label\nmask_old/a.jpg,nomask_old\n")
    assert main(["import", str(source), str(data), "--metadata", table]) == 4
    assert "mask_old/a.jpg: here nomask_old, there mask_old" in capsys.readouterr().err
    assert main(["edit", str(data), "--table", table]) == 4
    error = capsys.readouterr().err
    assert "1 name another class than the photo is in, which no table changes" in error
    assert "collector review" in error
    assert [photo.label for photo in list_photos(data)] == ["mask_old"]


def test_rows_that_name_no_photo_are_no_success_of_an_edit(tmp_path: Path, capsys: Capture) -> None:
    source, data = put(tmp_path / "in", "mask_old/a.jpg"), tmp_path / "data"
    assert main(["import", str(source), str(data)]) == 0
    table = write(tmp_path / "t.csv", "path,subject\nmask_old/a.jpg,p1\nmask_old/b.jpg,p2\n")
    assert main(["edit", str(data), "--table", table]) == 4
    assert "1 of its 2 rows name no photo of" in capsys.readouterr().err
    assert [photo.subject for photo in list_photos(data)] == ["p1"]


def test_a_table_that_goes_before_the_folder_is_said(tmp_path: Path, capsys: Capture) -> None:
    source = put(tmp_path / "in", "mask_old/a.jpg", "mask_old/b.jpg")
    rows = "mask_old/a.jpg,nomask_old\nmask_old/b.jpg,mask_old\n"
    table = write(tmp_path / "t.csv", f"path,label\n{rows}")
    assert main(["import", str(source), str(tmp_path / "data"), "--metadata", table]) == 0
    error = capsys.readouterr().err
    assert (
        "1 photo: the table's label is taken, not the folder's (the first is mask_old/a.jpg)"
        in (error)
    )


def test_pictures_without_a_label_in_the_table_are_no_success(
    tmp_path: Path, capsys: Capture
) -> None:
    source = put(tmp_path / "in", "a.jpg", "b.jpg", "c.jpg")
    table = write(tmp_path / "t.csv", "path,label\na.jpg,mask_old\n")
    assert main(["import", str(source), str(tmp_path / "data"), "--metadata", table]) == 4
    assert "2 pictures were not imported, as neither the table nor a folder" in (
        capsys.readouterr().err
    )
    assert len(list_photos(tmp_path / "data")) == 1


def test_a_map_of_a_folder_that_is_not_there_imports_nothing(
    tmp_path: Path, capsys: Capture
) -> None:
    source, data = put(tmp_path / "in", "mask_old/a.jpg"), tmp_path / "data"
    assert main(["import", str(source), str(data), "--map", "foo=mask_old"]) == 2
    assert "no folder with pictures and no label is named 'foo'" in capsys.readouterr().err
    assert not data.exists()
    assert main(["import", str(source), str(data), "--map", "foo="]) == 0
