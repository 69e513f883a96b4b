"""Soft, antialiased painting for the demo camera: shapes in head units onto a transparent canvas.

One head unit is about half a face's height; the origin lies between the eyes and y points down.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskage.demo.colours import Colour

Points = NDArray[np.float32]
"""Shape (N, 2): x, y in head units."""

Coordinates = Sequence[tuple[float, float]] | Points

_SHIFT_BITS = 4


@dataclass(frozen=True)
class Window:
    """The part of the plane that a canvas shows, in head units."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, eq=False)
class Shape:
    """Where something was painted: coverage 0 to 1, float32 (h, w), at (x, y) of its canvas."""

    x: int
    y: int
    coverage: NDArray[np.float32]

    def within(self, x: int, y: int, width: int, height: int) -> NDArray[np.float32]:
        """The coverage seen through a rectangle of the canvas; 0 outside the shape."""
        seen = np.zeros((height, width), np.float32)
        own_height, own_width = self.coverage.shape
        left, right = max(x, self.x), min(x + width, self.x + own_width)
        top, bottom = max(y, self.y), min(y + height, self.y + own_height)
        if left < right and top < bottom:
            seen[top - y : bottom - y, left - x : right - x] = self.coverage[
                top - self.y : bottom - self.y, left - self.x : right - self.x
            ]
        return seen


@dataclass(frozen=True, eq=False)
class Layer:
    """A finished canvas: premultiplied RGBA uint8 (H, W, 4), its corner in pixels from the origin.

    Attributes:
        pixels: The picture.
        x, y: Where its top left pixel lies, in sprite pixels, seen from the origin.
        unit_px: Pixels a head unit.
    """

    pixels: NDArray[np.uint8]
    x: int
    y: int
    unit_px: float


class Canvas:
    """A transparent sheet to paint on, drawn `oversample` times as large and shrunk at the end.

    Args:
        window: What part of the plane it shows.
        unit_px: Pixels a head unit in the finished layer.
        oversample: How much larger it is drawn.
    """

    def __init__(self, window: Window, unit_px: float, oversample: int = 2) -> None:
        self._x, self._y = int(window.left * unit_px), int(window.top * unit_px)
        self._width = int((window.right - window.left) * unit_px)
        self._height = int((window.bottom - window.top) * unit_px)
        self._unit_px, self._oversample = unit_px, oversample
        self._scale = unit_px * oversample
        # One plane a channel: blending runs some four times as fast as with channels last.
        size = (4, self._height * oversample, self._width * oversample)
        self._planes = np.zeros(size, np.float32)

    def fill(
        self,
        points: Coordinates,
        colour: Colour,
        opacity: float = 1.0,
        soft: float = 0.0,
        clip: Shape | None = None,
    ) -> Shape:
        """Paint a closed polygon.

        Args:
            points: Its corners, in head units; see `smooth` for round ones.
            colour: What it is painted with.
            opacity: 0 to 1.
            soft: How far its edge is blurred (sigma), in head units.
            clip: Paint only where this shape is.

        Returns:
            The shape, to clip later ones with.
        """
        shape = self._cover(np.asarray(points, np.float32), soft)
        if clip is not None:
            height, width = shape.coverage.shape
            inside = clip.within(shape.x, shape.y, width, height)
            shape = Shape(shape.x, shape.y, shape.coverage * inside)
        self._blend(shape, colour, opacity)
        return shape

    def stroke(
        self,
        points: Coordinates,
        width: float,
        colour: Colour,
        opacity: float = 1.0,
        soft: float = 0.0,
        *,
        clip: Shape | None = None,
        taper: bool = True,
    ) -> Shape:
        """Paint a line through `points`, `width` head units thick; tapered towards its ends."""
        return self.fill(ribbon(points, width, taper), colour, opacity, soft, clip)

    def finish(self) -> Layer:
        """The canvas at its real size."""
        size = (self._width, self._height)
        planes = [cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in self._planes]
        small = cv2.merge(planes)
        full = small * np.array([1, 1, 1, 255], np.float32)
        pixels = np.clip(full + 0.5, 0, 255).astype(np.uint8)
        return Layer(pixels, self._x, self._y, self._unit_px)

    def _cover(self, points: Points, soft: float) -> Shape:
        sigma = soft * self._scale
        pad = int(3 * sigma) + 2
        corner = np.array([self._x, self._y], np.float32) * self._oversample
        pixels = points * np.float32(self._scale) - corner
        height, width = self._planes.shape[1:]
        left, top = (np.floor(pixels.min(axis=0)) - pad).astype(int)
        right, bottom = (np.ceil(pixels.max(axis=0)) + pad).astype(int)
        left, top = int(max(0, left)), int(max(0, top))
        right, bottom = int(min(width, right)), int(min(height, bottom))
        if left >= right or top >= bottom:
            return Shape(0, 0, np.zeros((1, 1), np.float32))
        mask = np.zeros((bottom - top, right - left), np.uint8)
        fixed = np.round((pixels - (left, top)) * (1 << _SHIFT_BITS)).astype(np.int32)
        cv2.fillPoly(mask, [fixed], (255,), cv2.LINE_AA, _SHIFT_BITS)
        coverage = _blur(mask, sigma).astype(np.float32) * np.float32(1 / 255)
        return Shape(left, top, coverage)

    def _blend(self, shape: Shape, colour: Colour, opacity: float) -> None:
        height, width = shape.coverage.shape
        part = self._planes[:, shape.y : shape.y + height, shape.x : shape.x + width]
        amount = shape.coverage * np.float32(opacity)
        part += (np.array([*colour, 1.0], np.float32)[:, None, None] - part) * amount


def ellipse(x: float, y: float, rx: float, ry: float, turn: float = 0.0) -> Points:
    """The outline of an ellipse with radii `rx`, `ry`, turned by `turn` radians."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    across, down = rx * np.cos(angle), ry * np.sin(angle)
    cos, sin = np.cos(turn), np.sin(turn)
    outline = np.stack([x + across * cos - down * sin, y + across * sin + down * cos], axis=1)
    return outline.astype(np.float32)


def smooth(points: Coordinates, closed: bool = True, steps: int = 8) -> Points:
    """A round curve through `points` (Catmull-Rom), `steps` points a piece."""
    knots = np.asarray(points, np.float32)
    if closed:
        knots = np.concatenate([knots[-1:], knots, knots[:2]])
    else:
        knots = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    t = np.linspace(0, 1, steps, endpoint=False, dtype=np.float32)[None, :, None]
    before, start, end, after = (knots[i : len(knots) - 3 + i, None, :] for i in range(4))
    curve = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    flat = curve.reshape(-1, 2)
    return flat if closed else np.concatenate([flat, knots[-2:-1]])


def ribbon(points: Coordinates, width: float, taper: bool = True) -> Points:
    """The outline of a line through `points` that is `width` thick in the middle."""
    path = smooth(points, closed=False)
    along = np.gradient(path, axis=0)
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1) / length[:, None]
    t = np.linspace(0, np.pi, len(path), dtype=np.float32)
    half = (
        width / 2 * (0.12 + 0.88 * np.clip(np.sin(t), 0, 1) ** 0.7)
        if taper
        else np.full(len(path), width / 2)
    )
    offset = normal * half[:, None]
    return np.concatenate([path + offset, (path - offset)[::-1]]).astype(np.float32)


def mirrored(points: Coordinates) -> Points:
    """The same shape on the other side of the face."""
    return np.asarray(points, np.float32) * np.array([-1, 1], np.float32)


def both_halves(right: Coordinates) -> Points:
    """A closed symmetric outline from its right half, listed from the top to the bottom."""
    half = np.asarray(right, np.float32)
    left = mirrored(half)[::-1]
    return np.concatenate([half, left[left[:, 0] != 0]])


def moved(points: Coordinates, x: float, y: float) -> Points:
    """The same shape elsewhere."""
    return np.asarray(points, np.float32) + np.array([x, y], np.float32)


def _blur(mask: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    """Gaussian blur; wide ones on a shrunken copy, where they look the same and cost less."""
    if sigma < 0.4:
        return mask
    shrink = min(max(1, int(sigma // 3)), max(1, min(mask.shape) // 4))
    height, width = mask.shape
    if shrink > 1:
        size = (max(1, width // shrink), max(1, height // shrink))
        mask = cv2.resize(mask, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    mask = cv2.GaussianBlur(mask, (0, 0), sigma / shrink).astype(np.uint8, copy=False)
    if shrink > 1:
        mask = cv2.resize(mask, (width, height)).astype(np.uint8, copy=False)
    return mask
