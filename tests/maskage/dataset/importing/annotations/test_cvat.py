from pathlib import Path

from maskage.dataset.importing.annotations.cvat_xml import OTHER_SHAPE
from maskage.dataset.importing.annotations.place_boxes import NO_CLASS, NOT_FINITE
from tests.maskage.dataset.importing.annotations.annotated import (
    boxes_in,
    problems_in,
    put_json,
    put_picture,
    put_text,
    read,
)

PLACED = (10, 20, 20, 30)
CORNERS = 'xtl="10.00" ytl="20.00" xbr="30.00" ybr="50.00"'


def cvat(*images: str) -> str:
    head = '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version><meta/>'
    return f"{head}{''.join(images)}</annotations>"


def image(*shapes: str, name: str = "a.png") -> str:
    return f'<image id="0" name="{name}" width="80" height="60">{"".join(shapes)}</image>'


def test_every_shape_with_an_extent_is_a_box(tmp_path: Path) -> None:
    put_picture(tmp_path / "images" / "sub" / "a b.png")
    shapes = (
        f'<box label="mask" occluded="0" {CORNERS}><attribute name="age">30</attribute></box>',
        '<polygon label="nomask" points="10.0,20.0;30.0,20.0;30.0,50.0"/>',
        '<ellipse label="mask" cx="40" cy="30" rx="10" ry="15"/>',
        '<mask label="mask" rle="1" left="5" top="6" width="20" height="30"/>',
        f'<box label="nomask" rotation="90.0" {CORNERS}/>',
        '<points label="eye" points="1.0,2.0"/>',
    )
    put_text(tmp_path / "annotations.xml", cvat(image(*shapes, name="sub/a b.png")))
    assert [(label, placed) for _, label, placed in boxes_in(tmp_path)] == [
        ("mask", PLACED),
        ("nomask", PLACED),
        ("mask", (30, 15, 20, 30)),
        ("mask", (5, 6, 20, 30)),
        # Around its middle, at 20, 35.
        ("nomask", (5, 25, 30, 20)),
    ]
    assert problems_in(tmp_path) == [("images/sub/a b.png", OTHER_SHAPE)]
    assert read(tmp_path).kind == "CVAT"


def test_a_tag_is_the_class_of_the_whole_picture(tmp_path: Path) -> None:
    put_picture(tmp_path / "a.png")
    put_text(tmp_path / "annotations.xml", cvat(image('<tag label="mask_old" source="manual"/>')))
    assert boxes_in(tmp_path) == [("a.png", "mask_old", None)]


def test_a_box_without_numbers_or_class_is_counted(tmp_path: Path) -> None:
    put_picture(tmp_path / "a.png")
    shapes = ('<box label="mask" xtl="1" ytl="2"/>', f"<box {CORNERS}/>")
    put_text(tmp_path / "annotations.xml", cvat(image(*shapes)))
    assert problems_in(tmp_path) == [("a.png", NOT_FINITE), ("a.png", NO_CLASS)]


def test_the_objects_of_a_video_are_boxes_in_its_frames(tmp_path: Path) -> None:
    for number in range(3):
        put_picture(tmp_path / "images" / f"frame_{number:06d}.png", seed=number)
    boxes = "".join(
        f'<box frame="{number}" outside="{number // 2}" {CORNERS}/>' for number in range(3)
    )
    size = "<original_size><width>80</width><height>60</height></original_size>"
    meta = f"<meta><task>{size}</task></meta>"
    track = f'<track id="0" label="mask">{boxes}</track>'
    put_text(tmp_path / "annotations.xml", f"<annotations>{meta}{track}</annotations>")
    assert boxes_in(tmp_path) == [
        ("images/frame_000000.png", "mask", PLACED),
        ("images/frame_000001.png", "mask", PLACED),
    ]


def test_datumaro_gives_the_same_boxes(tmp_path: Path) -> None:
    put_picture(tmp_path / "images" / "default" / "a.png")
    put_picture(tmp_path / "images" / "default" / "b.png", seed=1)
    labels = {"label": {"labels": [{"name": "mask"}, {"name": "nomask"}]}}
    drawn = [
        {"type": "bbox", "label_id": 0, "bbox": [10, 20, 20, 30], "attributes": {"rotation": 0.0}},
        {"type": "polygon", "label_id": 1, "points": [10, 20, 30, 20, 30, 50]},
        {"type": "bbox", "label_id": 1, "bbox": [10, 20, 20, 30], "attributes": {"rotation": 90}},
        {"type": "points", "label_id": 0, "points": [1, 2]},
        {"type": "bbox", "label_id": 5, "bbox": [10, 20, 20, 30]},
    ]
    items = [
        {"id": "a", "annotations": drawn, "image": {"path": "a.png", "size": [60, 80]}},
        {"id": "b", "annotations": [{"type": "label", "label_id": 1}]},
    ]
    content = {"info": {}, "categories": labels, "items": items}
    put_json(tmp_path / "annotations" / "default.json", content)
    assert boxes_in(tmp_path) == [
        ("images/default/a.png", "mask", PLACED),
        ("images/default/a.png", "nomask", PLACED),
        ("images/default/a.png", "nomask", (5, 25, 30, 20)),
        ("images/default/b.png", "nomask", None),
    ]
    assert problems_in(tmp_path) == [
        ("images/default/a.png", OTHER_SHAPE),
        ("images/default/a.png", NO_CLASS),
    ]
