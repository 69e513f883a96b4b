"""Paint masks that are misworn: below the nose, on the chin or forehead, or hanging from an ear.

`x` is half the width of the face, in head units. Apart from the one on the chin, which is folded,
each is the mask as it is worn, placed elsewhere.
"""

import numpy as np

from maskage.demo.colours import Colour, darker
from maskage.demo.painting.canvas import Canvas, Placement, both_halves, moved, smooth
from maskage.demo.painting.mask_cloth import (
    paint_details,
    paint_straps,
    shade_cloth,
    strap_colour,
)
from maskage.demo.painting.mask_prints import MaskKind, paint_print
from maskage.demo.people import DemoSubject

_SHADOW: Colour = (70.0, 45.0, 40.0)


def paint_below_nose(canvas: Canvas, subject: DemoSubject, kind: MaskKind, x: float) -> None:
    """Paint a mask that covers the mouth and leaves the whole nose bare."""
    jaw = subject.face[1]
    paint_straps(canvas, kind, [(x * 0.88, 0.48), (x * 0.72 * jaw, 0.92)], x)
    # The place in which the mask is worn, of which the upper edge is flat on the lip.
    half = [
        (0.0, 0.11),
        (0.2, 0.08),
        (0.45, 0.05),
        (x * 0.93, 0.0),
        (x * 0.9, 0.28),
        (x * 0.76 * jaw, 0.72),
        (x * 0.44 * jaw, 1.0),
        (0.0, 1.07),
    ]
    outline = smooth(both_halves(half))
    sheet = canvas.placed(Placement(y=0.445, down=0.71))
    sheet.fill(outline + np.array([0, 0.03], np.float32), darker(subject.skin, 0.55), 0.45, 0.03)
    sheet.fill(outline - np.array([0, 0.03], np.float32), darker(subject.skin, 0.5), 0.35, 0.03)
    cloth = sheet.fill(outline, kind.colour, 1, 0.005)
    paint_details(sheet, kind, cloth, outline, x)


def paint_on_chin(canvas: Canvas, subject: DemoSubject, kind: MaskKind, x: float) -> None:
    """Paint a mask that is pulled down under the mouth."""
    jaw = subject.face[1]
    paint_straps(canvas, kind, [(x * 0.84 * jaw, 0.7)], x)
    half = [
        (0.0, 0.83),
        (0.3, 0.81),
        (x * 0.8 * jaw, 0.64),
        (x * 0.88 * jaw, 0.74),
        (0.42, 1.1),
        (0.0, 1.2),
    ]
    outline = smooth(both_halves(half))
    canvas.fill(outline + np.array([0, -0.02], np.float32), darker(subject.skin, 0.5), 0.4, 0.025)
    cloth = canvas.fill(outline, kind.colour, 1, 0.005)
    if kind.pattern not in ("smile", "cat"):
        paint_print(canvas, kind, cloth)
    shade_cloth(canvas, kind, cloth, outline)
    for y in (0.93, 1.02, 1.1):
        canvas.stroke(
            [(-0.62, y - 0.16), (0.0, y), (0.62, y - 0.16)],
            0.025,
            darker(kind.colour, 0.45),
            0.55,
            0.008,
            clip=cloth,
        )


def paint_on_forehead(canvas: Canvas, kind: MaskKind, x: float) -> None:
    """Paint a mask that is pushed up on the forehead, over the hair."""
    half = [
        (0.0, 0.08),
        (0.3, 0.1),
        (x * 0.72, 0.24),
        (x * 0.9, 0.5),
        (x * 0.9, 0.86),
        (x * 0.5, 1.0),
        (0.0, 1.04),
    ]
    outline = smooth(both_halves(half))
    sheet = canvas.placed(Placement(y=-1.0, across=1.0, down=0.66))
    _loop(canvas, kind, [(-x * 0.86, -0.5), (-x * 1.06, -0.3), (-x - 0.06, 0.0)])
    _loop(canvas, kind, [(x * 0.86, -0.5), (x * 1.06, -0.3), (x + 0.06, 0.0)])
    sheet.fill(outline + np.array([0, 0.05], np.float32), _SHADOW, 0.4, 0.04)
    cloth = sheet.fill(outline, kind.colour, 1, 0.005)
    paint_details(sheet, kind, cloth, outline, x)


def paint_on_ear(canvas: Canvas, kind: MaskKind, x: float, side: int) -> None:
    """Paint a mask that hangs from one ear, seen at a slant; `side` is -1 (left) or 1 (right)."""
    ear = side * (x + 0.05)
    half = [(0.0, 0.06), (0.3, 0.1), (0.6, 0.2), (0.68, 0.5), (0.6, 0.88), (0.3, 1.0), (0.0, 1.05)]
    outline = smooth(both_halves(half))
    middle = (ear + side * 0.04, 0.92)
    # Turned by a quarter, so that a short side with its loop is up, and pressed to a slant.
    turn = side * (np.pi / 2 + 0.08)
    across, down = 0.72, 0.5
    at = Placement(across=across, down=down, turn=turn).move(np.array([(0.0, 0.56)], np.float32))[0]
    place = Placement(
        x=middle[0] - float(at[0]),
        y=middle[1] - float(at[1]),
        across=across,
        down=down,
        turn=turn,
    )
    sheet = canvas.placed(place)
    top, low = middle[1] - 0.46, middle[1] + 0.46
    _loop(canvas, kind, [(middle[0] - side * 0.17, top), (ear - side * 0.06, 0.1), (ear, -0.06)])
    _loop(canvas, kind, [(middle[0] + side * 0.15, top), (ear + side * 0.09, 0.12), (ear, -0.06)])
    free = [(-0.15, low), (-0.12, low + 0.2), (0.0, low + 0.28), (0.12, low + 0.2), (0.15, low)]
    _loop(canvas, kind, [(middle[0] + dx, y) for dx, y in free])
    sheet.fill(outline + np.array([0.05, 0.05], np.float32), _SHADOW, 0.35, 0.05)
    cloth = sheet.fill(outline, kind.colour, 1, 0.005)
    paint_details(sheet, kind, cloth, outline, x)


def _loop(canvas: Canvas, kind: MaskKind, path: list[tuple[float, float]]) -> None:
    canvas.stroke(moved(path, 0, 0.015), 0.035, _SHADOW, 0.3, 0.01, taper=False)
    canvas.stroke(path, 0.032, strap_colour(kind), 1, 0.003, taper=False)
