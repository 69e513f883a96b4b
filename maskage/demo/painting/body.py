"""Paint neck, shoulders, clothes, glasses and jewellery of the demo camera's people."""

import numpy as np

from maskage.demo.colours import Colour, darker, lighter
from maskage.demo.painting.canvas import Canvas, Shape, both_halves, ellipse, moved, smooth
from maskage.demo.painting.face import CHEEK_X, EYE_X
from maskage.demo.people import DemoSubject

_SIDES = (-1, 1)
_GOLD: Colour = (226, 180, 74)
_NECKLINES = {
    "tee": ((0.5, 1.28), (0.3, 1.44), (0.0, 1.5)),
    "hoodie": ((0.56, 1.26), (0.36, 1.46), (0.0, 1.6)),
    "shirt": ((0.46, 1.24), (0.24, 1.44), (0.0, 1.72)),
    "vneck": ((0.54, 1.26), (0.28, 1.56), (0.0, 1.86)),
    "turtle": ((0.42, 1.08), (0.3, 1.14), (0.0, 1.18)),
    "cardigan": ((0.5, 1.26), (0.26, 1.5), (0.0, 1.62)),
}


def paint_body(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint the neck and the top that a person wears."""
    _paint_neck(canvas, subject)
    edge = list(_NECKLINES[subject.top])
    right = [
        (edge[0][0] + 0.02, edge[0][1] - 0.03),
        (0.95, 1.4),
        (1.42, 1.58),
        (1.7, 1.95),
        (1.82, 2.6),
        (1.86, 3.4),
        (1.87, 4.5),
        (1.87, 6.0),
        (1.87, 9.0),
    ]
    left = [(-x, y) for x, y in right[::-1]]
    around = smooth([*right, *left], closed=False)
    inner = smooth([*[(-x, y) for x, y in edge], *edge[:-1][::-1]], closed=False)
    cloth = canvas.fill(np.concatenate([around, inner]), subject.top_colour, 1, 0.006)
    _shade_cloth(canvas, subject.top_colour, cloth)
    _paint_details(canvas, subject, cloth)


def paint_glasses(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint the glasses that a person wears, over eyes and mask."""
    styles = {
        "round_glasses": (0.225, 0.215, (58, 46, 44), 0.034),
        "square_glasses": (0.25, 0.17, (34, 34, 42), 0.048),
        "half_glasses": (0.2, 0.1, (150, 110, 50), 0.028),
        "cat_glasses": (0.24, 0.17, (140, 40, 70), 0.042),
    }
    for name, (rx, ry, colour, thick) in styles.items():
        if name in subject.extras:
            y = 0.1 if name == "half_glasses" else 0.01
            _paint_frame(canvas, subject, name, (rx, ry, y), colour=colour, thick=thick)


def paint_jewellery(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint earrings and a ring in the nose."""
    ear_x, ear_y = CHEEK_X * subject.face[0] + 0.06, 0.32
    for side in _SIDES:
        if "hoops" in subject.extras:
            ring = ellipse(side * ear_x, ear_y + 0.13, 0.085, 0.12)
            canvas.stroke(
                np.concatenate([ring[36:], ring[:36], ring[36:37]])[::4],
                0.03,
                _GOLD,
                1,
                0.003,
                taper=False,
            )
        if "pearls" in subject.extras:
            canvas.fill(
                ellipse(side * ear_x, ear_y + 0.04, 0.055, 0.055), (244, 238, 228), 1, 0.004
            )
            canvas.fill(
                ellipse(side * ear_x - 0.015, ear_y + 0.02, 0.02, 0.02), (255, 255, 255), 1, 0.004
            )
        if "studs" in subject.extras:
            canvas.fill(ellipse(side * ear_x, ear_y, 0.035, 0.035), _GOLD, 1, 0.003)
    if "nose_ring" in subject.extras:
        canvas.fill(ellipse(0.12, 0.385, 0.022, 0.022), (235, 235, 240), 1, 0.003)


def _paint_neck(canvas: Canvas, subject: DemoSubject) -> None:
    skin = subject.skin
    half = [(0.0, 0.5), (0.44, 0.6), (0.42, 1.0), (0.5, 1.28), (0.86, 1.5), (0.5, 2.0), (0.0, 2.1)]
    neck = canvas.fill(smooth(both_halves(half)), darker(skin, 0.1))
    canvas.fill(ellipse(0, 0.98, 0.62, 0.24), darker(skin, 0.55), 0.75, 0.09, neck)
    for side in _SIDES:
        canvas.stroke(
            [(side * 0.4, 1.0), (side * 0.24, 1.3), (side * 0.07, 1.52)],
            0.05,
            darker(skin, 0.35),
            0.35,
            0.025,
            clip=neck,
        )
        if subject.is_old:
            canvas.stroke(
                [(side * 0.1, 1.0), (side * 0.12, 1.2), (side * 0.08, 1.38)],
                0.035,
                darker(skin, 0.5),
                0.55,
                0.01,
                clip=neck,
            )


def _shade_cloth(canvas: Canvas, colour: Colour, cloth: Shape) -> None:
    canvas.fill(ellipse(-0.9, 1.75, 0.5, 0.2, 0.4), lighter(colour, 0.4), 0.3, 0.12, cloth)
    for side in _SIDES:
        canvas.stroke(
            [(side * 1.2, 1.9), (side * 1.12, 2.4), (side * 1.1, 3.2)],
            0.1,
            darker(colour, 0.45),
            0.5,
            0.04,
            clip=cloth,
        )
        canvas.fill(ellipse(side * 1.8, 2.6, 0.3, 0.9), darker(colour, 0.5), 0.4, 0.15, cloth)
    canvas.fill(ellipse(0, 1.3, 0.6, 0.3), darker(colour, 0.6), 0.35, 0.12, cloth)


def _paint_details(canvas: Canvas, subject: DemoSubject, cloth: Shape) -> None:
    colour = subject.top_colour
    edge = list(_NECKLINES[subject.top])
    seam = [(-x, y) for x, y in edge] + edge[:-1][::-1]
    if subject.top in ("tee", "vneck"):
        canvas.stroke(seam, 0.07, darker(colour, 0.28), 1, 0.005, taper=False)
    elif subject.top == "hoodie":
        _paint_hood(canvas, colour)
    elif subject.top == "shirt":
        _paint_collar(canvas, colour)
    elif subject.top == "turtle":
        _paint_roll(canvas, colour)
    else:
        canvas.fill(
            smooth([(-0.5, 1.28), (0.5, 1.28), (0.3, 1.9), (0, 2.3), (-0.3, 1.9)]),
            (242, 236, 224),
            1,
            0.005,
        )
        canvas.stroke(
            [(-0.42, 1.3), (-0.16, 1.4), (0.16, 1.4), (0.42, 1.3)], 0.05, (222, 212, 196), 1, 0.005
        )
        for side in _SIDES:
            canvas.stroke(
                [
                    (side * 0.5, 1.24),
                    (side * 0.32, 1.8),
                    (side * 0.06, 2.4),
                    (side * 0.06, 3.4),
                    (side * 0.06, 9.0),
                ],
                0.1,
                darker(colour, 0.25),
                1,
                0.006,
                taper=False,
            )
        for y in (2.2, 2.5, 2.8):
            canvas.fill(ellipse(0.07, y, 0.04, 0.04), _GOLD, 1, 0.004, cloth)


def _paint_hood(canvas: Canvas, colour: Colour) -> None:
    for side in _SIDES:
        fold = [
            (side * 0.5, 1.1),
            (side * 0.86, 1.26),
            (side * 0.7, 1.56),
            (side * 0.2, 1.76),
            (side * 0.04, 1.66),
            (side * 0.36, 1.46),
        ]
        shape = canvas.fill(smooth(fold), darker(colour, 0.12), 1, 0.008)
        canvas.stroke(
            [(side * 0.66, 1.2), (side * 0.5, 1.5), (side * 0.1, 1.68)],
            0.05,
            darker(colour, 0.5),
            0.5,
            0.02,
            clip=shape,
        )
        canvas.stroke(
            [(side * 0.18, 1.68), (side * 0.2, 2.0), (side * 0.17, 2.25)],
            0.04,
            (245, 243, 238),
            1,
            0.004,
            taper=False,
        )


def _paint_collar(canvas: Canvas, colour: Colour) -> None:
    for side in _SIDES:
        flap = [(side * 0.4, 1.12), (side * 0.6, 1.36), (side * 0.36, 1.78), (side * 0.02, 1.62)]
        canvas.fill(moved(flap, 0, 0.04), darker(colour, 0.5), 0.5, 0.02)
        canvas.fill(flap, lighter(colour, 0.35), 1, 0.006)
    canvas.stroke(
        [(0, 1.66), (0, 2.4), (0, 9.0)], 0.03, darker(colour, 0.4), 0.8, 0.004, taper=False
    )
    for y in (1.85, 2.2, 2.55, 2.9):
        canvas.fill(ellipse(0.05, y, 0.035, 0.035), lighter(colour, 0.7), 1, 0.003)


def _paint_roll(canvas: Canvas, colour: Colour) -> None:
    half = [(0.0, 1.1), (0.44, 1.02), (0.5, 1.2), (0.52, 1.4), (0.0, 1.5)]
    roll = canvas.fill(smooth(both_halves(half)), lighter(colour, 0.1), 1, 0.008)
    for x in np.linspace(-0.46, 0.46, 13):
        canvas.stroke(
            [(x, 1.0), (x * 1.05, 1.5)], 0.02, darker(colour, 0.4), 0.55, 0.006, clip=roll
        )
    canvas.fill(ellipse(0, 1.08, 0.5, 0.1), darker(colour, 0.6), 0.5, 0.05, roll)


def _paint_frame(
    canvas: Canvas,
    subject: DemoSubject,
    name: str,
    size: tuple[float, float, float],
    *,
    colour: Colour,
    thick: float,
) -> None:
    rx, ry, y = size
    for side in _SIDES:
        x = side * EYE_X
        angle = np.linspace(0, 2 * np.pi, 33)
        power = 1.0 if name == "round_glasses" else 0.62
        cos, sin = np.cos(angle), np.sin(angle)
        rim_x = x + rx * np.sign(cos) * np.abs(cos) ** power
        rim_y = y + ry * np.sign(sin) * np.abs(sin) ** power
        if name == "cat_glasses":
            rim_y -= 0.09 * np.clip(side * (rim_x - x) / rx, 0, 1) ** 2 * (rim_y < y)
        rim = np.stack([rim_x, rim_y], axis=1).astype(np.float32)
        lens = canvas.fill(rim, (225, 238, 246), 0.13)
        canvas.stroke(
            [(x - rx * 0.6, y + ry * 0.6), (x + rx * 0.1, y - ry * 0.9)],
            0.06,
            (255, 255, 255),
            0.3,
            0.006,
            clip=lens,
        )
        canvas.stroke(rim, thick, colour, 1, 0.003, taper=False)
        arm = CHEEK_X * subject.face[0]
        canvas.stroke(
            [(side * (EYE_X + rx), y - 0.03), (side * arm, -0.06)],
            thick,
            colour,
            1,
            0.003,
            taper=False,
        )
    inner = EYE_X - rx
    canvas.stroke([(-inner, y), (0, y - 0.05), (inner, y)], thick, colour, 1, 0.003, taper=False)
