"""The run's pictures, drawn with Pillow: confusion matrix, training curves, learning curve."""

import io
import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from maskage.formats.results_file import EpochRow
from maskage.records import LABELS
from trainer.evaluation.intervals import Estimate
from trainer.studies.learning_curve import LearningCurve

INK, FAINT, PAPER = (32, 33, 36), (218, 220, 224), (255, 255, 255)
BLUE, ORANGE, GREEN = (26, 115, 232), (217, 95, 2), (24, 128, 56)

Point = tuple[float, float]

_CEILINGS = (0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.6, 2.0, 2.4, 3.0, 4.0, 6.0, 8.0)
_FLOORS = (0.8, 0.6, 0.4, 0.2)


def draw_confusion(confusion: Sequence[Sequence[int]]) -> Image.Image:
    """The confusion matrix, rows actual, columns predicted; darker is a larger part of its row."""
    cell, left, top = 110, 150, 70
    side = cell * len(LABELS)
    image = Image.new("RGB", (left + side + 20, top + side + 20), PAPER)
    draw = ImageDraw.Draw(image)
    _text(draw, (left + side / 2, 18), "predicted", 16)
    _text(draw, (42, 50), "actual", 16)
    for row, label in enumerate(LABELS):
        _text(draw, (left - 74, top + cell * (row + 0.5)), label.value, 15)
        _text(draw, (left + cell * (row + 0.5), 48), label.value, 14)
        for column, count in enumerate(confusion[row]):
            share = count / max(1, sum(confusion[row]))
            corner = (left + cell * column, top + cell * row)
            box = (*corner, corner[0] + cell - 3, corner[1] + cell - 3)
            draw.rectangle(box, fill=_mix(share))
            ink = PAPER if share > 0.5 else INK
            _text(draw, (corner[0] + cell / 2, corner[1] + cell / 2 - 8), str(count), 24, ink)
            _text(draw, (corner[0] + cell / 2, corner[1] + cell / 2 + 18), f"{share:.0%}", 13, ink)
    return image


def draw_curves(rows: Sequence[EpochRow]) -> Image.Image:
    """Loss and accuracy over all epochs, one panel each; phases are parted by a line."""
    image = Image.new("RGB", (1000, 380), PAPER)
    draw = ImageDraw.Draw(image)
    losses = [value for row in rows for value in (row.loss, row.val_loss)]
    # A first validation of a network from scratch can be far off; it must not flatten the rest.
    middle = sorted(losses)[len(losses) // 2] if losses else 1.0
    ceiling = _round_up(min(max(losses, default=1.0), 4 * middle))
    _draw_panel(draw, 60, "loss", rows, [(r.loss, r.val_loss) for r in rows], (0.0, ceiling))
    right = [(r.accuracy, r.val_accuracy) for r in rows]
    floor = min((value for pair in right for value in pair), default=0.0)
    low = next((low for low in _FLOORS if low < floor), 0.0)
    _draw_panel(draw, 560, "accuracy", rows, right, (low, 1.0))
    return image


def draw_learning_curve(curve: LearningCurve) -> Image.Image:
    """Accuracies over training photos, each doubling as wide; dashed is the next one, inferred."""
    image = Image.new("RGB", (1000, 460), PAPER)
    draw = ImageDraw.Draw(image)
    plot = _LearningPlot(curve)
    plot.draw_grid(draw)
    names = (("mask_accuracy", "mask", GREEN), ("age_accuracy", "age", ORANGE),
             ("accuracy", "four classes", BLUE))  # fmt: skip
    for number, (column, name, colour) in enumerate(names):
        for row in curve.rows:
            x, y = plot.place(row.photos, getattr(row, column))
            draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=_pale(colour))
        means = zip(plot.sizes, curve.mean(column), strict=True)
        _draw_line(draw, [plot.place(*mean) for mean in means], colour)
        _text(draw, (270 + 190 * number, 430), name, 14, colour)
    if curve.next_doubling is not None:
        plot.draw_forecast(draw, curve.mean("accuracy")[-1], curve.next_doubling)
    return image


def as_png(image: Image.Image) -> bytes:
    """The picture as a PNG file."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


class _LearningPlot:
    """Where photos, on a scale of doublings, and accuracies lie in the picture."""

    _LEFT, _TOP, _WIDTH, _HEIGHT = 70, 50, 780, 320

    def __init__(self, curve: LearningCurve) -> None:
        self.sizes = curve.mean("photos")
        self.ahead = 2 * self.sizes[-1]
        # A little room before the smallest part of any draw.
        self._first = math.log2(min(row.photos for row in curve.rows)) - 0.2
        least = min(min(r.accuracy, r.mask_accuracy, r.age_accuracy) for r in curve.rows)
        self._low = min(0.9, math.floor(least * 10) / 10)

    def place(self, photos: float, value: float) -> Point:
        across = (math.log2(photos) - self._first) / (math.log2(self.ahead) - self._first)
        up = min(1.0, max(0.0, (value - self._low) / (1 - self._low)))
        return self._LEFT + self._WIDTH * across, self._TOP + self._HEIGHT * (1 - up)

    def draw_grid(self, draw: ImageDraw.ImageDraw) -> None:
        right, bottom = self._LEFT + self._WIDTH, self._TOP + self._HEIGHT
        middle = (self._LEFT + self._WIDTH / 2, 22)
        _text(draw, middle, "validation accuracy over training photos", 17)
        ticks = round((1 - self._low) * (20 if self._low >= 0.7 else 10))
        for tick in range(ticks + 1):
            value = self._low + (1 - self._low) * tick / ticks
            y = self.place(self.sizes[0], value)[1]
            draw.line((self._LEFT, y, right, y), fill=FAINT)
            _text(draw, (self._LEFT - 28, y), f"{value:.0%}", 12)
        draw.line((self._LEFT, self._TOP, self._LEFT, bottom), fill=FAINT)
        for size in (*self.sizes, self.ahead):
            x = self.place(size, 0)[0]
            draw.line((x, self._TOP, x, bottom), fill=FAINT)
            _text(draw, (x, bottom + 16), f"{size:,.0f}", 12)

    def draw_forecast(self, draw: ImageDraw.ImageDraw, now: float, gain: Estimate) -> None:
        """Dashes to what twice the photos might give, and its interval as a bar."""
        x0, y0 = self.place(self.sizes[-1], now)
        x1, y1 = self.place(self.ahead, now + gain.value)
        for part in (dash / 10 for dash in range(10)):
            a, b = part, part + 0.05
            dash_ends = (x0 + (x1 - x0) * a, y0 + (y1 - y0) * a,
                         x0 + (x1 - x0) * b, y0 + (y1 - y0) * b)  # fmt: skip
            draw.line(dash_ends, fill=BLUE, width=2)
        bounds = [self.place(self.ahead, now + bound) for bound in (gain.low, gain.high)]
        draw.line(bounds, fill=BLUE, width=3)
        _text(draw, (x1 + 65, y1), "if it goes on", 12, BLUE)


def _draw_panel(
    draw: ImageDraw.ImageDraw,
    left: int,
    title: str,
    rows: Sequence[EpochRow],
    values: Sequence[tuple[float, float]],
    limits: tuple[float, float],
) -> None:
    width, height, top = 400, 280, 50
    low, high = limits
    _text(draw, (left + width / 2, 22), title, 17)

    def place(number: float, value: float) -> Point:
        across = number / max(1, len(rows) - 1)
        up = min(1.0, max(0.0, (value - low) / (high - low)))
        return left + width * across, top + height * (1 - up)

    for tick in range(5):
        value = low + (high - low) * tick / 4
        y = place(0, value)[1]
        draw.line((left, y, left + width, y), fill=FAINT)
        _text(draw, (left - 28, y), f"{value:.2f}", 12)
    for number in range(1, len(rows)):
        if rows[number].phase != rows[number - 1].phase:
            x = place(number - 0.5, low)[0]
            draw.line((x, top, x, top + height), fill=INK)
            middle = (min(x + 34, left + width - 30), top - 10)
            _text(draw, middle, rows[number].phase.replace("_", "-"), 12)
    for which, (name, colour) in enumerate((("training", BLUE), ("validation", ORANGE))):
        points = [place(number, pair[which]) for number, pair in enumerate(values)]
        _draw_line(draw, points, colour)
        _text(draw, (left + 110 + 180 * which, top + height + 34), name, 14, colour)
    _text(draw, (left + width / 2, top + height + 14), f"{len(rows)} epochs", 12)


def _round_up(loss: float) -> float:
    """The next value that parts into four round ones."""
    return next((top for top in _CEILINGS if top >= loss), loss)


def _draw_line(
    draw: ImageDraw.ImageDraw, points: list[Point], colour: tuple[int, int, int]
) -> None:
    if len(points) > 1:
        draw.line(points, fill=colour, width=2)
    elif points:
        x, y = points[0]
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=colour)


def _text(
    draw: ImageDraw.ImageDraw,
    middle: Point,
    text: str,
    size: int,
    colour: tuple[int, int, int] = INK,
) -> None:
    draw.text(middle, text, fill=colour, font=ImageFont.load_default(size), anchor="mm")


def _pale(colour: tuple[int, int, int]) -> tuple[int, int, int]:
    """Half way to the paper."""
    red, green, blue = ((part + 255) // 2 for part in colour)
    return red, green, blue


def _mix(share: float) -> tuple[int, int, int]:
    """From nearly white to dark blue."""
    light, dark = (237, 243, 253), (13, 71, 161)
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(light, dark, strict=True))
    return red, green, blue
