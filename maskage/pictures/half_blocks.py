"""Pictures as terminal text: two pixels a cell, the upper as `▀`'s colour, the lower behind it.

Cells are taken to be twice as high as wide, so half a cell is a square pixel. Pure geometry and
bytes: knows no terminal and no Textual.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskage.records import FaceBox, RgbImage

_RESET = "\x1b[0m"
_BLOCK = "▀".encode()


class _CellText:
    """The text of one cell with room for its digits: `R`, `G`, `B` above, `r`, `g`, `b` below."""

    def __init__(self, colors: bytes) -> None:
        self.bytes = np.frombuffer(colors + _BLOCK, dtype=np.uint8)
        self.color_length = len(colors)
        self.upper_digits = np.flatnonzero(np.isin(self.bytes, list(b"RGB")))
        self.lower_digits = np.flatnonzero(np.isin(self.bytes, list(b"rgb")))


_TRUE_COLOR = _CellText(b"\x1b[38;2;RRR;GGG;BBB;48;2;rrr;ggg;bbbm")
_COLORS_256 = _CellText(b"\x1b[38;5;RRR;48;5;rrrm")


def _digit_table() -> NDArray[np.uint8]:
    """Each byte as three decimal digits, with NUL for a leading zero: shape (256, 3)."""
    texts = [str(value).rjust(3, "\0") for value in range(256)]
    return np.array([list(text.encode()) for text in texts], dtype=np.uint8)


def _cube_table() -> NDArray[np.uint8]:
    """Each byte as the nearest level of xterm's 6x6x6 colour cube: shape (256,)."""
    levels = np.array([0, 95, 135, 175, 215, 255])
    distances = np.abs(np.arange(256)[:, None] - levels)
    return np.asarray(distances.argmin(axis=1), dtype=np.uint8)


_DIGITS = _digit_table()
_CUBE = _cube_table()


@dataclass(frozen=True)
class Placement:
    """The place of a picture in a block of cells, its aspect kept and centred.

    Attributes:
        column, row: Cell of its upper left corner.
        columns, rows: Its size in cells; 0 where there is no room.
        scale: Half-block pixels for each pixel of the picture.
    """

    column: int
    row: int
    columns: int
    rows: int
    scale: float


def place_picture(width: int, height: int, columns: int, rows: int) -> Placement:
    """Fit a picture of `width` x `height` pixels into `columns` x `rows` cells."""
    if min(width, height, columns, rows) < 1:
        return Placement(0, 0, 0, 0, 0.0)
    scale = min(columns / width, 2 * rows / height)
    fitted_columns = min(columns, max(1, round(width * scale)))
    fitted_rows = min(rows, max(1, round(height * scale / 2)))
    return Placement(
        (columns - fitted_columns) // 2,
        (rows - fitted_rows) // 2,
        fitted_columns,
        fitted_rows,
        scale,
    )


def shrink_to_cells(pixels: RgbImage, place: Placement) -> RgbImage:
    """Resize a picture to the half-blocks of its placement: (2 * rows, columns, 3)."""
    shrinks = pixels.shape[1] > place.columns
    # Exact area averaging of a large frame costs more than all the rest; halve it first.
    if pixels.shape[1] >= 4 * place.columns and pixels.shape[0] >= 8 * place.rows:
        pixels = pixels[::2, ::2]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    small = cv2.resize(pixels, (place.columns, 2 * place.rows), interpolation=method)
    return small.astype(np.uint8, copy=False)


def encode_half_blocks(small: RgbImage, *, true_color: bool = True) -> list[str]:
    """One ANSI string for each two rows of `small`, shape (2 * rows, columns, 3).

    Colours are written only where they change; each string ends with a reset. Without `true_color`
    they are the nearest of xterm's 256.
    """
    rows, columns = small.shape[0] // 2, small.shape[1]
    if rows == 0 or columns == 0:
        return []
    text = _TRUE_COLOR if true_color else _COLORS_256
    values = small[: 2 * rows] if true_color else _to_256_colors(small[: 2 * rows])
    upper, lower = values[0::2], values[1::2]
    cells = np.empty((rows, columns, len(text.bytes)), dtype=np.uint8)
    cells[:] = text.bytes
    cells[:, :, text.upper_digits] = _DIGITS[upper].reshape(rows, columns, -1)
    cells[:, :, text.lower_digits] = _DIGITS[lower].reshape(rows, columns, -1)
    same = np.zeros((rows, columns), dtype=bool)
    same[:, 1:] = (upper[:, 1:] == upper[:, :-1]).all(axis=2)
    same[:, 1:] &= (lower[:, 1:] == lower[:, :-1]).all(axis=2)
    cells[same, : text.color_length] = 0
    lines = cells.reshape(rows, -1)
    return [line[line != 0].tobytes().decode() + _RESET for line in lines]


def _to_256_colors(pixels: RgbImage) -> NDArray[np.uint8]:
    """Number of the nearest colour of xterm's cube: shape (H, W, 1)."""
    cube = _CUBE[pixels]
    numbers = 16 + 36 * cube[..., 0] + 6 * cube[..., 1] + cube[..., 2]
    return numbers[..., None].astype(np.uint8, copy=False)


def outline_box(
    small: RgbImage,
    box: FaceBox,
    scale: float,
    color: tuple[int, int, int],
    *,
    corners_only: bool = False,
    is_open_below: bool = False,
) -> None:
    """Draw a box of the full frame onto its half-block picture, one half-block thick, in place.

    Args:
        small: Half-block pixels, shape (2 * rows, columns, 3).
        box: In pixels of the full frame.
        scale: `Placement.scale`.
        color: RGB.
        corners_only: Draw only the corners, as a camera's viewfinder does.
        is_open_below: Leave a gap of half the width in the lower side.
    """
    height, width = small.shape[:2]
    left, top = round(box.x * scale), round(box.y * scale)
    right = round((box.x + box.width) * scale) - 1
    bottom = round((box.y + box.height) * scale) - 1
    if right <= left or bottom <= top:
        return
    length_x, length_y = right - left + 1, bottom - top + 1
    if corners_only:
        length_x = length_y = max(2, min(length_x, length_y) // 4)
    below_x = max(1, (right - left + 1) // 4) if is_open_below else length_x
    spans = [
        (left, top, left + length_x, top + 1),
        (right - length_x + 1, top, right + 1, top + 1),
        (left, bottom, left + below_x, bottom + 1),
        (right - below_x + 1, bottom, right + 1, bottom + 1),
        (left, top, left + 1, top + length_y),
        (left, bottom - length_y + 1, left + 1, bottom + 1),
        (right, top, right + 1, top + length_y),
        (right, bottom - length_y + 1, right + 1, bottom + 1),
    ]
    for x0, y0, x1, y1 in spans:
        small[max(0, y0) : min(height, max(0, y1)), max(0, x0) : min(width, max(0, x1))] = color
