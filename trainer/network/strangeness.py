"""How strange a photo is to a network: how far its features lie from those of training photos.

They are compared at two depths, because training makes the last features of all pictures alike:
the features that the head gets, with the mean of each class, and the means of the map before the
network halves it for the last time, which still see texture and outline. At each depth the
distance is Mahalanobis', with the variance along the main directions and one variance for the rest.

Source:
    Lee et al., A simple unified framework for detecting out-of-distribution samples, NeurIPS 2018;
    Tipping and Bishop, Probabilistic principal component analysis, 1999, for the rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

DIRECTIONS = 64
"""Number of main directions of features; 16 to 256 were tried, and 32 to 64 told most apart."""
LEAST_PHOTOS = 50
"""Number of validation photos, and of training photos, below which nothing is measured."""
KNOWN_REJECTED = 0.01
"""Share of the validation photos that lie beyond the limit."""
LIMIT = 1.0
"""Strangeness above which a face is unlike those that were learned; it is scaled so."""


@dataclass(frozen=True, eq=False)
class FeatureSpread:
    """The features of training photos at one depth.

    Attributes:
        means: Means, one for each class that has photos, or of all together; shape (M, D).
        directions: Main directions, shape (D, K).
        variances: Variances along these, shape (K,).
        rest: Variance along each other direction.
    """

    means: Matrix
    directions: Matrix
    variances: Matrix
    rest: float

    @property
    def discounts(self) -> Matrix:
        """What makes up for the larger variance of each main direction, shape (D, K)."""
        return np.asarray(self.directions * np.sqrt(1 / self.rest - 1 / self.variances))

    def measure(self, features: NDArray[np.floating]) -> Matrix:
        """Return the distance of each row of features (N, D) from the nearest mean, shape (N,)."""
        squares = []
        for mean in self.means:
            off = features.astype(np.float64) - mean
            squares.append((off**2).sum(axis=1) / self.rest)
            squares[-1] -= ((off @ self.discounts) ** 2).sum(axis=1)
        return np.asarray(np.sqrt(np.maximum(np.min(squares, axis=0), 0)))


@dataclass(frozen=True, eq=False)
class Strangeness:
    """The measure of strangeness of one network: a weighted sum of the distances at its depths.

    Attributes:
        spreads: Features of training photos at each depth.
        scales: Factor of each distance; the limit of their sum is `LIMIT`.
    """

    spreads: tuple[FeatureSpread, ...]
    scales: tuple[float, ...]

    def measure(self, depths: Sequence[NDArray[np.floating]]) -> Matrix:
        """Return the strangeness, shape (N,), of features (N, D) at each depth."""
        parts = zip(self.spreads, self.scales, depths, strict=True)
        distances = [scale * spread.measure(each) for spread, scale, each in parts]
        return np.asarray(np.sum(distances, axis=0))


def fit_strangeness(
    train: Sequence[NDArray[np.floating]],
    labels: NDArray[np.int64],
    val: Sequence[NDArray[np.floating]],
) -> Strangeness | None:
    """Fit the measure on training photos, and its limit on validation photos.

    Args:
        train: Features of the training photos (N, D) at each depth, the head's own first.
        labels: Class numbers of the training photos, shape (N,).
        val: Features of the validation photos at each depth, at least one photo.

    Returns:
        The measure; None where the features of all photos are the same.
    """
    one_mean = np.zeros_like(labels)
    spreads = [
        _fit_spread(features, one_mean if depth else labels) for depth, features in enumerate(train)
    ]
    distances = [spread.measure(each) for spread, each in zip(spreads, val, strict=True)]
    deviations = [float(each.std()) for each in distances]
    if min(deviations) <= 0:
        return None
    found = Strangeness(tuple(spreads), tuple(1 / each for each in deviations))
    limit = float(np.quantile(found.measure(val), 1 - KNOWN_REJECTED))
    return replace(found, scales=tuple(LIMIT * scale / limit for scale in found.scales))


def _fit_spread(features: NDArray[np.floating], numbers: NDArray[np.int64]) -> FeatureSpread:
    """Fit means and variances on features (N, D) with the number of each photo's mean (N,)."""
    rows = features.astype(np.float64)
    found, places = np.unique(numbers, return_inverse=True)
    means = np.stack([rows[places == at].mean(axis=0) for at in range(len(found))])
    count, depth = rows.shape
    _, singular, directions = np.linalg.svd(rows - means[places], full_matrices=False)
    variances = singular**2 / count
    # The floor keeps features that never change from counting without end.
    floor = 1e-6 * max(float(variances.sum()), 1e-12)
    kept = min(DIRECTIONS, max(1, len(variances) // 2))
    rest = max(float(variances[kept:].sum()) / max(1, depth - kept), floor)
    return FeatureSpread(
        means, directions[:kept].T.copy(), np.maximum(variances[:kept], rest), rest
    )
