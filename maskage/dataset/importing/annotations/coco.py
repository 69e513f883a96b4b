"""COCO: one JSON for many pictures, as Roboflow, CVAT, Label Studio and others export it.

Source: the COCO data format: `images`, `annotations` with `bbox` (left, top, width, height in px)
and `categories`. A box with `iscrowd` is around a group.
"""

from collections import defaultdict

from maskage.dataset.importing.annotations.json_values import (
    as_dict,
    as_dicts,
    as_list,
    as_number,
    as_size,
    as_text,
)
from maskage.dataset.importing.annotations.records import DrawnBox, DrawnPicture
from maskage.dataset.importing.annotations.shapes import UNKNOWN, edges_of_points, edges_of_size
from maskage.pictures.picture_files import LeftOut

KIND = "COCO"

CROWD = "a box around a crowd"
NO_PICTURE = "boxes of a picture that the file does not list"


def is_coco(content: object) -> bool:
    """Return whether a JSON's content is that of COCO, with boxes or without."""
    found = as_dict(content)
    return isinstance(found.get("images"), list) and isinstance(found.get("annotations"), list)


def read_coco(content: object, path: str) -> tuple[list[DrawnPicture], list[LeftOut]]:
    """Return what a COCO file says of each picture, and boxes of pictures that it does not list.

    The latter are named after the file and the number of their picture: `boxes.json#7`.

    Args:
        content: The content of the JSON.
        path: Path of the file.
    """
    found = as_dict(content)
    labels = {
        as_text(each.get("id")): as_text(each.get("name"))
        for each in as_dicts(found.get("categories"))
    }
    drawn: dict[str, list[dict[str, object]]] = defaultdict(list)
    for each in as_dicts(found.get("annotations")):
        drawn[as_text(each.get("image_id"))].append(each)
    pictures = [
        _read_image(image, drawn.pop(as_text(image.get("id")), []), labels, path)
        for image in as_dicts(found.get("images"))
    ]
    strays = [LeftOut(f"{path}#{each}", NO_PICTURE) for each, many in drawn.items() for _ in many]
    return pictures, strays


def _read_image(
    image: dict[str, object], drawn: list[dict[str, object]], labels: dict[str, str], path: str
) -> DrawnPicture:
    single = [each for each in drawn if not each.get("iscrowd")]
    return DrawnPicture(
        path,
        (as_text(image.get("file_name")),),
        tuple(_box_of(each, labels) for each in single),
        size=as_size(image.get("width"), image.get("height")),
        faults=(CROWD,) * (len(drawn) - len(single)),
    )


def _box_of(each: dict[str, object], labels: dict[str, str]) -> DrawnBox:
    label = labels.get(as_text(each.get("category_id")), "")
    edges = edges_of_size([as_number(number) for number in as_list(each.get("bbox"))])
    if edges == UNKNOWN or "bbox" not in each:
        outlines = [part for part in as_list(each.get("segmentation")) if isinstance(part, list)]
        # Parts of one object have their numbers in pairs, so they may stand in a row.
        edges = edges_of_points([as_number(number) for part in outlines for number in part])
    return DrawnBox(label, *edges)
