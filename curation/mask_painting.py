"""Masks painted onto photographed faces: over nose and mouth, below the nose, on the chin.

Hardly anybody photographs misworn masks, and a network that has never seen one takes the cloth
itself for a mask that is worn. The masks are those of the demo camera. A face's own eyes, nose and
mouth say how one lies: every pixel of the photo is looked up in the flat picture of the mask.
"""

import random
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from collector.demo_masks import MASK_KINDS, paint_mask
from collector.demo_paint import Canvas, Layer, Window
from collector.demo_people import DEMO_SUBJECTS
from collector.faces import FaceLandmarks
from collector.records import RgbImage

Plane = NDArray[np.float32]
Span = tuple[float, float]


class Wearing(StrEnum):
    """How a mask is worn. The value marks the names of painted photos."""

    WORN = "worn"
    BELOW_NOSE = "nose"
    ON_CHIN = "chin"


@dataclass(frozen=True)
class MaskPainting:
    """A mask to be painted.

    Attributes:
        wearing: How it is worn.
        landmarks: Of the face, in pixels of the photo.
    """

    wearing: Wearing
    landmarks: FaceLandmarks


# In head units of the demo camera: the eyes lie at 0, the chin at 1.
_NOSE_Y, _MOUTH_Y, _CHEEK_X = 0.36, 0.68, 0.8
_WORN_SPAN: Span = (0.08, 1.07)
"""From the upper to the lower edge of a mask as the demo camera paints it."""

_SPANS: dict[Wearing, tuple[Span, Span]] = {
    Wearing.WORN: ((0.08, 0.2), (1.0, 1.15)),
    Wearing.BELOW_NOSE: ((0.44, 0.56), (1.08, 1.3)),
    Wearing.ON_CHIN: ((0.76, 0.96), (1.2, 1.45)),
}
"""Where the edges come to lie in the middle of the face: ranges of the upper and the lower one. The
nostrils end at 0.42, the lower lip at 0.75."""

_COMMON_KINDS = [name for name, kind in MASK_KINDS.items() if kind.cut != "cloth"]
_COMMON_SHARE = 0.5
"""Of masks that are surgical or ffp2 ones for sure, as most that people wear are."""

_BLUR_RANGE = (0.002, 0.012)
"""In head units: as sharp as photographs of faces are."""

_WINDOW = Window(-1.1, -0.3, 1.1, 1.45)
_UNITS_PX = (32, 64, 128, 256)
_WEARERS = DEMO_SUBJECTS[:4]
"""Whose jaws the masks are cut for."""
_LEAST_FACE_PX = 1.0
"""From the eyes to the mouth: points that fall together are no face, and must do no harm."""
_LEAST_EXTENT = 0.15
"""Of the width of a face: as narrow its far side may be in a profile."""


def paint_mask_on(pixels: RgbImage, painting: MaskPainting, seed: str) -> RgbImage:
    """A photo with a mask painted on its face.

    Args:
        pixels: RGB uint8, shape (H, W, 3).
        painting: Where, and how it is worn.
        seed: Chooses kind, colour, fit and sharpness; the same seed paints the same mask.

    Returns:
        RGB uint8, shape (H, W, 3).
    """
    choice = random.Random(seed)
    x, y, unit_px = _head_units(pixels.shape[:2], painting.landmarks)
    kind = choice.choice(_COMMON_KINDS if choice.random() < _COMMON_SHARE else list(MASK_KINDS))
    unit = next((size for size in _UNITS_PX if size >= unit_px), _UNITS_PX[-1])
    layer = _flat_mask(kind, choice.randrange(len(_WEARERS)), unit)
    upper, lower = (choice.uniform(*edge) for edge in _SPANS[painting.wearing])
    sheet = _wrap(layer, x, _pulled(x, y, upper, lower))
    blur_px = 0.3 + unit_px * choice.uniform(*_BLUR_RANGE)
    sheet = np.asarray(cv2.GaussianBlur(sheet, (0, 0), blur_px), np.float32)
    tint = [choice.uniform(0.9, 1.08) for _ in range(3)]
    lit = sheet[..., :3] * _light(pixels, unit_px)[..., None] * np.array(tint, np.float32)
    covered = pixels * (1 - sheet[..., 3:] / 255) + np.clip(lit, 0, 255)
    return np.asarray(np.clip(covered + 0.5, 0, 255), np.uint8)


def _head_units(size: tuple[int, int], landmarks: FaceLandmarks) -> tuple[Plane, Plane, float]:
    """Where each pixel lies on the face: x, y in head units; and how many pixels one has.

    Up and down from eyes to nose to mouth, and on; sideways from the middle of the face to its two
    edges, of which a turned head shows one much nearer than the other.
    """
    eyes, nose, mouth = (
        np.array(point) for point in (landmarks.eyes, landmarks.nose, landmarks.mouth)
    )
    to_mouth = max(_LEAST_FACE_PX, float(np.hypot(*(mouth - eyes))))
    down = (mouth - eyes) / to_mouth
    right = np.array([down[1], -down[0]])
    rows, columns = np.mgrid[: size[0], : size[1]]
    offset_x, offset_y = columns - eyes[0], rows - eyes[1]
    below = (offset_x * down[0] + offset_y * down[1]).astype(np.float32)
    aside = (offset_x * right[0] + offset_y * right[1]).astype(np.float32)

    to_nose = float(np.clip((nose - eyes) @ down, 0.35 * to_mouth, 0.8 * to_mouth))
    unit_px = to_mouth / _MOUTH_Y
    y = np.where(
        below < to_nose,
        below * (_NOSE_Y / to_nose),
        _NOSE_Y + (below - to_nose) * ((_MOUTH_Y - _NOSE_Y) / (to_mouth - to_nose)),
    )
    # Below the mouth the face goes on in its own scale, however open the mouth is.
    y = np.where(below > to_mouth, _MOUTH_Y + (below - to_mouth) / unit_px, y)

    box = landmarks.box
    width = float(box.width)
    middle = float(((nose + mouth) / 2 - eyes) @ right)
    center = float((np.array(box.center) - eyes) @ right)
    to_left = max(middle - (center - width / 2), _LEAST_EXTENT * width)
    to_right = max((center + width / 2) - middle, _LEAST_EXTENT * width)
    x = (aside - middle) * np.where(aside < middle, _CHEEK_X / to_left, _CHEEK_X / to_right)
    return x.astype(np.float32), y.astype(np.float32), unit_px


def _pulled(x: Plane, y: Plane, upper: float, lower: float) -> Plane:
    """Where to look in the flat mask for a mask whose middle lies between `upper` and `lower`.

    Loops hold a mask at the ears: the further from the middle, the less it has moved.
    """
    top, bottom = _WORN_SPAN
    moved = top + (y - upper) * ((bottom - top) / (lower - upper))
    held = np.clip(np.abs(x) / (_CHEEK_X * 1.15), 0, 1) ** 3
    return (moved + (y - moved) * held).astype(np.float32)


@lru_cache(maxsize=len(MASK_KINDS) * len(_WEARERS) * len(_UNITS_PX))
def _flat_mask(kind: str, wearer: int, unit_px: int) -> Layer:
    canvas = Canvas(_WINDOW, unit_px)
    paint_mask(canvas, _WEARERS[wearer], kind)
    return canvas.finish()


def _wrap(layer: Layer, x: Plane, y: Plane) -> Plane:
    """The flat mask seen on the face: premultiplied RGBA float32 (H, W, 4), 0 to 255."""
    across, along = x * layer.unit_px - layer.x, y * layer.unit_px - layer.y
    seen = cv2.remap(layer.pixels, across, along, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return seen.astype(np.float32)


def _light(pixels: RgbImage, unit_px: float) -> Plane:
    """How much light falls on each pixel, as the photo's broad brightness tells it."""
    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    broad = cv2.GaussianBlur(luma, (0, 0), max(1.0, 0.4 * unit_px))
    level = float(np.clip(broad.mean() / 130, 0.45, 1.15))
    uneven = np.clip(broad / max(1.0, float(broad.mean())), 0.65, 1.25)
    return np.asarray(uneven * level, np.float32)
