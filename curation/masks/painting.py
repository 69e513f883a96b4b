"""Paint masks onto photographed faces: over nose and mouth, below the nose, on the chin.

Photos of misworn masks are rare, and a network that has never seen one takes the cloth for a mask
that is worn. The eyes, nose and mouth of a face place the mask: every pixel of the photo is mapped
to the flat picture of the mask.
"""

import random
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from curation.masks.cloth import WEARERS, MaskCloth, Span, borrow_cloth, paint_cloth
from curation.masks.face_frame import FaceFrame, Plane
from maskage.demo.painting.canvas import Layer
from maskage.demo.painting.face import CHEEK_X
from maskage.demo.painting.masks import MASK_KINDS
from maskage.faces.finder import FaceLandmarks
from maskage.records import RgbImage


class Wearing(StrEnum):
    """A way of wearing a mask; the value is part of the names of painted photos."""

    WORN = "worn"
    BELOW_NOSE = "nose"
    ON_CHIN = "chin"


@dataclass(frozen=True)
class MaskLender:
    """A masked photo whose mask is painted on another face.

    Attributes:
        path: Path relative to the dataset.
        landmarks: Landmarks of its face, in pixels of that photo.
    """

    path: str
    landmarks: FaceLandmarks


@dataclass(frozen=True)
class MaskPainting:
    """A mask to be painted on a face.

    Attributes:
        wearing: Way of wearing it.
        landmarks: Landmarks of the face, in pixels of the photo.
        lender: Photo that the mask is taken from; None for a drawn one.
    """

    wearing: Wearing
    landmarks: FaceLandmarks
    lender: MaskLender | None = None


_SPANS: dict[Wearing, tuple[Span, Span]] = {
    Wearing.WORN: ((0.08, 0.2), (1.0, 1.15)),
    Wearing.BELOW_NOSE: ((0.42, 0.54), (1.08, 1.35)),
    Wearing.ON_CHIN: ((0.76, 0.96), (1.2, 1.45)),
}
"""Ranges of the upper and of the lower edge in the middle of the face, in head units.

The nostrils end at 0.42, the lower lip at 0.75, the chin at 1.
"""

_COMMON_KINDS = [name for name, kind in MASK_KINDS.items() if kind.cut != "cloth"]
_COMMON_SHARE = 0.5
"""Share of drawn masks that are always surgical or ffp2 masks, which most people wear."""

_BROAD_UNIT_PX = 16.0
_GREY_SPREAD = 3.0
"""Mean difference between the channels of a pixel, of 255, below which a photo is grey."""

_BLUR_RANGE = (0.002, 0.012)
"""Range of the blur of a mask, in head units, as sharp as photographs of faces."""


def paint_mask_on(
    pixels: RgbImage, painting: MaskPainting, seed: str, lender: RgbImage | None = None
) -> RgbImage:
    """Paint a mask on the face of a photo.

    Args:
        pixels: Photo, RGB uint8, shape (H, W, 3).
        painting: Mask to paint.
        seed: Seed of kind, colour, fit and sharpness; the same seed paints the same mask.
        lender: Photo of `painting.lender`, RGB uint8 (H, W, 3), where there is one.

    Returns:
        The photo with the mask, RGB uint8, shape (H, W, 3).
    """
    choice = random.Random(seed)
    frame = FaceFrame(painting.landmarks)
    cloth = _choose_cloth(choice, painting, frame.unit_px, lender)
    upper, lower = (choice.uniform(*edge) for edge in _SPANS[painting.wearing])
    x, y = frame.locate((pixels.shape[0], pixels.shape[1]))
    sheet = _wrap(cloth.layer, x * choice.choice((-1, 1)), _pulled(cloth.span, x, y, upper, lower))
    blur_px = 0.3 + frame.unit_px * choice.uniform(*_BLUR_RANGE)
    sheet = np.asarray(cv2.GaussianBlur(sheet, (0, 0), blur_px), np.float32)
    tint = np.array([choice.uniform(0.9, 1.08) for _ in range(3)], np.float32)
    lit = sheet[..., :3] * _light(pixels, frame.unit_px, cloth.light)[..., None] * tint
    covered = pixels * (1 - sheet[..., 3:] / 255) + np.clip(lit, 0, 255)
    painted = np.asarray(np.clip(covered + 0.5, 0, 255), np.uint8)
    return _as_grey(painted) if _is_grey(pixels) else painted


def _choose_cloth(
    choice: random.Random, painting: MaskPainting, unit_px: float, lender: RgbImage | None
) -> MaskCloth:
    if painting.lender is not None and lender is not None:
        return borrow_cloth(lender, painting.lender.landmarks)
    kind = choice.choice(_COMMON_KINDS if choice.random() < _COMMON_SHARE else list(MASK_KINDS))
    return paint_cloth(kind, choice.randrange(WEARERS), unit_px)


def _pulled(span: Span, x: Plane, y: Plane, upper: float, lower: float) -> Plane:
    """Map heights on the face to heights in the flat mask, whose middle is moved to a span.

    Loops hold a mask at the ears, so it moves less the further from the middle.
    """
    top, bottom = span
    moved = top + (y - upper) * ((bottom - top) / (lower - upper))
    held = np.clip(np.abs(x) / (CHEEK_X * 1.15), 0, 1) ** 3
    return (moved + (y - moved) * held).astype(np.float32)


def _wrap(layer: Layer, x: Plane, y: Plane) -> Plane:
    """Return the flat mask on the face, premultiplied RGBA float32 (H, W, 4), 0 to 255."""
    across, along = x * layer.unit_px - layer.x, y * layer.unit_px - layer.y
    seen = cv2.remap(layer.pixels, across, along, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return seen.astype(np.float32)


def _is_grey(pixels: RgbImage) -> bool:
    """Return whether a photo is black and white, apart from traces of compression."""
    spread = pixels.max(axis=2).astype(np.int16) - pixels.min(axis=2)
    return float(spread.mean()) < _GREY_SPREAD


def _as_grey(pixels: RgbImage) -> RgbImage:
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)


def _light(pixels: RgbImage, unit_px: float, usual: float) -> Plane:
    """Return the light on each pixel relative to the mask, from the photo's brightness, (H, W)."""
    height, width = pixels.shape[:2]
    # On a shrunken picture, where a wide blur looks the same and takes a hundredth of the time.
    scale = min(1.0, _BROAD_UNIT_PX / unit_px)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small.astype(np.float32), (0, 0), max(1.0, 0.4 * scale * unit_px))
    broad = cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR)
    level = float(np.clip(broad.mean() / max(1.0, usual), 0.45, 1.25))
    uneven = np.clip(broad / max(1.0, float(broad.mean())), 0.65, 1.25)
    return np.asarray(uneven * level, np.float32)
