"""Paint the round and long hair of the demo camera's people."""

import numpy as np

from maskage.demo.colours import darker, lighter
from maskage.demo.painting.canvas import Canvas, Shape, both_halves, ellipse, moved, smooth
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


def paint_afro(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint an afro."""
    paint_cap(canvas, subject, Cap(volume=0.3, hairline=-0.66, temple=-0.42, side_end=0.0))
    rows = [
        skull_centres(subject.face[0], 0.2, 24, 1.34),
        skull_centres(subject.face[0], 0.05, 20, 1.16),
        skull_centres(subject.face[0], -0.35, 14, 0.96),
        skull_centres(subject.face[0], -0.7, 9, 0.8),
    ]
    paint_curls(canvas, subject, np.concatenate(rows), 0.135)


def paint_perm(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint a perm."""
    paint_cap(canvas, subject, Cap(volume=0.2, hairline=-0.64, temple=-0.42, side_end=0.15))
    rows = [
        skull_centres(subject.face[0], 0.42, 18, 1.17),
        skull_centres(subject.face[0], 0.1, 14, 1.02),
        skull_centres(subject.face[0], -0.5, 9, 0.84),
    ]
    paint_curls(canvas, subject, np.concatenate(rows), 0.16)


def _fringe(canvas: Canvas, subject: DemoSubject, hair: Shape) -> None:
    edge = [(x * subject.face[0], -0.36 + 0.05 * x * x) for x in np.linspace(-0.72, 0.72, 7)]
    over = [(0.7, -0.7), (0.4, -0.95), (-0.4, -0.95), (-0.7, -0.7)]
    fringe = canvas.fill(smooth([*edge, *over]), subject.hair_colour, 1, 0.006)
    rng = own_rng(subject)
    for x in np.linspace(-0.66, 0.66, 26):
        paint_strand(
            canvas,
            subject.hair_colour,
            [(x * 0.7, -0.98), (x, -0.6), (x * 1.02, -0.36)],
            fringe,
            rng,
        )
    shade_hair(canvas, subject.hair_colour, hair)


def paint_sheet(
    canvas: Canvas, subject: DemoSubject, low: float, flare: float, wave: float = 0
) -> None:
    """Paint hair that hangs behind the head down to y = `low`."""
    x = CHEEK_X * subject.face[0] + 0.14
    down = np.linspace(-0.45, low, 9)
    reach = x + flare * (down + 0.45) / (low + 0.45) + wave * np.sin(down * 7)
    half = [(0.0, -1.12), (x * 0.55, -0.98), *zip(reach, down, strict=True), (0.0, low + 0.06)]
    outline = smooth(both_halves(np.asarray(half, np.float32)))
    hair = canvas.fill(outline, darker(subject.hair_colour, 0.22), 1, 0.01)
    rng = own_rng(subject)
    for t in np.linspace(-1, 1, 40):
        path = [
            (t * (x + flare * s * 0.9) + wave * np.sin(y * 7) * np.sign(t), y)
            for s, y in zip(np.linspace(0, 1, 6), np.linspace(-0.6, low, 6), strict=True)
        ]
        paint_strand(canvas, subject.hair_colour, path, hair, rng)
    canvas.fill(ellipse(0, 0.95, 0.5, 0.5), darker(subject.hair_colour, 0.6), 0.5, 0.15, hair)


def _curtains(canvas: Canvas, subject: DemoSubject, low: float, wave: float = 0.0) -> None:
    """Paint locks that fall beside the cheeks, in front of the shoulders."""
    x, rng = CHEEK_X * subject.face[0], own_rng(subject)
    for side in SIDES:
        down = np.linspace(-0.45, low, 8)
        outer = [(side * (x + 0.13 + wave * np.sin(y * 7)), y) for y in down]
        inner = [(side * (x - 0.03 + wave * np.sin(y * 7 + 0.6) + 0.02 * y), y) for y in down]
        lock = canvas.fill(smooth([*outer, *inner[::-1]]), subject.hair_colour, 1, 0.008)
        for t in np.linspace(0.1, 0.9, 8):
            path = np.asarray(outer) * t + np.asarray(inner) * (1 - t)
            paint_strand(canvas, subject.hair_colour, path.astype(np.float32), lock, rng)


def paint_bob(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint a bob, with a fringe for some people."""
    _curtains(canvas, subject, 0.62)
    hair = paint_cap(canvas, subject, Cap(volume=0.15, hairline=-0.6, side_end=0.25, parting=0.2))
    if "fringe" in subject.extras:
        _fringe(canvas, subject, hair)


def paint_long(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint long straight hair beside the face."""
    _curtains(canvas, subject, 1.45)
    paint_cap(
        canvas, subject, Cap(volume=0.12, hairline=-0.66, temple=-0.3, side_end=0.2, parting=0.08)
    )


def paint_wavy(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint long wavy hair beside the face."""
    _curtains(canvas, subject, 1.3, wave=0.05)
    paint_cap(
        canvas, subject, Cap(volume=0.18, hairline=-0.62, temple=-0.3, side_end=0.25, parting=-0.2)
    )


def paint_tied(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint hair that is combed back, with a headband for some people."""
    paint_cap(canvas, subject, Cap(volume=0.05, hairline=-0.68, temple=-0.46, side_end=-0.05))
    if "headband" in subject.extras:
        band = [(x * 0.84 * subject.face[0], -0.98 + 0.36 * x * x) for x in np.linspace(-1, 1, 9)]
        canvas.stroke(band, 0.11, (222, 72, 98), 1, 0.004, taper=False)
        canvas.stroke(moved(band, 0, -0.02), 0.03, (250, 150, 165), 0.7, 0.006, taper=False)


def paint_tail_back(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint a ponytail behind the head."""
    tail = [
        (0.2, -1.0),
        (0.62, -1.28),
        (1.0, -1.0),
        (1.16, -0.4),
        (1.12, 0.4),
        (0.96, 0.9),
        (0.9, 0.3),
        (0.8, -0.3),
        (0.6, -0.8),
    ]
    hair = canvas.fill(smooth(tail), subject.hair_colour, 1, 0.008)
    rng = own_rng(subject)
    for t in np.linspace(0, 1, 14):
        path = [(0.5, -1.1), (0.85 + 0.14 * t, -0.9), (0.84 + 0.3 * t, 0.0), (0.96, 0.9)]
        paint_strand(canvas, subject.hair_colour, path, hair, rng)


def paint_bun_back(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint a bun behind the head."""
    bun = canvas.fill(ellipse(0.06, -1.2, 0.34, 0.28), darker(subject.hair_colour, 0.1), 1, 0.008)
    rng = own_rng(subject)
    for t in np.linspace(-1, 1, 14):
        paint_strand(
            canvas,
            subject.hair_colour,
            [(-0.28, -1.2 + 0.2 * t), (0.06, -1.2 + 0.34 * t), (0.4, -1.2 + 0.2 * t)],
            bun,
            rng,
        )
    canvas.fill(ellipse(0, -1.32, 0.16, 0.06), lighter(subject.hair_colour, 0.5), 0.5, 0.04, bun)


def paint_pigtails_back(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint pigtails behind the head."""
    rng = own_rng(subject)
    for side in SIDES:
        tail = [
            (side * x, y)
            for x, y in (
                (0.8, -0.2),
                (1.02, -0.3),
                (1.24, 0.0),
                (1.3, 0.5),
                (1.12, 0.85),
                (1.0, 0.5),
                (0.86, 0.1),
            )
        ]
        hair = canvas.fill(smooth(tail), subject.hair_colour, 1, 0.008)
        for t in np.linspace(0, 1, 9):
            path = [(side * 0.86, -0.16), (side * (0.95 + 0.28 * t), 0.2), (side * 1.12, 0.82)]
            paint_strand(canvas, subject.hair_colour, path, hair, rng)
        canvas.fill(ellipse(side * 0.9, -0.16, 0.09, 0.11), (70, 150, 220), 1, 0.006)


def paint_pigtails(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint the fringe and the cap of pigtails."""
    hair = paint_cap(canvas, subject, Cap(volume=0.08, hairline=-0.62, temple=-0.4, side_end=-0.02))
    _fringe(canvas, subject, hair)


def paint_braids_back(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint the braids behind the shoulders."""
    paint_sheet(canvas, subject, 1.0, 0.1)
    for x in (-1.0, -0.9, 0.9, 1.0):
        _braid(canvas, subject, x * subject.face[0], -0.5, 1.35)


def paint_braids(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint the braids beside the cheeks."""
    paint_cap(canvas, subject, Cap(volume=0.1, hairline=-0.68, temple=-0.42, side_end=0.0))
    for x in (-0.86, 0.86):
        _braid(canvas, subject, x * subject.face[0], -0.4, 1.3)


def _braid(canvas: Canvas, subject: DemoSubject, x: float, top: float, low: float) -> None:
    for i, y in enumerate(np.arange(top, low, 0.11)):
        lean = 0.35 if i % 2 else -0.35
        lock = canvas.fill(ellipse(x, y, 0.075, 0.085, lean), subject.hair_colour, 1, 0.005)
        canvas.fill(
            ellipse(x - 0.02, y - 0.02, 0.03, 0.04, lean),
            lighter(subject.hair_colour, 0.35),
            0.6,
            0.012,
            lock,
        )
    canvas.fill(ellipse(x, low - 0.05, 0.07, 0.05), (232, 190, 70), 1, 0.004)


def paint_long_tied(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint long hair with a high hairline."""
    _curtains(canvas, subject, 1.05, wave=0.03)
    paint_cap(
        canvas, subject, Cap(volume=0.09, hairline=-0.8, temple=-0.52, side_end=0.1, parting=0.03)
    )
