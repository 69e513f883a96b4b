"""Measure the skin of a face: its colour, and where cloth covers it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from curation.masks.face_frame import FaceFrame
from maskage.faces.finder import FaceLandmarks
from maskage.records import RgbImage

LabColor = NDArray[np.float32]
"""A colour as L*, a*, b*, float32, shape (3,)."""

Patch = tuple[float, float, float, float]
"""Left, top, right and lower edge of a part of the face, in head units."""

_UPPER_FACE: Patch = (-0.3, -0.1, 0.3, 0.3)
_CHIN: Patch = (-0.45, 0.78, 0.45, 0.95)
_BRIDGE: Patch = (-0.13, -0.16, 0.13, 0.07)
"""Skin that a mask leaves bare and that is rarely under hair."""

_COVERED_DROP = 14.0
"""Sum of a* and b* by which a chin is below the upper face where cloth covers it.

Source: of 55 photographed faces with a mask below the nose or on the chin 96% are above, and of
1,010 bare ones, beards included, 5%.
"""


def measure_skin(frame: FaceFrame, pixels: RgbImage) -> LabColor:
    """Return the colour of the skin between the eyes in a photo, RGB uint8 (H, W, 3)."""
    return _color_of(frame, pixels, _BRIDGE)


def has_covered_chin(pixels: RgbImage, landmarks: FaceLandmarks) -> bool:
    """Return whether the chin of a face is covered: it is far less red and yellow than the nose.

    Args:
        pixels: Photo, RGB uint8, shape (H, W, 3).
        landmarks: Landmarks of its face.
    """
    frame = FaceFrame(landmarks)
    drop = _color_of(frame, pixels, _UPPER_FACE) - _color_of(frame, pixels, _CHIN)
    return float(drop[1] + drop[2]) > _COVERED_DROP


def _color_of(frame: FaceFrame, pixels: RgbImage, patch: Patch) -> LabColor:
    """Return the median colour of a part of the face."""
    left, top, right, bottom = patch
    across, along = np.meshgrid(
        np.linspace(left, right, 15, dtype=np.float32),
        np.linspace(top, bottom, 9, dtype=np.float32),
    )
    seen = frame.flatten(pixels, across, along).astype(np.float32) / np.float32(255)
    lab = cv2.cvtColor(seen, cv2.COLOR_RGB2LAB).reshape(-1, 3)
    return np.asarray(np.median(lab, axis=0), np.float32)
