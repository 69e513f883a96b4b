"""The model card: the model's purpose, its photos, its errors, and how to make it again.

It may be passed on with the model. It holds no path, and of people and sessions only how far their
accuracies are apart, not who they are.
"""

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from maskage.classes.scheme import AGE, MASK, MISWORN, OLD, YOUNG, Scheme
from maskage.formats.run.run_folder import RunFolder, describe_phases
from maskage.outside_text import shown_text
from trainer.evaluation.breakdown import LEAST_PHOTOS, Breakdown
from trainer.evaluation.findings import Findings
from trainer.evaluation.gains import Gains, describe_change, describe_split
from trainer.evaluation.leak_check import LeakCheck
from trainer.evaluation.metrics import FEW_GROUPS, Evaluation
from trainer.pages.figures import describe_factor, describe_threshold
from trainer.pages.report import fit_command, read_choice
from trainer.settings import NONE

OPEN = ("source", "size", "sharpness")
"""Breakdowns whose values name nobody."""

MOST_COLUMNS = 12
"""Most classes whose confusion matrix is a table of the card."""
MOST_ROWS = 20
"""Most mistakes in the table of a card with more classes."""

_NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
            "twelve")  # fmt: skip


def write_card(run: RunFolder, found: Findings, metrics: dict[str, Any]) -> str:
    """Return the card as Markdown.

    Args:
        run: The run.
        found: The answers to the photos that it was measured on.
        metrics: The content of `metrics.json`.
    """
    whole, scheme = found.judged.evaluation, found.judged.scheme
    parts = [
        f"# {_plain(run.path.name)}",
        _purpose(scheme),
        _made_of(metrics, scheme, read_choice(run)),
        _how_good(found, metrics),
        *([] if found.gains is None else [_gains(found.gains, scheme)]),
        _errors(whole, found.judged.breakdowns, scheme),
        _sureness(found, metrics["val_calibration_error"]),
        _limits(found),
        _again(run, metrics),
    ]
    return "\n\n".join(parts) + "\n"


def _purpose(scheme: Scheme) -> str:
    classes = "; ".join(_plain(each.title) for each in scheme)
    ages = len(scheme.factors.get(AGE, ()))
    lines = [
        f"Sorts face photos into {_in_words(len(scheme))} classes: {classes}.",
        *_explain_factors(scheme),
        "",
        "## Intended use",
        "- Learning, teaching and demonstrations, on one's own machine.",
        "- Counting masks among people who know about it and agreed to it."
        if MASK in scheme.factors
        else None,
        "- Sorting one's own photos, where a person looks at what is unsure.",
        "",
        "## Forbidden use",
        "- Admitting, refusing, ranking, punishing or identifying anybody.",
        f"- Checking anybody's age: it knows {_in_words(ages)} looks, no years." if ages else None,
        "- Watching people who did not agree to it, or children without their guardians' consent.",
        "- Anything that harms somebody when a single answer is wrong.",
    ]
    return "\n".join(line for line in lines if line is not None)


def _in_words(count: int) -> str:
    """Return a number from 2 on as text: "four"; in digits where the word would be long."""
    return _NUMBERS[count - 2] if count < 2 + len(_NUMBERS) else str(count)


def _explain_factors(scheme: Scheme) -> list[str]:
    """Say what a mask is and where an age comes from, where the classes have these factors."""
    masks, ages = scheme.factors.get(MASK, ()), scheme.factors.get(AGE, ())
    text = ""
    if masks:
        other = "misworn" if MISWORN in masks else "none"
        text = (
            "A mask counts where it covers nose and mouth; on the chin or off the nose it counts "
            f"as {other}."
        )
    if ages == (OLD, YOUNG):
        text += " Young and old are guessed from looks."
    elif ages:
        text += " The age is guessed from looks."
    return textwrap.wrap(text.strip(), 100)


def _made_of(metrics: dict[str, Any], scheme: Scheme, choice: str | None) -> str:
    counts, classes = metrics["counts"], metrics["class_counts"]
    tested = f"{counts['test']:,}" if counts["test"] else "none"
    rows = [
        [scheme.title(label), classes["train"][label], classes["variants"][label],
         classes["val"][label], classes["test"][label]]
        for label in scheme.labels
    ]  # fmt: skip
    variants = sum(classes["variants"].values())
    total = ["**all**", counts["train"], variants, counts["val"], counts["test"]]
    table = _table(["class", "train", "of these variants", "val", "test"], [*rows, total])
    # A path would say where somebody keeps files.
    start = (
        "random weights" if metrics["weights"] == NONE else _plain(Path(metrics["weights"]).name)
    )
    if (earlier := metrics.get("earlier_run")) is not None:
        start = f"the run {_plain(earlier['name'])} (that from {start})"
    chosen = (
        ""
        if choice is None
        else "\n".join(["", *textwrap.wrap(f"- {_plain(choice)}", 100, subsequent_indent="  ")])
    )
    return f"""## Made of
- Network: {_plain(metrics["model"])}, {metrics["parameters"] / 1e6:.1f} million weights, input
  {metrics["image_size"]} px, started from {start}.
- Training: {describe_phases(metrics)}.
- Photos: {counts["train"]:,} to train, {counts["val"]:,} to validate, {tested} to test.
  Variants are augmented copies that fill up small classes; they are in train only.{chosen}

{table}"""


def _how_good(found: Findings, metrics: dict[str, Any]) -> str:
    whole, scheme = found.judged.evaluation, found.judged.scheme
    low, high = whole.accuracy_interval
    rows = [
        [
            scheme.title(label),
            *(f"{value:.1%}" for value in (s.precision, s.recall, s.f1)),
            s.support,
        ]
        for label in scheme.labels
        for s in [whole.per_class[label]]
    ]
    factors = "; ".join(
        f"{_plain(describe_factor(name, scheme))} {each.accuracy:.1%}"
        for name, each in whole.factors.items()
    )
    doubts = "".join(f"\n{line}" for text in found.doubts for line in (*_bold(text), ""))
    text = (
        f"## How good{doubts}\nOn the {whole.photos:,} {found.kind} photos "
        f"**{whole.accuracy:.1%}** are right (95% "
        f"interval {low:.1%} to {high:.1%}){f';{chr(10)}{factors}' if factors else ''}. One face "
        f"takes {metrics['milliseconds_per_photo']:.1f} ms\non the machine that trained it."
    )
    if whole.accuracy_interval_by_group is not None and whole.groups < whole.photos:
        low, high = whole.accuracy_interval_by_group
        text += (
            f" Photos of one group are not independent: over\nthe {whole.groups:,} groups the "
            f"interval is {low:.1%} to {high:.1%}."
        )
    return f"{text}\n\n{_table(['class', 'precision', 'recall', 'F1', 'photos'], rows)}"


def _gains(gains: Gains, scheme: Scheme) -> str:
    rows = [
        [
            scheme.title(each.name) if each.kind == "class" else each.name,
            each.photos,
            "" if each.before is None else f"{each.before:.1%}",
            f"{each.after:.1%}",
            describe_change(each.change),
            each.verdict,
        ]
        for each in gains.rows
    ]
    columns = ["", "photos", "before", "after", "change (95% interval)", ""]
    return f"""## What the new photos bought
Started from the run {_plain(gains.name)}, which is "before", on the same {gains.photos:,}
{describe_split(gains.split)} photos. Neither was trained on one of them.

{_table(columns, rows)}"""


def _bold(text: str) -> list[str]:
    """Return a text in bold letters, in lines of the card's width."""
    return textwrap.wrap(f"**{_plain(text)}**", 100)


def _errors(whole: Evaluation, breakdowns: Sequence[Breakdown], scheme: Scheme) -> str:
    parts = [f"## Errors\n{_matrix(whole, [each.title for each in scheme])}"]
    for each in breakdowns:
        if each.by in OPEN and each.parts:
            parts.append(f"By {each.by}:\n\n{_parts(each)}")
        elif each.parts:
            parts.append(_spread(each))
    unknown = [each.by for each in breakdowns if not each.parts]
    if unknown:
        parts.append(f"Not known of these photos, so not measured: {', '.join(unknown)}.")
    return "\n\n".join(parts)


def _matrix(whole: Evaluation, titles: Sequence[str]) -> str:
    """Return the confusion matrix; of many classes, the commonest mistakes in its place."""
    if len(titles) <= MOST_COLUMNS:
        rows = [[title, *row] for title, row in zip(titles, whole.confusion, strict=True)]
        return _table(["is \\ taken for", *titles], rows)
    found = sorted(
        (
            (-count, actual, predicted)
            for actual, row in enumerate(whole.confusion)
            for predicted, count in enumerate(row)
            if count and actual != predicted
        ),
    )
    table = _table(
        ["is", "taken for", "photos"],
        [[titles[actual], titles[said], -count] for count, actual, said in found[:MOST_ROWS]],
    )
    more = f", and {len(found) - MOST_ROWS:,} more pairs" if len(found) > MOST_ROWS else ""
    return f"The commonest first{more}; `confusion_matrix.png` shows all.\n\n{table}"


def _parts(each: Breakdown) -> str:
    rows = [
        [
            part.value,
            part.photos,
            f"{part.accuracy:.1%}",
            f"{part.accuracy_interval[0]:.1%} to {part.accuracy_interval[1]:.1%}",
            *(f"{value:.1%}" for value in part.accuracies.factors.values()),
        ]
        for part in each.parts
    ]
    factors = each.parts[0].accuracies.factors
    return _table([each.by, "photos", "right", "95% interval", *factors], rows)


def _spread(each: Breakdown) -> str:
    """Say how far people, sessions or groups are apart, without naming one."""
    known = [part.accuracy for part in each.parts if part.photos >= LEAST_PHOTOS]
    if not known:
        return f"Each {each.by} has under {LEAST_PHOTOS} photos: too few to compare them."
    return (
        f"By {each.by}: {each.values:,} in all; of those shown, the worst {min(known):.1%} right, "
        f"the middle {median(known):.1%}, the best {max(known):.1%}."
    )


def _sureness(found: Findings, val_error: dict[str, float]) -> str:
    whole, unsure_below = found.judged.evaluation, found.unsure_below
    gaps = [["validation", f"{val_error['before']:.1%}", f"{val_error['after']:.1%}"]]
    if found.is_tested:
        before, after = whole.calibration_error_uncalibrated, whole.calibration_error
        gaps.append(["test", f"{before:.1%}", f"{after:.1%}"])
    rows = [
        [
            f"{point.threshold:g}",
            f"{point.share:.1%}",
            f"{point.accuracy:.1%}",
            f"{point.accuracy_interval[0]:.1%} to {point.accuracy_interval[1]:.1%}",
        ]
        for point in whole.coverage
        if point.accuracy is not None and point.accuracy_interval is not None
    ]
    table = _table(["answered from", "answered", "right", "95% interval"], rows)
    return f"""## How sure it is
Its probabilities are calibrated on the validation photos (temperature {whole.temperature:.2f}).

{_table(["mean gap of confidence and accuracy", "before", "after"], gaps)}

Answers under {unsure_below:g} are shown as unsure. {describe_threshold(whole)}

{table}

{_rejection(found)}"""


def _rejection(found: Findings) -> str:
    text = " ".join(found.rejection_lines)
    if found.rejection is not None:
        text += (
            " The limit is where 1% of the validation photos lie beyond. The network's file holds "
            "means and main directions of the features of training photos for it: sums over many "
            "photos, from which none can be drawn again, and which `collector forget` leaves as "
            "they are until the network is trained again."
        )
    return "\n".join(textwrap.wrap(text, 100))


def _limits(found: Findings) -> str:
    whole, worse, leak = found.judged.evaluation, found.worse, found.leak
    factors = found.judged.scheme.factors
    scarves = ", scarves" if MASK in factors else ""
    lines = [
        f"The figures hold for photos like the {found.kind} photos; other cameras, light and "
        "people may do worse.",
        "Faces between young and old were not among the classes, and get one of the two all the "
        "same."
        if factors.get(AGE) == (OLD, YOUNG)
        else "A face that is none of the classes gets one of them all the same.",
        "What is no face, such as a hand or a drawing, mostly reads unsure, but not always; a "
        "photo of a face, as on a poster, is a face to it."
        if found.rejection is not None
        else None,
        "It is wrong for some people more than for others, and was tested on few of them."
        if whole.groups < FEW_GROUPS
        else "It is wrong for some people more than for others.",
        f"Profiles, blur{scarves} and hands before the face are known to mislead such networks.",
    ]
    if worse is not None:
        hardest = min(worse.corrupted, key=lambda each: each.accuracy)
        lines.append(
            f"Worse photos: of {worse.photos:,} {found.kind} photos {worse.clean.classes:.1%} are "
            f"right as they are, and {hardest.accuracy:.1%} with {hardest.name} "
            f"({hardest.strength}), the hardest of those tried."
        )
    if leak is not None:
        lines.append(_leak(leak, found.kind))
    listed = "\n".join(f"- {line}" for line in lines if line is not None)
    return f"## Limits\n{listed}\n\nLook at the mistakes in `report.html` before you rely on it."


def _leak(leak: LeakCheck, kind: str) -> str:
    if not leak.twins:
        return (
            f"No {kind} photo is a near-duplicate of one that was learned from (perceptual hash, "
            f"{leak.radius} of 64 bits)."
        )
    return (
        f"**{len(leak.twins):,} of {leak.tested:,} {kind} photos are near-duplicates of photos "
        f"that were learned from ({leak.same_files:,} the very file): the accuracy is too high.**"
    )


def _again(run: RunFolder, metrics: dict[str, Any]) -> str:
    return f"""## Make it again
    {shown_text(fit_command(run))}

Paths are cut to their last part. The photos were those of digest
`{metrics["dataset_digest"][:16]}` (`metrics.json` has it whole); the libraries are in
`environment.json`, every value of the recipe in `args.yaml`."""


def _plain(text: str) -> str:
    """Return a text from outside for Markdown, which takes "<" for a tag of HTML."""
    return shown_text(text).replace("<", "&lt;")


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    def line(cells: Sequence[object]) -> str:
        texts = (f"{cell:,}" if isinstance(cell, int) else _plain(str(cell)) for cell in cells)
        return f"| {' | '.join(text.replace('|', '/') for text in texts)} |"

    rule = "|" + "---|" * len(columns)
    return "\n".join([line(columns), rule, *(line(row) for row in rows)])
