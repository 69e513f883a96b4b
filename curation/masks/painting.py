"""Masks put onto photographed faces: over nose and mouth, below the nose, on the chin.

Hardly anybody photographs misworn masks, and a network that has never seen one takes the cloth
itself for a mask that is worn. A face's own eyes, nose and mouth say how a mask lies on it: every
pixel of the photo is looked up in the flat picture of the mask.
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
    """How a mask is worn. The value marks the names of painted photos."""

    WORN = "worn"
    BELOW_NOSE = "nose"
    ON_CHIN = "chin"


@dataclass(frozen=True)
class MaskLender:
    """A masked photo whose mask another face puts on.

    Attributes:
        path: Relative to the dataset.
        landmarks: Of its face, in pixels of it.
    """

    path: str
    landmarks: FaceLandmarks


@dataclass(frozen=True)
class MaskPainting:
    """A mask to be put on.

    Attributes:
        wearing: How it is worn.
        landmarks: Of the face, in pixels of the photo.
        lender: Whose mask it is; None for a painted one.
    """

    wearing: Wearing
    landmarks: FaceLandmarks
    lender: MaskLender | None = None


_SPANS: dict[Wearing, tuple[Span, Span]] = {
    Wearing.WORN: ((0.08, 0.2), (1.0, 1.15)),
    Wearing.BELOW_NOSE: ((0.42, 0.54), (1.08, 1.35)),
    Wearing.ON_CHIN: ((0.76, 0.96), (1.2, 1.45)),
}
"""Where the edges come to lie in the middle of the face, in head units: ranges of the upper and the
lower one. The nostrils end at 0.42, the lower lip at 0.75, the chin at 1."""

_COMMON_KINDS = [name for name, kind in MASK_KINDS.items() if kind.cut != "cloth"]
_COMMON_SHARE = 0.5
"""Of painted masks that are surgical or ffp2 ones for sure, as most that people wear are."""

_BROAD_UNIT_PX = 16.0
_GREY_SPREAD = 3.0
"""Between the channels of a pixel, in the mean, of 255."""

_BLUR_RANGE = (0.002, 0.012)
"""In head units: as sharp as photographs of faces are."""


def paint_mask_on(
    pixels: RgbImage, painting: MaskPainting, seed: str, lender: RgbImage | None = None
) -> RgbImage:
    """A photo with a mask put on its face.

    Args:
        pixels: RGB uint8, shape (H, W, 3).
        painting: Where, and how it is worn.
        seed: Chooses kind, colour, fit and sharpness; the same seed paints the same mask.
        lender: The photo of `painting.lender`, RGB uint8 (H, W, 3), where there is one.

    Returns:
        RGB uint8, shape (H, W, 3).
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
    """Where to look in the flat mask for a mask whose middle lies between `upper` and `lower`.

    Loops hold a mask at the ears: the further from the middle, the less it has moved.
    """
    top, bottom = span
    moved = top + (y - upper) * ((bottom - top) / (lower - upper))
    held = np.clip(np.abs(x) / (CHEEK_X * 1.15), 0, 1) ** 3
    return (moved + (y - moved) * held).astype(np.float32)


def _wrap(layer: Layer, x: Plane, y: Plane) -> Plane:
    """The flat mask seen on the face: premultiplied RGBA float32 (H, W, 4), 0 to 255."""
    across, along = x * layer.unit_px - layer.x, y * layer.unit_px - layer.y
    seen = cv2.remap(layer.pixels, across, along, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return seen.astype(np.float32)


def _is_grey(pixels: RgbImage) -> bool:
    """Whether a photo is black and white, but for what compression left."""
    spread = pixels.max(axis=2).astype(np.int16) - pixels.min(axis=2)
    return float(spread.mean()) < _GREY_SPREAD


def _as_grey(pixels: RgbImage) -> RgbImage:
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)


def _light(pixels: RgbImage, unit_px: float, usual: float) -> Plane:
    """How much more light falls on each pixel than on the mask, by the photo's broad brightness."""
    height, width = pixels.shape[:2]
    # On a shrunken picture: a wide blur looks the same there, and takes a hundredth of the time.
    scale = min(1.0, _BROAD_UNIT_PX / unit_px)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small.astype(np.float32), (0, 0), max(1.0, 0.4 * scale * unit_px))
    broad = cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR)
    level = float(np.clip(broad.mean() / max(1.0, usual), 0.45, 1.25))
    uneven = np.clip(broad / max(1.0, float(broad.mean())), 0.65, 1.25)
    return np.asarray(uneven * level, np.float32)
