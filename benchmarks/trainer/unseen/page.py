"""The table of a page of figures, written from what was measured: no number is typed by hand.

Each measurement is a section between two marks. A later measurement of the same title replaces it.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.common.criteria import Goal

END = "<!-- end of the measurements -->"
PERCENT = frozenset(
    {"accuracy", "mask_accuracy", "age_accuracy", "share_at_99", "told_as_none", "told_as_worn"}
)
Row = tuple[str, tuple[str, ...]]
"""A name for people, and the names that lead to the figure."""

_SHARES: tuple[Row, ...] = (
    ("class", ("accuracy",)),
    ("mask", ("mask_accuracy",)),
    ("age", ("age_accuracy",)),
)


def _below(title: str, *names: str) -> tuple[Row, ...]:
    return tuple((f"{title}: {name}", (*names, *path)) for name, path in _SHARES)


def _misworn_rows(title: str, part: str) -> tuple[Row, ...]:
    kinds = {"nose_out": "nose out", "chin": "chin", "eyes": "over the eyes",
             "hanging": "hanging", "other": "other"}  # fmt: skip
    return (
        (f"{title}: misworn told as none", (part, "told_as_none")),
        *(
            (f"{title}: {name}", (part, "kinds", kind, "told_as_none"))
            for kind, name in kinds.items()
        ),
        (f"{title}: all but nose out and chin", (part, "rare_kinds", "told_as_none")),
        (
            f"{title}: misworn among the faces told as none",
            (part, "misworn_among_faces", "told_as_none"),
        ),
        (f"{title}: worn masks told as worn", (part, "worn", "told_as_worn")),
        *((f"{title}: faces, {name}", (part, "faces", *path)) for name, path in _SHARES),
    )


_COSTS: tuple[Row, ...] = (
    ("milliseconds a face", ("trainings", "milliseconds_a_face")),
    ("seconds of `trainer fit`, median", ("trainings", "fit_seconds")),
)
ROWS: tuple[Row, ...] = (
    *_SHARES,
    *_below("mean over sources", "sources"),
    ("calibration error, mean over sources", ("sources", "calibration_error")),
    ("answered at 99% right, mean over sources", ("sources", "share_at_99")),
    *_misworn_rows("trained on the faces alone", "alone"),
    *_misworn_rows("other folds' misworn trained on", "in_training"),
    *_COSTS,
)
BESIDE: tuple[Row, ...] = (
    *_below("difference", "beside"),
    *_below("difference, mean over sources", "beside", "sources"),
    *_below("difference on misworn, faces alone", "beside", "alone"),
    *_below("difference on misworn, trained on", "beside", "in_training"),
    *_below("difference on faces, misworn trained on", "beside", "faces"),
)


def write_section(
    page: Path, title: str, figures: Mapping[str, Any], goals: Sequence[Goal]
) -> None:
    """Put the section of a measurement into a page, in place of one of the same title.

    Raises:
        ValueError: The page does not have the mark that sections stand above.
    """
    text = page.read_text(encoding="utf-8")
    if END not in text:
        raise ValueError(f"{page} has no line `{END}`. Add one where the sections are to end.")
    slug = re.sub(r"\W+", "-", title.lower()).strip("-")
    first, last = f"<!-- measured: {slug} -->", f"<!-- /measured: {slug} -->"
    section = f"{first}\n{make_section(title, figures, goals)}\n{last}"
    former = re.compile(re.escape(first) + ".*?" + re.escape(last), re.DOTALL)
    if former.search(text):
        text = former.sub(lambda _: section, text)
    else:
        text = text.replace(END, f"{section}\n\n{END}")
    page.write_text(text, encoding="utf-8")


def make_section(title: str, figures: Mapping[str, Any], goals: Sequence[Goal]) -> str:
    """Return a heading, how it was measured, and a table with intervals and goals."""
    made = figures["trainings"]
    lines = [
        f"### {title}",
        "",
        f"    {figures['command']}",
        "",
        f"{made['trainings']} training{'s' * (made['trainings'] != 1)}, "
        f"seeds {', '.join(map(str, made['seeds']))}; "
        f"{', '.join(made['dates'])}; revision {', '.join(made['revisions'])}; "
        f"{'; '.join(made['machines'])}; load of the machine up to {made['highest_load']}"
        f"{'' if figures['is_whole'] else '; only a part of the trainings so far'}.",
        "",
        "| figure | measured | 95% interval by group | goal |",
        "|---|---|---|---|",
    ]
    for name, path in ROWS:
        value = find(figures, path)
        if value is not None:
            shown = show(path[-1], value) + describe_circumstances(figures, path)
            cells = (name, shown, show_interval(figures, path), show_goal(path, goals))
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, *make_beside_lines(figures)])


def describe_circumstances(figures: Mapping[str, Any], path: Sequence[str]) -> str:
    """Return the number of photos behind a share, or the load that a time was measured under."""
    if path[0] == "trainings":
        return f" at a load of {figures['trainings']['highest_load']}"
    photos = find(figures, (*path[:-1], "photos"))
    return f" of {photos}" if path[-1] in PERCENT and photos else ""


def show_goal(path: Sequence[str], goals: Sequence[Goal]) -> str:
    """Return the bounds of a figure as text, "" where it has no goal."""
    goal = next((each for each in goals if each.figure == tuple(path)), None)
    bounds = (("at least", goal.at_least), ("at most", goal.at_most)) if goal else ()
    shown = (f"{word} {show(path[-1], bound)}" for word, bound in bounds if bound is not None)
    return " and ".join(shown)


def make_beside_lines(figures: Mapping[str, Any]) -> list[str]:
    """Return the rows of the paired differences."""
    lines = []
    for name, path in BESIDE:
        gap = find(figures, path)
        if gap is not None:
            low, high = (f"{100 * value:+.2f}" for value in gap["interval_by_group"])
            share = f"{100 * gap['difference']:+.2f} points, {gap['verdict']}"
            lines.append(f"| {name} | {share} | {low} to {high} | |")
    return lines


def find(figures: object, path: Sequence[str]) -> Any:
    """Return the figure at the end of these names; None where there is none."""
    for name in path:
        if not isinstance(figures, Mapping) or name not in figures:
            return None
        figures = figures[name]
    return figures


def show(name: str, value: float) -> str:
    """Return a share in percent, anything else as it is."""
    return f"{100 * value:.1f}%" if name in PERCENT else f"{value:g}"


def show_interval(figures: Mapping[str, Any], path: Sequence[str]) -> str:
    """Return the interval over groups as text, "" where there is none.

    Where all answers are right, every draw of groups is alike; Wilson's interval is shown then.
    """
    *outer, name = path
    by_group = find(figures, (*outer, f"{name}_interval_by_group"))
    interval = by_group or find(figures, (*outer, f"{name}_interval"))
    if interval is None:
        return ""
    return " to ".join(show(name, value) for value in interval) + " (Wilson)" * (not by_group)
