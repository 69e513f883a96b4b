"""The page of a search: the front of accuracy over time, the table, and what was left out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maskage.pages.page import Card, fill, render_page
from maskage.shell_words import join_words
from maskage.system.files import replace_file
from trainer.evaluation.metrics import FEW_GROUPS
from trainer.pages.charts import draw_bar
from trainer.search.budget import format_span
from trainer.search.ranking import Standing
from trainer.search.summary import (
    SearchSummary,
    describe_training,
    format_ms,
    format_points,
)

if TYPE_CHECKING:
    from markupsafe import Markup

PAGE_FILE = "report.html"
TEMPLATE = "trainer/search/page.html"

CLOSE_PX = 13
"""Labels nearer to each other than this, from top to top, would lie on each other."""


@dataclass(frozen=True)
class FrontPlot:
    """Accuracy over milliseconds, which are drawn on a logarithmic axis.

    Attributes:
        low_ms, high_ms: Ends of the axis of time.
        low, high: Ends of the axis of accuracy.
    """

    low_ms: float
    high_ms: float
    low: float
    high: float
    width: int = 760
    height: int = 400
    left: int = 56
    top: int = 16
    right: int = 740
    bottom: int = 350

    def x(self, took_ms: float) -> float:
        """Return the place of a time, px."""
        share = math.log(took_ms / self.low_ms) / math.log(self.high_ms / self.low_ms)
        return self.left + (self.right - self.left) * share

    def y(self, accuracy: float) -> float:
        """Return the place of an accuracy, px."""
        share = (accuracy - self.low) / (self.high - self.low)
        return self.bottom - (self.bottom - self.top) * share

    @property
    def ticks_x(self) -> list[tuple[float, str]]:
        """Places and texts of the lines of time."""
        powers = range(-2, 5)
        values = [step * 10.0**power for power in powers for step in (1, 2, 5)]
        within = [value for value in values if self.low_ms <= value <= self.high_ms]
        return [(self.x(value), f"{value:g} ms") for value in within]

    @property
    def ticks_y(self) -> list[tuple[float, str]]:
        """Places and texts of the lines of accuracy."""
        span = self.high - self.low
        step = next((each for each in (0.01, 0.02, 0.05, 0.1, 0.2) if span / each <= 8), 0.25)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [(self.y(at * step), f"{at * step:.0%}") for at in range(first, last + 1)]


def write_page(summary: SearchSummary) -> None:
    """Write `report.html` into the search folder, whole or not at all."""
    replace_file(summary.folder / PAGE_FILE, render(summary).encode(errors="backslashreplace"))


def render(summary: SearchSummary) -> str:
    """Return the page of a search."""
    ranking = summary.ranking
    chosen = ranking.recommended
    groups = int(ranking.best.photos.groups.max()) + 1
    tiles = [
        (f"{chosen.accuracy.value:.1%}", f"{chosen.name}, recommended; 95% interval by group "
         f"{chosen.accuracy.low:.1%} to {chosen.accuracy.high:.1%}"),
        (format_ms(chosen), "a face on this machine's CPU"),
        (f"{len(ranking.standings)}", f"candidates measured, {_count_tuned(summary)} of them "
         f"fine-tuned"),
    ]  # fmt: skip
    if summary.metrics:
        is_tested = summary.metrics.get("evaluated_on", "test") == "test"
        what = "of the test photos right, fully trained" if is_tested else "of val: no test"
        tiles.append((f"{summary.metrics['accuracy']:.1%}", what))
    few = f"Under {FEW_GROUPS} groups, so the true intervals are wider."
    return render_page(
        f"Search {summary.folder.name}",
        f"Networks judged by {len(ranking.best.photos.labels):,} photos of train and val in "
        f"{groups:,} groups; each photo was answered by networks that saw none of its group. "
        f"{summary.meaning}",
        tiles,
        [
            Card("front", "Right against fast", _front(summary)),
            Card("candidates", "All candidates", _table(summary)),
            Card("apart", "What these photos can tell apart", _leads(summary)),
            Card("left-out", "Left out", _left_out(summary)),
            Card("next", "What next", _next(summary)),
        ],
        notices=[("advice", few)] if groups < FEW_GROUPS else [],
    )


def _front(summary: SearchSummary) -> "Markup":
    ranking = summary.ranking
    shown = [each for each in ranking.side_by_side if math.isfinite(each.milliseconds)]
    plot = _plot(shown)
    front = [each for each in summary.front if math.isfinite(each.milliseconds)]
    # A point of the front is the best up to its time: the line is a stair.
    stairs: list[str] = []
    for at, each in enumerate(front):
        x, y = plot.x(each.milliseconds), plot.y(each.accuracy.value)
        if at:
            stairs.append(f"{x:.1f},{plot.y(front[at - 1].accuracy.value):.1f}")
        stairs.append(f"{x:.1f},{y:.1f}")
    if front:
        stairs.append(f"{plot.right},{plot.y(front[-1].accuracy.value):.1f}")
    return fill(
        TEMPLATE,
        "front",
        plot=plot,
        line=" ".join(stairs),
        points=[_point(plot, each, summary) for each in shown],
        labels=_labels(plot, _named(summary, shown), ranking.recommended.name),
        verdict=summary.verdict,
        photos=int(shown[0].is_asked.sum()) if shown else 0,
        has_frozen=any(not each.is_tuned for each in shown) and ranking.best.is_tuned,
    )


def _named(summary: SearchSummary, shown: Sequence[Standing]) -> list[Standing]:
    """Return the candidates that get a name in the chart."""
    ranking = summary.ranking
    names = {each.name for each in [*summary.front, ranking.recommended, ranking.best]}
    return [each for each in shown if each.name in names]


def _plot(shown: Sequence[Standing]) -> FrontPlot:
    times = [each.milliseconds for each in shown] or [1.0]
    ends = [value for each in shown for value in (each.accuracy.low, each.accuracy.high)] or [0, 1]
    low = max(0.0, math.floor(min(ends) * 50 - 1e-9) / 50)
    high = min(1.0, math.ceil(max(ends) * 50 + 1e-9) / 50)
    return FrontPlot(min(times) / 1.35, max(times) * 1.6, low, max(high, low + 0.02))


def _point(plot: FrontPlot, each: Standing, summary: SearchSummary) -> dict[str, object]:
    is_peer = each.is_tuned == summary.ranking.best.is_tuned
    return {
        "kind": "after" if is_peer else "before",
        "x": plot.x(each.milliseconds),
        "y": plot.y(each.accuracy.value),
        "low": plot.y(each.accuracy.low),
        "high": plot.y(each.accuracy.high),
        "is_chosen": each.name == summary.ranking.recommended.name,
        "text": f"{each.name}, {describe_training(each)}: {each.accuracy.value:.1%} "
        f"({each.accuracy.low:.1%} to {each.accuracy.high:.1%}), {format_ms(each)}",
    }


def _labels(
    plot: FrontPlot, named: Sequence[Standing], chosen: str
) -> list[tuple[float, float, str, str, bool]]:
    """Return place, text, anchor and emphasis of each name, moved apart where they would touch."""
    labels: list[tuple[float, float, str, str, bool]] = []
    unique = {each.name: each for each in named if math.isfinite(each.milliseconds)}
    for each in sorted(unique.values(), key=lambda each: plot.y(each.accuracy.value)):
        x, y = plot.x(each.milliseconds), plot.y(each.accuracy.value) - 8
        is_right = x > (plot.left + plot.right) / 2
        while any(abs(y - other) < CLOSE_PX for _, other, *_ in labels):
            y += CLOSE_PX / 2
        at = x - 9 if is_right else x + 9
        labels.append((at, y, each.name, "end" if is_right else "start", each.name == chosen))
    return labels


def _table(summary: SearchSummary) -> "Markup":
    ranking = summary.ranking
    factors = [*ranking.best.photos.scheme.factors]
    low = math.floor(min(each.accuracy.low for each in ranking.standings) * 10) / 10
    front = {each.name for each in summary.front}
    columns = ["candidate", "ms a face", "trained", "photos", "right", f"{low:.0%} to 100%",
               "95% interval", *factors]  # fmt: skip
    rows: list[list[str | Markup]] = []
    for each in ranking.standings:
        span = (each.accuracy.low, each.accuracy.high)
        kinds = {
            "recommended": each is ranking.recommended,
            "the best": each is ranking.best,
            "not told from the best": each in ranking.not_told_apart,
            "on the front": each.name in front,
        }
        rows.append(
            [
                fill(
                    TEMPLATE,
                    "name",
                    name=each.name,
                    notes=", ".join(note for note, holds in kinds.items() if holds),
                    is_chosen=each is ranking.recommended,
                ),
                format_ms(each, ""),
                describe_training(each),
                f"{int(each.is_asked.sum()):,}",
                f"{each.accuracy.value:.1%}",
                draw_bar(each.accuracy.value, span, min(low, 0.9)),
                f"{100 * span[0]:.1f} to {span[1]:.1%}",
                *(f"{each.accuracies.factors[name]:.1%}" for name in factors),
            ]
        )
    return fill(TEMPLATE, "candidates", columns=columns, rows=rows)


def _leads(summary: SearchSummary) -> "Markup":
    best = summary.ranking.best
    rows = [
        [
            lead.name,
            f"{lead.photos:,}",
            "" if lead.gap is None else format_points(lead.gap),
            "no photo in common"
            if lead.gap is None
            else f"{best.name} is better"
            if lead.is_clear
            else "these photos cannot tell them apart",
        ]
        for lead in summary.ranking.leads
    ]
    columns = [f"{best.name} against", "photos of both", "better by", "so"]
    return fill(TEMPLATE, "leads", columns=columns, rows=rows)


def _left_out(summary: SearchSummary) -> "Markup | str":
    return fill(TEMPLATE, "left_out", texts=summary.left_out) if summary.left_out else ""


def _next(summary: SearchSummary) -> "Markup":
    # Whole paths would say where somebody keeps photos.
    name = None if summary.run is None else summary.run.name
    again = join_words(["trainer", "search", "--resume", summary.folder.name])
    command = again if name is None else join_words(["detector", "live", "--model", name])
    return fill(
        TEMPLATE,
        "next",
        command=command,
        again=again,
        other=summary.other_command,
        name=name,
        test=summary.test_line,
        spent=format_span(summary.spent_s),
        budget=format_span(summary.budget_s),
    )


def _count_tuned(summary: SearchSummary) -> int:
    return sum(each.is_tuned for each in summary.ranking.standings)
