"""Charts of the pages as SVG: sharp at any size, and in the colours of the page, by day and night.

They are drawn by hand: matplotlib's SVG fixes its colours, and needs several times as many bytes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maskage.pages.page import fill
from trainer.evaluation.calibration import ReliabilityBin
from trainer.evaluation.coverage import CoveragePoint

if TYPE_CHECKING:
    from markupsafe import Markup

TEMPLATE = "trainer/pages/charts.html"


@dataclass(frozen=True)
class _Plot:
    """A square of values from `low` to 1 on both axes, and its place in the chart in pixels."""

    low_x: float
    low_y: float
    width: int = 460
    height: int = 300
    left: int = 52
    top: int = 14
    right: int = 446
    bottom: int = 256

    def x(self, value: float) -> float:
        return self.left + (self.right - self.left) * _share(value, self.low_x)

    def y(self, value: float) -> float:
        return self.bottom - (self.bottom - self.top) * _share(value, self.low_y)

    @property
    def ticks_x(self) -> list[tuple[float, str]]:
        return [(self.x(value), f"{value:.0%}") for value in _ticks(self.low_x)]

    @property
    def ticks_y(self) -> list[tuple[float, str]]:
        return [(self.y(value), f"{value:.0%}") for value in _ticks(self.low_y)]


def draw_coverage(
    curve: Sequence[tuple[float, float]], points: Sequence[CoveragePoint], wanted: float = 0.99
) -> "Markup":
    """Draw the accuracy of the answers over the share of photos answered.

    Args:
        curve: Share and accuracy, from the surest answer on (see `coverage.coverage_curve`).
        points: Marked with their thresholds.
        wanted: Accuracy that a dashed line marks.
    """
    # The first few answers are all right or all wrong by chance, and would set the scale.
    settled = [accuracy for share, accuracy in curve if share >= 0.05] or [1.0]
    plot = _Plot(0.0, min(0.9, math.floor(min(settled) * 20) / 20))
    dots, marks, last_x = [], [], float("-inf")
    for point in sorted(points, key=lambda point: point.share):
        if point.accuracy is None:
            continue
        x, y = plot.x(point.share), plot.y(point.accuracy)
        text = f"from {point.threshold:g}: {point.share:.1%} answered, {point.accuracy:.1%} right"
        dots.append(("", x, y, 4, text))
        # Thresholds that leave about the same photos would lie on each other.
        if x - last_x >= 30:
            marks.append((x, y + 18, f"{point.threshold:g}"))
            last_x = x
    return fill(
        TEMPLATE,
        "chart",
        plot=plot,
        title="Accuracy of the answers over the share of photos answered",
        name_x="photos answered",
        name_y="answers right",
        wanted=f"M{plot.left} {plot.y(wanted):.1f}H{plot.right}",
        line=" ".join(f"{plot.x(share):.1f},{plot.y(accuracy):.1f}" for share, accuracy in curve),
        dots=dots,
        marks=marks,
    )


def draw_reliability(after: Sequence[ReliabilityBin], before: Sequence[ReliabilityBin]) -> "Markup":
    """Draw accuracy over confidence: dots on the diagonal are as right as they are sure.

    Args:
        after: With the temperature; the area of a dot is its number of photos.
        before: Without it.
    """
    plot = _Plot(0.2, 0.0)
    total = max(1, sum(each.photos for each in after))
    dots = [
        (
            kind,
            plot.x(each.confidence),
            plot.y(each.accuracy),
            max(2.5, 18 * math.sqrt(each.photos / total)),
            f"{each.photos} photos: {each.confidence:.1%} sure, {each.accuracy:.1%} right",
        )
        for kind, bins in (("before", before), ("after", after))
        for each in bins
    ]
    return fill(
        TEMPLATE,
        "chart",
        plot=plot,
        title="Accuracy over confidence",
        name_x="confidence",
        name_y="answers right",
        wanted=f"M{plot.x(0.2):.1f} {plot.y(0.2):.1f}L{plot.x(1):.1f} {plot.y(1):.1f}",
        line="",
        dots=dots,
        marks=(),
    )


def draw_bar(value: float, interval: tuple[float, float], start: float = 0.0) -> "Markup":
    """Draw one accuracy as a bar from `start` to 1, and its interval as a line on it."""
    width, low, high = (max(0.0, (at - start) / (1 - start)) for at in (value, *interval))
    title = f"{interval[0]:.1%} to {interval[1]:.1%}"
    return fill(TEMPLATE, "bar", title=title, width=width, start=low, length=high - low)


def _share(value: float, low: float) -> float:
    """Return where a value lies between `low` and 1, as 0 to 1."""
    return min(1.0, max(0.0, (value - low) / (1 - low)))


def _ticks(low: float) -> list[float]:
    """Return round values from `low` to 1, five or six of them."""
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2) if (1 - low) / step <= 5.001)
    count = round((1 - low) / step)
    return [1 - step * at for at in range(count, -1, -1)]
