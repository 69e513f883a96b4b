"""The backgrounds of the demo camera: rooms, a park and a city at night, out of focus."""

from collections.abc import Callable

import cv2
import numpy as np

from maskage.demo.colours import Colour, colour_of, darker, lighter, mix
from maskage.records import RgbImage

Place = tuple[float, float]
"""x and y, as fractions of the width and the height of a picture."""

_WALLS = ("#d9cfc0", "#b9c9c4", "#e3c9b0", "#a9b8cc", "#c9b6c7", "#8fa39a", "#e8dfcf", "#7f8794",
          "#c98f6f", "#6f8f8a")  # fmt: skip
_THINGS = ("#b5483a", "#d99a2b", "#3f7f75", "#40577f", "#8a4f7d", "#e3d9c6", "#5d8a4a", "#2f2f38",
           "#c96f8a", "#6aa0c0")  # fmt: skip
_LEAF = colour_of("#4f8a4c")
_WOOD = colour_of("#9a6b42")


class _Wall:
    """A picture to paint on, with coordinates as fractions of its width and height."""

    def __init__(self, width: int, height: int, colour: Colour, rng: np.random.Generator) -> None:
        self.pixels: RgbImage = np.full((height, width, 3), colour, np.uint8)
        self.width, self.height, self.rng = width, height, rng

    def box(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        corner, end = self._at(x, y), self._at(x + width, y + height)
        cv2.rectangle(self.pixels, corner, end, colour, cv2.FILLED)

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        cv2.circle(self.pixels, self._at(x, y), round(radius * self.height), colour, cv2.FILLED)

    def line(self, start: Place, end: Place, thick: float, colour: Colour) -> None:
        pixels = max(1, round(thick * self.height))
        cv2.line(self.pixels, self._at(*start), self._at(*end), colour, pixels, cv2.LINE_AA)

    def leaf(self, x: float, y: float, reach: float, turn: float, colour: Colour) -> None:
        tip = (x + reach * np.cos(turn) * self.height / self.width, y + reach * np.sin(turn))
        middle = self._at((x + tip[0]) / 2, (y + tip[1]) / 2)
        axes = (round(reach * 0.5 * self.height), round(reach * 0.16 * self.height))
        cv2.ellipse(
            self.pixels,
            middle,
            axes,
            float(np.degrees(turn)),
            0,
            360,
            colour,
            cv2.FILLED,
            cv2.LINE_AA,
        )

    def fade(self, top: Colour, bottom: Colour) -> None:
        share = np.linspace(0, 1, self.height, dtype=np.float32)[:, None, None]
        ramp = np.asarray(top, np.float32) * (1 - share) + np.asarray(bottom, np.float32) * share
        self.pixels = np.repeat(ramp, self.width, axis=1).astype(np.uint8)

    def any_of(self, codes: tuple[str, ...]) -> Colour:
        return colour_of(codes[int(self.rng.integers(len(codes)))])

    def _at(self, x: float, y: float) -> tuple[int, int]:
        return round(x * self.width), round(y * self.height)


def paint_room(rng: np.random.Generator, width: int, height: int) -> RgbImage:
    """Paint a room of a random kind and colour.

    Args:
        rng: Generator that chooses them.
        width: Width of the picture, px.
        height: Height of the picture, px.

    Returns:
        The room out of focus, RGB uint8, shape (height, width, 3).
    """
    walls = _WALLS[int(rng.integers(len(_WALLS)))]
    wall = _Wall(width, height, colour_of(walls), rng)
    _ROOMS[int(rng.integers(len(_ROOMS)))](wall, colour_of(walls))
    if rng.random() < 0.5:
        wall.pixels = wall.pixels[:, ::-1].copy()
    sigma = float(rng.uniform(0.005, 0.011)) * height
    return cv2.GaussianBlur(wall.pixels, (0, 0), sigma).astype(np.uint8, copy=False)


def _living_room(wall: _Wall, colour: Colour) -> None:
    wall.fade(lighter(colour, 0.12), darker(colour, 0.12))
    _window(wall, 0.06, 0.06, 0.27, 0.52)
    for x in (0.0, 0.34):
        for i in range(4):
            tone = darker(wall.any_of(("#b5483a",)), 0.12 * (i % 2))
            wall.box(x + i * 0.016, 0.0, 0.016, 0.72, mix(tone, colour, 0.45))
    _picture(wall, 0.66, 0.1, 0.2, 0.24)
    _plant(wall, 0.92, 0.8, 0.3)
    wall.box(0.0, 0.86, 1.0, 0.14, darker(colour, 0.4))


def _bookshelf(wall: _Wall, colour: Colour) -> None:
    wall.fade(darker(_WOOD, 0.5), darker(_WOOD, 0.62))
    for y in np.arange(0.0, 1.0, 0.23):
        x = float(wall.rng.uniform(0.0, 0.02))
        while x < 1.0:
            thick, tall = float(wall.rng.uniform(0.016, 0.04)), float(wall.rng.uniform(0.13, 0.2))
            if wall.rng.random() < 0.1:
                thick = 0.07
            else:
                tone = wall.any_of(_THINGS)
                wall.box(x, y + 0.21 - tall, thick - 0.003, tall, tone)
                wall.box(x, y + 0.24 - tall, thick - 0.003, 0.015, lighter(tone, 0.4))
            x += thick
        wall.box(0.0, y + 0.21, 1.0, 0.025, _WOOD)
    for x in (0.0, 0.49, 0.975):
        wall.box(x, 0.0, 0.025, 1.0, lighter(_WOOD, 0.1))


def _office(wall: _Wall, colour: Colour) -> None:
    wall.fade(lighter(colour, 0.25), colour)
    _picture(wall, 0.07, 0.08, 0.16, 0.3)
    _picture(wall, 0.27, 0.14, 0.1, 0.18)
    wall.box(0.66, 0.36, 0.34, 0.025, _WOOD)
    for i in range(6):
        tall = float(wall.rng.uniform(0.12, 0.2))
        wall.box(0.7 + i * 0.026, 0.36 - tall, 0.022, tall, wall.any_of(_THINGS))
    _plant(wall, 0.93, 0.36, 0.16)
    wall.line((0.12, 0.9), (0.12, 0.56), 0.012, (50, 50, 56))
    wall.disc(0.12, 0.56, 0.1, (255, 240, 200))
    wall.box(0.0, 0.84, 1.0, 0.16, darker(_WOOD, 0.15))


def _kitchen(wall: _Wall, colour: Colour) -> None:
    tile = lighter(colour, 0.55)
    wall.pixels[:] = darker(tile, 0.2)
    for row, y in enumerate(np.arange(0.0, 1.0, 0.075)):
        for x in np.arange(-0.1, 1.0, 0.11) + 0.055 * (row % 2):
            wall.box(x, y, 0.105, 0.068, lighter(tile, float(wall.rng.uniform(0, 0.4))))
    wall.box(0.0, 0.3, 1.0, 0.03, _WOOD)
    for x in np.arange(0.04, 1.0, 0.085):
        tone, tall = wall.any_of(_THINGS), float(wall.rng.uniform(0.08, 0.16))
        wall.box(x, 0.3 - tall, 0.055, tall, tone)
        wall.box(x, 0.3 - tall, 0.055, 0.02, lighter(tone, 0.5))
    for x in (0.15, 0.27, 0.8):
        wall.line((x, 0.33), (x, 0.5), 0.01, (120, 120, 126))
        wall.disc(x, 0.53, 0.05, (70, 74, 82))


def _park(wall: _Wall, colour: Colour) -> None:
    wall.fade((150, 195, 232), (226, 236, 236))
    for _ in range(5):
        x, y = wall.rng.uniform(0, 1), wall.rng.uniform(0.03, 0.22)
        for dx in (-0.04, 0.0, 0.045):
            wall.disc(x + dx, y - 0.02 * (dx == 0), 0.045, (250, 250, 250))
    for _ in range(26):
        x, y = wall.rng.uniform(0, 1), wall.rng.uniform(0.4, 0.62)
        tone = mix(_LEAF, (150, 170, 70), float(wall.rng.uniform(0, 0.6)))
        wall.disc(x, y, float(wall.rng.uniform(0.05, 0.13)), darker(tone, wall.rng.uniform(0, 0.3)))
    wall.box(0.0, 0.66, 1.0, 0.34, (112, 152, 76))
    for _ in range(30):
        wall.disc(wall.rng.uniform(0, 1), wall.rng.uniform(0.7, 1.0), 0.008, wall.any_of(_THINGS))


def _city_night(wall: _Wall, colour: Colour) -> None:
    wall.fade((38, 42, 74), (92, 72, 92))
    x = 0.0
    while x < 1.0:
        wide, top = float(wall.rng.uniform(0.08, 0.16)), float(wall.rng.uniform(0.12, 0.5))
        wall.box(x, top, wide, 1.0, darker((70, 74, 100), float(wall.rng.uniform(0, 0.5))))
        for y in np.arange(top + 0.04, 0.95, 0.07):
            for dx in np.arange(0.012, wide - 0.02, 0.03):
                if wall.rng.random() < 0.5:
                    wall.box(x + dx, y, 0.016, 0.035, (250, 214, 130))
        x += wide


def _studio(wall: _Wall, colour: Colour) -> None:
    wall.fade(lighter(colour, 0.3), darker(colour, 0.3))
    wall.disc(0.5, 0.42, 0.42, lighter(colour, 0.35))
    small = cv2.resize(wall.pixels, (64, 48), interpolation=cv2.INTER_AREA)
    glow = cv2.GaussianBlur(small, (0, 0), 5)
    size = (wall.width, wall.height)
    wall.pixels = cv2.resize(glow, size, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    for x in np.arange(0.02, 1.0, 0.1):
        bunting = wall.any_of(_THINGS)
        wall.line(
            (x, 0.05 + 0.05 * np.sin(x * 9)),
            (x + 0.1, 0.05 + 0.05 * np.sin(x * 9 + 0.9)),
            0.006,
            (240, 236, 228),
        )
        wall.disc(x + 0.05, 0.09 + 0.05 * np.sin(x * 9 + 0.45), 0.028, bunting)


def _window(wall: _Wall, x: float, y: float, width: float, height: float) -> None:
    wall.box(x - 0.015, y - 0.02, width + 0.03, height + 0.04, (246, 243, 236))
    wall.box(x, y, width, height, (168, 208, 238))
    wall.disc(x + width * 0.3, y + height * 0.25, 0.04, (250, 250, 250))
    wall.disc(x + width * 0.42, y + height * 0.22, 0.05, (250, 250, 250))
    wall.box(x, y + height * 0.72, width, height * 0.28, (128, 168, 96))
    wall.disc(x + width * 0.75, y + height * 0.62, 0.09, (96, 142, 80))
    wall.box(x + width / 2 - 0.006, y, 0.012, height, (246, 243, 236))
    wall.box(x, y + height / 2, width, 0.015, (246, 243, 236))


def _picture(wall: _Wall, x: float, y: float, width: float, height: float) -> None:
    wall.box(x, y, width, height, darker(_WOOD, 0.3))
    wall.box(x + 0.012, y + 0.016, width - 0.024, height - 0.032, (240, 236, 226))
    ground = wall.any_of(_THINGS)
    wall.box(x + 0.024, y + 0.032, width - 0.048, height - 0.064, lighter(ground, 0.5))
    wall.disc(x + width * 0.4, y + height * 0.55, height * 0.2, wall.any_of(_THINGS))
    wall.disc(x + width * 0.62, y + height * 0.45, height * 0.13, wall.any_of(_THINGS))


def _plant(wall: _Wall, x: float, y: float, reach: float) -> None:
    for i, turn in enumerate(np.linspace(-2.9, -0.25, 11)):
        tone = mix(_LEAF, (150, 180, 90), 0.45 * (i % 2))
        wall.leaf(
            x, y - reach * 0.25, reach * float(wall.rng.uniform(0.75, 1.1)), float(turn), tone
        )
    wall.box(x - reach * 0.2, y - reach * 0.3, reach * 0.4, reach * 0.36, (190, 98, 66))
    wall.box(x - reach * 0.23, y - reach * 0.34, reach * 0.46, reach * 0.08, (206, 118, 84))


_ROOMS: tuple[Callable[[_Wall, Colour], None], ...] = (
    _living_room, _bookshelf, _office, _kitchen, _park, _city_night, _studio,
)  # fmt: skip
