"""Coverage: the share of photos a model answers above a confidence, and its accuracy there.

The confidence of an answer is its probability. Below a threshold the model does not answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.evaluation.intervals import wilson_interval

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True)
class CoveragePoint:
    """The answers at one threshold.

    Attributes:
        threshold: Least confidence of an answer that is given, 0 to 1.
        share: Share of the photos that are answered, 0 to 1.
        photos: Number of photos that are answered.
        accuracy: Accuracy of these answers, 0 to 1; None where there are none.
        accuracy_interval: 95% Wilson interval of the accuracy.
    """

    threshold: float
    share: float
    photos: int
    accuracy: float | None
    accuracy_interval: tuple[float, float] | None


def measure_coverage(
    right: NDArray[np.bool_],
    confidence: NDArray[np.float64],
    thresholds: Sequence[float] = THRESHOLDS,
) -> tuple[CoveragePoint, ...]:
    """Return the share answered and the accuracy at each threshold.

    Args:
        right: True for each right answer, shape (N,), N at least 1.
        confidence: Confidence of each answer, 0 to 1, shape (N,).
        thresholds: Thresholds, 0 to 1.
    """
    return tuple(_point(right, confidence, threshold) for threshold in thresholds)


def find_threshold(
    right: NDArray[np.bool_], confidence: NDArray[np.float64], accuracy: float
) -> CoveragePoint | None:
    """Find the lowest threshold at which the answers reach an accuracy.

    It is chosen on the photos it is measured on, so expect a little less on others.

    Args:
        right: True for each right answer, shape (N,), N at least 1.
        confidence: Confidence of each answer, 0 to 1, shape (N,).
        accuracy: Accuracy that is wanted, 0 to 1.

    Returns:
        The threshold with its answers, or None where not even the surest answers reach the
        accuracy. The threshold has as few digits, at least two, as leave the same answers; it is 0
        where all photos can be answered.
    """
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    reached = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    # Answers of one confidence are given together or not at all.
    can_end = np.append(falling[1:] < falling[:-1], True)
    ends = np.flatnonzero(can_end & (reached >= accuracy))
    if len(ends) == 0:
        return None
    last = int(ends[-1])
    if last == len(falling) - 1:
        return _point(right, confidence, 0.0)
    threshold = _short_number(float(falling[last + 1]), float(falling[last]))
    return _point(right, confidence, threshold)


def coverage_curve(
    right: NDArray[np.bool_], confidence: NDArray[np.float64]
) -> tuple[tuple[float, float], ...]:
    """Return the share answered and the accuracy, one point for each confidence, surest first.

    Args:
        right: True for each right answer, shape (N,).
        confidence: Confidence of each answer, 0 to 1, shape (N,).
    """
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    counts = np.arange(1, len(order) + 1)
    shares, reached = counts / max(1, len(order)), np.cumsum(right[order]) / counts
    ends = np.flatnonzero(np.append(falling[1:] < falling[:-1], True)[: len(order)])
    return tuple((float(shares[at]), float(reached[at])) for at in ends)


def format_coverage(points: Sequence[CoveragePoint]) -> str:
    """Return the coverage as a table of text."""
    lines = [
        f"{'answered from':<14}{'photos':>10}{'share':>10}{'accuracy':>10}{'95% interval':>20}"
    ]
    for each in points:
        figures = "" if each.accuracy is None else f"{each.accuracy:>10.2%}"
        if each.accuracy_interval is not None:
            low, high = each.accuracy_interval
            figures += f"{f'{low:.2%} to {high:.2%}':>20}"
        lines.append(f"{each.threshold:<14.2f}{each.photos:>10}{each.share:>10.1%}{figures}")
    return "\n".join(lines)


def _point(
    right: NDArray[np.bool_], confidence: NDArray[np.float64], threshold: float
) -> CoveragePoint:
    is_answered = confidence >= threshold
    photos, hits = int(is_answered.sum()), int(right[is_answered].sum())
    return CoveragePoint(
        threshold=threshold,
        share=photos / len(right),
        photos=photos,
        accuracy=hits / photos if photos else None,
        accuracy_interval=wilson_interval(hits, photos) if photos else None,
    )


def _short_number(above: float, to: float) -> float:
    """Return a number of few digits that is over `above` and at most `to`."""
    for digits in range(2, 9):
        number = np.floor(to * 10**digits) / 10**digits
        if above < number <= to:
            return float(number)
    return to
