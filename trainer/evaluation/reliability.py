"""How right a classifier is where it says how sure it is. Numpy only."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 15
"""Of equal width over the confidence.

Source: Guo et al., On calibration of modern neural networks, ICML 2017.
"""


@dataclass(frozen=True)
class ReliabilityBin:
    """The answers of about one confidence.

    Attributes:
        confidence: Their mean, 0 to 1.
        accuracy: Part of them that is right, 0 to 1.
        photos: How many.
    """

    confidence: float
    accuracy: float
    photos: int


def measure_reliability(
    actual: NDArray[np.int64], probabilities: NDArray[np.floating], bins: int = BINS
) -> tuple[ReliabilityBin, ...]:
    """The bins that hold any answer, from unsure to sure.

    Args:
        actual: Class numbers, shape (N,).
        probabilities: Shape (N, 4).
        bins: Of equal width, over 0 to 1.
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
    """Mean gap between confidence and accuracy, 0 to 1; each bin counts as often as it has photos.

    Source: Guo et al. (see `BINS`).
    """
    photos = sum(each.photos for each in bins)
    gaps = (abs(each.confidence - each.accuracy) * each.photos for each in bins)
    return sum(gaps) / photos if photos else 0.0
