"""How sure a number is that was counted on photos: groups of them drawn anew, with replacement.

Photos of one group (a person, a sitting, look-alikes) are right or wrong together, so they are
drawn together: photo by photo the intervals of a few people with many photos would be too narrow.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.evaluation.intervals import wilson_interval

ROUNDS = 2000
"""The ends of a 95% interval then move by a few percent of its width from seed to seed."""


@dataclass(frozen=True)
class Estimate:
    """A number with its 95% interval, `low` to `high`."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """As JSON holds it."""
        return {"value": self.value, "low": self.low, "high": self.high}


def number_groups(groups: Sequence[str]) -> NDArray[np.int64]:
    """Names of groups (N,) as numbers from 0, in the order of the names."""
    return np.unique(np.array(groups), return_inverse=True)[1].astype(np.int64)


def resample_means(
    values: NDArray[np.floating], groups: NDArray[np.int64], seed: int
) -> NDArray[np.float64]:
    """Means over photos, of as many groups as there are, drawn with replacement.

    Args:
        values: One row a thing that is counted, one column a photo, shape (K, N), N at least 1.
        groups: Of each photo, numbers from 0, shape (N,).
        seed: Of what is drawn.

    Returns:
        Shape (ROUNDS, K). All of a row are of the same draw, so their differences are paired.

    Source:
        Davison and Hinkley, Bootstrap Methods and their Application (1997), section 3.8.
    """
    count = int(groups.max()) + 1
    photos = np.bincount(groups, minlength=count)
    sums = np.stack([np.bincount(groups, row, minlength=count) for row in values])
    random = np.random.default_rng(seed)
    means = np.empty((ROUNDS, len(values)))
    for row in means:
        times = np.bincount(random.integers(count, size=count), minlength=count)
        row[:] = sums @ times / (photos @ times)
    return means


def estimate(value: float, resampled: NDArray[np.float64]) -> Estimate:
    """A number and the middle 95% of what it was when resampled, shape (ROUNDS,)."""
    low, high = np.quantile(resampled, (0.025, 0.975))
    return Estimate(value, float(low), float(high))


def estimate_accuracy(
    value: float, resampled: NDArray[np.float64], groups: NDArray[np.int64]
) -> Estimate:
    """An accuracy, 0 to 1, with its interval.

    Where every answer is right, or none, resampling sees no spread; then the interval is Wilson's,
    over groups.
    """
    if 0 < value < 1:
        return estimate(value, resampled)
    count = int(groups.max()) + 1
    return Estimate(value, *wilson_interval(round(value * count), count))
