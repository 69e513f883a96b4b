"""Flat pictures of masks, in head units: painted ones, and ones borrowed from masked photos.

Painted masks come in every colour and print; borrowed ones look as cloth does in a photograph.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from curation.masks.face_frame import FaceFrame, Plane
from maskage.demo.painting.canvas import Canvas, Layer, Points, Window, both_halves, smooth
from maskage.demo.painting.face import CHEEK_X
from maskage.demo.painting.masks import MASK_KINDS, paint_mask, paint_straps
from maskage.demo.people import DEMO_SUBJECTS
from maskage.faces.finder import FaceLandmarks
from maskage.records import RgbImage

Span = tuple[float, float]


@dataclass(frozen=True, eq=False)
class MaskCloth:
    """A mask, laid flat.

    Attributes:
        layer: Its picture, by places on the face that wears it rightly.
        span: Its upper and its lower edge in the middle, in head units.
        light: Mean brightness of the picture it belongs to, 0 to 255.
    """

    layer: Layer
    span: Span
    light: float


_WINDOW = Window(-1.1, -0.3, 1.1, 1.45)
_UNITS_PX = (32, 64, 128, 256)
_WEARERS = DEMO_SUBJECTS[:4]
"""Whose jaws the painted masks are cut for."""
WEARERS = len(_WEARERS)

_PAINTED_SPAN: Span = (0.08, 1.07)
_PAINTED_LIGHT = 130.0

_LENT_HALF = [
    (0.0, 0.27),
    (0.13, 0.28),
    (0.34, 0.34),
    (0.62, 0.4),
    (0.64, 0.54),
    (0.56, 0.76),
    (0.32, 0.94),
    (0.0, 1.0),
]
"""What is cut out of a photo: smaller than nearly every mask, or skin would come along."""
_LENT_SPAN: Span = (0.27, 1.0)
_LENT_EDGE = 0.02
"""How soft it is cut out, in head units."""
_LENT_STRETCH = 1.18
"""And drawn out sideways for it."""
_LENT_CORNERS = [(0.7, 0.42), (0.66, 0.7)]
"""Where its loops begin."""
_DARK_CLOTH = 90.0
"""Mean brightness, 0 to 255, under which loops are dark as well."""
_LEAST_SIDE = 0.36
"""Of the width of a face, the lesser side of one that may lend its mask: of a head that is turned
further half the mask is not seen."""

_BRIDGE_Y, _TIP_Y, _LIPS_Y = 0.04, 0.36, 0.6
"""Where a nose begins, where it ends, and what lies below: where the tip looks more like the bridge
than like what is below, the mask is not over the nose."""

_MOUTH_RANGE = (0.26, 0.5)
"""From the eyes to the mouth, as a part of the box's longer side."""
_NOSE_RANGE = (0.3, 0.85)
"""Of that way, where the nose's tip lies."""
_BELOW_CHIN_Y = 1.12

_SHIFT_BITS = 4


def paint_cloth(kind: str, wearer: int, unit_px: float) -> MaskCloth:
    """A painted mask.

    Args:
        kind: One of `MASK_KINDS`.
        wearer: Below `WEARERS`: whose jaw it is cut for.
        unit_px: Pixels a head unit of the face it is for.
    """
    return MaskCloth(_painted(kind, wearer, _unit(unit_px)), _PAINTED_SPAN, _PAINTED_LIGHT)


def is_whole_face(pixels: RgbImage, landmarks: FaceLandmarks) -> bool:
    """Whether eyes, nose and mouth lie in the photo, RGB uint8 (H, W, 3), as in a whole face.

    Of a face that is cut off they are guessed, anywhere.
    """
    eyes, nose, mouth = (np.array(p) for p in (landmarks.eyes, landmarks.nose, landmarks.mouth))
    to_mouth = float(np.hypot(*(mouth - eyes)))
    height, width = pixels.shape[:2]
    is_inside = all(0 < x < width - 1 and 0 < y < height - 1 for x, y in (eyes, nose, mouth))
    to_nose = float((nose - eyes) @ (mouth - eyes)) / max(1.0, to_mouth * to_mouth)
    low, high = _MOUTH_RANGE
    return (
        is_inside
        and low <= to_mouth / landmarks.box.side_px <= high
        and _NOSE_RANGE[0] <= to_nose <= _NOSE_RANGE[1]
    )


def shows_chin(pixels: RgbImage, landmarks: FaceLandmarks) -> bool:
    """Whether there is room for a mask on the chin in a photo, RGB uint8 (H, W, 3)."""
    frame = FaceFrame(landmarks)
    x, y = frame.place(np.zeros(1, np.float32), np.full(1, _BELOW_CHIN_Y, np.float32))
    return bool(0 <= x[0] < pixels.shape[1] and 0 <= y[0] < pixels.shape[0])


def can_lend_mask(pixels: RgbImage, landmarks: FaceLandmarks) -> bool:
    """Whether a masked photo shows its mask from the front, whole, and over the nose.

    Args:
        pixels: RGB uint8, shape (H, W, 3).
        landmarks: Of its face.
    """
    frame = FaceFrame(landmarks)
    if frame.lesser_side < _LEAST_SIDE:
        return False
    height, width = pixels.shape[:2]
    columns, rows = frame.place(*_outline().T)
    is_inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    if not is_inside.all():
        return False
    bridge, tip, mouth = (_color_at(frame, pixels, y) for y in (_BRIDGE_Y, _TIP_Y, _LIPS_Y))
    return bool(np.linalg.norm(tip - mouth) < np.linalg.norm(tip - bridge))


def borrow_cloth(pixels: RgbImage, landmarks: FaceLandmarks) -> MaskCloth:
    """The mask that a photo shows.

    Args:
        pixels: RGB uint8, shape (H, W, 3).
        landmarks: Of a face that `can_lend_mask`.
    """
    frame = FaceFrame(landmarks)
    sheet = _loops(False, _unit(frame.unit_px))
    rows, columns = np.mgrid[: sheet.pixels.shape[0], : sheet.pixels.shape[1]]
    x = (columns + sheet.x) / (sheet.unit_px * _LENT_STRETCH)
    y = (rows + sheet.y) / sheet.unit_px
    flat = frame.flatten(pixels, x.astype(np.float32), y.astype(np.float32))
    inside = _cut_out(sheet)[..., None]
    opaque = np.dstack([flat, np.full(flat.shape[:2], 255, np.uint8)])
    is_dark = float((flat * inside).mean() / max(1e-6, inside.mean())) < _DARK_CLOTH
    with_loops = _loops(is_dark, sheet.unit_px).pixels * (1 - inside) + opaque * inside
    layer = Layer(np.asarray(with_loops + 0.5, np.uint8), sheet.x, sheet.y, sheet.unit_px)
    return MaskCloth(layer, _LENT_SPAN, float(pixels.mean()))


@lru_cache(maxsize=len(MASK_KINDS) * WEARERS * len(_UNITS_PX))
def _painted(kind: str, wearer: int, unit_px: int) -> Layer:
    canvas = Canvas(_WINDOW, unit_px)
    paint_mask(canvas, _WEARERS[wearer], kind)
    return canvas.finish()


@lru_cache(maxsize=2 * len(_UNITS_PX))
def _loops(is_dark: bool, unit_px: float) -> Layer:
    canvas = Canvas(_WINDOW, unit_px)
    kind = MASK_KINDS["cloth-black" if is_dark else "surgical-white"]
    paint_straps(canvas, kind, _LENT_CORNERS, CHEEK_X)
    return canvas.finish()


def _unit(wanted_px: float) -> int:
    return next((size for size in _UNITS_PX if size >= wanted_px), _UNITS_PX[-1])


def _color_at(frame: FaceFrame, pixels: RgbImage, y: float) -> NDArray[np.float64]:
    """The usual colour in the middle of a face at a height, as L*, a*, b*."""
    across, along = np.meshgrid(np.linspace(-0.1, 0.1, 9), np.linspace(y - 0.05, y + 0.05, 9))
    seen = frame.flatten(pixels, across.astype(np.float32), along.astype(np.float32))
    lab = cv2.cvtColor(seen, cv2.COLOR_RGB2LAB).reshape(-1, 3)
    return np.median(lab.astype(np.float64), axis=0)


def _outline() -> Points:
    return smooth(both_halves(_LENT_HALF))


def _cut_out(layer: Layer) -> Plane:
    """How much of each pixel of a layer is cloth, 0 to 1."""
    inside = np.zeros(layer.pixels.shape[:2], np.uint8)
    drawn_out = _outline() * (_LENT_STRETCH, 1.0)
    corners = (drawn_out * layer.unit_px - (layer.x, layer.y)) * (1 << _SHIFT_BITS)
    cv2.fillPoly(inside, [np.round(corners).astype(np.int32)], (255,), cv2.LINE_AA, _SHIFT_BITS)
    soft = cv2.GaussianBlur(inside, (0, 0), max(0.5, _LENT_EDGE * layer.unit_px))
    return np.asarray(soft, np.float32) / np.float32(255)
