from pathlib import Path

import pytest

from maskage.dataset.importing.annotations.label_studio import (
    NOT_FINISHED,
    OTHER_SHAPE,
    PREDICTED,
    SECOND_OPINION,
)
from maskage.dataset.importing.annotations.place_boxes import NO_CLASS
from maskage.dataset.importing.annotations.reading import (
    NO_BOX,
    TAKEN_BY_ANOTHER,
    WHOLE_AND_BOXES,
)
from tests.maskage.dataset.importing.annotations.annotated import (
    boxes_in,
    problems_in,
    put_json,
    put_picture,
    read,
)

PLACED = (20, 15, 20, 30)


def region(label: str | None = "mask", *, rotation: float = 0, **more: object) -> dict[str, object]:
    value: dict[str, object] = {"x": 25, "y": 25, "width": 25, "height": 50, "rotation": rotation}
    if label is not None:
        value["rectanglelabels"] = [label]
    found = {"id": "r1", "type": "rectanglelabels", "original_width": 80, "original_height": 60}
    return {**found, "value": value, **more}


def choice(*labels: str, **more: object) -> dict[str, object]:
    return {"id": "c1", "type": "choices", "value": {"choices": list(labels)}, **more}


def task(*results: dict[str, object], image: str = "a.png", **more: object) -> dict[str, object]:
    annotations = [{"result": list(results)}] if results else []
    return {"id": 1, "data": {"image": image}, "annotations": annotations, **more}


@pytest.mark.parametrize(
    ("picture", "address"),
    [
        ("images/a.png", "/data/upload/1/0a1b2c3d-a.png"),
        ("images/0a1b2c3d-a.png", "/data/upload/1/0a1b2c3d-a.png"),
        ("images/a.png", "upload/a.png"),
        ("photos/sub/a.png", "/data/local-files/?d=photos/sub/a.png"),
        ("photos/my face.png", "/data/local-files/?d=photos%2Fmy%20face.png"),
        ("my face (1).png", "/data/upload/1/0a1b2c3d-my_face_1.png"),
        ("my face.png", "https://example.org/pictures/my%20face.png?token=1"),
        ("a.png", "s3://bucket/folder/a.png"),
        ("50%25.png", "50%25.png"),
    ],
)
def test_pictures_are_found_by_the_address_of_their_upload(
    tmp_path: Path, picture: str, address: str
) -> None:
    put_picture(tmp_path / picture)
    put_json(tmp_path / "project-1.json", [task(region(), image=address)])
    assert boxes_in(tmp_path) == [(picture, "mask", PLACED)]
    found = read(tmp_path)
    assert (found.kind, found.problems) == ("Label Studio", ())


@pytest.mark.parametrize(
    ("rotation", "placed"),
    [
        # Around the left upper corner, at 20, 15, clockwise.
        (90, (0, 15, 20, 20)),
        (360, PLACED),
        (45, (0, 15, 34, 35)),
    ],
)
def test_a_turned_box_is_turned_around_its_corner(
    tmp_path: Path, rotation: float, placed: tuple[int, ...]
) -> None:
    put_picture(tmp_path / "a.png")
    put_json(tmp_path / "x.json", [task(region(rotation=rotation))])
    assert boxes_in(tmp_path) == [("a.png", "mask", placed)]


def test_choices_are_the_class_of_the_whole_picture(tmp_path: Path) -> None:
    put_picture(tmp_path / "a.png")
    put_json(tmp_path / "x.json", [task(choice("mask_old"))])
    assert boxes_in(tmp_path) == [("a.png", "mask_old", None)]
    put_json(tmp_path / "x.json", [task(region(), choice("outdoors"))])
    assert boxes_in(tmp_path) == [("a.png", "mask", PLACED)]
    assert problems_in(tmp_path) == [("a.png", WHOLE_AND_BOXES)]


def test_a_box_and_its_class_may_be_two_results_of_one_region(tmp_path: Path) -> None:
    put_picture(tmp_path / "a.png")
    plain = region(None, type="rectangle")
    put_json(tmp_path / "x.json", [task(plain, choice("nomask", id="r1"))])
    assert boxes_in(tmp_path) == [("a.png", "nomask", PLACED)]


def test_outlines_and_ellipses_are_boxes_around_them(tmp_path: Path) -> None:
    put_picture(tmp_path / "a.png")
    outline = {"points": [[25, 25], [50, 25], [50, 75]], "polygonlabels": ["mask"]}
    ellipse = {"x": 50, "y": 50, "radiusX": 12.5, "radiusY": 25, "ellipselabels": ["nomask"]}
    sized = {"original_width": 80, "original_height": 60}
    results: list[dict[str, object]] = [{"value": outline, **sized}, {"value": ellipse, **sized}]
    put_json(tmp_path / "x.json", [task(*results)])
    assert boxes_in(tmp_path) == [
        ("a.png", "mask", PLACED),
        ("a.png", "nomask", (30, 15, 20, 30)),
    ]


def test_what_is_no_box_of_a_person_is_counted(tmp_path: Path) -> None:
    for number, name in enumerate("abcdef"):
        put_picture(tmp_path / f"{name}.png", seed=number)
    brush: dict[str, object] = {
        "id": "b",
        "type": "brushlabels",
        "value": {"format": "rle", "brushlabels": ["mask"]},
    }
    note: dict[str, object] = {"id": "n", "type": "textarea", "value": {"text": ["blurred"]}}
    skipped = task(image="c.png")
    skipped["annotations"] = [{"result": [region()], "was_cancelled": True}]
    two = task(region(), image="e.png")
    two["annotations"] = [
        {"result": [region("nomask")]},
        {"result": [region("mask")], "ground_truth": True},
    ]
    tasks = [
        task(region(), brush, note, image="a.png"),
        task(region(None), image="b.png"),
        skipped,
        task(image="d.png", predictions=[{"result": [region()]}]),
        two,
        task(image="f.png"),
    ]
    put_json(tmp_path / "x.json", tasks)
    assert boxes_in(tmp_path) == [("a.png", "mask", PLACED), ("e.png", "mask", PLACED)]
    assert problems_in(tmp_path) == [
        ("a.png", OTHER_SHAPE),
        ("b.png", NO_CLASS),
        ("c.png", NOT_FINISHED),
        ("d.png", PREDICTED),
        ("e.png", SECOND_OPINION),
        ("f.png", NO_BOX),
    ]


def test_the_short_export_is_read_too(tmp_path: Path) -> None:
    put_picture(tmp_path / "a.png")
    put_picture(tmp_path / "b.png", seed=1)
    common = {"annotation_id": 1, "annotator": 1, "created_at": "2026-01-01T10:00:00Z"}
    value = {"x": 25, "y": 25, "width": 25, "height": 50, "rectanglelabels": ["mask"]}
    sized = {**value, "rotation": 0, "original_width": 80, "original_height": 60}
    tasks = [
        {"image": "/data/upload/1/0a1b2c3d-a.png", "id": 1, "label": [sized], **common},
        {"image": "/data/upload/1/0a1b2c3d-b.png", "id": 2, "choice": "nomask", **common},
    ]
    put_json(tmp_path / "x.json", tasks)
    assert boxes_in(tmp_path) == [("a.png", "mask", PLACED), ("b.png", "nomask", None)]


def test_of_two_exports_the_newer_one_is_used(tmp_path: Path) -> None:
    put_picture(tmp_path / "a.png")
    put_json(tmp_path / "project-1-at-2026-01-05.json", [task(region("nomask"))])
    put_json(tmp_path / "project-1-at-2026-02-01.json", [task(region("mask"))])
    assert boxes_in(tmp_path) == [("a.png", "mask", PLACED)]
    assert problems_in(tmp_path) == [("project-1-at-2026-01-05.json", TAKEN_BY_ANOTHER)]


def test_an_export_of_an_old_version_is_read(tmp_path: Path) -> None:
    put_picture(tmp_path / "a.png")
    old = {"data": {"image": "a.png"}, "completions": [{"result": [region()]}]}
    put_json(tmp_path / "x.json", [old])
    assert boxes_in(tmp_path) == [("a.png", "mask", PLACED)]
