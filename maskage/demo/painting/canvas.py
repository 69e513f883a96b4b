"""Paint soft, antialiased shapes in head units on a transparent canvas, for the demo camera.

One head unit is about half the height of a face; the origin lies between the eyes and y points
down.
"""

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from maskage.demo.colours import Colour

Points = NDArray[np.float32]
"""Points x, y in head units, float32, shape (N, 2)."""

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
    """A painted area: coverage 0 to 1, float32 (h, w), at pixel (x, y) of its canvas."""

    x: int
    y: int
    coverage: NDArray[np.float32]

    def within(self, x: int, y: int, width: int, height: int) -> NDArray[np.float32]:
        """Return the coverage in a rectangle of the canvas, 0 outside the shape."""
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
    """A finished canvas.

    Attributes:
        pixels: Picture, premultiplied RGBA uint8, shape (H, W, 4).
        x, y: Place of its top left pixel, in sprite pixels from the origin.
        unit_px: Pixels in a head unit.
    """

    pixels: NDArray[np.uint8]
    x: int
    y: int
    unit_px: float


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A place for a shape that is described elsewhere: stretched, then turned, then moved.

    Attributes:
        x, y: Point where the shape's origin comes to lie, in head units.
        across, down: Factors by which it is stretched before it is turned.
        turn: Angle in radians; a positive one turns the right side down.
    """

    x: float = 0.0
    y: float = 0.0
    across: float = 1.0
    down: float = 1.0
    turn: float = 0.0

    @property
    def scale(self) -> float:
        """Factor of lengths, on average of the directions."""
        return math.sqrt(abs(self.across * self.down))

    def move(self, points: Points) -> Points:
        """Return the points where they come to lie."""
        cos, sin = np.cos(self.turn), np.sin(self.turn)
        across, down = points[:, 0] * self.across, points[:, 1] * self.down
        moved = [self.x + across * cos - down * sin, self.y + across * sin + down * cos]
        return np.stack(moved, axis=1).astype(np.float32)


class Canvas:
    """A transparent sheet to paint on, `oversample` times as large as its result.

    Args:
        window: Part of the plane that it shows.
        unit_px: Pixels in a head unit of the finished layer.
        oversample: Factor by which it is larger than the result.
    """

    def __init__(self, window: Window, unit_px: float, oversample: int = 2) -> None:
        self._x, self._y = int(window.left * unit_px), int(window.top * unit_px)
        self._width = int((window.right - window.left) * unit_px)
        self._height = int((window.bottom - window.top) * unit_px)
        self._unit_px, self._oversample = unit_px, oversample
        self._scale = unit_px * oversample
        # One plane for each channel: blending is about four times as fast as with channels last.
        size = (4, self._height * oversample, self._width * oversample)
        self._planes = np.zeros(size, np.float32)
        self._placement: Placement | None = None

    def placed(self, placement: "Placement") -> "Canvas":
        """Return this canvas for painting at another place: what is painted there appears here.

        Shapes to clip with stay those of this canvas.
        """
        view = copy(self)
        view._placement = placement
        return view

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
            points: Corners, in head units; see `smooth` for round shapes.
            colour: Colour of the paint.
            opacity: Opacity, 0 to 1.
            soft: Blur of the edge (sigma), in head units.
            clip: Shape outside which nothing is painted.

        Returns:
            The shape, which can clip later ones.
        """
        outline = np.asarray(points, np.float32)
        if self._placement is not None:
            outline, soft = self._placement.move(outline), soft * self._placement.scale
        shape = self._cover(outline, soft)
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
        """Paint a line through `points`, `width` head units thick, tapered to its ends by default.

        The other arguments are those of `fill`.
        """
        return self.fill(ribbon(points, width, taper), colour, opacity, soft, clip)

    def finish(self) -> Layer:
        """Return the canvas at its final size."""
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
    """Return the outline of an ellipse with radii `rx` and `ry`, turned by `turn` radians."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    across, down = rx * np.cos(angle), ry * np.sin(angle)
    cos, sin = np.cos(turn), np.sin(turn)
    outline = np.stack([x + across * cos - down * sin, y + across * sin + down * cos], axis=1)
    return outline.astype(np.float32)


def smooth(points: Coordinates, closed: bool = True, steps: int = 8) -> Points:
    """Return a round curve through `points` (Catmull-Rom), with `steps` points for each piece."""
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
    """Return the outline of a line through `points` that is `width` thick in the middle."""
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
    """Mirror a shape to the other side of the face."""
    return np.asarray(points, np.float32) * np.array([-1, 1], np.float32)


def both_halves(right: Coordinates) -> Points:
    """Return a closed symmetric outline from its right half, listed from top to bottom."""
    half = np.asarray(right, np.float32)
    left = mirrored(half)[::-1]
    return np.concatenate([half, left[left[:, 0] != 0]])


def moved(points: Coordinates, x: float, y: float) -> Points:
    """Move a shape by x and y."""
    return np.asarray(points, np.float32) + np.array([x, y], np.float32)


def _blur(mask: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    """Blur a mask; a wide blur runs on a shrunken copy, which looks the same and is faster."""
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
