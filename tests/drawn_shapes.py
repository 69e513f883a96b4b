"""Drawn photos of forty classes: eight shapes in five colours, with odd names among them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from maskage.pictures.images import encode_jpeg
from maskage.records import RgbImage

SHAPES = ("disc", "ring", "square", "frame", "triangle", "cross", "bars", "star")
COLOURS = {
    "red": (214, 48, 40),
    "yellow": (240, 205, 40),
    "green": (46, 160, 74),
    "blue": (44, 96, 214),
    "white": (244, 244, 240),
}

ODD_NAMES = {
    "red disc": "CON",
    "red ring": "🔴 ring",
    "red square": "=1+1",
    "red star": "unsure",
    "yellow disc": "path",
    "yellow ring": "total",
    "yellow star": "כוכב",
    "green disc": "a name that is much longer than the column of any table",
    "green star": "don't",
    "blue cross": "[blue] cross",
    "white bars": "50%, white",
}
"""Folders that are named otherwise than their drawing."""

FORTY: Mapping[str, tuple[str, str]] = {
    ODD_NAMES.get(f"{colour} {shape}", f"{colour} {shape}"): (colour, shape)
    for colour in COLOURS
    for shape in SHAPES
}
"""Colour and shape of each class folder."""


def draw_shape(colour: str, shape: str, seed: int, size: int = 96) -> RgbImage:
    """Draw a shape, moved, turned and stretched by chance, on a noisy ground of grey blobs."""
    rng = np.random.default_rng(seed)
    blobs = rng.uniform(30, 150, (6, 6, 1)).astype(np.float32)
    ground = cv2.resize(blobs, (size, size), interpolation=cv2.INTER_CUBIC)
    pixels = np.repeat(ground[..., None], 3, axis=2)
    place = rng.uniform(-0.08, 0.08, 2) * size + size / 2
    reach, turn = size * float(rng.uniform(0.3, 0.36)), float(rng.uniform(-0.15, 0.15))
    coverage = _coverage(shape, size, (float(place[0]), float(place[1])), reach, turn)
    paint = np.array(COLOURS[colour], np.float32) * float(rng.uniform(0.85, 1.0))
    painted = pixels + (paint - pixels) * coverage[..., None]
    noisy = painted + rng.normal(0, 6, painted.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def write_shapes(root: Path, classes: Mapping[str, tuple[str, str]], photos: int) -> Path:
    """Write a class folder of drawn photos for each of `classes`; return `root`."""
    for number, (folder, (colour, shape)) in enumerate(classes.items()):
        (root / folder).mkdir(parents=True)
        for photo in range(photos):
            pixels = draw_shape(colour, shape, 1000 * number + photo)
            (root / folder / f"{photo:02d}.jpg").write_bytes(encode_jpeg(pixels))
    return root


def _coverage(
    shape: str, size: int, place: tuple[float, float], reach: float, turn: float
) -> NDArray[np.float32]:
    """Return where a shape covers its ground, 0 to 1, float32 (size, size)."""
    mask = np.zeros((size, size), np.uint8)
    for points, value in _POLYGONS[shape]:
        cos, sin = np.cos(turn), np.sin(turn)
        moved = np.asarray(points) @ np.array([[cos, sin], [-sin, cos]]) * reach + place
        cv2.fillPoly(mask, [np.round(moved * 16).astype(np.int32)], (value,), cv2.LINE_AA, 4)
    return mask.astype(np.float32) / np.float32(255)


Polygon = Sequence[tuple[float, float]]


def _round(radius: float, corners: int = 40, inner: float = 1.0) -> Polygon:
    """Corners on a circle; with `inner`, every second one lies further in."""
    angles = np.linspace(-np.pi / 2, 1.5 * np.pi, corners, endpoint=False)
    radii = [radius * (inner if number % 2 else 1.0) for number in range(corners)]
    return [(r * np.cos(a), r * np.sin(a)) for r, a in zip(radii, angles, strict=True)]


def _box(left: float, top: float, right: float, bottom: float) -> Polygon:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


_POLYGONS: dict[str, list[tuple[Polygon, int]]] = {
    "disc": [(_round(1.0), 255)],
    "ring": [(_round(1.0), 255), (_round(0.6), 0)],
    "square": [(_box(-0.9, -0.9, 0.9, 0.9), 255)],
    "frame": [(_box(-0.9, -0.9, 0.9, 0.9), 255), (_box(-0.5, -0.5, 0.5, 0.5), 0)],
    "triangle": [(_round(1.15, 3), 255)],
    "cross": [(_box(-1.0, -0.28, 1.0, 0.28), 255), (_box(-0.28, -1.0, 0.28, 1.0), 255)],
    "bars": [(_box(-1.0, y, 1.0, y + 0.36), 255) for y in (-0.9, -0.18, 0.54)],
    "star": [(_round(1.15, 10, 0.42), 255)],
}
