"""Finished runs side by side, as a part of a page and as a page of its own."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from maskage.errors import EnvironmentProblemError
from maskage.pages.page import Card, fill, render_page
from maskage.system.files import write_private
from trainer.evaluation.compare import (
    CAVEAT_MARK,
    ComparedRun,
    format_accuracy,
    format_epochs,
    group_by_classes,
    notes_on,
)
from trainer.pages.charts import draw_bar

if TYPE_CHECKING:
    from markupsafe import Markup

TEMPLATE = "trainer/pages/report.html"
MOST_TILES = 4
"""Most kinds of classes whose best run stands at the top."""


def comparison_card(summaries: Sequence[ComparedRun], mine: str = "") -> Card:
    """Return the table and what to make of it; without a body where there is only one run.

    Args:
        summaries: The best first.
        mine: Name of the run that the page is about.
    """
    body = _fill_table(summaries, mine) if len(summaries) > 1 else ""
    return Card("runs", "Beside the other runs", body)


def render_comparison(summaries: Sequence[ComparedRun]) -> str:
    """Return the page of `trainer compare --html`.

    Args:
        summaries: The best first.
    """
    parts = group_by_classes(summaries)
    alike = "" if len(parts) == 1 else f" of {len(parts)} kinds with different classes, of each"
    return render_page(
        "Training runs",
        f"{len(summaries):,} finished,{alike} the best on its test photos first.",
        [
            *(_best_tile(runs[0], _kind(runs, parts)) for runs in parts[:MOST_TILES]),
            (f"{min(each.milliseconds for each in summaries):.1f} ms", "a face, the fastest"),
            (f"{min(each.megabytes for each in summaries):.1f} MB", "the smallest"),
        ],
        [Card("runs", "Side by side", _fill_table(summaries))],
    )


def write_comparison(summaries: Sequence[ComparedRun], page: Path) -> None:
    """Write the page of `trainer compare --html`.

    Raises:
        EnvironmentProblemError: It cannot be written.
    """
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        write_private(page, render_comparison(summaries))
    except OSError as fault:
        raise EnvironmentProblemError(
            f"{page}: cannot be written ({fault.strerror}). Choose another --html."
        ) from fault


def _fill_table(summaries: Sequence[ComparedRun], mine: str = "") -> "Markup":
    # Bars from zero would all look alike.
    tested = [each for each in summaries if each.is_tested]
    low = math.floor(min((each.interval[0] for each in tested), default=0.0) * 10) / 10
    is_mixed = len(group_by_classes(summaries)) > 1
    factors = list(dict.fromkeys(name for each in summaries for name in each.factor_accuracies))
    columns = ["run and model", *(["classes"] if is_mixed else []), "epochs", "right",
               f"{low:.0%} to 100%", "95% interval", *factors, "MB", "weights", "ms a face",
               "time"]  # fmt: skip
    counts = sorted({each.photos for each in tested})
    return fill(
        TEMPLATE,
        "comparison",
        columns=columns,
        rows=[
            _row(
                each,
                format_accuracy(each, summaries),
                is_mine=each.name == mine,
                low=low,
                is_mixed=is_mixed,
                factors=factors,
            )
            for each in summaries
        ],
        photos=" or ".join(f"{count:,}" for count in counts),
        notes=notes_on(summaries),
    )


def _best_tile(best: ComparedRun, kind: str) -> tuple[str, str]:
    if best.is_tested:
        mark = CAVEAT_MARK if best.caveat else ""
        return f"{best.accuracy:.1%}{mark}", f"{best.name}, the best{kind}"
    return "not tested", f"{best.name}{kind}"


def _kind(runs: Sequence[ComparedRun], parts: Sequence[Sequence[ComparedRun]]) -> str:
    return f" with {len(runs[0].labels)} classes" if len(parts) > 1 else ""


def _row(
    each: ComparedRun,
    right: str,
    *,
    is_mine: bool,
    low: float,
    is_mixed: bool,
    factors: Sequence[str],
) -> list["str | Markup"]:
    start, end = each.interval
    known = each.factor_accuracies if each.is_tested else {}
    return [
        fill(TEMPLATE, "run", name=each.name, model=each.model, is_mine=is_mine),
        *([str(len(each.labels))] if is_mixed else []),
        format_epochs(each),
        right,
        draw_bar(each.accuracy, each.interval, low) if each.is_tested else "",
        f"{100 * start:.1f} to {end:.1%}" if each.is_tested else "",
        *(f"{known[name]:.1%}" if name in known else "" for name in factors),
        f"{each.megabytes:.1f}",
        "" if each.parameters is None else f"{each.parameters / 1e6:.1f} M",
        f"{each.milliseconds:.1f}",
        _time(each.seconds),
    ]


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
