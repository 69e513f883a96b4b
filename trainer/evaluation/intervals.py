"""Intervals: how far the true number may lie from a measured one.

Photos of one group (a person, a session, look-alikes) are right or wrong together, so whole groups
are drawn. Drawn photo by photo, the intervals of a few people with many photos would be too narrow.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

RESAMPLES = 2000
"""Number of draws; with it, two seeds differ by a few hundredths of the interval's width."""

_DRAWN_AT_ONCE = 4_000_000
"""Numbers in one chunk of draws, 32 MB, whatever the number of groups."""


@dataclass(frozen=True)
class Estimate:
    """A number with its 95% interval, `low` to `high`."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """Return the object that JSON files hold."""
        return {"value": self.value, "low": self.low, "high": self.high}


def wilson_interval(right: int, total: int) -> tuple[float, float]:
    """Return the 95% interval of a proportion; it also holds near 0 and 1.

    Args:
        right: Successes, 0 to total.
        total: Trials, at least 1.

    Source:
        Wilson, Probable inference, JASA 22 (1927), as SciPy computes it.
    """
    found = binomtest(right, total).proportion_ci(0.95, method="wilson")
    return float(found.low), float(found.high)


def bootstrap_interval(
    right: NDArray[np.bool_], groups: Sequence[str], resamples: int = RESAMPLES, seed: int = 1337
) -> tuple[float, float] | None:
    """Return the 95% interval of an accuracy whose photos come in groups.

    A hundred photos of one person say less than photos of a hundred people. Wilson's interval
    treats photos as independent; this one draws whole groups.

    Args:
        right: True for each right answer, shape (N,), N at least 1.
        groups: Group of each photo.
        resamples: Number of datasets drawn, each of as many groups as there are.
        seed: Seed of the draws.

    Returns:
        The 2.5% and the 97.5% quantile, or None where every group has the same accuracy (one group
        alone, or all answers right): each draw would give that accuracy again.

    Raises:
        ValueError: The number of groups is not the number of answers.

    Source:
        Efron and Tibshirani, An introduction to the bootstrap (1993), percentile interval.
    """
    if len(groups) != len(right):
        raise ValueError(f"One group for each answer; found {len(groups)} for {len(right)}.")
    numbers = number_groups(groups)
    accuracy = np.bincount(numbers, weights=right) / np.bincount(numbers)
    if np.ptp(accuracy) == 0:
        return None
    means = resample_means(right[None].astype(np.float64), numbers, seed, resamples)
    low, high = np.quantile(means[:, 0], (0.025, 0.975))
    return float(low), float(high)


def number_groups(groups: Sequence[str]) -> NDArray[np.int64]:
    """Number groups (N,) from 0, in the order of their names."""
    return np.unique(np.asarray(groups, dtype=str), return_inverse=True)[1].astype(np.int64)


def resample_means(
    values: NDArray[np.floating], groups: NDArray[np.int64], seed: int, resamples: int = RESAMPLES
) -> NDArray[np.float64]:
    """Draw as many groups as there are, with replacement, and take the means over their photos.

    Args:
        values: One row for each quantity, one column for each photo, shape (K, N), N at least 1.
        groups: Group of each photo, numbers from 0, shape (N,).
        seed: Seed of the draws.
        resamples: Number of draws.

    Returns:
        The means, shape (resamples, K). A row comes from one draw, so differences in it are paired.

    Source:
        Davison and Hinkley, Bootstrap Methods and their Application (1997), section 3.8.
    """
    photos = np.bincount(groups)
    sums = [np.bincount(groups, row) for row in values]
    # Groups with equal figures are alike: how often each such kind is drawn is multinomial, and
    # where answers are right or wrong there are few kinds, however many groups there are.
    kinds, counts = np.unique(np.stack([photos, *sums], axis=1), axis=0, return_counts=True)
    total = int(counts.sum())
    random = np.random.default_rng(seed)
    drawn = np.concatenate(
        [
            random.multinomial(total, counts / total, size=rounds) @ kinds
            for rounds in _chunks(resamples, len(kinds))
        ]
    )
    return np.asarray(drawn[:, 1:] / drawn[:, :1], dtype=np.float64)


def estimate(value: float, resampled: NDArray[np.float64]) -> Estimate:
    """Pair a number with the middle 95% of its resampled values, shape (resamples,)."""
    low, high = np.quantile(resampled, (0.025, 0.975))
    return Estimate(value, float(low), float(high))


def estimate_accuracy(
    value: float, resampled: NDArray[np.float64], groups: NDArray[np.int64]
) -> Estimate:
    """Pair an accuracy, 0 to 1, with its interval.

    Where every answer is right, or none, the resampled values are all equal; the interval is then
    Wilson's over groups.
    """
    if 0 < value < 1:
        return estimate(value, resampled)
    count = int(groups.max()) + 1
    return Estimate(value, *wilson_interval(round(value * count), count))


def _chunks(rounds: int, width: int) -> Iterator[int]:
    """Split a number of draws so that each chunk, `width` numbers a draw, stays small."""
    size = max(1, _DRAWN_AT_ONCE // width)
    for start in range(0, rounds, size):
        yield min(size, rounds - start)
