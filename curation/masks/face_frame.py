"""The coordinates of a face: down from the eyes to nose, mouth and chin, and out to its edges."""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from maskage.demo.painting.face import CHEEK_X
from maskage.faces.finder import FaceLandmarks
from maskage.records import RgbImage

Plane = NDArray[np.float32]

# In head units, as for the demo camera's people: the eyes lie at 0, the chin at 1. The mouth is
# where its corners are found in photographs, a little lower than in the demo.
NOSE_Y, MOUTH_Y = 0.36, 0.68

_LEAST_FACE_PX = 1.0
"""Least distance from eyes to mouth, px, so that coinciding points cause no division by 0."""
_LEAST_EXTENT = 0.15
"""Least width of the far side in a profile, as a fraction of the face's width."""


class FaceFrame:
    """A conversion between the pixels of a photo and the head units of a face in it.

    The vertical axis runs from eyes to nose to mouth and on; the horizontal one from the middle of
    the face to its two edges, of which one is much nearer on a turned head.

    Args:
        landmarks: Landmarks of the face.

    Attributes:
        unit_px: Pixels in a head unit.
    """

    def __init__(self, landmarks: FaceLandmarks) -> None:
        eyes, nose, mouth = (
            np.array(point) for point in (landmarks.eyes, landmarks.nose, landmarks.mouth)
        )
        to_mouth = max(_LEAST_FACE_PX, float(np.hypot(*(mouth - eyes))))
        down = (mouth - eyes) / to_mouth
        right = np.array([down[1], -down[0]])
        to_nose = float(np.clip((nose - eyes) @ down, 0.35 * to_mouth, 0.8 * to_mouth))
        self.unit_px = to_mouth / MOUTH_Y
        # Below the mouth the scale stays the same, however open the mouth is.
        self._below_px = np.array([-to_mouth, 0, to_nose, to_mouth, 4 * to_mouth])
        above = -to_mouth * NOSE_Y / to_nose
        self._below = np.array([above, 0, NOSE_Y, MOUTH_Y, MOUTH_Y + 3 * MOUTH_Y])
        width = float(landmarks.box.width)
        self._middle = float(((nose + mouth) / 2 - eyes) @ right)
        center = float((np.array(landmarks.box.center) - eyes) @ right)
        self._to_left = max(self._middle - (center - width / 2), _LEAST_EXTENT * width)
        self._to_right = max((center + width / 2) - self._middle, _LEAST_EXTENT * width)
        self._eyes, self._down, self._right = eyes, down, right

    def locate(self, size: tuple[int, int]) -> tuple[Plane, Plane]:
        """Return x and y, in head units, of each pixel of a photo of `size` (H, W), each (H, W)."""
        rows, columns = np.mgrid[: size[0], : size[1]]
        x, y = columns - self._eyes[0], rows - self._eyes[1]
        below = np.interp(x * self._down[0] + y * self._down[1], self._below_px, self._below)
        aside = x * self._right[0] + y * self._right[1] - self._middle
        across = aside * CHEEK_X / np.where(aside < 0, self._to_left, self._to_right)
        return across.astype(np.float32), below.astype(np.float32)

    @property
    def lesser_side(self) -> float:
        """Share of the face's width between its middle and its nearer edge: 0.5 from the front."""
        return min(self._to_left, self._to_right) / (self._to_left + self._to_right)

    @property
    def turn(self) -> float:
        """Turn of the head, -1 to 1: the share of the width that the right side has more."""
        return (self._to_right - self._to_left) / (self._to_left + self._to_right)

    def place(self, x: Plane, y: Plane) -> tuple[Plane, Plane]:
        """Return the columns and rows in the photo of places in head units, of the same shape."""
        below = np.interp(y, self._below, self._below_px)
        aside = self._middle + x / CHEEK_X * np.where(x < 0, self._to_left, self._to_right)
        columns = self._eyes[0] + aside * self._right[0] + below * self._down[0]
        rows = self._eyes[1] + aside * self._right[1] + below * self._down[1]
        return columns.astype(np.float32), rows.astype(np.float32)

    def flatten(self, pixels: RgbImage, x: Plane, y: Plane) -> RgbImage:
        """Sample a photo, RGB uint8 (H, W, 3), at places (h, w) in head units, to (h, w, 3)."""
        columns, rows = self.place(x, y)
        seen = cv2.remap(pixels, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return cast(RgbImage, seen)
