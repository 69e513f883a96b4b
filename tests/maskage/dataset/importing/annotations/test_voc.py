from pathlib import Path

import pytest

from maskage.dataset.importing.annotations.place_boxes import (
    NO_CLASS,
    NO_SIZE,
    NOT_FINITE,
    OTHER_SIZE,
    OUTSIDE,
)
from maskage.dataset.importing.annotations.reading import (
    BROKEN_FILE,
    NO_BOX,
    NOT_HERE,
    TAKEN_BY_ANOTHER,
)
from maskage.dataset.importing.annotations.voc import NO_BOX as OBJECT_WITHOUT_BOX
from maskage.dataset.importing.annotations.xml_files import BROKEN_XML, ENTITIES
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


@pytest.mark.parametrize(
    ("picture", "xml"),
    [
        ("images/a.png", "annotations/a.xml"),
        ("JPEGImages/a.png", "Annotations/a.xml"),
        ("train/a.png", "train/a.xml"),
        ("a.png", "a.xml"),
        ("train/images/a.png", "train/annotations/a.xml"),
    ],
)
def test_boxes_are_found_wherever_the_xml_lies(tmp_path: Path, picture: str, xml: str) -> None:
    put_picture(tmp_path / picture)
    put_text(tmp_path / xml, voc_xml("a.png", ("with_mask", BOX), ("without_mask", (0, 0, 9, 9))))
    assert boxes_in(tmp_path) == [
        (picture, "with_mask", PLACED),
        (picture, "without_mask", (0, 0, 9, 9)),
    ]
    found = read(tmp_path)
    assert (found.kind, found.problems, found.used) == ("Pascal VOC", (), frozenset({xml}))


@pytest.mark.parametrize(
    "stated",
    [
        "a",
        "a.jpg",
        "A.PNG",
        r"C:\Users\me\a.png",
        "/home/me/photos/a.png",
        "another.png",
        "",
        " a ",
    ],
)
def test_a_stated_file_name_may_lie(tmp_path: Path, stated: str) -> None:
    put_picture(tmp_path / "images" / "a.png")
    put_text(tmp_path / "annotations" / "a.xml", voc_xml(stated, ("mask", BOX)))
    assert boxes_in(tmp_path) == [("images/a.png", "mask", PLACED)]


def test_the_stated_name_goes_where_no_picture_is_named_as_the_xml(tmp_path: Path) -> None:
    put_picture(tmp_path / "images" / "real name.png")
    put_text(tmp_path / "annotations" / "0001.xml", voc_xml("real name.png", ("mask", BOX)))
    assert boxes_in(tmp_path) == [("images/real name.png", "mask", PLACED)]


def test_of_two_pictures_that_may_be_meant_the_size_decides(tmp_path: Path) -> None:
    put_picture(tmp_path / "images" / "1.png", size=(64, 64))
    put_picture(tmp_path / "images" / "2.png")
    put_text(tmp_path / "annotations" / "1.xml", voc_xml("2.png", ("mask", BOX)))
    assert boxes_in(tmp_path) == [("images/2.png", "mask", PLACED)]


def test_the_same_name_in_two_splits_is_that_beside_the_xml(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "val")):
        put_picture(tmp_path / split / "images" / "a.png", seed=number)
        xml = voc_xml("a.png", (split, (number, 0, 20, 20)))
        put_text(tmp_path / split / "annotations" / "a.xml", xml)
    assert boxes_in(tmp_path) == [
        ("train/images/a.png", "train", (0, 0, 20, 20)),
        ("val/images/a.png", "val", (1, 0, 19, 20)),
    ]


def test_xml_files_that_all_name_one_picture_do_not_pile_up_on_it(tmp_path: Path) -> None:
    put_picture(tmp_path / "a.png")
    put_text(tmp_path / "0.xml", voc_xml("a.png", ("nomask", (0, 0, 9, 9))))
    put_text(tmp_path / "a.xml", voc_xml("a.png", ("mask", BOX)))
    assert boxes_in(tmp_path) == [("a.png", "mask", PLACED)]
    assert problems_in(tmp_path) == [("0.xml", TAKEN_BY_ANOTHER)]


@pytest.mark.parametrize(
    ("name", "box", "reason"),
    [
        ("mask", (80, 0, 95, 20), OUTSIDE),
        ("mask", (-30, 0, -2, 20), OUTSIDE),
        ("mask", (10, 10, 10, 30), NO_SIZE),
        ("mask", ("nan", 10, 20, 30), NOT_FINITE),
        ("mask", ("", 10, 20, 30), NOT_FINITE),
        ("mask", ("1e999", 10, 20, 30), NOT_FINITE),
        ("mask", ("left", 10, 20, 30), NOT_FINITE),
        (" ", BOX, NO_CLASS),
    ],
)
def test_a_box_that_is_none_is_counted_and_the_others_are_kept(
    tmp_path: Path, name: str, box: tuple[object, ...], reason: str
) -> None:
    put_picture(tmp_path / "a.png")
    put_text(tmp_path / "a.xml", voc_xml("a.png", (name, box), ("mask", BOX)))
    assert boxes_in(tmp_path) == [("a.png", "mask", PLACED)]
    assert problems_in(tmp_path) == [("a.png", reason)]


@pytest.mark.parametrize(
    ("box", "placed"),
    [
        ((-10, -5, 30, 30), (0, 0, 30, 30)),
        ((60, 40, 200, 200), (60, 40, 20, 20)),
        ((30, 50, 10, 20), PLACED),
        ((10.4, 19.6, 29.6, 50.4), PLACED),
    ],
)
def test_boxes_are_clipped_rounded_and_put_in_order(
    tmp_path: Path, box: tuple[float, ...], placed: tuple[int, ...]
) -> None:
    put_picture(tmp_path / "a.png")
    put_text(tmp_path / "a.xml", voc_xml("a.png", ("mask", box)))
    assert boxes_in(tmp_path) == [("a.png", "mask", placed)]


def test_boxes_of_a_larger_original_are_scaled_and_those_of_another_shape_are_not_used(
    tmp_path: Path,
) -> None:
    for name in ("a", "b", "c"):
        put_picture(tmp_path / f"{name}.png")
    large = voc_xml("a.png", ("mask", (20, 40, 60, 100)), size=(2 * 80, 2 * 60))
    put_text(tmp_path / "a.xml", large)
    put_text(tmp_path / "b.xml", voc_xml("b.png", ("mask", BOX), size=(300, 300)))
    put_text(tmp_path / "c.xml", voc_xml("c.png", ("mask", BOX), size=(0, 0)))
    assert boxes_in(tmp_path) == [("a.png", "mask", PLACED), ("c.png", "mask", PLACED)]
    assert problems_in(tmp_path) == [("b.png", OTHER_SIZE)]


def test_faces_that_are_hard_to_see_are_faces_all_the_same(tmp_path: Path) -> None:
    put_picture(tmp_path / "a.png")
    hard = voc_xml("a.png", ("mask", BOX)).replace(
        "<difficult>0", "<truncated>1</truncated><difficult>1"
    )
    put_text(tmp_path / "a.xml", hard)
    assert boxes_in(tmp_path) == [("a.png", "mask", PLACED)]


def test_pictures_without_boxes_and_boxes_without_pictures_are_counted(tmp_path: Path) -> None:
    put_picture(tmp_path / "a.png")
    put_picture(tmp_path / "empty.png", seed=1)
    put_picture(tmp_path / "forgotten.png", seed=2)
    put_text(tmp_path / "a.xml", voc_xml("a.png", ("mask", BOX)))
    put_text(tmp_path / "empty.xml", voc_xml("empty.png"))
    put_text(tmp_path / "gone.xml", voc_xml("gone.png", ("mask", BOX), ("mask", BOX)))
    assert problems_in(tmp_path) == [
        ("empty.png", NO_BOX),
        ("forgotten.png", NO_BOX),
        ("gone.png", NOT_HERE),
        ("gone.png", NOT_HERE),
    ]


def test_a_damaged_xml_is_counted_and_an_object_without_a_box(tmp_path: Path) -> None:
    for number, name in enumerate("abc"):
        put_picture(tmp_path / f"{name}.png", seed=number)
    whole = voc_xml("a.png", ("mask", BOX))
    put_text(tmp_path / "a.xml", whole.replace("</ann", "<object><name>x</name></object></ann"))
    put_text(tmp_path / "b.xml", whole[:200])
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    put_text(tmp_path / "c.xml", bomb + whole.replace("mask", "&b;"))
    assert boxes_in(tmp_path) == [("a.png", "mask", PLACED)]
    assert problems_in(tmp_path) == [
        ("a.png", OBJECT_WITHOUT_BOX),
        ("b.png", BROKEN_FILE),
        ("b.xml", BROKEN_XML),
        ("c.png", BROKEN_FILE),
        ("c.xml", ENTITIES),
    ]


@pytest.mark.parametrize(
    ("orientation", "size", "drawn", "expected"),
    [
        # Stored 80 x 60, shown 60 x 80; the box was drawn on the picture as it is shown.
        (6, (60, 80), (5, 10, 25, 40), (5, 10, 20, 30)),
        (8, (60, 80), (5, 10, 25, 40), (5, 10, 20, 30)),
        # Drawn on the picture as it is stored: its left upper corner is shown right, above.
        (6, (80, 60), (0, 0, 30, 20), (40, 0, 20, 30)),
        (8, (80, 60), (0, 0, 30, 20), (0, 50, 20, 30)),
        (5, (80, 60), (0, 10, 30, 30), (10, 0, 20, 30)),
        (7, (80, 60), (0, 10, 30, 30), (30, 50, 20, 30)),
    ],
)
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_boxes_on_photos_that_lie_on_their_side_follow_them(
    tmp_path: Path,
    suffix: str,
    orientation: int,
    size: tuple[int, int],
    drawn: tuple[int, ...],
    expected: tuple[int, ...],
) -> None:
    name = f"a.{suffix}"
    put_picture(tmp_path / name, orientation=orientation)
    put_text(tmp_path / "a.xml", voc_xml(name, ("mask", drawn), size=size))
    assert boxes_in(tmp_path) == [(name, "mask", expected)]
