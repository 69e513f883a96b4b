"""Paint the masks of the demo camera, worn over the nose or on the chin."""

import numpy as np

from maskage.demo.colours import colour_of, darker, lighter
from maskage.demo.painting.canvas import Canvas, Points, Shape, both_halves, ellipse, moved, smooth
from maskage.demo.painting.face import CHEEK_X
from maskage.demo.painting.mask_prints import MaskKind, paint_print
from maskage.demo.people import DemoSubject

NO_MASK = "none"
CHIN_PREFIX = "chin "

_SIDES = (-1, 1)


def _kind(name: str, cut: str, colour: str, pattern: str = "", ink: str = "#ffffff") -> MaskKind:
    return MaskKind(name, cut, colour_of(colour), pattern, colour_of(ink))


MASK_KINDS: dict[str, MaskKind] = {
    kind.name: kind
    for kind in (
        _kind("surgical-blue", "surgical", "#8fc3e6"),
        _kind("surgical-white", "surgical", "#eef1f2"),
        _kind("surgical-green", "surgical", "#9fd6bd"),
        _kind("surgical-pink", "surgical", "#f3b4c6"),
        _kind("ffp2-white", "ffp2", "#f2f2ee"),
        _kind("ffp2-black", "ffp2", "#34363b"),
        _kind("ffp2-blue", "ffp2", "#3d6ea8"),
        _kind("cloth-black", "cloth", "#26262b"),
        _kind("cloth-red", "cloth", "#c23b3b"),
        _kind("cloth-grey", "cloth", "#8b9097"),
        _kind("dots", "cloth", "#2f4a8c", "dots", "#f5f3ea"),
        _kind("stripes", "cloth", "#f3efe4", "stripes", "#2c6e9b"),
        _kind("checks", "cloth", "#f6efe6", "checks", "#cf3f4a"),
        _kind("flowers", "cloth", "#3f8f77", "flowers", "#f7d24a"),
        _kind("smile", "cloth", "#f4cf3d", "smile", "#33261d"),
        _kind("cat", "cloth", "#5a5560", "cat", "#f6c9cf"),
    )
}
"""All kinds of masks, by name."""


def mask_covers(mask: str) -> bool:
    """Return whether a mask ("none", "dots", "chin dots") covers nose and mouth."""
    return mask in MASK_KINDS


def paint_mask(canvas: Canvas, subject: DemoSubject, mask: str) -> None:
    """Paint a mask: a kind, "chin " and a kind, or "none"."""
    if mask == NO_MASK:
        return
    kind = MASK_KINDS[mask.removeprefix(CHIN_PREFIX)]
    x = CHEEK_X * subject.face[0]
    if mask_covers(mask):
        _paint_worn(canvas, subject, kind, x)
    else:
        _paint_on_chin(canvas, subject, kind, x)


def _paint_worn(canvas: Canvas, subject: DemoSubject, kind: MaskKind, x: float) -> None:
    jaw = subject.face[1]
    paint_straps(canvas, kind, [(x * 0.86, 0.27), (x * 0.74 * jaw, 0.8)], x)
    beak = kind.cut == "ffp2"
    half = [
        (0.0, 0.08 if not beak else 0.04),
        (0.13, 0.10),
        (0.34, 0.245),
        (x * 0.9, 0.26),
        (x * 0.9, 0.5),
        (x * 0.76 * jaw, 0.82),
        (x * 0.42 * jaw, 1.03 if not beak else 0.98),
        (0.0, 1.07 if not beak else 1.05),
    ]
    outline = smooth(both_halves(half))
    canvas.fill(outline + np.array([0, 0.025], np.float32), darker(subject.skin, 0.55), 0.45, 0.03)
    cloth = canvas.fill(outline, kind.colour, 1, 0.005)
    paint_print(canvas, kind, cloth)
    _shade(canvas, kind, cloth, outline)
    if beak:
        _paint_beak(canvas, kind, cloth)
    elif kind.cut == "surgical":
        _paint_pleats(canvas, kind, cloth, x, (0.42, 0.58, 0.74))
    else:
        seam = [(0.0, 0.08), (0.03, 0.4), (0.02, 0.75), (0.0, 1.07)]
        canvas.stroke(seam, 0.018, darker(kind.colour, 0.5), 0.5, 0.005, clip=cloth)


def _paint_on_chin(canvas: Canvas, subject: DemoSubject, kind: MaskKind, x: float) -> None:
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
    _shade(canvas, kind, cloth, outline)
    for y in (0.93, 1.02, 1.1):
        canvas.stroke(
            [(-0.62, y - 0.16), (0.0, y), (0.62, y - 0.16)],
            0.025,
            darker(kind.colour, 0.45),
            0.55,
            0.008,
            clip=cloth,
        )


def paint_straps(
    canvas: Canvas, kind: MaskKind, corners: list[tuple[float, float]], x: float
) -> None:
    """Paint loops from the corners of a mask to behind the ears."""
    is_dark = sum(kind.colour) < 300
    colour = kind.colour if is_dark else lighter(kind.colour, 0.5)
    ends = [-0.04, 0.28] if len(corners) == 2 else [0.28]
    for side in _SIDES:
        for (corner_x, corner_y), end_y in zip(corners, ends, strict=True):
            path = [
                (side * corner_x, corner_y),
                (side * (x + corner_x) / 2 * 1.03, (corner_y + end_y) / 2 + 0.03),
                (side * (x + 0.07), end_y),
            ]
            canvas.stroke(moved(path, 0, 0.015), 0.035, (70, 45, 40), 0.3, 0.01, taper=False)
            canvas.stroke(path, 0.032, colour, 1, 0.003, taper=False)


def _shade(canvas: Canvas, kind: MaskKind, cloth: Shape, outline: Points) -> None:
    edge = np.concatenate([outline, outline[:1]])
    canvas.stroke(edge, 0.13, darker(kind.colour, 0.5), 0.45, 0.05, clip=cloth, taper=False)
    canvas.stroke(edge, 0.03, lighter(kind.colour, 0.3), 0.5, 0.006, clip=cloth, taper=False)
    canvas.fill(ellipse(0, 1.0, 0.5, 0.14), darker(kind.colour, 0.6), 0.4, 0.07, cloth)
    canvas.fill(ellipse(-0.06, 0.36, 0.16, 0.16), lighter(kind.colour, 0.6), 0.5, 0.07, cloth)


def _paint_pleats(
    canvas: Canvas, kind: MaskKind, cloth: Shape, x: float, heights: tuple[float, ...]
) -> None:
    for y in heights:
        path = [(-x, y - 0.08), (-0.4, y), (0.0, y + 0.025), (0.4, y), (x, y - 0.08)]
        canvas.stroke(path, 0.035, darker(kind.colour, 0.42), 0.75, 0.008, clip=cloth, taper=False)
        canvas.stroke(
            moved(path, 0, -0.035),
            0.03,
            lighter(kind.colour, 0.6),
            0.6,
            0.008,
            clip=cloth,
            taper=False,
        )
    wire = [(-0.3, 0.22), (-0.12, 0.14), (0.0, 0.125), (0.12, 0.14), (0.3, 0.22)]
    canvas.stroke(wire, 0.035, darker(kind.colour, 0.25), 0.7, 0.006, clip=cloth)


def _paint_beak(canvas: Canvas, kind: MaskKind, cloth: Shape) -> None:
    left = [(0.0, 0.0), (-0.9, 0.1), (-0.9, 1.1), (0.0, 1.1), (0.03, 0.6)]
    canvas.fill(left, lighter(kind.colour, 0.35), 0.45, 0.02, cloth)
    right = [(0.02, 0.04), (0.9, 0.1), (0.9, 1.1), (0.0, 1.1), (0.05, 0.6)]
    canvas.fill(right, darker(kind.colour, 0.35), 0.5, 0.02, cloth)
    canvas.stroke(
        [(0.0, 0.04), (0.04, 0.35), (0.05, 0.6), (0.0, 1.06)],
        0.035,
        darker(kind.colour, 0.55),
        0.75,
        0.005,
        clip=cloth,
        taper=False,
    )
    canvas.fill(ellipse(-0.03, 0.52, 0.1, 0.22), lighter(kind.colour, 0.8), 0.55, 0.05, cloth)
    for side in _SIDES:
        canvas.stroke(
            [(side * 0.62, 0.22), (side * 0.54, 0.55), (side * 0.46, 0.95)],
            0.03,
            darker(kind.colour, 0.4),
            0.6,
            0.006,
            clip=cloth,
            taper=False,
        )
    canvas.stroke(
        [(-0.22, 0.2), (-0.1, 0.12), (0.0, 0.1), (0.1, 0.12), (0.22, 0.2)],
        0.04,
        darker(kind.colour, 0.3),
        0.8,
        0.005,
        clip=cloth,
    )
