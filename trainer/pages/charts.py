"""Charts of the pages as SVG: sharp at any size, and in the colours of the page, by day and night.

Pure: figures in, text out.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from maskage.pages.parts import escape
from trainer.evaluation.calibration import ReliabilityBin
from trainer.evaluation.coverage import CoveragePoint

WIDTH, HEIGHT = 460, 300
_LEFT, _TOP, _RIGHT, _BOTTOM = 52, 14, 14, 44


@dataclass(frozen=True)
class _Axes:
    """Where values lie: x and y from `low` to 1."""

    low_x: float
    low_y: float

    def x(self, value: float) -> float:
        share = (value - self.low_x) / (1 - self.low_x)
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * min(1.0, max(0.0, share))

    def y(self, value: float) -> float:
        share = (value - self.low_y) / (1 - self.low_y)
        return _TOP + (HEIGHT - _TOP - _BOTTOM) * (1 - min(1.0, max(0.0, share)))

    def draw(self, name_x: str, name_y: str) -> str:
        """The grid, its figures in percent, and what the axes are."""
        parts = []
        for value in _ticks(self.low_x):
            x = self.x(value)
            parts.append(f'<path class="grid" d="M{x:.1f} {_TOP}V{HEIGHT - _BOTTOM}"/>')
            parts.append(_text(x, HEIGHT - _BOTTOM + 16, f"{value:.0%}"))
        for value in _ticks(self.low_y):
            y = self.y(value)
            parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}"/>')
            parts.append(_text(_LEFT - 8, y + 4, f"{value:.0%}", "end"))
        parts.append(_text((WIDTH + _LEFT) / 2, HEIGHT - 6, name_x))
        middle = (HEIGHT - _BOTTOM + _TOP) / 2
        parts.append(
            f'<text transform="translate(12 {middle:.0f}) rotate(-90)" text-anchor="middle">'
            f"{escape(name_y)}</text>"
        )
        return "".join(parts)


def draw_coverage(
    curve: Sequence[tuple[float, float]], points: Sequence[CoveragePoint], wanted: float = 0.99
) -> str:
    """Accuracy of the answers over the share of photos answered.

    Args:
        curve: Share and accuracy, from the surest answer on (see `coverage.coverage_curve`).
        points: Marked with their thresholds.
        wanted: Accuracy that a dashed line marks.
    """
    # The first few answers are all right or all wrong by chance, and would set the scale.
    settled = [accuracy for share, accuracy in curve if share >= 0.05] or [1.0]
    axes = _Axes(0.0, min(0.9, math.floor(min(settled) * 20) / 20))
    line = _polyline([(axes.x(share), axes.y(accuracy)) for share, accuracy in curve], "line")
    y = axes.y(wanted)
    parts = [axes.draw("photos answered", "answers right"), line]
    parts.append(f'<path class="wanted" d="M{_LEFT} {y:.1f}H{WIDTH - _RIGHT}"/>')
    taken = float("-inf")
    for point in sorted(points, key=lambda point: point.share):
        if point.accuracy is None:
            continue
        x, y = axes.x(point.share), axes.y(point.accuracy)
        title = f"from {point.threshold:g}: {point.share:.1%} answered, {point.accuracy:.1%} right"
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"><title>{title}</title></circle>')
        # Thresholds that leave about the same photos would lie on each other.
        if x - taken >= 30:
            parts.append(_text(x, y + 18, f"{point.threshold:g}"))
            taken = x
    return _svg("Accuracy of the answers over the share of photos answered", parts)


def draw_reliability(after: Sequence[ReliabilityBin], before: Sequence[ReliabilityBin]) -> str:
    """Accuracy over confidence: dots on the diagonal are as right as they are sure.

    Args:
        after: With the temperature; the area of a dot is its photos.
        before: Without it.
    """
    axes = _Axes(0.2, 0.0)
    parts = [axes.draw("confidence", "answers right")]
    parts.append(
        f'<path class="wanted" d="M{axes.x(0.2):.1f} {axes.y(0.2):.1f}'
        f'L{axes.x(1):.1f} {axes.y(1):.1f}"/>'
    )
    total = max(1, sum(each.photos for each in after))
    for kind, bins in (("before", before), ("after", after)):
        for each in bins:
            radius = max(2.5, 18 * math.sqrt(each.photos / total))
            title = f"{each.photos} photos: {each.confidence:.1%} sure, {each.accuracy:.1%} right"
            parts.append(
                f'<circle class="{kind}" cx="{axes.x(each.confidence):.1f}" '
                f'cy="{axes.y(each.accuracy):.1f}" r="{radius:.1f}"><title>{title}</title></circle>'
            )
    return _svg("Accuracy over confidence", parts)


def draw_bar(value: float, interval: tuple[float, float], start: float = 0.0) -> str:
    """One accuracy as a bar from `start` to 1, and its interval as a line on it."""
    width, low, high = (max(0.0, (at - start) / (1 - start)) for at in (value, *interval))
    return (
        f'<div class="part" title="{interval[0]:.1%} to {interval[1]:.1%}">'
        f'<i style="width:{width:.1%}"></i><u style="left:{low:.1%};width:{high - low:.1%}"></u>'
        "</div>"
    )


def _svg(title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def _polyline(points: Sequence[tuple[float, float]], kind: str) -> str:
    told = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline class="{kind}" points="{told}"/>'


def _text(x: float, y: float, text: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _ticks(low: float) -> list[float]:
    """Round values from `low` to 1, five or six of them."""
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2) if (1 - low) / step <= 5.001)
    count = round((1 - low) / step)
    return [1 - step * at for at in range(count, -1, -1)]
