"""Paint the locks, curls and caps of hair that hairstyles consist of."""

from dataclasses import dataclass

import numpy as np

from maskage.demo.colours import Colour, darker, lighter
from maskage.demo.painting.canvas import Canvas, Coordinates, Points, Shape, ellipse, smooth
from maskage.demo.painting.face import CHEEK_X
from maskage.demo.people import DemoSubject

SIDES = (-1, 1)


@dataclass(frozen=True)
class Cap:
    """A cap of hair on the skull, in head units.

    Attributes:
        volume: Distance from the skull.
        hairline: y of its lower edge in the middle of the forehead.
        temple: y of the hairline at the temples.
        side_end: y of its end beside the ears.
        parting: x of the parting; 0 for none.
    """

    volume: float = 0.1
    hairline: float = -0.64
    temple: float = -0.42
    side_end: float = 0.0
    parting: float = 0.0


def paint_cap(canvas: Canvas, subject: DemoSubject, cap: Cap, opacity: float = 1.0) -> Shape:
    """Paint hair with strands on the skull, and return its shape."""
    x, v = CHEEK_X * subject.face[0], cap.volume
    outer = [
        (x + 0.03 + v * 0.2, cap.side_end),
        (x + 0.04 + v * 0.5, -0.28),
        (x * 0.89 + v * 0.75, -0.68),
        (x * 0.53 + v * 0.5, -0.98 - v * 0.75),
        (0.0, -1.08 - v),
    ]
    inner = [
        (x * 0.93, cap.side_end - 0.01),
        (x * 0.91, -0.2),
        (x * 0.82, cap.temple),
        (x * 0.5, (cap.temple * 0.3 + cap.hairline * 0.7)),
        (cap.parting, cap.hairline - (0.1 if cap.parting else 0.0)),
    ]
    left_outer = [(-a, b) for a, b in outer[:-1]][::-1]
    left_inner = [(-a, b) for a, b in inner[:-1]]
    outline = smooth([*outer, *left_outer, *left_inner, *inner[::-1]])
    canvas.fill(outline + np.array([0, 0.05], np.float32), darker(subject.skin, 0.5), 0.3, 0.035)
    hair = canvas.fill(outline, subject.hair_colour, opacity, 0.008)
    shade_hair(canvas, subject.hair_colour, hair, opacity)
    if opacity == 1.0:
        _paint_strands(canvas, subject, hair, cap)
    return hair


def shade_hair(canvas: Canvas, colour: Colour, hair: Shape, opacity: float = 1.0) -> None:
    """Paint light on top of hair and shadow at its sides."""
    canvas.fill(
        ellipse(-0.2, -0.98, 0.42, 0.13, -0.3), lighter(colour, 0.4), 0.42 * opacity, 0.09, hair
    )
    for side in SIDES:
        canvas.fill(
            ellipse(side * 0.88, -0.15, 0.14, 0.5), darker(colour, 0.5), 0.5 * opacity, 0.1, hair
        )


def _paint_strands(canvas: Canvas, subject: DemoSubject, hair: Shape, cap: Cap) -> None:
    rng, x = own_rng(subject), CHEEK_X * subject.face[0]
    for i in range(34):
        t = (i + rng.uniform(0, 0.8)) / 34 * 2 - 1
        root = (cap.parting + t * 0.22, -1.1 - cap.volume * 0.6 + 0.1 * t * t)
        middle = (t * x * 0.92, -0.88 + 0.34 * t * t)
        end = (t * x * 1.06, -0.58 + 0.45 * abs(t) ** 3)
        paint_strand(canvas, subject.hair_colour, [root, middle, end], hair, rng)


def paint_strand(
    canvas: Canvas, colour: Colour, path: Coordinates, hair: Shape, rng: np.random.Generator
) -> None:
    """Paint a strand, darker or lighter than the hair."""
    tone = darker(colour, 0.38) if rng.random() < 0.55 else lighter(colour, 0.32)
    canvas.stroke(path, rng.uniform(0.012, 0.028), tone, 0.42, 0.0, clip=hair)


def paint_curls(canvas: Canvas, subject: DemoSubject, centres: Points, size: float) -> None:
    """Paint round locks at `centres`, shape (N, 2), with radii of about `size` head units."""
    rng, colour = own_rng(subject), subject.hair_colour
    for x, y in centres:
        radius = size * rng.uniform(0.85, 1.15)
        tone = darker(colour, rng.uniform(0.0, 0.16))
        lock = canvas.fill(ellipse(x, y, radius, radius), tone, 1, 0.008)
        canvas.fill(
            ellipse(x + radius * 0.2, y + radius * 0.5, radius, radius * 0.6),
            darker(colour, 0.45),
            0.4,
            radius * 0.25,
            lock,
        )
        turn = np.linspace(3.4, 6.0, 6) + rng.uniform(-0.5, 0.5)
        arc = np.stack([x + 0.6 * radius * np.cos(turn), y + 0.6 * radius * np.sin(turn)], 1)
        canvas.stroke(arc, radius * 0.22, lighter(colour, 0.3), 0.55, 0.004)


def skull_centres(width: float, low_angle: float, count: int, reach: float) -> Points:
    """Return points around the skull, from one ear over the top to the other."""
    angle = np.linspace(np.pi - low_angle, 2 * np.pi + low_angle, count)
    across = CHEEK_X * width * reach * np.cos(angle)
    return np.stack([across, -0.22 + 0.9 * reach * np.sin(angle)], axis=1).astype(np.float32)


def own_rng(subject: DemoSubject) -> np.random.Generator:
    """Return a generator that is the same for every picture of a person."""
    return np.random.default_rng(int(subject.subject_id.rpartition("-")[2]))
