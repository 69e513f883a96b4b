"""Makes small folders as annotation tools export them."""

import json
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from maskage.dataset.importing.annotations.reading import read_annotations
from maskage.dataset.importing.annotations.records import Annotations
from maskage.records import FaceBox
from tests.conftest import draw_noise

WIDTH, HEIGHT = 80, 60


def put_picture(
    path: Path, *, seed: int = 0, size: tuple[int, int] = (WIDTH, HEIGHT), orientation: int = 1
) -> Path:
    """Write a picture of `size`, width and height in px, as it is stored."""
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    if orientation != 1:
        exif[0x0112] = orientation
    pixels = draw_noise(seed, max(size))[: size[1], : size[0]]
    Image.fromarray(pixels).save(path, exif=exif)
    return path


def put_text(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def put_json(path: Path, content: object) -> Path:
    return put_text(path, json.dumps(content))


def voc_xml(
    filename: str,
    *objects: tuple[str, Sequence[object]],
    size: tuple[int, int] = (WIDTH, HEIGHT),
    folder: str = "images",
) -> str:
    """Return the XML of one picture; each object is a class and xmin, ymin, xmax, ymax."""
    boxes = "".join(
        f"<object><name>{name}</name><difficult>0</difficult><bndbox>"
        f"<xmin>{box[0]}</xmin><ymin>{box[1]}</ymin><xmax>{box[2]}</xmax><ymax>{box[3]}</ymax>"
        f"</bndbox></object>"
        for name, box in objects
    )
    return (
        f"<annotation><folder>{folder}</folder><filename>{filename}</filename>"
        f"<size><width>{size[0]}</width><height>{size[1]}</height></size>{boxes}</annotation>"
    )


def read(root: Path) -> Annotations:
    found = read_annotations(root)
    assert found is not None
    return found


def boxes_in(root: Path) -> list[tuple[str, str, tuple[int, int, int, int] | None]]:
    """Return picture, class and x, y, width and height of every box."""
    return [(each.image, each.label, sides(each.box)) for each in read(root).boxes]


def sides(box: FaceBox | None) -> tuple[int, int, int, int] | None:
    return None if box is None else (box.x, box.y, box.width, box.height)


def problems_in(root: Path) -> list[tuple[str, str]]:
    return [(each.path, each.reason) for each in read(root).problems]
