"""Pull down the mask of a photographed face, and show the skin of another face above it.

The mask keeps its cloth, its loops and its light, and the photo its framing: what a real misworn
mask differs in from the same photo with the mask worn is the nose alone.
"""

import random
from dataclasses import dataclass

import cv2
import numpy as np

from curation.masks.cloth import LENT_SPAN
from curation.masks.face_frame import FaceFrame, Plane
from curation.masks.skin import measure_skin
from maskage.demo.painting.face import CHEEK_X
from maskage.records import RgbImage

Range = tuple[float, float]


@dataclass(frozen=True)
class PullDown:
    """Ranges of the edges of a mask that is pulled to another place, in head units.

    Attributes:
        upper: Height of the upper edge in the middle of the face.
        lower: Height of the lower edge there.
        aside: Height of the upper edge at the sides of the face.
    """

    upper: Range
    lower: Range
    aside: Range


_STEEPNESS: Range = (1.3, 2.6)
"""Exponent of the upper edge between middle and side: nearly straight, or flat on the lip."""
_SLANT: Range = (-0.1, 0.1)
"""Slope of the upper edge from side to side."""
_HELD_X = CHEEK_X * 1.06

_MOST_SHIFT = np.array([45, 15, 15], np.float32)
"""Largest change of the lent skin's L*, a* and b*."""

_SHADOW, _SHADOW_Y = 0.35, 0.035
"""Darkness of the skin at the cloth's edge, and the height in which it fades, in head units."""
_HEM, _HEM_Y, _HEM_WIDTH = 0.1, 0.03, 0.015
"""Brightness of the folded edge of the cloth, its place under the edge and its width."""

_OPENING_Y = [-0.1, 0.05, 0.2, 0.35, 0.7, 1.0, 1.2]
_OPENING_X = [0.15, 0.4, 0.62, 0.69, 0.7, 0.66, 0.72]
"""Half the width of what is exchanged at each height: the face without its edge."""
_OPENING_TOP, _OPENING_FALL = 0.07, 0.2
"""Height where the exchange begins in the middle, under the eyes, and its fall per unit aside."""
_SOFT_TOP, _SOFT_SIDE = 0.14, 0.06


def pull_mask_down(
    photo: tuple[RgbImage, FaceFrame],
    bare: tuple[RgbImage, FaceFrame],
    pull: PullDown,
    choice: random.Random,
) -> RgbImage:
    """Pull the mask of a photo to another place, and show the skin of a bare face above it.

    Args:
        photo: Masked photo, RGB uint8 (H, W, 3), with its face; it shows its mask completely.
        bare: Photo of a bare face, RGB uint8 (h, w, 3), with its face.
        pull: Place of the mask.
        choice: Source of the edge's shape.

    Returns:
        The photo with its mask moved, RGB uint8, shape (H, W, 3).
    """
    pixels, frame = photo
    x, y = frame.locate((pixels.shape[0], pixels.shape[1]))
    upper, lower, aside = (choice.uniform(*edge) for edge in (pull.upper, pull.lower, pull.aside))
    aside_share = np.clip(np.abs(x) / CHEEK_X, 0, 1) ** choice.uniform(*_STEEPNESS)
    edge = upper + (aside - upper) * aside_share + choice.uniform(*_SLANT) * x
    under = y - edge
    skin = _skin(pixels, frame, bare, x, y) * (1 - _SHADOW * _fading(-under))[..., None]
    hem = 1 + _HEM * np.exp(-(((under - _HEM_Y) / _HEM_WIDTH) ** 2))
    cloth = _cloth(pixels, frame, x, y, edge, lower) * hem[..., None]
    on_cloth = _step(under, max(0.015, 1.2 / frame.unit_px))[..., None]
    inner = skin * (1 - on_cloth) + np.clip(cloth, 0, 255) * on_cloth
    inside = _opening(x, y)[..., None]
    return np.asarray(pixels * (1 - inside) + np.clip(inner, 0, 255) * inside + 0.5, np.uint8)


def _skin(
    pixels: RgbImage, frame: FaceFrame, bare: tuple[RgbImage, FaceFrame], x: Plane, y: Plane
) -> Plane:
    """Return the bare face on the places of the masked one, in its colour, float32 (H, W, 3)."""
    lent, lent_frame = bare
    is_turned_alike = frame.turn * lent_frame.turn >= 0
    seen = lent_frame.flatten(lent, x if is_turned_alike else -x, y).astype(np.float32)
    lab = cv2.cvtColor(seen / np.float32(255), cv2.COLOR_RGB2LAB)
    shift = measure_skin(frame, pixels) - measure_skin(lent_frame, lent)
    lab += np.clip(shift, -_MOST_SHIFT, _MOST_SHIFT)
    return np.asarray(np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1) * 255, np.float32)


def _cloth(
    pixels: RgbImage, frame: FaceFrame, x: Plane, y: Plane, edge: Plane, lower: float
) -> Plane:
    """Return the mask between its new edges, float32 (H, W, 3); the loops stay in place."""
    top, bottom = LENT_SPAN
    moved = top + (y - edge) * (bottom - top) / np.maximum(lower - edge, 0.1)
    held = np.clip(np.abs(x) / _HELD_X, 0, 1) ** 3
    taken = moved + (y - moved) * held
    return frame.flatten(pixels, x, taken.astype(np.float32)).astype(np.float32)


def _opening(x: Plane, y: Plane) -> Plane:
    """Return the share of each pixel that is exchanged, 0 to 1."""
    begin = _OPENING_TOP + _OPENING_FALL * np.minimum(np.abs(x), np.float32(0.6))
    half = np.interp(y, _OPENING_Y, _OPENING_X).astype(np.float32)
    under_eyes = np.asarray(y - begin, np.float32)
    opening = _step(under_eyes, _SOFT_TOP) * _step(half - np.abs(x), _SOFT_SIDE)
    return np.asarray(opening, np.float32)


def _step(distance: Plane, width: float) -> Plane:
    """Return 0 far below 0, 1 far above, and a ramp of a width between."""
    return np.asarray(np.clip(distance / width + 0.5, 0, 1), np.float32)


def _fading(distance: Plane) -> Plane:
    return np.asarray(np.exp(-np.clip(distance, 0, None) / _SHADOW_Y), np.float32)
