"""Confidence that means what it says: one temperature, fitted on validation photos."""

import numpy as np
from numpy.typing import NDArray

from trainer.network.head import cross_entropy

RANGE = (0.3, 5.0)
"""A network that is right on every validation photo would ask for a temperature of 0."""


def fit_temperature(logits: NDArray[np.floating], labels: NDArray[np.int64]) -> float:
    """The number to divide logits by so that the labels are most likely.

    Args:
        logits: Shape (N, 4).
        labels: Class numbers, shape (N,).

    Returns:
        Within `RANGE`, to about 0.1%.

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


def _loss(logits: NDArray[np.floating], labels: NDArray[np.int64], log_t: float) -> float:
    return cross_entropy(logits / np.exp(log_t), labels)
