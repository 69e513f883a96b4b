"""Paint the short and thin hair and the bald heads of the demo camera's people."""

from dataclasses import replace

import numpy as np

from maskage.demo.colours import darker, lighter
from maskage.demo.painting.canvas import Canvas, both_halves, ellipse, smooth
from maskage.demo.painting.face import CHEEK_X
from maskage.demo.painting.hair.locks import (
    SIDES,
    Cap,
    own_rng,
    paint_cap,
    paint_curls,
    paint_strand,
    shade_hair,
    skull_centres,
)
from maskage.demo.people import DemoSubject


def paint_crop(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint short hair."""
    paint_cap(canvas, subject, Cap(volume=0.1, hairline=-0.68, side_end=0.02))


def paint_buzz(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint hair of a few millimetres."""
    paint_cap(canvas, subject, Cap(volume=0.03, hairline=-0.68, temple=-0.46), opacity=0.88)


def paint_side_part(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint short hair with a parting at the side."""
    paint_cap(canvas, subject, Cap(volume=0.15, hairline=-0.6, side_end=0.05, parting=0.28))


def paint_quiff(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint short hair with a wave above the forehead."""
    hair = paint_cap(canvas, subject, Cap(volume=0.08, hairline=-0.68, side_end=0.02))
    wave = [
        (-0.5, -0.72),
        (-0.6, -1.05),
        (-0.3, -1.32),
        (0.15, -1.4),
        (0.52, -1.2),
        (0.56, -0.85),
        (0.3, -0.66),
        (-0.1, -0.62),
    ]
    top = canvas.fill(smooth(wave), subject.hair_colour, 1, 0.008)
    rng = own_rng(subject)
    for i in range(16):
        x = -0.5 + i * 0.066
        path = [(x, -0.68), (x - 0.08, -1.0), (x + 0.12, -1.3 + 0.3 * (x * x))]
        paint_strand(canvas, subject.hair_colour, path, top, rng)
    canvas.fill(ellipse(-0.1, -1.22, 0.3, 0.09), lighter(subject.hair_colour, 0.4), 0.4, 0.05, top)
    canvas.fill(ellipse(0, -0.62, 0.5, 0.05), darker(subject.hair_colour, 0.4), 0.3, 0.04, hair)


def paint_spiky(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint short hair in spikes."""
    hair = paint_cap(canvas, subject, Cap(volume=0.06, hairline=-0.68, side_end=0.02))
    for i, t in enumerate(np.linspace(-1, 1, 11)):
        x = t * 0.74 * subject.face[0]
        y = -1.02 + 0.5 * t * t
        tip = (x * 1.25 + 0.05, y - 0.3 + 0.12 * t * t)
        tone = lighter(subject.hair_colour, 0.2) if i % 2 else subject.hair_colour
        canvas.fill([(x - 0.13, y + 0.14), tip, (x + 0.13, y + 0.14)], tone, 1, 0.008)
    for x in (-0.42, -0.18, 0.08, 0.34):
        canvas.fill(
            [(x - 0.12, -0.78), (x + 0.06, -0.5), (x + 0.14, -0.78)],
            subject.hair_colour,
            1,
            0.006,
            None,
        )
    shade_hair(canvas, subject.hair_colour, hair)


def paint_undercut(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint hair that is shaved at the sides and swept over on top."""
    roots = Cap(volume=0.02, hairline=-0.64, temple=-0.44)
    dark = replace(subject, hair_colour=subject.brow_colour)
    paint_cap(canvas, dark, roots, opacity=0.75)
    sweep = [
        (0.5, -0.74),
        (0.62, -1.02),
        (0.3, -1.3),
        (-0.25, -1.32),
        (-0.72, -1.05),
        (-0.9, -0.6),
        (-0.86, -0.16),
        (-0.74, -0.12),
        (-0.62, -0.42),
        (-0.2, -0.6),
        (0.2, -0.68),
    ]
    top = canvas.fill(smooth(sweep), subject.hair_colour, 1, 0.008)
    rng = own_rng(subject)
    for i in range(20):
        t = i / 19
        path = [
            (0.45 - 0.2 * t, -0.75 - 0.5 * t),
            (-0.2 - 0.1 * t, -0.72 - 0.5 * t),
            (-0.78, -0.2 - 0.6 * t),
        ]
        paint_strand(canvas, subject.hair_colour, path, top, rng)
    canvas.fill(
        ellipse(-0.25, -1.1, 0.4, 0.1, -0.2), lighter(subject.hair_colour, 0.5), 0.45, 0.06, top
    )


def paint_short_soft(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint soft short hair with a fringe."""
    hair = paint_cap(canvas, subject, Cap(volume=0.2, hairline=-0.56, temple=-0.35, side_end=0.18))
    rng = own_rng(subject)
    for x in np.linspace(-0.5, 0.55, 9):
        path = [(x - 0.2, -0.95), (x, -0.72), (x + 0.12, -0.5)]
        canvas.stroke(path, 0.12, lighter(subject.hair_colour, rng.uniform(0, 0.4)), 0.8, 0.008)
        paint_strand(canvas, subject.hair_colour, path, hair, rng)


def paint_short_curl(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint short curls."""
    paint_cap(canvas, subject, Cap(volume=0.06, hairline=-0.7, side_end=-0.02))
    rows = [
        skull_centres(subject.face[0], 0.1, 17, 1.0),
        skull_centres(subject.face[0], -0.3, 13, 0.86),
        skull_centres(subject.face[0], -0.75, 8, 0.72),
    ]
    paint_curls(canvas, subject, np.concatenate(rows), 0.115)


def paint_horseshoe(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint a bald head with curls beside the ears."""
    _shine(canvas, subject)
    x = CHEEK_X * subject.face[0]
    for side in SIDES:
        points = [
            (side * (x * 0.97 + dx), y)
            for dx, y in (
                (0.06, -0.5),
                (0.13, -0.36),
                (0.1, -0.22),
                (0.15, -0.08),
                (0.08, 0.06),
                (0.02, -0.3),
            )
        ]
        paint_curls(canvas, subject, np.asarray(points, np.float32), 0.13)


def paint_bald(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint a bald head with short hair beside the ears."""
    _shine(canvas, subject)
    x = CHEEK_X * subject.face[0]
    for side in SIDES:
        tuft = [
            (side * (x + dx), y)
            for dx, y in (
                (-0.05, -0.5),
                (0.05, -0.45),
                (0.07, -0.1),
                (0.03, 0.08),
                (-0.05, 0.05),
                (-0.04, -0.25),
            )
        ]
        hair = canvas.fill(smooth(tuft), subject.hair_colour, 0.9, 0.012)
        rng = own_rng(subject)
        for y in np.linspace(-0.45, 0.0, 8):
            paint_strand(
                canvas,
                subject.hair_colour,
                [(side * (x - 0.04), y), (side * (x + 0.05), y + 0.08)],
                hair,
                rng,
            )
    for t in (-0.2, -0.05, 0.1, 0.24):
        canvas.stroke(
            [(t, -1.03), (t * 1.5 + 0.05, -1.13), (t * 2 + 0.16, -1.1)],
            0.018,
            subject.hair_colour,
            0.9,
        )


def _shine(canvas: Canvas, subject: DemoSubject) -> None:
    canvas.fill(ellipse(-0.16, -0.84, 0.26, 0.11, -0.25), lighter(subject.skin, 0.85), 0.6, 0.05)
    canvas.fill(ellipse(-0.2, -0.87, 0.1, 0.04, -0.25), (255, 255, 252), 0.7, 0.02)


def paint_receding(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint a receding hairline."""
    hair = paint_cap(canvas, subject, Cap(volume=0.07, hairline=-0.92, temple=-0.62, side_end=0.02))
    half = [(0.0, -1.08), (0.26, -1.05), (0.2, -0.86), (0.0, -0.76)]
    peak = canvas.fill(smooth(both_halves(half)), subject.hair_colour, 0.85, 0.012)
    rng = own_rng(subject)
    for x in np.linspace(-0.2, 0.2, 9):
        paint_strand(canvas, subject.hair_colour, [(x, -1.05), (x * 0.9, -0.8)], peak, rng)
    shade_hair(canvas, subject.hair_colour, hair)
