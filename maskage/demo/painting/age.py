"""Paint signs of age and sun on faces: wrinkles, eye bags, spots, freckles."""

import numpy as np

from maskage.demo.colours import darker, lighter, mix
from maskage.demo.painting.canvas import Canvas, Points, Shape, ellipse
from maskage.demo.people import DemoSubject

_SIDES = (-1, 1)


def paint_age(canvas: Canvas, subject: DemoSubject, head: Shape) -> None:
    """Paint forehead lines, frown, crow's feet, eye bags, and folds beside nose and mouth."""
    for y, wide in ((-0.58, 0.34), (-0.49, 0.42), (-0.40, 0.40)):
        wave = [(x * wide, y + 0.022 * np.cos(x * 7) + 0.03 * x * x) for x in np.linspace(-1, 1, 9)]
        _crease(canvas, subject, np.asarray(wave, np.float32), head, 0.036)
    folds = [
        ([(0.055, -0.3), (0.045, -0.22), (0.06, -0.14)], 0.03),
        ([(0.55, -0.05), (0.63, -0.1), (0.71, -0.15)], 0.03),
        ([(0.56, 0.0), (0.65, 0.0), (0.74, -0.02)], 0.032),
        ([(0.55, 0.05), (0.63, 0.09), (0.71, 0.13)], 0.03),
        ([(0.19, 0.12), (0.32, 0.205), (0.47, 0.18), (0.54, 0.09)], 0.04),
        ([(0.27, 0.21), (0.36, 0.26), (0.48, 0.245)], 0.018),
        ([(0.17, 0.34), (0.27, 0.44), (0.355, 0.6), (0.36, 0.68)], 0.042),
        ([(0.29, 0.7), (0.32, 0.78), (0.31, 0.86)], 0.034),
        ([(0.52, 0.4), (0.57, 0.52), (0.57, 0.66)], 0.024),
    ]
    for side in _SIDES:
        canvas.fill(
            ellipse(side * 0.36, 0.13, 0.19, 0.07),
            mix(darker(subject.skin, 0.25), (150, 90, 110), 0.25),
            0.5,
            0.025,
            head,
        )
        canvas.fill(
            ellipse(side * 0.36, 0.125, 0.13, 0.03), lighter(subject.skin, 0.3), 0.5, 0.015, head
        )
        for path, width in folds:
            points = np.asarray(path, np.float32) * np.array([side, 1], np.float32)
            _crease(canvas, subject, points, head, width)


def paint_marks(canvas: Canvas, subject: DemoSubject, head: Shape) -> None:
    """Paint freckles and age spots, the same on every picture of a person."""
    rng = np.random.default_rng(int(subject.subject_id.rpartition("-")[2]))
    if "freckles" in subject.extras:
        for _ in range(46):
            x, y = rng.normal(0, 0.34), rng.normal(0.25, 0.11)
            canvas.fill(ellipse(x, y, 0.013, 0.011), darker(subject.skin, 0.42), 0.6, 0.003, head)
    if "spots" in subject.extras:
        for _ in range(13):
            side = rng.choice([-1, 1])
            x, y = (
                side * rng.uniform(0.4, 0.68),
                rng.choice([rng.uniform(-0.6, -0.3), rng.uniform(0.15, 0.5)]),
            )
            rx, ry = rng.uniform(0.018, 0.042), rng.uniform(0.015, 0.03)
            canvas.fill(ellipse(x, y, rx, ry), darker(subject.skin, 0.4), 0.5, 0.008, head)


def _crease(canvas: Canvas, subject: DemoSubject, path: Points, head: Shape, width: float) -> None:
    """Paint a wrinkle: a dark furrow below a lighter fold."""
    lit = path + np.array([0, -width * 0.8], np.float32)
    canvas.stroke(lit, width, lighter(subject.skin, 0.35), 0.45, 0.01, clip=head)
    canvas.stroke(path, width, darker(subject.skin, 0.58), 0.85, 0.006, clip=head)
