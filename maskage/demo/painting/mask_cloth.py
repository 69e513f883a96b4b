"""Paint the cloth of a mask: loops, shading, pleats, a beak or a seam."""

import numpy as np

from maskage.demo.colours import Colour, darker, lighter
from maskage.demo.painting.canvas import Canvas, Points, Shape, ellipse, moved
from maskage.demo.painting.mask_prints import MaskKind, paint_print

_SIDES = (-1, 1)


def strap_colour(kind: MaskKind) -> Colour:
    """Return the colour of the loops of a mask."""
    is_dark = sum(kind.colour) < 300
    return kind.colour if is_dark else lighter(kind.colour, 0.5)


def paint_straps(
    canvas: Canvas, kind: MaskKind, corners: list[tuple[float, float]], x: float
) -> None:
    """Paint loops from the corners of a mask to behind the ears."""
    colour = strap_colour(kind)
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


def paint_details(canvas: Canvas, kind: MaskKind, cloth: Shape, outline: Points, x: float) -> None:
    """Paint the print of a mask, its shading, and its pleats, beak or seam.

    Args:
        canvas: Canvas, placed where the mask lies if that is not over nose and mouth.
        kind: The kind of the mask.
        cloth: Its painted cloth.
        outline: Outline of the cloth, before it was placed.
        x: Half the width of the face, in head units.
    """
    paint_print(canvas, kind, cloth)
    shade_cloth(canvas, kind, cloth, outline)
    if kind.cut == "ffp2":
        _paint_beak(canvas, kind, cloth)
    elif kind.cut == "surgical":
        _paint_pleats(canvas, kind, cloth, x, (0.42, 0.58, 0.74))
    else:
        seam = [(0.0, 0.08), (0.03, 0.4), (0.02, 0.75), (0.0, 1.07)]
        canvas.stroke(seam, 0.018, darker(kind.colour, 0.5), 0.5, 0.005, clip=cloth)


def shade_cloth(canvas: Canvas, kind: MaskKind, cloth: Shape, outline: Points) -> None:
    """Paint the shaded edge and the relief of a mask's cloth."""
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
