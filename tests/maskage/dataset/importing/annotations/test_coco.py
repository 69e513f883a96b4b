from pathlib import Path

import pytest

from maskage.dataset.importing.annotations.coco import CROWD, NO_PICTURE
from maskage.dataset.importing.annotations.place_boxes import NO_CLASS, NO_SIZE, NOT_FINITE
from maskage.dataset.importing.annotations.reading import NO_BOX, NOT_HERE, read_annotations
from maskage.errors import DatasetError
from tests.maskage.dataset.importing.annotations.annotated import (
    boxes_in,
    problems_in,
    put_json,
    put_picture,
    put_text,
    read,
)

CATEGORIES = [{"id": 0, "name": "faces"}, {"id": 1, "name": "mask"}, {"id": 2, "name": "nomask"}]
PLACED = (10, 20, 20, 30)


def coco(*annotations: dict[str, object], file_name: str = "a.png") -> dict[str, object]:
    image = {"id": 7, "file_name": file_name, "width": 80, "height": 60}
    return {"images": [image], "annotations": list(annotations), "categories": CATEGORIES}


def box(
    *numbers: object, category: object = 1, image: object = 7, **more: object
) -> dict[str, object]:
    return {"image_id": image, "category_id": category, "bbox": list(numbers), **more}


@pytest.mark.parametrize(
    ("picture", "file", "stated"),
    [
        ("train/a.png", "train/_annotations.coco.json", "a.png"),
        ("images/a.png", "annotations/instances_default.json", "a.png"),
        ("images/sub/a.png", "annotations/instances_default.json", "sub/a.png"),
        ("images/a.png", "result.json", "images/a.png"),
        ("images/a.png", "result.json", r"images\a.png"),
        ("train2017/a.png", "annotations/instances_train2017.json", "a.png"),
        ("images/a.png", "result.json", "../../label-studio/data/media/upload/1/a.png"),
    ],
)
def test_boxes_are_found_in_every_layout(
    tmp_path: Path, picture: str, file: str, stated: str
) -> None:
    put_picture(tmp_path / picture)
    put_json(tmp_path / file, coco(box(10.2, 19.8, 20.1, 30.2), file_name=stated))
    assert boxes_in(tmp_path) == [(picture, "mask", PLACED)]
    found = read(tmp_path)
    assert (found.kind, found.problems, found.used) == ("COCO", (), frozenset({file}))


def test_files_of_two_splits_mean_their_own_pictures(tmp_path: Path) -> None:
    for number, split in enumerate(("train2017", "val2017")):
        put_picture(tmp_path / split / "a.png", seed=number)
        content = coco(box(10, 20, 20, 30, category=number + 1))
        put_json(tmp_path / "annotations" / f"instances_{split}.json", content)
    assert boxes_in(tmp_path) == [
        ("train2017/a.png", "mask", PLACED),
        ("val2017/a.png", "nomask", PLACED),
    ]


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        (box(0, 0, 80, 60, iscrowd=1), CROWD),
        (box(0, 0, 0, 10), NO_SIZE),
        (box(0, 0, -5, 10), NO_SIZE),
        (box(0, 0, float("nan"), 10), NOT_FINITE),
        (box(0, 0, None, 10), NOT_FINITE),
        (box(0, 0), NOT_FINITE),
        (box(10, 20, 20, 30, category=9), NO_CLASS),
        (box(10, 20, 20, 30, category=None), NO_CLASS),
    ],
)
def test_a_box_that_is_none_is_counted(
    tmp_path: Path, annotation: dict[str, object], reason: str
) -> None:
    put_picture(tmp_path / "a.png")
    put_json(tmp_path / "x.json", coco(annotation, box(10, 20, 20, 30)))
    assert boxes_in(tmp_path) == [("a.png", "mask", PLACED)]
    assert problems_in(tmp_path) == [("a.png", reason)]


def test_an_outline_stands_in_for_a_missing_box(tmp_path: Path) -> None:
    put_picture(tmp_path / "a.png")
    outline = {
        "image_id": 7,
        "category_id": 2,
        "segmentation": [[10, 20, 30, 20], [30, 50, 10, 50]],
    }
    put_json(tmp_path / "x.json", coco(outline))
    assert boxes_in(tmp_path) == [("a.png", "nomask", PLACED)]


def test_a_picture_that_is_not_here_and_boxes_of_none_are_counted(tmp_path: Path) -> None:
    put_picture(tmp_path / "other.png")
    content = coco(box(10, 20, 20, 30), box(1, 1, 9, 9, image=99), file_name="gone.png")
    put_json(tmp_path / "x.json", content)
    assert problems_in(tmp_path) == [
        ("gone.png", NOT_HERE),
        ("other.png", NO_BOX),
        ("x.json#99", NO_PICTURE),
    ]


def test_boxes_that_stand_in_two_files_are_taken_once(tmp_path: Path) -> None:
    put_picture(tmp_path / "a.png")
    both = box(10, 20, 20, 30)
    put_json(tmp_path / "x.json", coco(both, box(50, 0, 9, 9, category=2)))
    put_json(tmp_path / "y.json", coco(both, box(0, 0, 9, 9)))
    assert sorted(boxes_in(tmp_path)) == [
        ("a.png", "mask", (0, 0, 9, 9)),
        ("a.png", "mask", PLACED),
        ("a.png", "nomask", (50, 0, 9, 9)),
    ]
    assert problems_in(tmp_path) == []
    assert read(tmp_path).kind == "COCO"


def test_a_file_that_was_cut_short_is_an_error(tmp_path: Path) -> None:
    put_picture(tmp_path / "a.png")
    file = put_json(tmp_path / "x.json", coco(box(10, 20, 20, 30)))
    put_text(file, file.read_text()[:-20])
    with pytest.raises(DatasetError, match=r"x\.json: the annotations .*cut short"):
        read_annotations(tmp_path)


@pytest.mark.parametrize(
    "content",
    [[], {}, 3, None, {"images": 3, "annotations": []}, {"items": 1}, [{"data": 1}], [[]]],
)
def test_any_other_json_is_not_taken_for_annotations(tmp_path: Path, content: object) -> None:
    put_picture(tmp_path / "a.png")
    put_json(tmp_path / "x.json", content)
    put_text(tmp_path / "notes.json", "{ not json")
    assert read_annotations(tmp_path) is None
