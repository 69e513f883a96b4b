"""The turn and the mirror by which a player shows the pictures of a video.

A phone stores what its sensor saw, and a matrix that brings it upright; one for the mirrored
pictures of a front camera turns nothing, although its angle reads as half a turn.
"""

from typing import TYPE_CHECKING, cast

import numpy as np

from maskage.records import RgbImage

if TYPE_CHECKING:
    from av import VideoFrame
    from av.sidedata.sidedata import SideData

Matrix = tuple[int, int, int, int]
"""a, b, c and d: a pixel at x, y is shown at ax + cy, bx + dy."""

_BYTES = 9 * 4


class DisplayMatrix:
    """The matrix of a video's pictures, read anew where the angle of one differs."""

    def __init__(self) -> None:
        self._angle: float | None = None
        self._matrix: Matrix | None = None

    def show(self, pixels: RgbImage, picture: "VideoFrame") -> RgbImage:
        """Turn and mirror pixels as the matrix of their picture says; without one they stay.

        Args:
            pixels: RGB uint8, shape (H, W, 3), of the picture as it is stored.
            picture: The picture.
        """
        if self._angle != picture.rotation:
            # Not for each picture: PyAV's side data keep theirs, until garbage is collected.
            self._angle, self._matrix = picture.rotation, _find_matrix(picture)
        return pixels if self._matrix is None else apply_matrix(pixels, self._matrix)


def apply_matrix(pixels: RgbImage, matrix: Matrix) -> RgbImage:
    """Turn by the nearest quarter and mirror.

    Args:
        pixels: RGB uint8, shape (H, W, 3).
        matrix: Where a pixel is shown, in any unit.

    Source: ISO/IEC 14496-12, 6.2.2.
    """
    a, b, c, d = matrix
    if abs(b) + abs(c) > abs(a) + abs(d):
        pixels, is_mirrored, is_upside_down = pixels.transpose(1, 0, 2), c < 0, b < 0
    else:
        is_mirrored, is_upside_down = a < 0, d < 0
    across, down = -1 if is_mirrored else 1, -1 if is_upside_down else 1
    return np.ascontiguousarray(pixels[::down, ::across])


def _find_matrix(picture: "VideoFrame") -> Matrix | None:
    data = cast("SideData | None", picture.side_data.get("DISPLAYMATRIX"))
    if data is None or len(content := bytes(data)) < _BYTES:
        return None
    values = np.frombuffer(content, np.int32)
    return int(values[0]), int(values[1]), int(values[3]), int(values[4])
