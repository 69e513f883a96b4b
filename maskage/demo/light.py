"""Light and lens of the demo camera: direction and colour of the light, blur and noise."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from maskage.demo.painting.canvas import Layer
from maskage.records import RgbImage

_LIGHT, _NOISE = 4, 5
_NEUTRAL = 128  # a gain of 1 in the 8-bit gain maps
_GRID = 24  # light changes slowly over a picture: a coarse map, enlarged, is enough
_NOISE_PAD = 64


class Light:
    """The light of one scene, which drifts slowly.

    Args:
        seed: Seed of the camera.
        scene: Number of the scene.
        size: Width and height of the frame, in pixels.
    """

    def __init__(self, seed: int, scene: int, size: tuple[int, int]) -> None:
        rng = np.random.default_rng([seed, _LIGHT, scene])
        self._seed, self._scene, self._size = seed, scene, size
        self._from_right = float(rng.uniform(-1, 1))
        self._from_below = float(rng.uniform(-0.7, 0.25))
        self._warmth = float(rng.uniform(-0.06, 0.12))
        self._intensity = float(rng.uniform(0.74, 1.06))
        self._contrast = float(rng.uniform(0.06, 0.26))
        self._drift = rng.uniform(0, 2 * np.pi, 3)
        self._blur = float(rng.uniform(0.0, 0.75))
        self._noise_share = float(rng.uniform(0.25, 1.0))
        self._noise = _paint_noise(seed, size)
        self._slopes = np.meshgrid(*[np.linspace(-1, 1, _GRID, dtype=np.float32)] * 2)

    def shade(self, pixels: NDArray[np.uint8], layer: Layer, time_s: float) -> NDArray[np.uint8]:
        """Light a head from the side, premultiplied RGBA (H, W, 4) to the same shape."""
        across, down = self._direction(time_s)
        x, y = self._slopes
        bulge = 1.35 * (x * across + y * down)
        gain = 1 + self._contrast * 1.5 * bulge - self._contrast * 0.35 * (x * x + y * y)
        gains = np.repeat(gain[..., None], 4, axis=2).astype(np.float32)
        gains[..., 3] = 1
        return _apply(pixels, gains)

    def expose(self, pixels: RgbImage, time_s: float, index: int) -> RgbImage:
        """Light a whole frame, blur it a little and add the camera's noise.

        Args:
            pixels: Frame, RGB uint8, shape (H, W, 3).
            time_s: Seconds since the start of the scene.
            index: Number of the frame, which has its own noise.
        """
        across, down = self._direction(time_s)
        x, y = self._slopes
        level = self._intensity * (1 + 0.05 * np.sin(1.1 * time_s + self._drift[2]))
        fall = level * (1 + self._contrast * 0.5 * (x * across + y * down))
        warmth = self._warmth + 0.02 * np.sin(0.8 * time_s + self._drift[0])
        tint = np.array([1 + warmth, 1 + 0.15 * warmth, 1 - warmth], np.float32)
        lit = _apply(pixels, (fall[..., None] * tint).astype(np.float32))
        if self._blur > 0.3:
            lit = cv2.GaussianBlur(lit, (3, 3), self._blur).astype(np.uint8, copy=False)
        return self._with_noise(lit, index)

    def _direction(self, time_s: float) -> tuple[float, float]:
        across = self._from_right + 0.25 * np.sin(0.9 * time_s + self._drift[0])
        down = self._from_below + 0.12 * np.sin(0.7 * time_s + self._drift[1])
        return float(across), float(down)

    def _with_noise(self, pixels: RgbImage, index: int) -> RgbImage:
        rng = np.random.default_rng([self._seed, _NOISE, index])
        top, left = rng.integers(0, _NOISE_PAD, 2)
        width, height = self._size
        grain = self._noise[top : top + height, left : left + width]
        share = self._noise_share
        noisy = cv2.addWeighted(pixels, 1.0, grain, share, -_NEUTRAL * share)
        return np.asarray(noisy, np.uint8)


@lru_cache(maxsize=4)
def _paint_noise(seed: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Paint noise around middle grey, larger than a frame."""
    rng = np.random.default_rng([seed, _NOISE])
    width, height = size
    grain = rng.standard_normal((height + _NOISE_PAD, width + _NOISE_PAD, 3), np.float32)
    levels: NDArray[np.uint8] = np.clip(_NEUTRAL + 5.0 * grain, 0, 255).astype(np.uint8)
    return levels


def _apply(pixels: NDArray[np.uint8], gains: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Multiply pixels by a coarse map of gains, enlarged to their size."""
    levels = np.clip(gains * _NEUTRAL + 0.5, 0, 255).astype(np.uint8)
    height, width = pixels.shape[:2]
    full = cv2.resize(levels, (width, height), interpolation=cv2.INTER_LINEAR)
    lit = cv2.multiply(pixels, full, scale=1 / _NEUTRAL)
    return np.asarray(lit, np.uint8)
