"""Tables of text for a terminal: the scores of classes, and the confusion matrix.

Names of classes and factors come from users: they may be long, and their letters may be two cells
wide or change the direction of writing.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from maskage.outside_text import shown_text

if TYPE_CHECKING:
    from trainer.evaluation.metrics import Scores

WIDEST_LINE = 100
"""Cells of the widest table; a wider one would be broken by most terminals."""

LONGEST_NAME = 32
"""Cells of the longest name in a table; a longer one loses its end."""

_COLUMN = 14
_MOST_MISTAKES = 15


def fit_width(name: str, width: int) -> str:
    """Return a name with `width` cells: at least one blank behind it, or its end cut off."""
    text = shown_text(name)
    if cell_len(text) >= width:
        text = f"{set_cell_size(text, width - 2).rstrip()}…"
    return set_cell_size(text, width)


def name_width(names: Iterable[str], least: int) -> int:
    """Return the cells of a column of names, `least` or more, with at least one blank behind."""
    return max(least, 1 + min(LONGEST_NAME, max(cell_len(shown_text(n)) for n in names)))


def factor_heads(factors: Iterable[str], least: int) -> dict[str, int]:
    """Return the width of the column of each factor's accuracy, `least` or more."""
    return {name: name_width([name], least - 1) + 1 for name in factors}


def format_heads(widths: Mapping[str, int]) -> str:
    """Return the headings of columns with these widths, each at its right end."""
    parts = []
    for name, width in widths.items():
        text = fit_width(name, width).rstrip()
        parts.append(" " * (width - cell_len(text)) + text)
    return "".join(parts)


def format_accuracies(values: Mapping[str, float], widths: Mapping[str, int]) -> str:
    """Return the accuracy of each factor, in columns with these widths."""
    return "".join(f"{values[name]:>{width}.2%}" for name, width in widths.items())


def format_scores(per_class: Mapping[str, "Scores"], averages: Mapping[str, "Scores"]) -> list[str]:
    """Return precision, recall and F1 of each class and average, one line each."""
    width = name_width([*per_class, *averages], _COLUMN)

    def line(name: str, scores: "Scores") -> str:
        figures = f"{scores.precision:>10.4f}{scores.recall:>10.4f}{scores.f1:>10.4f}"
        return f"{fit_width(name, width)}{figures}{scores.support:>10}"

    return [
        f"{'':<{width}}{'precision':>10}{'recall':>10}{'f1':>10}{'photos':>10}",
        *(line(name, scores) for name, scores in per_class.items()),
        "",
        *(line(name, scores) for name, scores in averages.items()),
    ]


def format_confusion(confusion: Sequence[Sequence[int]], labels: Sequence[str]) -> str:
    """Return a confusion matrix as text, rows actual, columns predicted.

    Where the names do not fit above the columns, rows and columns are numbered. In the place of a
    matrix that is too wide for a terminal all the same come its largest mistakes.
    """
    corner = "true \\ predicted"
    is_narrow = max(cell_len(shown_text(label)) for label in labels) < _COLUMN
    if is_narrow and _COLUMN * (1 + len(labels)) <= WIDEST_LINE:
        return _format_matrix(confusion, corner, labels, labels, (_COLUMN, _COLUMN))
    heads = [str(number) for number in range(1, len(labels) + 1)]
    rows = [f"{head} {label}" for head, label in zip(heads, labels, strict=True)]
    first = name_width([corner, *rows], _COLUMN)
    column = 2 + max(len(str(max(map(max, confusion)))), len(heads[-1]))
    if first + column * len(heads) <= WIDEST_LINE:
        return _format_matrix(confusion, corner, rows, heads, (first, column))
    return _format_mistakes(confusion, labels)


def _format_matrix(
    confusion: Sequence[Sequence[int]],
    corner: str,
    rows: Sequence[str],
    heads: Sequence[str],
    widths: tuple[int, int],
) -> str:
    first, column = widths
    lines = [f"{corner:<{first}}" + format_heads(dict.fromkeys(heads, column))]
    for name, counts in zip(rows, confusion, strict=True):
        lines.append(fit_width(name, first) + "".join(f"{count:>{column}}" for count in counts))
    return "\n".join(lines)


def _format_mistakes(confusion: Sequence[Sequence[int]], labels: Sequence[str]) -> str:
    found = [
        (count, actual, predicted)
        for actual, counts in enumerate(confusion)
        for predicted, count in enumerate(counts)
        if count and actual != predicted
    ]
    found.sort(key=lambda each: (-each[0], each[1:]))
    width = name_width(labels, _COLUMN)
    lines = [f"{'true':<{width}}{'predicted':<{width}}{'photos':>10}"]
    for count, actual, predicted in found[:_MOST_MISTAKES]:
        lines.append(
            f"{fit_width(labels[actual], width)}{fit_width(labels[predicted], width)}{count:>10}"
        )
    hidden = len(found) - _MOST_MISTAKES
    more = f"and {hidden} more such pairs; the" if hidden > 0 else "The"
    lines.append(
        f"{more} matrix of all {len(labels)} classes is in the page (--report) and in --json."
    )
    return "\n".join(lines)
