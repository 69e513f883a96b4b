"""A person of the demo camera as sprites, painted once for a scene and moved in every frame."""

import cv2
import numpy as np
from numpy.typing import NDArray

from maskage.demo.painting.body import paint_body, paint_glasses, paint_jewellery
from maskage.demo.painting.canvas import Canvas, Layer, Window
from maskage.demo.painting.face import paint_head
from maskage.demo.painting.features import (
    EyeState,
    paint_beard,
    paint_brows,
    paint_eyes,
    paint_mouth,
)
from maskage.demo.painting.hair.styles import paint_back_hair, paint_front_hair
from maskage.demo.painting.masks import lies_on_hair, mask_hides_mouth, paint_mask
from maskage.demo.people import DemoSubject

_HEAD = Window(-1.7, -1.75, 1.7, 1.8)
_BACK = Window(-1.5, -1.7, 1.5, 1.85)
_EYES = Window(-0.7, -0.3, 0.7, 0.3)
_MOUTH = Window(-0.42, 0.42, 0.42, 0.98)


class PersonSprites:
    """The sprites of a person: body, hair behind it, and the head in each state of eyes and mouth.

    Args:
        subject: The person.
        mask: "none", a kind of mask, or a way to misuse it and a kind: "chin dots".
        unit_px: Pixels in a head unit.
        low: Lower end of the body, in head units.
    """

    def __init__(self, subject: DemoSubject, mask: str, unit_px: float, low: float) -> None:
        self._subject, self._unit_px = subject, unit_px
        self._hides_mouth = mask_hides_mouth(mask)
        self.body = self._paint_body(low)
        self.back = self._paint_back()
        self._bare = self._paint_bare()
        self._over = self._paint_over(mask)
        self._heads: dict[tuple[EyeState, float], Layer] = {}
        self._shift = _turn_fields(self._bare)

    def head(self, eyes: EyeState, mouth: float) -> Layer:
        """Return the head with a state of eyes and mouth, 0 closed to 1 open; painted once."""
        state = (eyes, 0.0 if self._hides_mouth else mouth)
        if state not in self._heads:
            self._heads[state] = self._paint_state(*state)
        return self._heads[state]

    def turn_maps(self, yaw: float, pitch: float) -> tuple[NDArray[np.float32], ...]:
        """Return the source of each pixel of a turned head, for `cv2.remap`.

        Args:
            yaw: Turn to the side, -1 to 1; the middle of the face, which is nearest, moves most.
            pitch: Nod, -1 (up) to 1 (down).

        Returns:
            Columns and rows, float32, of the shape of the head.
        """
        columns, rows, depth = self._shift
        return columns - depth * np.float32(yaw), rows - depth * np.float32(pitch)

    def _paint_state(self, eyes: EyeState, mouth: float) -> Layer:
        pixels = self._bare.pixels.copy()
        eye_canvas = Canvas(_EYES, self._unit_px)
        paint_eyes(eye_canvas, self._subject, eyes)
        _lay_over(pixels, self._bare, eye_canvas.finish())
        if not self._hides_mouth:
            mouth_canvas = Canvas(_MOUTH, self._unit_px)
            paint_mouth(mouth_canvas, self._subject, mouth)
            _lay_over(pixels, self._bare, mouth_canvas.finish())
        _lay_over(pixels, self._bare, self._over)
        return Layer(pixels, self._bare.x, self._bare.y, self._unit_px)

    def _paint_body(self, low: float) -> Layer:
        canvas = Canvas(Window(-2.0, 0.45, 2.0, low), self._unit_px, oversample=1)
        paint_body(canvas, self._subject)
        return canvas.finish()

    def _paint_back(self) -> Layer | None:
        canvas = Canvas(_BACK, self._unit_px, oversample=1)
        paint_back_hair(canvas, self._subject)
        layer = canvas.finish()
        return layer if layer.pixels[..., 3].any() else None

    def _paint_bare(self) -> Layer:
        canvas = Canvas(_HEAD, self._unit_px)
        head = paint_head(canvas, self._subject)
        paint_brows(canvas, self._subject)
        paint_beard(canvas, self._subject, head)
        return canvas.finish()

    def _paint_over(self, mask: str) -> Layer:
        canvas = Canvas(_HEAD, self._unit_px)
        if not lies_on_hair(mask):
            paint_mask(canvas, self._subject, mask)
        paint_front_hair(canvas, self._subject)
        if lies_on_hair(mask):
            paint_mask(canvas, self._subject, mask)
        paint_glasses(canvas, self._subject)
        paint_jewellery(canvas, self._subject)
        return canvas.finish()


def lay_over(ground: NDArray[np.uint8], pixels: NDArray[np.uint8]) -> None:
    """Lay premultiplied RGBA (H, W, 4) on a ground of 3 or 4 channels, in place."""
    channels = ground.shape[2]
    rest = cv2.bitwise_not(pixels[..., 3])
    top = pixels if channels == 4 else cv2.cvtColor(pixels, cv2.COLOR_RGBA2RGB)
    below = cv2.multiply(ground, cv2.merge([rest] * channels), scale=1 / 255)
    cv2.add(below, top, dst=ground)


def _lay_over(pixels: NDArray[np.uint8], frame: Layer, layer: Layer) -> None:
    height, width = layer.pixels.shape[:2]
    left, top = layer.x - frame.x, layer.y - frame.y
    part = np.ascontiguousarray(pixels[top : top + height, left : left + width])
    lay_over(part, layer.pixels)
    pixels[top : top + height, left : left + width] = part


def _turn_fields(layer: Layer) -> tuple[NDArray[np.float32], ...]:
    """Return column, row and the shift of each pixel for a full turn: a dome with a nose."""
    height, width = layer.pixels.shape[:2]
    columns, rows = np.meshgrid(
        np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    )
    x, y = (columns + layer.x) / layer.unit_px, (rows + layer.y) / layer.unit_px
    dome = np.clip(1 - (x / 1.0) ** 2 - ((y - 0.05) / 1.25) ** 2, 0, None)
    nose = np.exp(-((x / 0.16) ** 2) - ((y - 0.32) / 0.2) ** 2)
    depth = (0.30 * dome**0.8 + 0.05 * nose) * layer.unit_px
    return columns, rows, depth.astype(np.float32)
