from pathlib import Path

import pytest
from PIL import Image

from collector.cli import main
from maskage.cameras.sources import PictureFolder
from maskage.errors import CameraError
from maskage.pictures.images import read_image
from maskage.pictures.picture_files import (
    LeftOut,
    describe_left_out,
    find_unread,
    list_beside,
    list_pictures,
)
from tests.conftest import draw_noise


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(draw_noise(len(name))).save(path, "JPEG")
    return folder


@pytest.mark.parametrize("name", ["a.jfif", "b.jpe", "C.JFIF"])
def test_a_jpeg_is_read_under_each_of_its_suffixes(tmp_path: Path, name: str) -> None:
    fill(tmp_path, name)
    assert [path.name for path in list_pictures(tmp_path).pictures] == [name]
    assert read_image(tmp_path / name).shape == (96, 96, 3)


def test_everything_that_is_left_out_has_its_reason(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg", "IMG_1.JXL", "b.CR2", "c.mp4", "notes.txt", ".d.jpg")
    fill(tmp_path, "sub/e.jpg", "sub/deeper/f.png", ".hidden/g.jpg", ".DS_Store", "Thumbs.db")
    fill(tmp_path, "@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg", "__MACOSX/._a.jpg", "._a.jpg")
    (tmp_path / "letter").write_text("Dear")
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "folder.jpg").mkdir()
    listing = list_pictures(tmp_path)
    assert [path.name for path in listing.pictures] == ["a.jpg"]
    within = "a folder within; its pictures are not read"
    assert listing.left_out == (
        LeftOut(".d.jpg", "hidden"),
        LeftOut(".hidden/", "hidden", 1),
        LeftOut("IMG_1.JXL", "JXL is not read; save it as JPEG"),
        LeftOut("b.CR2", "CR2 is not read; save it as JPEG"),
        LeftOut("c.mp4", "a video, not a picture"),
        LeftOut("folder.jpg/", within),
        LeftOut("gone.jpg", "no file that can be read"),
        LeftOut("letter", "no picture by its content"),
        LeftOut("notes.txt", "no picture by its name"),
        LeftOut("sub/", within, 2),
    )


def test_beside_a_layout_folders_and_photos_are_named_but_no_notes(tmp_path: Path) -> None:
    fill(tmp_path, "train/a.jpg", "valid/b.jpg", "c.jpg", "d.JXL", "plan.csv", ".cache/e.jpg")
    fill(tmp_path, "@eaDir/c.jpg", "._c.jpg", "f")
    found = list_beside(tmp_path, ["train", "val"])
    assert [(each.path, each.pictures) for each in found] == [
        ("c.jpg", 0),
        ("d.JXL", 0),
        ("f", 0),
        ("valid/", 1),
    ]
    assert {each.reason for each in found} == {
        "none of train, val; move pictures into these to use them"
    }


def test_people_read_how_many_some_names_and_why() -> None:
    reason = "JXL is not read; save it as JPEG"
    left_out = [LeftOut(f"{number}.JXL", reason) for number in range(5)]
    assert describe_left_out([LeftOut("x\n\x1b[2J.txt", "no picture by its name"), *left_out]) == [
        "Left out 5: 0.JXL, 1.JXL, 2.JXL, ...: JXL is not read; save it as JPEG",
        "Left out 1: x\\n\\x1b[2J.txt: no picture by its name",
    ]
    assert describe_left_out([]) == []


def test_unread_photos_are_found_anywhere_below(tmp_path: Path) -> None:
    fill(tmp_path, "a.jpg", "b/c.CR2", "b/d.gif", "e.jxl", ".trash/f.CR2", "notes.txt", "b/g.mov")
    fill(tmp_path, "@eaDir/h.CR2", ".i.CR2")
    assert [each.path for each in find_unread(tmp_path)] == ["e.jxl", "b/c.CR2", "b/g.mov"]


def test_a_folder_with_nothing_to_read_says_what_lies_in_it(tmp_path: Path) -> None:
    fill(tmp_path, "IMG_1.JXL", "sub/a.jpg")
    with pytest.raises(CameraError, match="no pictures in this folder") as fault:
        PictureFolder(tmp_path)
    assert "Left out 1: IMG_1.JXL: JXL is not read" in str(fault.value)
    assert "Left out 1: sub/ (1 picture)" in str(fault.value)


def test_an_import_names_what_it_cannot_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = fill(tmp_path / "in", "mask_old/a.jfif", "mask_old/b.CR2", "mask_old/c.jxl")
    assert main(["import", str(source), str(tmp_path / "data")]) == 0
    printed = capsys.readouterr()
    assert "1 photo saved" in printed.out
    assert "Left out 1: mask_old/b.CR2: CR2 is not read" in printed.err
    assert "Left out 1: mask_old/c.jxl: JXL is not read" in printed.err
