"""Flat pictures of masks in head units, painted or taken from masked photos.

Painted masks come in every colour and print; masks from photos look like photographed cloth.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from curation.masks.face_frame import FaceFrame, Plane
from maskage.demo.painting.canvas import Canvas, Layer, Points, Window, both_halves, smooth
from maskage.demo.painting.face import CHEEK_X
from maskage.demo.painting.mask_cloth import paint_straps
from maskage.demo.painting.masks import MASK_KINDS, paint_mask
from maskage.demo.people import DEMO_SUBJECTS
from maskage.faces.finder import FaceLandmarks
from maskage.records import RgbImage

Span = tuple[float, float]


@dataclass(frozen=True, eq=False)
class MaskCloth:
    """A mask as a flat picture.

    Attributes:
        layer: Picture of the mask, placed as on a face that wears it rightly.
        rim: Upper edge from the middle to one side, as points (x, y) in head units.
        bottom: Lower edge of the mask in the middle, in head units.
        light: Mean brightness of the picture it comes from, 0 to 255.
    """

    layer: Layer
    rim: tuple[tuple[float, float], ...]
    bottom: float
    light: float


_WINDOW = Window(-1.1, -0.3, 1.1, 1.45)
_UNITS_PX = (32, 64, 128, 256)
_WEARERS = DEMO_SUBJECTS[:4]
"""People whose jaws the painted masks fit."""
WEARERS = len(_WEARERS)

_PAINTED_RIM = ((0.13, 0.1), (0.34, 0.245), (0.65, 0.26))
_PAINTED_TOP = {"surgical": 0.08, "ffp2": 0.04, "cloth": 0.08}
"""Upper edge in the middle of each cut, in head units."""
_PAINTED_BOTTOM = 1.07
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
"""Outline that is cut out of a photo, smaller than nearly every mask, so that no skin is in it."""
LENT_SPAN: Span = (0.27, 1.0)
"""Upper and lower edge of what is cut out, in the middle, in head units."""
_LENT_EDGE = 0.02
"""Width of the soft edge, in head units."""
_LENT_STRETCH = 1.18
"""Factor by which the cut-out is stretched sideways to make up for its size."""
_LENT_CORNERS = [(0.7, 0.42), (0.66, 0.7)]
"""Points where the loops begin."""
_DARK_CLOTH = 90.0
"""Mean brightness, 0 to 255, below which the loops are dark too."""
_LEAST_SIDE = 0.36
"""Least share of a face's width on its narrower side for lending its mask.

On a head that is turned further, half of the mask is hidden.
"""

_BRIDGE_Y, _TIP_Y, _LIPS_Y = 0.04, 0.36, 0.6
"""Heights of the bridge of the nose, its tip and the lips, in head units.

Where the tip looks more like the bridge than like the lips, the mask is not over the nose.
"""

_MOUTH_RANGE = (0.26, 0.5)
"""Distance from eyes to mouth in a complete face, as a fraction of the box's longer side."""
_NOSE_RANGE = (0.3, 0.85)
"""Place of the tip of the nose on the line from eyes to mouth, as a fraction."""
_BELOW_CHIN_Y = 1.12

_SHIFT_BITS = 4


def paint_cloth(kind: str, wearer: int, unit_px: float) -> MaskCloth:
    """Paint a flat mask.

    Args:
        kind: Key of `MASK_KINDS`.
        wearer: Number of the person whose jaw it fits, below `WEARERS`.
        unit_px: Pixels in a head unit of the face that gets it.
    """
    rim = ((0.0, _PAINTED_TOP[MASK_KINDS[kind].cut]), *_PAINTED_RIM)
    layer = _painted(kind, wearer, _unit(unit_px))
    return MaskCloth(layer, rim, _PAINTED_BOTTOM, _PAINTED_LIGHT)


def is_whole_face(pixels: RgbImage, landmarks: FaceLandmarks) -> bool:
    """Return whether eyes, nose and mouth lie in a photo, RGB uint8 (H, W, 3), as in a whole face.

    In a face that is cut off by the border, the finder guesses them.
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
    """Return whether a photo, RGB uint8 (H, W, 3), has room for a mask on the chin."""
    frame = FaceFrame(landmarks)
    x, y = frame.place(np.zeros(1, np.float32), np.full(1, _BELOW_CHIN_Y, np.float32))
    return bool(0 <= x[0] < pixels.shape[1] and 0 <= y[0] < pixels.shape[0])


def can_lend_mask(pixels: RgbImage, landmarks: FaceLandmarks) -> bool:
    """Return whether a photo shows its mask completely, from the front and over the nose.

    Args:
        pixels: Masked photo, RGB uint8, shape (H, W, 3).
        landmarks: Landmarks of its face.
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
    """Take the mask out of a photo.

    Args:
        pixels: Masked photo, RGB uint8, shape (H, W, 3).
        landmarks: Landmarks of its face, for which `can_lend_mask` is true.
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
    rim = tuple((x * _LENT_STRETCH, y) for x, y in _LENT_HALF[:4])
    return MaskCloth(layer, rim, LENT_SPAN[1], float(pixels.mean()))


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
    """Return the median colour in the middle of a face at a height, as L*, a*, b*."""
    across, along = np.meshgrid(np.linspace(-0.1, 0.1, 9), np.linspace(y - 0.05, y + 0.05, 9))
    seen = frame.flatten(pixels, across.astype(np.float32), along.astype(np.float32))
    lab = cv2.cvtColor(seen, cv2.COLOR_RGB2LAB).reshape(-1, 3)
    return np.median(lab.astype(np.float64), axis=0)


def _outline() -> Points:
    return smooth(both_halves(_LENT_HALF))


def _cut_out(layer: Layer) -> Plane:
    """Return the share of cloth in each pixel of a layer, 0 to 1."""
    inside = np.zeros(layer.pixels.shape[:2], np.uint8)
    drawn_out = _outline() * (_LENT_STRETCH, 1.0)
    corners = (drawn_out * layer.unit_px - (layer.x, layer.y)) * (1 << _SHIFT_BITS)
    cv2.fillPoly(inside, [np.round(corners).astype(np.int32)], (255,), cv2.LINE_AA, _SHIFT_BITS)
    soft = cv2.GaussianBlur(inside, (0, 0), max(0.5, _LENT_EDGE * layer.unit_px))
    return np.asarray(soft, np.float32) / np.float32(255)
