"""Make paint look photographed: as sharp and as grainy as its photo, folded, and with a shadow."""

import random

import cv2
import numpy as np

from curation.masks.face_frame import Plane
from maskage.records import RgbImage

_SHARP_PX, _BLURRED_UNIT = 0.4, 0.015
"""Blur (sigma) of paint on the sharpest photos, px, and on the most blurred, in head units."""
_SHARP_DETAIL, _BLURRED_DETAIL = 10.0, 2.0
"""Mean fine detail of the sharpest and of the most blurred photos, of 255."""

_SHADOW_SHIFT, _SHADOW_BLUR, _SHADOW_DARKNESS = 0.02, 0.03, 0.35
"""Place of a mask's shadow below it and its softness, in head units, and its darkness."""

_FOLD_DEPTH = (0.0, 0.12)
_FOLDS = 3
_MOST_GRAIN = 10.0
"""Largest standard deviation of the added grain, of 255."""


def blur_of(pixels: RgbImage, unit_px: float) -> float:
    """Return the blur (sigma) in px with which paint is as sharp as a photo, RGB uint8 (H, W, 3).

    Args:
        pixels: The photo.
        unit_px: Pixels in a head unit of its face.
    """
    level = (_detail_of(pixels) - _BLURRED_DETAIL) / (_SHARP_DETAIL - _BLURRED_DETAIL)
    most_px = max(_SHARP_PX, _BLURRED_UNIT * unit_px)
    return float(_SHARP_PX + (most_px - _SHARP_PX) * (1 - np.clip(level, 0, 1)))


def crumple(x: Plane, y: Plane, choice: random.Random) -> Plane:
    """Return the brightness of folds across a mask, about 1, at places in head units."""
    waves = np.zeros_like(x)
    depth = choice.uniform(*_FOLD_DEPTH)
    for _ in range(_FOLDS):
        across, down = choice.uniform(-5, 5), choice.uniform(4, 16)
        bend = choice.uniform(-3, 3) * x * x
        waves += np.sin(across * x + down * y + bend + choice.uniform(0, 6.28))
    return np.asarray(1 + depth * waves / _FOLDS, np.float32)


def cast_shadow(pixels: RgbImage, opacity: Plane, unit_px: float) -> Plane:
    """Return a photo, float32 (H, W, 3), with the shadow of what has an opacity (H, W), 0 to 1."""
    shift = np.array([[1, 0, 0], [0, 1, _SHADOW_SHIFT * unit_px]], np.float32)
    height, width = opacity.shape
    moved = cv2.warpAffine(opacity, shift, (width, height))
    soft = cv2.GaussianBlur(moved, (0, 0), max(0.5, _SHADOW_BLUR * unit_px))
    return np.asarray(pixels * (1 - _SHADOW_DARKNESS * soft[..., None]), np.float32)


def add_grain(painted: Plane, pixels: RgbImage, opacity: Plane, choice: random.Random) -> Plane:
    """Add the grain of a photo, RGB uint8 (H, W, 3), to what was painted on it.

    Args:
        painted: The painted photo, float32, shape (H, W, 3).
        pixels: The photo as it was.
        opacity: Share of the paint in each pixel, 0 to 1, shape (H, W, 1).
        choice: Source of the grain.
    """
    fine = _fine(pixels)
    deviation = min(_MOST_GRAIN, 1.48 * float(np.median(np.abs(fine))))
    rng = np.random.default_rng(choice.getrandbits(32))
    grain = rng.standard_normal(fine.shape, np.float32) * np.float32(deviation)
    return np.asarray(painted + grain[..., None] * opacity, np.float32)


def _fine(pixels: RgbImage) -> Plane:
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.asarray(grey - cv2.GaussianBlur(grey, (0, 0), 1.0), np.float32)


def _detail_of(pixels: RgbImage) -> float:
    """Return the strength of the sharpest tenth of a photo's fine detail, of 255."""
    return float(np.quantile(np.abs(_fine(pixels)), 0.95))
