"""Paint prints on masks: dots, stripes, checks, flowers, a grin, a cat."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from maskage.demo.colours import Colour
from maskage.demo.painting.canvas import Canvas, Shape, ellipse, smooth


@dataclass(frozen=True)
class MaskKind:
    """A kind of mask.

    Attributes:
        name: Name such as "surgical-blue".
        cut: "surgical" (pleats), "ffp2" (a beak) or "cloth".
        colour: Colour of the cloth.
        pattern: Print, a key of `_PATTERNS`, or "" for none.
        print_colour: Colour of the print.
    """

    name: str
    cut: str
    colour: Colour
    pattern: str = ""
    print_colour: Colour = (255.0, 255.0, 255.0)


def paint_print(canvas: Canvas, kind: MaskKind, cloth: Shape) -> None:
    """Paint the print of a mask on its cloth."""
    if kind.pattern:
        _PATTERNS[kind.pattern](canvas, kind, cloth)


def _dots(canvas: Canvas, kind: MaskKind, cloth: Shape) -> None:
    for row, y in enumerate(np.arange(0.12, 1.25, 0.125)):
        for x in np.arange(-0.84, 0.85, 0.168) + 0.084 * (row % 2):
            canvas.fill(
                ellipse(x, y - 0.06 * x * x, 0.042, 0.042), kind.print_colour, 1, 0.003, cloth
            )


def _stripes(canvas: Canvas, kind: MaskKind, cloth: Shape) -> None:
    for y in np.arange(0.08, 1.35, 0.13):
        canvas.stroke(
            [(-0.9, y - 0.1), (0.0, y + 0.03), (0.9, y - 0.1)],
            0.062,
            kind.print_colour,
            1,
            0.003,
            clip=cloth,
            taper=False,
        )


def _checks(canvas: Canvas, kind: MaskKind, cloth: Shape) -> None:
    for y in np.arange(0.1, 1.35, 0.17):
        canvas.stroke(
            [(-0.9, y - 0.08), (0, y), (0.9, y - 0.08)],
            0.085,
            kind.print_colour,
            0.55,
            0.003,
            clip=cloth,
            taper=False,
        )
    for x in np.arange(-0.765, 0.8, 0.17):
        canvas.stroke(
            [(x, 0.0), (x * 1.04, 0.6), (x * 0.94, 1.3)],
            0.085,
            kind.print_colour,
            0.55,
            0.003,
            clip=cloth,
            taper=False,
        )


def _flowers(canvas: Canvas, kind: MaskKind, cloth: Shape) -> None:
    rng = np.random.default_rng(5)
    for row, y in enumerate(np.arange(0.18, 1.25, 0.2)):
        for x in np.arange(-0.75, 0.8, 0.3) + 0.15 * (row % 2):
            petal = kind.print_colour if rng.random() < 0.5 else (246.0, 160.0, 180.0)
            for turn in np.linspace(0, 2 * np.pi, 5, endpoint=False) + rng.uniform(0, 1):
                canvas.fill(
                    ellipse(x + 0.045 * np.cos(turn), y + 0.045 * np.sin(turn), 0.034, 0.034),
                    petal,
                    1,
                    0.003,
                    cloth,
                )
            canvas.fill(ellipse(x, y, 0.025, 0.025), (150, 70, 40), 1, 0.003, cloth)


def _smile(canvas: Canvas, kind: MaskKind, cloth: Shape) -> None:
    """Paint a broad grin, a mouth that is only a print."""
    grin = smooth(
        [(-0.44, 0.5), (-0.2, 0.56), (0.2, 0.56), (0.44, 0.5), (0.3, 0.76), (0, 0.86), (-0.3, 0.76)]
    )
    mouth = canvas.fill(grin, kind.print_colour, 1, 0.003, cloth)
    canvas.fill(ellipse(0, 0.55, 0.4, 0.1), (252, 250, 244), 1, 0.004, mouth)
    canvas.fill(ellipse(0, 0.86, 0.2, 0.09), (222, 92, 92), 1, 0.006, mouth)
    for side in (-1, 1):
        canvas.fill(ellipse(side * 0.55, 0.47, 0.08, 0.06), (238, 140, 90), 0.7, 0.02, cloth)


def _cat(canvas: Canvas, kind: MaskKind, cloth: Shape) -> None:
    """Paint the nose, mouth and whiskers of a cat."""
    canvas.fill(smooth([(-0.1, 0.42), (0.1, 0.42), (0, 0.52)]), kind.print_colour, 1, 0.004, cloth)
    for side in (-1, 1):
        canvas.stroke(
            [(0.0, 0.5), (side * 0.02, 0.64), (side * 0.14, 0.68), (side * 0.24, 0.6)],
            0.03,
            kind.print_colour,
            1,
            0.003,
            clip=cloth,
        )
        for y in (-0.06, 0.03, 0.12):
            canvas.stroke(
                [(side * 0.24, 0.54 + y * 0.4), (side * 0.62, 0.54 + y * 1.4)],
                0.022,
                (250, 248, 244),
                1,
                0.003,
                clip=cloth,
            )


_PATTERNS: dict[str, Callable[[Canvas, MaskKind, Shape], None]] = {
    "dots": _dots, "stripes": _stripes, "checks": _checks, "flowers": _flowers, "smile": _smile,
    "cat": _cat,
}  # fmt: skip
