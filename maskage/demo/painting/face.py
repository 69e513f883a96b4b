"""Paint heads of the demo camera: shape, skin, ears and nose.

All numbers are in head units: the eyes lie at y = 0, the chin at 1, the hairline near -0.62.
"""

import numpy as np

from maskage.demo.colours import Colour, darker, lighter, mix
from maskage.demo.painting.age import paint_age, paint_marks
from maskage.demo.painting.canvas import Canvas, Points, Shape, both_halves, ellipse, smooth
from maskage.demo.people import DemoSubject

CHIN_Y = 1.0
HAIRLINE_Y = -0.62
CHEEK_X = 0.80
EYE_X = 0.345

BLOOD: Colour = (205.0, 70.0, 70.0)
_SIDES = (-1, 1)


def head_outline(subject: DemoSubject) -> Points:
    """Return the outline of a head, from the top of the skull round the chin."""
    width, jaw, chin = subject.face
    x = CHEEK_X * width
    jowl = 0.03 if subject.is_old else 0.0
    right = [
        (0.0, -1.06),
        (0.48 * x, -1.0),
        (0.84 * x, -0.72),
        (0.985 * x, -0.3),
        (x, 0.05),
        (0.95 * x, 0.38),
        ((0.80 + jowl) * x * jaw, 0.68 + jowl),
        (0.46 * x * jaw * chin, 0.92),
        (0.2 * x * chin, 0.99),
        (0.0, CHIN_Y),
    ]
    return smooth(both_halves(right))


def paint_head(canvas: Canvas, subject: DemoSubject) -> Shape:
    """Paint ears, the bare head and its shading, and return the shape of the head."""
    skin, width = subject.skin, subject.face[0]
    for side in _SIDES:
        _paint_ear(canvas, subject, side)
    outline = head_outline(subject)
    head = canvas.fill(outline, skin)
    canvas.stroke(
        np.concatenate([outline, outline[:1]]),
        0.20,
        darker(skin, 0.34),
        0.55,
        0.07,
        clip=head,
        taper=False,
    )
    canvas.fill(ellipse(0, 1.02, 0.5, 0.14), darker(skin, 0.4), 0.45, 0.08, head)
    canvas.fill(ellipse(-0.05, -0.42, 0.42, 0.2), lighter(skin, 0.5), 0.42, 0.12, head)
    for side in _SIDES:
        canvas.fill(
            ellipse(side * 0.47 * width, 0.3, 0.17, 0.13), lighter(skin, 0.4), 0.3, 0.07, head
        )
        blush = 0.30 if "blush" in subject.extras else 0.15 if not subject.is_old else 0.10
        canvas.fill(
            ellipse(side * 0.5 * width, 0.38, 0.2, 0.14), mix(skin, BLOOD, 0.6), blush, 0.07, head
        )
        canvas.fill(ellipse(side * EYE_X, -0.02, 0.25, 0.15), darker(skin, 0.3), 0.4, 0.06, head)
    canvas.fill(ellipse(0, 0.87, 0.16, 0.07), lighter(skin, 0.4), 0.35, 0.05, head)
    _paint_nose(canvas, subject, head)
    if subject.is_old:
        paint_age(canvas, subject, head)
    paint_marks(canvas, subject, head)
    return head


def _paint_ear(canvas: Canvas, subject: DemoSubject, side: int) -> None:
    skin, x = subject.skin, side * CHEEK_X * subject.face[0]
    longer = 0.05 if subject.is_old else 0.0
    ear = canvas.fill(
        ellipse(x + side * 0.05, 0.08 + longer / 2, 0.12, 0.24 + longer, side * 0.12),
        darker(skin, 0.08),
    )
    canvas.fill(
        ellipse(x + side * 0.06, 0.07, 0.07, 0.16, side * 0.12), darker(skin, 0.4), 0.55, 0.025, ear
    )
    canvas.stroke(
        [(x + side * 0.08, -0.1), (x + side * 0.13, 0.02), (x + side * 0.1, 0.2)],
        0.035,
        lighter(skin, 0.2),
        0.6,
        0.01,
        clip=ear,
    )


def _paint_nose(canvas: Canvas, subject: DemoSubject, head: Shape) -> None:
    skin, wide = subject.skin, 0.13 * subject.nose
    long = 0.03 if subject.is_old else 0.0
    shade = darker(skin, 0.38)
    canvas.fill(
        smooth([(0.05, -0.1), (0.09, 0.15), (wide + 0.02, 0.36 + long), (0.02, 0.3)]),
        shade,
        0.32,
        0.03,
        head,
    )
    canvas.fill(
        smooth([(-0.03, -0.08), (0.03, -0.08), (0.04, 0.26), (-0.04, 0.26)]),
        lighter(skin, 0.5),
        0.5,
        0.03,
        head,
    )
    canvas.fill(ellipse(0, 0.345 + long, wide * 0.85, 0.085), mix(skin, BLOOD, 0.14), 0.6, 0.025)
    canvas.fill(ellipse(-0.02, 0.32 + long, wide * 0.4, 0.04), lighter(skin, 0.65), 0.6, 0.02)
    for side in _SIDES:
        canvas.stroke(
            [
                (side * wide * 1.02, 0.31 + long),
                (side * wide * 1.2, 0.37 + long),
                (side * wide * 0.85, 0.415 + long),
            ],
            0.026,
            shade,
            0.7,
            0.008,
        )
        canvas.fill(
            ellipse(side * wide * 0.48, 0.41 + long, 0.036, 0.02), darker(skin, 0.72), 0.85, 0.008
        )
    canvas.fill(ellipse(0, 0.475 + long, wide, 0.04), shade, 0.4, 0.03, head)
