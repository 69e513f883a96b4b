"""Whether a shot is good: sharpness, exposure and face size of the crop, and a word of advice."""

from dataclasses import dataclass

import cv2

from collector.images import resize_square
from collector.records import FaceBox, Quality, RgbImage

MEASURED_SIDE_PX = 128


@dataclass(frozen=True)
class QualityLimits:
    """Below or above these a shot is refused.

    Attributes:
        min_sharpness: Variance of the Laplacian at 128 px. At full size it ranks noise above
            sharpness; at 128 px it works (DESIGN.md, Curation's measured facts).
        min_brightness, max_brightness: Mean luma, 0 to 255.
        max_clipped: Fraction of pixels that are black or blown out.
        min_face_px: Longer side of the face box in the frame.
    """

    min_sharpness: float = 25.0
    min_brightness: float = 40.0
    max_brightness: float = 225.0
    max_clipped: float = 0.4
    min_face_px: int = 60


def measure_quality(crop: RgbImage, box: FaceBox | None = None) -> Quality:
    """Measure a face crop.

    Args:
        crop: RGB uint8, shape (H, W, 3), square or nearly.
        box: Where the face was in its frame; a guide (score 0) says nothing about its size.
    """
    grey = cv2.cvtColor(resize_square(crop, MEASURED_SIDE_PX), cv2.COLOR_RGB2GRAY)
    clipped = (grey < 5) | (grey > 250)
    return Quality(
        sharpness=float(cv2.Laplacian(grey, cv2.CV_64F).var()),
        brightness=float(grey.mean()),
        clipped=float(clipped.mean()),
        face_px=box.side_px if box is not None and box.score > 0 else 0,
    )


def find_faults(quality: Quality, limits: QualityLimits | None = None) -> list[str]:
    """What is wrong with a shot, as short advice, the gravest first; empty when it is good."""
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
