"""CVAT's own XML, for images and for videos.

Source: CVAT's documentation of its format 1.1: `annotations` holds an `image` for each picture with
`box`, `polygon`, `ellipse`, `mask` and `tag`, or a `track` for each object of a video. Angles are
degrees, clockwise, around the middle of a box.
"""

import re
from collections import defaultdict
from xml.etree.ElementTree import Element

from maskage.dataset.importing.annotations.json_values import as_number, as_size
from maskage.dataset.importing.annotations.records import DrawnBox, DrawnPicture
from maskage.dataset.importing.annotations.shapes import (
    UNKNOWN,
    Edges,
    edges_of_corners,
    edges_of_points,
    edges_of_size,
    turn_edges,
)

ROOT = "annotations"
KIND = "CVAT"

OTHER_SHAPE = "a shape that is neither a box nor an outline"

_SHAPES = ("box", "polygon", "ellipse", "mask")
_OTHER_SHAPES = ("polyline", "points", "cuboid", "skeleton")


def read_cvat(root: Element, path: str) -> list[DrawnPicture]:
    """Return what an XML file of CVAT says of each picture or frame.

    Args:
        root: The element `annotations`.
        path: Path of the XML file.
    """
    pictures = [_read_image(image, path) for image in root.findall("image")]
    return [*pictures, *_read_tracks(root, path)]


def _read_image(image: Element, path: str) -> DrawnPicture:
    shapes = [each for each in image if each.tag in _SHAPES]
    others = sum(each.tag in _OTHER_SHAPES for each in image)
    return DrawnPicture(
        path,
        (image.get("name", ""),),
        tuple(_box_of(each, each.get("label", "")) for each in shapes),
        whole=tuple(each.get("label", "").strip() for each in image.findall("tag")),
        size=as_size(image.get("width"), image.get("height")),
        faults=(OTHER_SHAPE,) * others,
    )


def _read_tracks(root: Element, path: str) -> list[DrawnPicture]:
    """Return the frames of a video's objects; an object is seen in a frame unless it is outside."""
    frames: dict[int, list[DrawnBox]] = defaultdict(list)
    faults: dict[int, list[str]] = defaultdict(list)
    for track in root.findall("track"):
        for shape in track:
            number = as_number(shape.get("frame"))
            if shape.get("outside") == "1" or number != number:
                continue
            if shape.tag in _SHAPES:
                frames[int(number)].append(_box_of(shape, track.get("label", "")))
            else:
                faults[int(number)].append(OTHER_SHAPE)
    size = next(root.iterfind("meta/*/original_size"), None)
    stated = None if size is None else as_size(size.findtext("width"), size.findtext("height"))
    return [
        DrawnPicture(
            path,
            (f"frame_{number:06d}",),
            tuple(frames[number]),
            size=stated,
            faults=tuple(faults[number]),
        )
        for number in sorted({*frames, *faults})
    ]


def _box_of(shape: Element, label: str) -> DrawnBox:
    return DrawnBox(label.strip(), *_edges_of(shape))


def _edges_of(shape: Element) -> Edges:
    if shape.tag == "polygon":
        return edges_of_points(
            [as_number(each) for each in re.split("[,;]", shape.get("points", ""))]
        )
    if shape.tag == "mask":
        return edges_of_size(_numbers(shape, "left", "top", "width", "height"))
    if shape.tag == "ellipse":
        x, y, across, down = _numbers(shape, "cx", "cy", "rx", "ry")
        edges: Edges = (x - across, y - down, x + across, y + down)
    else:
        edges = edges_of_corners(_numbers(shape, "xtl", "ytl", "xbr", "ybr"))
    angle = as_number(shape.get("rotation", "0"))
    if angle != angle:
        return UNKNOWN
    return turn_edges(edges, angle, ((edges[0] + edges[2]) / 2, (edges[1] + edges[3]) / 2))


def _numbers(shape: Element, *names: str) -> list[float]:
    return [as_number(shape.get(name)) for name in names]
