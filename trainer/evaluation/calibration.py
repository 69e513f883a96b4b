"""Confidence that can be believed: the temperature of a network, and its calibration error."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.network.head import cross_entropy

RANGE = (0.3, 5.0)
"""Lowest and highest temperature; a network that is always right would ask for 0."""
BINS = 15
"""Number of bins, of equal width over the confidence.

Source: Guo et al., On calibration of modern neural networks, ICML 2017.
"""


@dataclass(frozen=True)
class ReliabilityBin:
    """The answers in one bin of confidence.

    Attributes:
        confidence: Mean confidence of the answers, 0 to 1.
        accuracy: Share of right answers, 0 to 1.
        photos: Number of answers.
    """

    confidence: float
    accuracy: float
    photos: int


def fit_temperature(logits: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """Return the number to divide logits by so that the labels are most likely.

    Args:
        logits: Shape (N, C).
        labels: Class numbers, shape (N,).

    Returns:
        The temperature, within `RANGE`, to about 0.1%; 1 where there are no photos.

    Source:
        Guo et al., On calibration of modern neural networks, ICML 2017.
    """
    if len(labels) == 0:
        return 1.0
    low, high = np.log(RANGE)
    golden = (np.sqrt(5) - 1) / 2
    # The loss has one minimum along the logarithm of the temperature.
    while high - low > 1e-3:
        left, right = high - golden * (high - low), low + golden * (high - low)
        if _loss(logits, labels, left) < _loss(logits, labels, right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def measure_reliability(
    actual: NDArray[np.int64], probabilities: NDArray[np.floating], bins: int = BINS
) -> tuple[ReliabilityBin, ...]:
    """Return the bins that hold any answer, from unsure to sure.

    Args:
        actual: Class numbers, shape (N,).
        probabilities: Shape (N, C).
        bins: Number of bins, of equal width, over 0 to 1.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == actual
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    return tuple(
        ReliabilityBin(
            confidence=float(confidence[place == at].mean()),
            accuracy=float(right[place == at].mean()),
            photos=int((place == at).sum()),
        )
        for at in range(bins)
        if (place == at).any()
    )


def calibration_error(bins: tuple[ReliabilityBin, ...]) -> float:
    """Return the mean gap between confidence and accuracy, 0 to 1, weighted by photos.

    Source:
        Guo et al. (see `BINS`).
    """
    photos = sum(each.photos for each in bins)
    gaps = (abs(each.confidence - each.accuracy) * each.photos for each in bins)
    return sum(gaps) / photos if photos else 0.0


def _loss(logits: NDArray[np.floating], labels: NDArray[np.int64], log_t: float) -> float:
    return cross_entropy(logits / np.exp(log_t), labels)
