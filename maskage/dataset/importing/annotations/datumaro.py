"""Datumaro's JSON, one of the formats that CVAT exports.

Source: the Datumaro format: `categories` with the names of labels, and `items`, each a picture with
`annotations` of a type: "bbox" (left, top, width, height in px), "polygon", "label" and others.
"""

from maskage.dataset.importing.annotations.cvat_xml import OTHER_SHAPE
from maskage.dataset.importing.annotations.json_values import (
    as_dict,
    as_dicts,
    as_list,
    as_number,
    as_size,
    as_text,
)
from maskage.dataset.importing.annotations.records import DrawnBox, DrawnPicture
from maskage.dataset.importing.annotations.shapes import (
    Edges,
    edges_of_points,
    edges_of_size,
    turn_edges,
)

KIND = "CVAT (Datumaro)"


def is_datumaro(content: object) -> bool:
    """Return whether a JSON's content is that of Datumaro."""
    found = as_dict(content)
    return isinstance(found.get("items"), list) and isinstance(found.get("categories"), dict)


def read_datumaro(content: object, path: str) -> list[DrawnPicture]:
    """Return what a Datumaro file says of each picture.

    Args:
        content: The content of the JSON.
        path: Path of the file.
    """
    found = as_dict(content)
    named = as_dict(as_dict(found.get("categories")).get("label")).get("labels")
    labels = [as_text(each.get("name")) for each in as_dicts(named)]
    return [_read_item(item, labels, path) for item in as_dicts(found.get("items"))]


def _read_item(item: dict[str, object], labels: list[str], path: str) -> DrawnPicture:
    image = as_dict(item.get("image")) or as_dict(item.get("media"))
    names = (as_text(image.get("path")), as_text(item.get("id")))
    sides = as_list(image.get("size"))  # height first
    drawn = as_dicts(item.get("annotations"))
    shapes = [each for each in drawn if each.get("type") in ("bbox", "polygon")]
    whole = [each for each in drawn if each.get("type") == "label"]
    return DrawnPicture(
        path,
        tuple(name for name in names if name),
        tuple(DrawnBox(_label_of(each, labels), *_edges_of(each)) for each in shapes),
        whole=tuple(_label_of(each, labels) for each in whole),
        size=as_size(sides[1], sides[0]) if len(sides) == 2 else None,
        faults=(OTHER_SHAPE,) * (len(drawn) - len(shapes) - len(whole)),
    )


def _label_of(each: dict[str, object], labels: list[str]) -> str:
    number = each.get("label_id")
    is_known = isinstance(number, int) and 0 <= number < len(labels)
    return labels[number] if isinstance(number, int) and is_known else ""


def _edges_of(each: dict[str, object]) -> Edges:
    if each.get("type") == "polygon":
        return edges_of_points([as_number(number) for number in as_list(each.get("points"))])
    edges = edges_of_size([as_number(number) for number in as_list(each.get("bbox"))])
    angle = as_number(as_dict(each.get("attributes")).get("rotation", 0))
    return turn_edges(edges, angle, ((edges[0] + edges[2]) / 2, (edges[1] + edges[3]) / 2))
