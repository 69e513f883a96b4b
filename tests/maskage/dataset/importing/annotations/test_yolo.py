from pathlib import Path

import pytest

from maskage.dataset.importing.annotations.place_boxes import NO_SIZE, NOT_FINITE, OUTSIDE
from maskage.dataset.importing.annotations.reading import BROKEN_FILE, NO_BOX, read_annotations
from maskage.dataset.importing.annotations.yolo import NO_SUCH_CLASS, NOT_SHARES, OTHER_TEXT
from maskage.errors import DatasetError
from tests.maskage.dataset.importing.annotations.annotated import (
    boxes_in,
    problems_in,
    put_picture,
    put_text,
    read,
)

LINE = "1 0.5 0.5 0.25 0.5\n"
PLACED = (30, 15, 20, 30)
NAMES = "names: [mask, nomask]\n"


@pytest.mark.parametrize(
    ("picture", "text", "name_file", "content"),
    [
        ("images/a.png", "labels/a.txt", "data.yaml", NAMES),
        ("images/a.png", "labels/a.txt", "data.yaml", "names:\n  0: mask\n  1: nomask\n"),
        ("images/a.png", "labels/a.txt", "data.yaml", "names:\n- mask\n- nomask\nnc: 2\n"),
        ("train/images/a.png", "train/labels/a.txt", "data.yaml", NAMES),
        ("images/train/a.png", "labels/train/a.txt", "faces.yml", NAMES),
        ("images/a.png", "labels/a.txt", "classes.txt", "mask\nnomask\n"),
        ("images/a.png", "labels/a.txt", "labels/classes.txt", "mask\nnomask\n"),
        ("a.png", "a.txt", "classes.txt", "mask\r\nnomask\r\n"),
        ("obj_train_data/a.png", "obj_train_data/a.txt", "obj.names", "mask\nnomask\n"),
        ("train/a.png", "train/a.txt", "train/_darknet.labels", "mask\nnomask"),
    ],
)
def test_boxes_are_found_in_every_layout(
    tmp_path: Path, picture: str, text: str, name_file: str, content: str
) -> None:
    put_picture(tmp_path / picture)
    put_text(tmp_path / text, LINE)
    put_text(tmp_path / name_file, content)
    assert boxes_in(tmp_path) == [(picture, "nomask", PLACED)]
    found = read(tmp_path)
    assert (found.kind, found.problems) == ("YOLO", ())
    assert found.used == {text, name_file}


@pytest.mark.parametrize(
    ("line", "placed"),
    [
        ("0 0.25 0.25 0.5 0.25 0.5 0.75 0.25 0.75", (20, 15, 20, 30)),
        ("0 0.25 0.25 0.5 0.5 0.375 0.75", (20, 15, 20, 30)),
        # The confidence of a model, and the points of a pose.
        ("0 0.5 0.5 0.25 0.5 0.91", PLACED),
        ("0 0.5 0.5 0.25 0.5" + " 0.4 0.4 2" * 5, PLACED),
        ("0.0 5e-1 .5 0.25 0.5", PLACED),
        ("0 0.1 0.5 0.3 0.5", (0, 15, 20, 30)),
    ],
)
def test_outlines_poses_and_confidences_are_understood(
    tmp_path: Path, line: str, placed: tuple[int, ...]
) -> None:
    put_picture(tmp_path / "images" / "a.png")
    put_text(tmp_path / "labels" / "a.txt", f"\n{line}\n\n")
    put_text(tmp_path / "data.yaml", NAMES)
    assert boxes_in(tmp_path) == [("images/a.png", "mask", placed)]


def test_the_shape_of_a_pose_tells_its_points_from_an_outline(tmp_path: Path) -> None:
    put_picture(tmp_path / "images" / "a.png")
    put_text(tmp_path / "labels" / "a.txt", "0 0.5 0.5 0.25 0.5 0.1 0.1 0.9 0.9\n")
    put_text(tmp_path / "data.yaml", f"{NAMES}kpt_shape: [2, 2]\n")
    assert boxes_in(tmp_path) == [("images/a.png", "mask", PLACED)]


def test_without_names_the_numbers_are_the_classes(tmp_path: Path) -> None:
    put_picture(tmp_path / "images" / "a.png")
    put_text(tmp_path / "labels" / "a.txt", LINE)
    assert boxes_in(tmp_path) == [("images/a.png", "1", PLACED)]


def test_an_empty_and_a_missing_text_mean_no_box(tmp_path: Path) -> None:
    for number, name in enumerate("abc"):
        put_picture(tmp_path / "images" / f"{name}.png", seed=number)
    put_text(tmp_path / "labels" / "a.txt", LINE)
    put_text(tmp_path / "labels" / "b.txt", "")
    assert problems_in(tmp_path) == [("images/b.png", NO_BOX), ("images/c.png", NO_BOX)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("7 0.5 0.5 0.25 0.5", NO_SUCH_CLASS),
        ("0 40 30 20 30", NOT_SHARES),
        ("0 0.5 0.5 0 0.5", NO_SIZE),
        ("0 nan 0.5 0.2 0.5", NOT_FINITE),
        ("0 1.3 0.5 0.2 0.5", OUTSIDE),
        ("0 0.5 0.5 0.2 0.5 0.1 0.1 0.1 0.1 0.1 0.1 0.1", NOT_FINITE),
    ],
)
def test_a_line_that_is_no_box_is_counted(tmp_path: Path, line: str, reason: str) -> None:
    put_picture(tmp_path / "images" / "a.png")
    put_text(tmp_path / "labels" / "a.txt", f"{line}\n{LINE}")
    put_text(tmp_path / "data.yaml", NAMES)
    assert [label for _, label, _ in boxes_in(tmp_path)] == ["nomask"]
    assert problems_in(tmp_path) == [("images/a.png", reason)]


def test_splits_have_their_own_boxes_for_a_name(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "valid", "test")):
        put_picture(tmp_path / split / "images" / "a.png", seed=number)
        put_text(tmp_path / split / "labels" / "a.txt", f"{number} 0.5 0.5 0.25 0.5\n")
    put_text(tmp_path / "data.yaml", "names: [x, y, z]\n")
    assert boxes_in(tmp_path) == [
        ("test/images/a.png", "z", PLACED),
        ("train/images/a.png", "x", PLACED),
        ("valid/images/a.png", "y", PLACED),
    ]


def test_captions_beside_pictures_are_no_boxes(tmp_path: Path) -> None:
    put_picture(tmp_path / "a.png")
    put_text(tmp_path / "a.txt", "1 woman with a mask, smiling\n")
    assert read_annotations(tmp_path) is None
    put_picture(tmp_path / "b.png", seed=1)
    put_text(tmp_path / "b.txt", LINE)
    put_text(tmp_path / "classes.txt", "x\ny\n")
    assert problems_in(tmp_path) == [("a.png", BROKEN_FILE), ("a.txt", OTHER_TEXT)]


@pytest.mark.parametrize(
    ("name_file", "data", "label"),
    [
        ("data.yaml", b"names: [no, yes]\n", "yes"),
        ("data.yaml", b"names: {0: 006, 1: 007}\n", "007"),
        ("data.yaml", b"names: [x, null]\n", "null"),
        ("classes.txt", "mask\nmäßig\n".encode("cp1252"), "mäßig"),
        ("classes.txt", "mask\r\nnomask\r\n".encode("utf-16"), "nomask"),
        ("classes.txt", "\ufeffmask\nnomask\n".encode(), "nomask"),
    ],
)
def test_names_are_texts_in_any_encoding(
    tmp_path: Path, name_file: str, data: bytes, label: str
) -> None:
    put_picture(tmp_path / "images" / "a.png")
    put_text(tmp_path / "labels" / "a.txt", LINE)
    (tmp_path / name_file).write_bytes(data)
    assert boxes_in(tmp_path) == [("images/a.png", label, PLACED)]


def test_names_that_cannot_be_read_are_an_error(tmp_path: Path) -> None:
    put_picture(tmp_path / "images" / "a.png")
    put_text(tmp_path / "labels" / "a.txt", LINE)
    put_text(tmp_path / "data.yaml", "names: [mask, 'nomask\n")
    with pytest.raises(DatasetError, match=r"data\.yaml: the names of the classes"):
        read_annotations(tmp_path)
