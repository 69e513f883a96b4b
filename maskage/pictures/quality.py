"""The quality of a shot: sharpness, exposure and face size of the crop, and advice."""

import cv2
import numpy as np
from numpy.typing import NDArray

from maskage.pictures.images import resize_square
from maskage.pictures.quality_limits import QualityLimits
from maskage.records import FaceBox, Quality, RgbImage

MEASURED_SIDE_PX = 128


def measure_quality(crop: RgbImage, box: FaceBox | None = None) -> Quality:
    """Measure a face crop.

    Args:
        crop: RGB uint8, shape (H, W, 3), square or nearly.
        box: Where the face was in its frame; a guide (score 0) says nothing about its size.
    """
    small = resize_square(crop, MEASURED_SIDE_PX)
    return measure_grey(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False), box)


def measure_grey(grey: NDArray[np.uint8], box: FaceBox | None = None) -> Quality:
    """Measure the brightness of a face crop, uint8, shape (H, W); see `measure_quality`."""
    if grey.shape != (MEASURED_SIDE_PX, MEASURED_SIDE_PX):
        grey = resize_square(grey, MEASURED_SIDE_PX)
    clipped = np.count_nonzero((grey < 5) | (grey > 250)) / grey.size
    _, deviation = cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))
    return Quality(
        sharpness=float(deviation[0, 0]) ** 2,
        brightness=float(grey.mean()),
        clipped=clipped,
        face_px=box.side_px if box is not None and box.score > 0 else 0,
    )


def find_faults(quality: Quality, limits: QualityLimits | None = None) -> list[str]:
    """Return what is wrong with a shot as short advice, the worst first; empty when it is good."""
    limits = limits or QualityLimits()
    faults = []
    if quality.brightness < limits.min_brightness:
        faults.append("too dark")
    if quality.brightness > limits.max_brightness:
        faults.append("too bright")
    elif quality.clipped > limits.max_clipped:
        faults.append("too much contrast")
    if 0 < quality.face_px < limits.min_face_px:
        faults.append("move closer")
    if quality.sharpness < limits.min_sharpness:
        faults.append("hold still")
    return faults
