"""Paint brows, eyes, mouth and beard of the demo camera's people."""

from dataclasses import dataclass

import numpy as np

from maskage.demo.colours import Colour, darker, lighter, mix
from maskage.demo.painting.canvas import (
    Canvas,
    Points,
    Shape,
    both_halves,
    ellipse,
    mirrored,
    smooth,
)
from maskage.demo.painting.face import BLOOD, CHEEK_X, EYE_X
from maskage.demo.people import DemoSubject

MOUTH_Y = 0.615

_SIDES = (-1, 1)


@dataclass(frozen=True)
class EyeState:
    """The state of the eyes.

    Attributes:
        is_open: Opening of the lids, 0 shut to 1 open.
        gaze: Direction of the gaze, -1 left to 1 right.
    """

    is_open: float = 1.0
    gaze: float = 0.0


def paint_brows(canvas: Canvas, subject: DemoSubject) -> None:
    """Paint brows, which are lower at the outer end and ragged on old people."""
    thick = 0.072 * subject.brow
    droop = 0.05 if subject.is_old else 0.0
    arc = [(0.13, -0.205), (0.26, -0.265), (0.42, -0.265 + droop / 2), (0.58, -0.185 + droop)]
    for side in _SIDES:
        path = np.asarray(arc, np.float32) * np.array([side, 1], np.float32)
        canvas.stroke(path, thick, subject.brow_colour, 0.95, 0.006)
        for i in range(9):
            t = i / 8
            x = side * (0.15 + 0.41 * t)
            y = -0.215 - 0.05 * np.sin(np.pi * min(1, t * 1.1)) + droop * t * 0.8
            reach = thick * (0.75 if subject.is_old else 0.5)
            hair = darker(subject.brow_colour, 0.25) if i % 2 else lighter(subject.brow_colour, 0.3)
            canvas.stroke(
                [(x, y + 0.015), (x + side * (0.01 + 0.05 * t), y - reach)], 0.014, hair, 0.7
            )


def paint_eyes(canvas: Canvas, subject: DemoSubject, state: EyeState) -> None:
    """Paint both eyes with lids and lashes; old people have heavier lids."""
    for side in _SIDES:
        x, tall = side * EYE_X, 0.105 * (0.94 if subject.is_old else 1.0)
        opening = _eye_outline(x, side, tall * max(state.is_open, 0.04))
        if state.is_open > 0.3:
            _paint_eyeball(canvas, subject, opening, x + 0.045 * state.gaze)
        else:
            canvas.fill(_eye_outline(x, side, tall), darker(subject.skin, 0.12), 0.9, 0.01)
        _paint_lids(canvas, subject, opening, x, side)


def paint_mouth(canvas: Canvas, subject: DemoSubject, is_open: float) -> None:
    """Paint the lips, from closed in a smile (0) to open in talk (1)."""
    y, full, wide = MOUTH_Y, 0.055 * subject.lips, 0.27 - 0.05 * is_open
    lipstick = "lipstick" in subject.extras
    lip = mix(subject.skin, BLOOD, 0.75 if lipstick else 0.42)
    lip = darker(lip, 0.12 if not lipstick else 0.0)
    corner, gap = y - 0.05, 0.13 * is_open
    middle = [(wide, corner), (wide * 0.5, y + 0.01), (0.0, y + 0.014)]
    low = [(wide, corner), (wide * 0.5, y + 0.01 + gap * 0.85), (0.0, y + 0.014 + gap)]
    if is_open > 0:
        inside = canvas.fill(smooth(_closed(middle, low)), (92, 32, 34))
        canvas.fill(ellipse(0, y + 0.0, wide * 0.72, 0.042), (250, 246, 236), 1, 0.004, inside)
        canvas.fill(ellipse(0, y + gap + 0.03, wide * 0.5, 0.04), (214, 100, 100), 1, 0.01, inside)
    upper = [
        (wide, corner),
        (wide * 0.45, y - full * 0.75),
        (0.06, y - full),
        (0.0, y - full * 0.7),
    ]
    lower = [(wide, corner), (wide * 0.6, low[1][1] + full), (0.0, low[2][1] + full * 1.55)]
    canvas.fill(smooth(_closed(upper, middle)), darker(lip, 0.12), 0.9, 0.008)
    canvas.fill(smooth(_closed(low, lower)), lip, 0.9, 0.01)
    canvas.fill(
        ellipse(0, low[2][1] + full * 0.8, wide * 0.4, full * 0.35), lighter(lip, 0.5), 0.4, 0.015
    )
    if is_open == 0:
        canvas.stroke(_arc(middle), 0.024, darker(lip, 0.55), 0.9, 0.004)
    for side in _SIDES:
        canvas.fill(
            ellipse(side * (wide + 0.01), corner, 0.03, 0.03),
            darker(subject.skin, 0.45),
            0.5,
            0.015,
        )


def paint_beard(canvas: Canvas, subject: DemoSubject, head: Shape) -> None:
    """Paint a moustache, a beard or stubble around the mouth."""
    colour, extras = subject.brow_colour, subject.extras
    if "stubble" in extras:
        _paint_full_beard(canvas, subject, head, opacity=0.3)
    if "full_beard" in extras:
        _paint_full_beard(canvas, subject, head, opacity=0.96)
    if "goatee" in extras:
        canvas.fill(ellipse(0, 0.87, 0.15, 0.12), colour, 0.85, 0.02, head)
    if extras & {"full_beard", "goatee", "moustache"}:
        half = [(0.0, 0.465), (0.16, 0.47), (0.3, 0.58), (0.29, 0.62), (0.14, 0.56), (0.0, 0.545)]
        patch = canvas.fill(smooth(both_halves(half)), colour, 0.97, 0.008)
        for x in np.linspace(-0.26, 0.26, 14):
            canvas.stroke(
                [(x * 0.8, 0.475 + abs(x) * 0.25), (x * 1.1, 0.56 + abs(x) * 0.22)],
                0.015,
                darker(colour, 0.3),
                0.5,
                0.0,
                clip=patch,
            )


def _closed(first: list[tuple[float, float]], second: list[tuple[float, float]]) -> Points:
    """Return the outline between two symmetric curves, from right halves with a common end."""
    return np.asarray(_arc(first) + _arc(second)[::-1][1:-1], np.float32)


def _arc(right: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return a symmetric curve from its right half, listed from the outer end to the middle."""
    return right + [(-x, y) for x, y in right[::-1][1:]]


def _eye_outline(x: float, side: int, tall: float) -> Points:
    corners = [
        (-0.165, 0.02),
        (-0.08, -tall * 0.85),
        (0.03, -tall),
        (0.12, -tall * 0.6),
        (0.175, -0.01),
        (0.1, tall * 0.55),
        (0.0, tall * 0.72),
        (-0.09, tall * 0.5),
    ]
    return smooth([(x + side * dx, dy) for dx, dy in corners])


def _paint_eyeball(canvas: Canvas, subject: DemoSubject, opening: Points, x: float) -> None:
    white: Colour = (236, 230, 220) if subject.is_old else (250, 249, 246)
    eye = canvas.fill(opening, white)
    canvas.fill(ellipse(x, 0, 0.088, 0.088), darker(subject.iris, 0.55), 1, 0.004, eye)
    canvas.fill(ellipse(x, 0, 0.074, 0.074), subject.iris, 1, 0.006, eye)
    canvas.fill(ellipse(x, 0.03, 0.05, 0.035), lighter(subject.iris, 0.45), 0.7, 0.012, eye)
    canvas.fill(ellipse(x, 0, 0.04, 0.04), (16, 12, 12), 1, 0.003, eye)
    canvas.fill(opening - np.array([0, 0.145], np.float32), (60, 40, 40), 0.4, 0.02, eye)
    canvas.fill(ellipse(x - 0.027, -0.03, 0.02, 0.02), (255, 255, 255), 0.95, 0.002)


def _paint_lids(canvas: Canvas, subject: DemoSubject, opening: Points, x: float, side: int) -> None:
    order = opening[:34]  # corner to corner along the upper lid
    made_up = bool(subject.extras & {"lipstick", "blush", "hoops"})
    lash = (38, 26, 24) if not subject.is_old or made_up else mix(subject.skin, (60, 40, 36), 0.75)
    canvas.stroke(order, 0.034 if not subject.is_old else 0.03, lash, 0.95, 0.003)
    if made_up:
        corner = x + side * 0.17
        flick = [(corner, -0.01), (corner + side * 0.03, -0.04), (corner + side * 0.06, -0.06)]
        canvas.stroke(flick, 0.02, lash, 0.9)
    crease = order[4:-2] + np.array([0, -0.05 if not subject.is_old else -0.038], np.float32)
    canvas.stroke(
        crease,
        0.02 if not subject.is_old else 0.034,
        darker(subject.skin, 0.45),
        0.55 if not subject.is_old else 0.75,
        0.006,
    )
    lower = np.concatenate([opening[34:], opening[:1]])
    canvas.stroke(lower, 0.014, darker(subject.skin, 0.5), 0.6, 0.004)


def _paint_full_beard(canvas: Canvas, subject: DemoSubject, head: Shape, opacity: float) -> None:
    x, stubble = CHEEK_X * subject.face[0], opacity < 0.5
    low = 1.02 if stubble else 1.16
    half = [
        (0.0, 0.72),
        (0.16, 0.72),
        (0.3, 0.56),
        (0.42, 0.5),
        (x * 0.9, 0.2),
        (x * 1.0, 0.1),
        (x * 0.99, 0.45),
        (x * 0.82, 0.8),
        (x * 0.5, low - 0.04),
        (0.0, low),
    ]
    outline = smooth(both_halves(half))
    colour = subject.brow_colour
    clip = head if stubble else None
    beard = canvas.fill(outline, colour, opacity, 0.02 if stubble else 0.012, clip)
    if stubble:
        return
    rng = np.random.default_rng(len(subject.subject_id))
    for _ in range(70):
        sx, sy = rng.uniform(-0.78, 0.78), rng.uniform(0.25, 1.1)
        tone = darker(colour, 0.3) if rng.random() < 0.6 else lighter(colour, 0.4)
        canvas.stroke(
            [(sx, sy), (sx * 0.97, sy + 0.07), (sx * 0.92, sy + 0.13)],
            0.018,
            tone,
            0.55,
            0.0,
            clip=beard,
        )
    canvas.stroke(mirrored(half[-4:]), 0.05, darker(colour, 0.4), 0.25, 0.03, clip=beard)
