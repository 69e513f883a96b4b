"""Answering only where the model is sure: what part of the photos is left, and how right it is.

The confidence of an answer is its probability. Under a threshold the model abstains. Numpy only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.evaluation.intervals import wilson_interval

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True)
class CoveragePoint:
    """What is answered at one threshold.

    Attributes:
        threshold: Answers of at least this confidence are given, 0 to 1.
        share: Part of the photos answered, 0 to 1.
        photos: How many.
        accuracy: Of these answers, 0 to 1; None where there is none.
        accuracy_interval: 95% Wilson interval of it.
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
    """Share answered and accuracy at each threshold.

    Args:
        right: Whether each answer is right, shape (N,), N at least 1.
        confidence: Of each answer, 0 to 1, shape (N,).
        thresholds: 0 to 1.
    """
    return tuple(_point(right, confidence, threshold) for threshold in thresholds)


def find_threshold(
    right: NDArray[np.bool_], confidence: NDArray[np.float64], accuracy: float
) -> CoveragePoint | None:
    """The lowest threshold above which the answers are so accurate, with what it leaves.

    It is chosen on the photos it is measured on, so on others expect somewhat less.

    Args:
        right: Whether each answer is right, shape (N,), N at least 1.
        confidence: Of each answer, 0 to 1, shape (N,).
        accuracy: Wanted, 0 to 1.

    Returns:
        None where not even the surest answers are. The threshold has the fewest digits, at least
        two, that leave these answers; 0 where it takes none.
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
    """Share answered and accuracy of the answers, from the surest on, one point a confidence.

    Args:
        right: Whether each answer is right, shape (N,).
        confidence: Of each answer, 0 to 1, shape (N,).
    """
    order = np.argsort(-confidence, kind="stable")
    falling = confidence[order]
    counts = np.arange(1, len(order) + 1)
    shares, reached = counts / max(1, len(order)), np.cumsum(right[order]) / counts
    ends = np.flatnonzero(np.append(falling[1:] < falling[:-1], True)[: len(order)])
    return tuple((float(shares[at]), float(reached[at])) for at in ends)


def format_coverage(points: Sequence[CoveragePoint]) -> str:
    """The table as text."""
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
    """A number of few digits over `above` and at most `to`."""
    for digits in range(2, 9):
        number = np.floor(to * 10**digits) / 10**digits
        if above < number <= to:
            return float(number)
    return to
