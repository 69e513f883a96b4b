"""Boxes as annotation files state them, put into the pixels of their upright pictures.

The same file may have been drawn on the picture as it is stored, or as viewers turn it by its EXIF
orientation, or on a smaller copy: the size that the file states tells which.
"""

import math
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from maskage.dataset.importing.annotations.records import DrawnBox
from maskage.pictures.images import decode_grey
from maskage.records import FaceBox

NO_CLASS = "a box without a class"
NOT_FINITE = "a box with a number that is missing or none"
NO_SIZE = "a box without width or height"
OUTSIDE = "a box that lies outside its picture"
OTHER_SIZE = "boxes that were drawn on a picture of another shape"

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
_SAME_SHAPE = 0.02
"""Largest difference of two pictures' shapes, as a share, where one is a smaller copy."""


@dataclass(frozen=True)
class PictureSize:
    """The size of a picture.

    Attributes:
        width, height: Size as it is shown, upright, px.
        orientation: EXIF orientation by which it was turned, 1 to 8.
    """

    width: int
    height: int
    orientation: int = 1

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height as it is shown."""
        return self.width, self.height

    @property
    def is_on_its_side(self) -> bool:
        """True where width and height are swapped in the file."""
        return self.orientation >= 5


def read_size(path: Path) -> PictureSize:
    """Read the size of a picture, from its header where that is possible.

    Raises:
        OSError: It cannot be read.
        UnreadableImageError: It is no picture, or damaged.
    """
    try:
        with Image.open(path, formats=_FORMATS) as image:
            width, height = image.size
            found = image.getexif().get(0x0112, 1) if _may_be_turned(image, path) else 1
    except Exception:  # noqa: BLE001  a damaged file raises many things; the decoder has words
        whole = decode_grey(path.read_bytes(), path.name, min_side=32)
        return PictureSize(whole.width, whole.height)
    orientation = found if found in range(1, 9) else 1
    if orientation >= 5:
        width, height = height, width
    return PictureSize(width, height, orientation)


def _may_be_turned(image: Image.Image, path: Path) -> bool:
    """Return False for a PNG that says nothing of its orientation.

    Pillow decodes all of a PNG to look for it behind the pixels: 6 ms for each of a face-mask set's
    853 pictures, where reading the file takes 0.1 ms.
    """
    if image.format != "PNG":
        return True
    data = path.read_bytes()
    return any(mark in data for mark in (b"eXIf", b"Raw profile type", b"XML:com.adobe.xmp"))


def place_box(box: DrawnBox, drawn_on: tuple[int, int] | None, size: PictureSize) -> FaceBox | str:
    """Return a box in pixels of the upright picture, clipped to it, or why it is none.

    Args:
        box: The box as it is stated.
        drawn_on: Width and height of the picture on which it was drawn; None where unknown.
        size: The picture.
    """
    edges = (box.left, box.top, box.right, box.bottom)
    if not box.label:
        return NO_CLASS
    if not all(map(math.isfinite, edges)):
        return NOT_FINITE
    placed = _to_pixels(edges, size) if box.is_share else _to_upright(edges, drawn_on, size)
    if placed is None:
        return OTHER_SIZE
    left, top, right, bottom = placed
    if right - left < 0.5 or bottom - top < 0.5:
        return NO_SIZE
    if left >= size.width or top >= size.height or right <= 0 or bottom <= 0:
        return OUTSIDE
    x, y = max(0, round(left)), max(0, round(top))
    x_end, y_end = min(size.width, round(right)), min(size.height, round(bottom))
    if x_end <= x or y_end <= y:
        return NO_SIZE
    return FaceBox(x, y, x_end - x, y_end - y)


_Edges = tuple[float, float, float, float]


def _to_pixels(edges: _Edges, size: PictureSize) -> _Edges:
    left, top, right, bottom = edges
    return left * size.width, top * size.height, right * size.width, bottom * size.height


def _to_upright(
    edges: _Edges, drawn_on: tuple[int, int] | None, size: PictureSize
) -> _Edges | None:
    """Scale and turn edges in px from the picture drawn on; None where it was another one."""
    if drawn_on is None or drawn_on == size.upright or min(drawn_on) < 1:
        return edges
    width, height = drawn_on
    shares = edges[0] / width, edges[1] / height, edges[2] / width, edges[3] / height
    stored = size.upright[::-1] if size.is_on_its_side else size.upright
    if size.is_on_its_side and _is_same_shape(drawn_on, stored):
        return _to_pixels(_turn(shares, size.orientation), size)
    return _to_pixels(shares, size) if _is_same_shape(drawn_on, size.upright) else None


def _is_same_shape(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return abs(one[0] * other[1] / (one[1] * other[0]) - 1) <= _SAME_SHAPE


def _turn(shares: _Edges, orientation: int) -> _Edges:
    """Turn edges of the stored picture, as shares, to where they are in the upright one.

    Source: EXIF 2.32, tag 274: 5 is mirrored along the main diagonal, 6 to be turned clockwise,
    7 mirrored along the other diagonal, 8 to be turned counter-clockwise.
    """
    left, top, right, bottom = shares
    if orientation == 5:
        return top, left, bottom, right
    if orientation == 6:
        return 1 - bottom, left, 1 - top, right
    if orientation == 7:
        return 1 - bottom, 1 - right, 1 - top, 1 - left
    return top, 1 - right, bottom, 1 - left
