"""Break an evaluation down by source, subject, session, camera, group, size and sharpness."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskage.classes.scheme import Scheme
from maskage.dataset.photo_scan import FileScan
from maskage.outside_text import join_lines, shown_text
from trainer.evaluation.accuracies import Accuracies
from trainer.evaluation.intervals import wilson_interval
from trainer.evaluation.metrics import count_confusion, measure_accuracies
from trainer.evaluation.photo_facts import PhotoFacts
from trainer.evaluation.score_tables import factor_heads, format_accuracies, format_heads

LEAST_PHOTOS = 5
"""Fewest photos of a part; smaller ones say nothing alone and are folded into one."""

LEAST_GROUPS = 3

MOST_PARTS = 20

NOT_KNOWN = "not known"

SIZES_PX = (64, 128, 256)


@dataclass(frozen=True)
class Part:
    """The answers to the photos that share a value.

    Attributes:
        value: Value that the photos share.
        photos: Number of photos.
        accuracies: Accuracy of the classes and of each factor.
        accuracy_interval: 95% Wilson interval of the accuracy of the classes.
    """

    value: str
    photos: int
    accuracies: Accuracies
    accuracy_interval: tuple[float, float]

    @property
    def accuracy(self) -> float:
        """Accuracy of the classes, 0 to 1."""
        return self.accuracies.classes

    def as_dict(self) -> dict[str, Any]:
        """Return an element of `parts` in `--json`."""
        return {
            "value": self.value,
            "photos": self.photos,
            "accuracy_interval": self.accuracy_interval,
            **self.accuracies.as_dict(),
        }


@dataclass(frozen=True)
class Breakdown:
    """All answers, broken down by one property of the photos.

    Attributes:
        by: Name of the property: "source", "subject", ...
        parts: Parts, the largest first or in their own order; folded and unknown ones last. Empty
            if the property is not known of any photo.
        values: Number of different values.
    """

    by: str
    parts: tuple[Part, ...]
    values: int

    def as_dict(self) -> dict[str, Any]:
        """Return an element of `breakdown` in `--json`."""
        parts = [part.as_dict() for part in self.parts]
        return {"by": self.by, "parts": parts, "values": self.values}


def break_down_by_facts(
    facts: Sequence[PhotoFacts],
    groups: Sequence[str],
    file_scans: Sequence[FileScan],
    actual: NDArray[np.int64],
    predicted: NDArray[np.integer],
    *,
    scheme: Scheme,
) -> tuple[Breakdown, ...]:
    """Break answers down by every property; one that is not known of any photo has no parts.

    Args:
        facts: What is known of each photo.
        groups: Group of each photo; not broken down by if most groups are single photos.
        file_scans: What each file shows.
        actual: Class numbers of the labels, shape (N,).
        predicted: Class numbers of the answers, shape (N,).
        scheme: The classes.
    """

    def split(name: str, values: Sequence[str | None], order: list[str] | None = None) -> Breakdown:
        return break_down(name, values, actual, predicted, order, scheme=scheme)

    by: list[tuple[str, Sequence[str | None]]] = [
        ("source", [each.source for each in facts]),
        ("subject", [each.subject for each in facts]),
        ("session", [each.session for each in facts]),
        ("camera", [each.camera for each in facts]),
    ]
    # Groups of hardly more than single photos say nothing one by one.
    if sum(count >= LEAST_PHOTOS for count in Counter(groups).values()) >= LEAST_GROUPS:
        by.append(("group", groups))
    parts = [split(name, values) for name, values in by]
    size, sharpness = _sizes(file_scans), _sharpness(file_scans)
    parts.append(split("size", size, sorted(set(size), key=_first)))
    if len(set(sharpness)) > 1:
        parts.append(split("sharpness", sharpness, sorted(set(sharpness), key=_first)))
    return tuple(parts)


def break_down(
    by: str,
    values: Sequence[str | None],
    actual: NDArray[np.int64],
    predicted: NDArray[np.integer],
    order: Sequence[str] | None = None,
    *,
    scheme: Scheme,
) -> Breakdown:
    """Break answers down by one property.

    Args:
        by: Name of the property.
        values: Value of each photo; None if it is not known.
        actual: Class numbers of the labels, shape (N,).
        predicted: Class numbers of the answers, shape (N,).
        order: All values in order; None for the largest first, with small ones folded.
        scheme: The classes.
    """
    counts = Counter(value for value in values if value is not None)
    if not counts:
        return Breakdown(by, (), 0)
    named = np.array([NOT_KNOWN if value is None else value for value in values], dtype=object)
    unknown = np.array([value is None for value in values])
    largest = sorted(counts, key=lambda value: (-counts[value], value))
    shown = list(order) if order is not None else _worth_showing(largest, counts)
    parts = [
        _part(value, (named == value) & ~unknown, actual, predicted, scheme) for value in shown
    ]
    folded = [value for value in counts if value not in set(shown)]
    if folded:
        name = f"{len(folded):,} others" if shown else f"{len(folded):,} of few photos each"
        parts.append(_part(name, np.isin(named, folded) & ~unknown, actual, predicted, scheme))
    if unknown.any():
        parts.append(_part(NOT_KNOWN, unknown, actual, predicted, scheme))
    return Breakdown(by, tuple(parts), len(counts))


def format_breakdown(each: Breakdown) -> str:
    """Return the table as text, one line for each part."""
    widths = factor_heads(each.parts[0].accuracies.factors if each.parts else (), 9)
    head = f"{each.by:<40}{'photos':>8}{'accuracy':>10}{'95% interval':>20}"
    lines = [head + format_heads(widths)]
    for part in each.parts:
        low, high = part.accuracy_interval
        name = shown_text(part.value)
        name = name if len(name) < 40 else f"{name[:36]}..."
        lines.append(
            f"{name:<40}{part.photos:>8}{part.accuracy:>10.2%}{f'{low:.2%} to {high:.2%}':>20}"
            f"{format_accuracies(part.accuracies.factors, widths)}"
        )
    return join_lines(lines)


def _worth_showing(largest: Sequence[str], counts: Counter[str]) -> list[str]:
    shown = [value for value in largest if counts[value] >= LEAST_PHOTOS][:MOST_PARTS]
    # A single small value keeps its name, and so do two values that are all there are.
    return list(largest) if len(largest) <= max(2, len(shown) + 1) else shown


def _part(
    value: str,
    chosen: NDArray[np.bool_],
    actual: NDArray[np.int64],
    predicted: NDArray[np.integer],
    scheme: Scheme,
) -> Part:
    counts = count_confusion(actual[chosen], predicted[chosen], len(scheme))
    right, photos = int(counts.trace()), int(counts.sum())
    return Part(
        value=value,
        photos=photos,
        accuracies=measure_accuracies(counts, scheme),
        accuracy_interval=wilson_interval(right, photos),
    )


def _sizes(file_scans: Sequence[FileScan]) -> list[str]:
    """Return the band of each photo's shorter side."""
    edges = (0, *SIZES_PX)
    found = []
    for file_scan in file_scans:
        low = max(edge for edge in edges if edge <= min(file_scan.width, file_scan.height))
        high = next((edge for edge in edges if edge > low), None)
        found.append(f"{low} px and more" if high is None else f"{low} to {high - 1} px")
    return found


def _sharpness(file_scans: Sequence[FileScan]) -> list[str]:
    """Return the third of each photo: blurred, middle or sharp among these."""
    values = np.array([file_scan.quality.sharpness for file_scan in file_scans])
    low, high = np.quantile(values, [1 / 3, 2 / 3])
    names = (f"0 to {low:.0f}", f"{low:.0f} to {high:.0f}", f"{high:.0f} and more")
    return [names[int(value > low) + int(value > high)] for value in values]


def _first(band: str) -> int:
    return int(band.partition(" ")[0])
