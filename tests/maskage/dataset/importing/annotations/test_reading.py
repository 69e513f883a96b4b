import os
import sys
from pathlib import Path

import pytest

from maskage.dataset.importing.annotations.annotated_folder import list_folder
from maskage.dataset.importing.annotations.reading import (
    OTHER_FORMAT,
    UNREADABLE,
    read_annotations,
)
from tests.maskage.dataset.importing.annotations.annotated import (
    boxes_in,
    problems_in,
    put_picture,
    put_text,
    read,
    voc_xml,
)

BOX = (10, 20, 30, 50)
PLACED = (10, 20, 20, 30)


def test_a_folder_without_annotations_and_a_file_have_none(tmp_path: Path) -> None:
    assert read_annotations(tmp_path) is None
    picture = put_picture(tmp_path / "mask_old" / "a.png")
    put_text(tmp_path / "notes.xml", "<notes><note>hello</note></notes>")
    put_text(tmp_path / "readme.txt", "0 1 2 3 4\n")
    assert read_annotations(tmp_path) is None
    assert read_annotations(picture) is None


def test_a_second_format_of_the_same_pictures_is_not_used(tmp_path: Path) -> None:
    put_picture(tmp_path / "images" / "a.png")
    put_text(tmp_path / "labels" / "a.txt", "0 0.5 0.5 0.25 0.5\n")
    put_text(tmp_path / "annotations" / "a.xml", voc_xml("a.png", ("mask", BOX), ("mask", BOX)))
    assert boxes_in(tmp_path) == [("images/a.png", "mask", PLACED)]
    assert problems_in(tmp_path) == [("labels/a.txt", OTHER_FORMAT)]
    found = read(tmp_path)
    assert (found.kind, found.used) == ("Pascal VOC", frozenset({"annotations/a.xml"}))


def test_two_formats_of_different_pictures_are_both_used(tmp_path: Path) -> None:
    put_picture(tmp_path / "one" / "a.png")
    put_picture(tmp_path / "two" / "b.png", seed=1)
    put_text(tmp_path / "one" / "a.txt", "0 0.5 0.5 0.25 0.5\n")
    put_text(tmp_path / "two" / "b.xml", voc_xml("b.png", ("mask", BOX)))
    assert boxes_in(tmp_path) == [
        ("one/a.png", "0", (30, 15, 20, 30)),
        ("two/b.png", "mask", PLACED),
    ]
    assert read(tmp_path).kind == "Pascal VOC and YOLO"


def test_a_picture_that_cannot_be_read_is_counted_once(tmp_path: Path) -> None:
    put_text(tmp_path / "a.jpg", "no picture")
    put_text(tmp_path / "a.xml", voc_xml("a.jpg", ("mask", BOX), ("mask", (0, 0, 9, 9))))
    assert problems_in(tmp_path) == [("a.jpg", UNREADABLE)]


def test_a_link_that_leads_back_ends_and_system_files_are_no_pictures(tmp_path: Path) -> None:
    put_picture(tmp_path / "images" / "a.png")
    put_picture(tmp_path / "@eaDir" / "a.png")
    put_picture(tmp_path / "images" / "._a.png")
    (tmp_path / "images" / "back").symlink_to(tmp_path)
    assert list_folder(tmp_path).pictures == ("images/a.png",)


def test_two_pictures_of_one_name_are_never_guessed_between(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        put_picture(tmp_path / folder / "a.png")
    listed = list_folder(tmp_path)
    assert listed.find("a.png", "boxes.json") is None
    assert listed.find("y/a.png", "boxes.json") == "y/a.png"
    assert listed.find("anywhere/x/a.png", "boxes.json") == "x/a.png"
    assert listed.find("a.png", "y/boxes.json") == "y/a.png"
    assert listed.find("a.png", "y_boxes.json") == "y/a.png"
    assert listed.find("", "boxes.json") is None


@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems refuse such names")
def test_names_of_any_spelling_are_found(tmp_path: Path) -> None:
    put_picture(tmp_path / "images" / "cafe\u0301.png")
    put_text(tmp_path / "boxes" / "1.xml", voc_xml("caf\xe9.png", ("mask", BOX)))
    put_picture(tmp_path / "images" / os.fsdecode(b"f\xfc.png"), seed=1)
    assert boxes_in(tmp_path) == [("images/cafe\u0301.png", "mask", PLACED)]
