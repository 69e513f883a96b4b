"""Paint masks onto photographed faces: worn, below the nose, on the chin, on the nose, on the eyes.

Photos of misworn masks are rare, and a network that has never seen one takes the cloth for a mask
that is worn. The eyes, nose and mouth of a face place the mask: every pixel of the photo is mapped
to the flat picture of the mask. A photo of a mask can also have that mask pulled down.
"""

import random
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from curation.masks.baring import PullDown, pull_mask_down
from curation.masks.cloth import WEARERS, MaskCloth, Span, borrow_cloth, paint_cloth
from curation.masks.face_frame import FaceFrame, Plane
from curation.masks.photo_look import add_grain, blur_of, cast_shadow, crumple
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
    OVER_EYES = "eyes"
    ABOVE_MOUTH = "mouth"


@dataclass(frozen=True)
class MaskLender:
    """A photo that lends its mask, or its bare face, to another one.

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
        is_pulled: True where the photo shows a mask, which is pulled to its new place, and the
            lender is a bare face that shows above it.
    """

    wearing: Wearing
    landmarks: FaceLandmarks
    lender: MaskLender | None = None
    is_pulled: bool = False

    def __post_init__(self) -> None:
        if self.is_pulled and self.lender is None:
            raise ValueError("A mask that is pulled needs the photo of a bare face.")
        if self.is_pulled and self.wearing not in _PULLS:
            raise ValueError(f"A mask cannot be pulled to {self.wearing.value!r}.")


_SPANS: dict[Wearing, tuple[Span, Span]] = {
    Wearing.WORN: ((0.08, 0.2), (1.0, 1.15)),
    Wearing.BELOW_NOSE: ((0.44, 0.62), (1.05, 1.35)),
    Wearing.ON_CHIN: ((0.76, 1.0), (1.15, 1.45)),
    Wearing.OVER_EYES: ((-0.55, -0.25), (0.14, 0.48)),
    Wearing.ABOVE_MOUTH: ((-0.05, 0.2), (0.46, 0.6)),
}
"""Ranges of the upper and of the lower edge in the middle of the face, in head units.

The tip of the nose lies at 0.36, the lower lip at 0.75, the chin at 1.
"""

_PULLS: dict[Wearing, PullDown] = {
    Wearing.WORN: PullDown((0.06, 0.22), (1.0, 1.15), (0.25, 0.35)),
    Wearing.BELOW_NOSE: PullDown((0.38, 0.7), (1.02, 1.35), (0.28, 0.5)),
    Wearing.ON_CHIN: PullDown((0.8, 1.0), (1.15, 1.4), (0.4, 0.7)),
}

_EYES_LIFT = 0.45
"""Height by which the loops of a mask over the eyes sit higher on the face, in head units."""

_COMMON_KINDS = {
    "surgical-blue": 8, "surgical-white": 6, "surgical-green": 3, "surgical-pink": 1,
    "ffp2-white": 4, "ffp2-black": 2, "cloth-black": 4, "cloth-grey": 2,
}  # fmt: skip
"""Shares of the kinds that most people wear, counted by eye on photographs."""
_COMMON_SHARE = 0.7
"""Share of drawn masks that are of common kinds; the others are of any kind."""

_BROAD_UNIT_PX = 16.0
_GREY_SPREAD = 3.0
"""Mean difference between the channels of a pixel, of 255, below which a photo is grey."""

_RIM_SAG: Span = (-0.12, 0.06)
"""Range of the height of the upper edge of a misworn mask at its sides, below its middle."""
_RIM_SLANT: Span = (-0.08, 0.08)
"""Range of the slope of that edge from side to side."""
_LEAST_HEIGHT = 0.1
"""Least height of a mask that is folded, in head units."""


def paint_mask_on(
    pixels: RgbImage, painting: MaskPainting, seed: str, lender: RgbImage | None = None
) -> RgbImage:
    """Paint a mask on the face of a photo, or pull the mask that it shows to another place.

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
    if painting.is_pulled and painting.lender is not None and lender is not None:
        bare = (lender, FaceFrame(painting.lender.landmarks))
        painted = pull_mask_down((pixels, frame), bare, _PULLS[painting.wearing], choice)
    else:
        cloth = _choose_cloth(choice, painting, frame.unit_px, lender)
        painted = _put_on(pixels, frame, cloth, painting.wearing, choice)
    return _as_grey(painted) if _is_grey(pixels) else painted


def _put_on(
    pixels: RgbImage, frame: FaceFrame, cloth: MaskCloth, wearing: Wearing, choice: random.Random
) -> RgbImage:
    """Return a photo with a flat mask laid on its face, in the light and sharpness of the photo."""
    x, y = frame.locate((pixels.shape[0], pixels.shape[1]))
    lift = _EYES_LIFT if wearing is Wearing.OVER_EYES else 0.0
    heights = _pulled(cloth, x, y + np.float32(lift), wearing, lift, choice)
    sheet = _wrap(cloth.layer, x * choice.choice((-1, 1)), heights)
    blur_px = blur_of(pixels, frame.unit_px) * choice.uniform(0.8, 1.3)
    sheet = np.asarray(cv2.GaussianBlur(sheet, (0, 0), blur_px), np.float32)
    tint = np.array([choice.uniform(0.94, 1.05) for _ in range(3)], np.float32)
    light = _light(pixels, frame.unit_px, cloth.light) * crumple(x, y, choice)
    lit = sheet[..., :3] * light[..., None] * tint
    opacity = sheet[..., 3:] / np.float32(255)
    shaded = cast_shadow(pixels, opacity[..., 0], frame.unit_px)
    covered = shaded * (1 - opacity) + np.clip(lit, 0, 255)
    grained = add_grain(covered, pixels, opacity, choice)
    return np.asarray(np.clip(grained + 0.5, 0, 255), np.uint8)


def _choose_cloth(
    choice: random.Random, painting: MaskPainting, unit_px: float, lender: RgbImage | None
) -> MaskCloth:
    if painting.lender is not None and lender is not None:
        return borrow_cloth(lender, painting.lender.landmarks)
    weights = _COMMON_KINDS if choice.random() < _COMMON_SHARE else dict.fromkeys(MASK_KINDS, 1)
    kind = choice.choices(list(weights), list(weights.values()))[0]
    return paint_cloth(kind, choice.randrange(WEARERS), unit_px)


def _pulled(
    cloth: MaskCloth, x: Plane, y: Plane, wearing: Wearing, lift: float, choice: random.Random
) -> Plane:
    """Map heights on the face to heights in the flat mask.

    Its middle is moved to where it is worn; loops hold it at the ears, so it moves less the
    further from the middle. Worn over the nose, its upper edge keeps the bulge of the wire.
    Elsewhere the edge is nearly straight, and slants.
    """
    upper, lower = (choice.uniform(*edge) + lift for edge in _SPANS[wearing])
    top, edge = np.full_like(x, cloth.rim[0][1]), np.full_like(x, upper)
    if wearing is not Wearing.WORN:
        top = _rim_of(cloth, x)
        slope = choice.uniform(*_RIM_SLANT) * x
        edge += choice.uniform(*_RIM_SAG) * np.minimum(np.abs(x) / CHEEK_X, 1) + slope
    moved = top + (y - edge) * ((cloth.bottom - top) / np.maximum(lower - edge, _LEAST_HEIGHT))
    held = np.clip(np.abs(x) / (CHEEK_X * 1.15), 0, 1) ** 3
    return np.asarray(moved + (y - moved) * held, np.float32)


def _rim_of(cloth: MaskCloth, x: Plane) -> Plane:
    """Return the height of the upper edge of a flat mask at distances from its middle."""
    rim_x, rim_y = ([point[axis] for point in cloth.rim] for axis in (0, 1))
    return np.asarray(np.interp(np.abs(x), rim_x, rim_y), np.float32)


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
