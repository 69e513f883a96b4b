"""Paint the hats and scarves of the demo camera's people."""

from dataclasses import replace

import numpy as np

from maskage.demo.colours import darker, lighter
from maskage.demo.painting.canvas import Canvas, Shape, both_halves, ellipse, smooth
from maskage.demo.painting.face import CHEEK_X
from maskage.demo.painting.hair.locks import SIDES, Cap, own_rng, paint_cap, paint_curls
from maskage.demo.people import DemoSubject


def paint_beanie(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint a beanie with a bobble, and hair below it."""
    colour, x = subject.hair_colour, CHEEK_X * subject.face[0]
    for side in SIDES:
        canvas.fill(ellipse(side * x * 0.97, -0.2, 0.1, 0.2), subject.brow_colour, 0.95, 0.015)
    half = [(0.0, -1.42), (0.36, -1.36), (0.74, -1.02), (x + 0.1, -0.5), (0.5, -0.56), (0.0, -0.6)]
    wool = canvas.fill(smooth(both_halves(half)), colour, 1, 0.006)
    for t in np.linspace(-0.95, 0.95, 17):
        canvas.stroke(
            [(t * 0.3, -1.42), (t * 0.8, -1.05), (t * 0.95, -0.5)],
            0.03,
            darker(colour, 0.35),
            0.5,
            0.006,
            clip=wool,
        )
    canvas.fill(ellipse(-0.25, -1.15, 0.3, 0.16), lighter(colour, 0.4), 0.35, 0.08, wool)
    rim = [
        (0.0, -0.78),
        (0.5, -0.74),
        (x + 0.1, -0.62),
        (x + 0.11, -0.4),
        (0.5, -0.5),
        (0.0, -0.54),
    ]
    band = canvas.fill(smooth(both_halves(rim)), lighter(colour, 0.14), 1, 0.006)
    for t in np.linspace(-0.98, 0.98, 30):
        canvas.stroke(
            [(t * 0.93, -0.84), (t * 0.93, -0.36)],
            0.024,
            darker(colour, 0.3),
            0.5,
            0.004,
            clip=band,
        )
    canvas.fill(ellipse(0, -1.47, 0.16, 0.14), lighter(colour, 0.6), 1, 0.02)


def paint_flatcap(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint a flat cap, and hair below it."""
    colour, x = subject.hair_colour, CHEEK_X * subject.face[0]
    grey = replace(subject, hair_colour=subject.brow_colour)
    paint_cap(canvas, grey, Cap(volume=0.05, hairline=-0.8, temple=-0.6, side_end=0.06))
    half = [(0.0, -1.24), (0.5, -1.2), (0.9, -0.92), (x + 0.12, -0.66), (0.5, -0.66), (0.0, -0.68)]
    crown = canvas.fill(smooth(both_halves(half)), colour, 1, 0.006)
    for t in np.linspace(-1, 1, 9):
        canvas.stroke([(t, -1.3), (t, -0.6)], 0.02, lighter(colour, 0.3), 0.5, 0.004, clip=crown)
        canvas.stroke(
            [(-1.1, -0.95 + t * 0.35), (1.1, -0.95 + t * 0.35)],
            0.02,
            darker(colour, 0.4),
            0.5,
            0.004,
            clip=crown,
        )
    peak = [(0.0, -0.8), (0.5, -0.77), (0.78, -0.64), (0.5, -0.58), (0.0, -0.55)]
    shade = smooth(both_halves(peak))
    canvas.fill(shade + np.array([0, 0.06], np.float32), darker(subject.skin, 0.5), 0.4, 0.03)
    brim = canvas.fill(shade, darker(colour, 0.25), 1, 0.006)
    canvas.fill(ellipse(0, -0.74, 0.45, 0.03), lighter(colour, 0.35), 0.6, 0.015, brim)


def paint_scarf_back(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint the part of a headscarf behind the head."""
    half = [
        (0.0, -1.2),
        (0.7, -0.98),
        (1.0, -0.3),
        (0.98, 0.5),
        (1.05, 1.2),
        (0.7, 1.6),
        (0.0, 1.7),
    ]
    canvas.fill(smooth(both_halves(half)), darker(subject.hair_colour, 0.3), 1, 0.01)


def _hood(canvas: Canvas, subject: DemoSubject, top: float) -> Shape:
    """Paint cloth around the whole face, down to below the chin, and return its shape."""
    x = CHEEK_X * subject.face[0]
    outer = [
        (0.0, -1.22),
        (0.5, -1.14),
        (0.88, -0.75),
        (x + 0.18, -0.1),
        (x + 0.13, 0.5),
        (0.72, 1.0),
        (0.42, 1.32),
        (0.0, 1.4),
    ]
    inner = [
        (0.0, top),
        (0.44, top + 0.07),
        (x * 0.87, -0.25),
        (x * 0.93, 0.25),
        (x * 0.78, 0.68),
        (0.42, 0.95),
        (0.0, 1.06),
    ]
    around = np.concatenate(
        [
            smooth(both_halves(outer)),
            smooth(both_halves(outer))[:1],
            smooth(both_halves(inner))[:1],
            smooth(both_halves(inner))[::-1],
        ]
    )
    canvas.fill(
        around * np.array([0.985, 1], np.float32) + np.array([0, 0.03], np.float32),
        darker(subject.skin, 0.5),
        0.4,
        0.03,
    )
    cloth = canvas.fill(around, subject.hair_colour, 1, 0.006)
    for side in SIDES:
        for t in np.linspace(0.15, 0.9, 5):
            path = [
                (side * (x * 0.4 + 0.3 * t), -1.15 + 0.25 * t),
                (side * (x + 0.02 + 0.13 * t), -0.1),
                (side * (x * 0.86 + 0.14 * t), 0.6),
                (side * 0.2, 1.1 + 0.25 * t),
            ]
            canvas.stroke(path, 0.035, darker(subject.hair_colour, 0.35), 0.45, 0.012, clip=cloth)
    canvas.fill(
        ellipse(-0.3, -0.98, 0.35, 0.1, -0.3), lighter(subject.hair_colour, 0.45), 0.5, 0.06, cloth
    )
    return cloth


def paint_hijab(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint a headscarf around the whole face."""
    _hood(canvas, subject, -0.66)


def paint_kerchief(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint a flowered kerchief, knotted below the chin."""
    grey = replace(subject, hair_colour=subject.brow_colour)
    paint_cap(
        canvas, grey, Cap(volume=0.02, hairline=-0.56, temple=-0.36, side_end=0.0, parting=0.02)
    )
    cloth = _hood(canvas, subject, -0.74)
    rng = own_rng(subject)
    for _ in range(60):
        x, y = rng.uniform(-1, 1), rng.uniform(-1.2, 1.3)
        for turn in np.linspace(0, 2 * np.pi, 5, endpoint=False):
            canvas.fill(
                ellipse(x + 0.03 * np.cos(turn), y + 0.03 * np.sin(turn), 0.022, 0.022),
                (250, 225, 150),
                0.9,
                0.003,
                cloth,
            )
    for side in SIDES:
        knot = [(0.0, 1.12), (side * 0.26, 1.04), (side * 0.34, 1.22), (side * 0.1, 1.26)]
        canvas.fill(smooth(knot), darker(subject.hair_colour, 0.12), 1, 0.006)


def paint_headwrap(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint a wrapped cloth, and curls beside the ears."""
    colour, x = subject.hair_colour, CHEEK_X * subject.face[0]
    for side in SIDES:
        paint_curls(
            canvas,
            subject=replace(subject, hair_colour=subject.brow_colour),
            centres=np.asarray([(side * x, -0.3), (side * x, -0.18)], np.float32),
            size=0.07,
        )
    half = [
        (0.0, -1.5),
        (0.5, -1.44),
        (0.92, -1.1),
        (0.96, -0.74),
        (x, -0.42),
        (0.45, -0.62),
        (0.0, -0.68),
    ]
    cloth = canvas.fill(smooth(both_halves(half)), colour, 1, 0.006)
    for i, t in enumerate(np.linspace(-0.9, 0.9, 8)):
        tone = (150, 60, 40) if i % 2 else darker(colour, 0.35)
        canvas.stroke(
            [
                (-1.0, -0.6 - 0.4 * (t + 0.9)),
                (0.0, -0.85 - 0.36 * (t + 0.9)),
                (1.0, -0.4 - 0.4 * (t + 0.9)),
            ],
            0.05,
            tone,
            0.7,
            0.006,
            clip=cloth,
        )
    canvas.fill(ellipse(-0.3, -1.2, 0.3, 0.14), lighter(colour, 0.5), 0.4, 0.07, cloth)
    canvas.fill(ellipse(0.1, -1.0, 0.17, 0.15), lighter(colour, 0.12), 1, 0.008)
    canvas.stroke(
        [(0.0, -1.04), (0.12, -0.98), (0.22, -1.02)], 0.03, darker(colour, 0.4), 0.8, 0.006
    )
