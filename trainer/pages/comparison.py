"""Finished runs side by side, as a part of a page and as a page of its own."""

import math
from collections.abc import Sequence
from pathlib import Path

from maskage.errors import EnvironmentProblemError
from maskage.pages.page import Card, render_page
from maskage.pages.parts import escape, table
from maskage.system.files import write_private
from trainer.evaluation.compare import ComparedRun, format_epochs, notes_on
from trainer.pages.charts import draw_bar


def comparison_card(summaries: Sequence[ComparedRun], mine: str = "") -> Card:
    """The table and what to make of it; without a body where there is only one run.

    Args:
        summaries: The best first.
        mine: Name of the run that the page is about.
    """
    title = "Beside the other runs"
    if len(summaries) < 2:
        return Card("runs", title, "")
    # Bars from zero would all look alike.
    low = math.floor(min(each.interval[0] for each in summaries) * 10) / 10
    rows = [_row(each, each.name == mine, low) for each in summaries]
    columns = ["run and model", "epochs", "right", f"{low:.0%} to 100%", "95% interval", "mask",
               "age", "MB", "weights", "ms a face", "time"]  # fmt: skip
    counts = sorted({each.photos for each in summaries})
    photos = " or ".join(f"{count:,}" for count in counts)
    told = f'<p class="faint">On {photos} test photos; time is that of the whole training.</p>'
    notes = "".join(f"<p>{escape(note)}</p>" for note in notes_on(summaries))
    return Card("runs", title, f"{table(columns, rows, 'figures runs')}{told}{notes}")


def render_comparison(summaries: Sequence[ComparedRun]) -> str:
    """The page of `trainer compare --html`.

    Args:
        summaries: The best first.
    """
    best = summaries[0]
    card = comparison_card(summaries)
    if not card.body:
        card = Card("runs", card.title, "<p>There is one finished run; train another.</p>")
    return render_page(
        "Training runs",
        f"{len(summaries):,} finished, the best on its test photos first.",
        [
            (f"{best.accuracy:.1%}", f"{best.name}, the best"),
            (f"{min(each.milliseconds for each in summaries):.1f} ms", "a face, the fastest"),
            (f"{min(each.megabytes for each in summaries):.1f} MB", "the smallest"),
        ],
        [Card(card.name, "Side by side", card.body)],
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


def _row(each: ComparedRun, is_mine: bool, low: float) -> list[str]:
    name = f"<b>{escape(each.name)}</b>, this one" if is_mine else escape(each.name)
    start, end = each.interval
    return [
        f'{name}<br><span class="faint">{escape(each.model)}</span>',
        format_epochs(each),
        f"{each.accuracy:.2%}",
        draw_bar(each.accuracy, each.interval, low),
        f"{100 * start:.1f}&#8211;{end:.1%}",
        f"{each.mask_accuracy:.1%}",
        f"{each.age_accuracy:.1%}",
        f"{each.megabytes:.1f}",
        "" if each.parameters is None else f"{each.parameters / 1e6:.1f} M",
        f"{each.milliseconds:.1f}",
        _time(each.seconds),
    ]


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
