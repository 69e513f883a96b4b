"""How far from a measured accuracy the true one may lie. Numpy only."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Z_95 = 1.959964
"""Standard normal quantile of a two-sided 95% interval."""

RESAMPLES = 2000
"""Two runs with other seeds then differ by a few hundredths of the interval's width."""


def wilson_interval(right: int, total: int, z: float = Z_95) -> tuple[float, float]:
    """Interval of a proportion that also holds near 0 and 1.

    Args:
        right: Successes, 0 to total.
        total: Trials, at least 1.
        z: Standard normal quantile.

    Source:
        Wilson, Probable inference, JASA 22 (1927).
    """
    part = right / total
    middle = part + z * z / (2 * total)
    spread = z * np.sqrt(part * (1 - part) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return float(max(0.0, (middle - spread) / scale)), float(min(1.0, (middle + spread) / scale))


def bootstrap_interval(
    right: NDArray[np.bool_], groups: Sequence[str], resamples: int = RESAMPLES, seed: int = 1337
) -> tuple[float, float] | None:
    """95% interval of an accuracy whose photos come in groups, by resampling whole groups.

    Photos of one person are right or wrong together, so a hundred of them tell less than photos
    of a hundred people. Wilson's interval takes them for independent; this one does not.

    Args:
        right: Whether each answer is right, shape (N,), N at least 1.
        groups: Of each photo.
        resamples: Datasets drawn, each of as many groups as there are, with replacement.
        seed: Of the draws.

    Returns:
        The 2.5% and the 97.5% quantile, or None where every group has the same accuracy (one group
        alone, or all answers right): each draw would give that accuracy again.

    Raises:
        ValueError: There is not one group for each answer.

    Source:
        Efron and Tibshirani, An introduction to the bootstrap (1993), percentile interval.
    """
    if len(groups) != len(right):
        raise ValueError(f"One group for each answer; found {len(groups)} for {len(right)}.")
    _, group = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    of_group = np.stack([np.bincount(group), np.bincount(group, weights=right)], axis=1)
    # Groups with as many photos and as many right answers are alike: how often each such kind is
    # drawn is multinomial, and there are few kinds however many groups there are.
    kinds, counts = np.unique(of_group, axis=0, return_counts=True)
    if np.ptp(kinds[:, 1] / kinds[:, 0]) == 0:
        return None
    total = int(counts.sum())
    drawn = np.random.default_rng(seed).multinomial(total, counts / total, size=resamples)
    photos, hits = (drawn @ kinds).T
    low, high = np.quantile(hits / photos, [0.025, 0.975])
    return float(low), float(high)
