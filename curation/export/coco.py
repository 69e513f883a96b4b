"""COCO: images/ with annotations/instances_<split>.json, one box for each photo.

A photo of the collector is a square around a face, so the box of the face in it is known. Any other
photo is its own box: `box_of` of an annotation says which.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from curation.export.facts import ExportFacts
from curation.export.pictures import ExportPicture
from maskage.classes.scheme import Scheme
from maskage.faces.finder import CROP_MARGIN
from maskage.records import FaceBox
from maskage.system.files import write_private

IMAGES = "images"
ANNOTATIONS = "annotations"
Box = tuple[int, int, int, int]


def write_coco(folder: Path, facts: ExportFacts, boxes: Sequence[Box | None]) -> None:
    """Write the annotations of each split into the folder of an export.

    Args:
        folder: Folder of the export.
        facts: What is exported.
        boxes: Face box in each picture, in order; None where it is unknown.

    Raises:
        OSError: The disk refused.
    """
    (folder / ANNOTATIONS).mkdir(mode=0o700)
    for split in facts.splits or ("all",):
        values = _annotate(facts, boxes, split)
        text = json.dumps(values, ensure_ascii=False, indent=1)
        write_private(folder / ANNOTATIONS / f"instances_{split}.json", f"{text}\n")


def face_in_photo(picture: ExportPicture) -> Box | None:
    """Return the box of the face in a photo that was cut around it, x, y, width, height in px.

    None where the photo is not the square that `crop_face` cuts around its face box.
    """
    box = picture.photo.box
    if box is None or not (picture.width == picture.height == _side_of(box)):
        return None
    side = picture.width
    # As `crop_face` places the square, which it moves inside the frame.
    left, top = (max(0, round(center - side / 2)) for center in box.center)
    x, y = max(0, box.x - left), max(0, box.y - top)
    right, bottom = min(side, box.x + box.width - left), min(side, box.y + box.height - top)
    return (x, y, right - x, bottom - y) if right > x and bottom > y else None


def _side_of(box: FaceBox) -> int:
    return round(box.side_px * (1 + 2 * CROP_MARGIN))


def _annotate(facts: ExportFacts, boxes: Sequence[Box | None], split: str) -> dict[str, object]:
    images, annotations = [], []
    numbers = {label: number for number, label in enumerate(facts.source.scheme.labels, 1)}
    for number, (each, box) in enumerate(zip(facts.pictures, boxes, strict=True), 1):
        if each.split not in (None, split):
            continue
        file_name = each.file_name.removeprefix(f"{IMAGES}/")
        images.append(
            {"id": number, "file_name": file_name, "width": each.width, "height": each.height}
        )
        x, y, width, height = box or (0, 0, each.width, each.height)
        annotations.append(
            {
                "id": number,
                "image_id": number,
                "category_id": numbers[each.label],
                "bbox": [x, y, width, height],
                "area": width * height,
                "iscrowd": 0,
                "box_of": "face" if box else "photo",
            }
        )
    return {
        "info": {"description": facts.wishes.title},
        "licenses": [{"id": 1, "name": facts.wishes.licence}] if facts.wishes.licence else [],
        "images": images,
        "annotations": annotations,
        "categories": _categories(facts.source.scheme),
    }


def _categories(scheme: Scheme) -> list[dict[str, object]]:
    return [
        {"id": number, "name": each.folder, "supercategory": "face"}
        for number, each in enumerate(scheme, 1)
    ]
