"""Measure a learning curve: train heads on parts of the photos, down to a sixteenth.

The features of the frozen backbone are already computed, so training a head takes half a second.
Parts are drawn by whole groups, because new photos would also come from other people and other
sessions. Each part is contained in the next larger one, and all are drawn several times.

Each head is trained for the same number of steps. Its best epoch is chosen on the validation
photos, on which it is then measured, so every accuracy is a little too high.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from maskage.errors import DatasetError
from maskage.formats.curated.curated_set import CuratedPhoto
from trainer.evaluation.intervals import estimate, number_groups, resample_means
from trainer.evaluation.metrics import count_confusion, measure_accuracies
from trainer.network.head import HeadData, train_head
from trainer.recipe import Phase, Recipe
from trainer.studies.learning_curve import CurveRow, LearningCurve

SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
"""Shares of the training photos. Each is twice the one before, so the last doubling is measured."""
DRAWS = 8
"""Number of times that the parts are drawn."""
MIN_GROUPS = 2
"""Least number of groups in a part; shares with fewer are skipped."""
EXPONENTS = np.linspace(0.1, 1.5, 15)
"""Exponents of the power laws that are tried.

Source: Measured ones lie between 0.1 and 0.5 for error against photos (Hestness et al., Deep
learning scaling is predictable, empirically, 2017). Near a ceiling the curve bends sooner.
"""

_Reals = NDArray[np.float64]
_Numbers = NDArray[np.int64]


def require_enough_groups(train: Sequence[CuratedPhoto]) -> None:
    """Check that there are enough groups to draw half of the training photos from.

    Raises:
        DatasetError: The training photos come from too few groups.
    """
    found = len({photo.group for photo in train})
    if found < 2 * MIN_GROUPS:
        raise DatasetError(
            "A learning curve draws parts of the training photos by whole groups (people, "
            f"sessions, look-alikes) and needs at least {2 * MIN_GROUPS}; found {found}. Collect "
            "photos of more people, or leave out --learning-curve."
        )


def measure_curve(
    data: HeadData,
    train: Sequence[CuratedPhoto],
    val: Sequence[CuratedPhoto],
    recipe: Recipe,
    *,
    seed: int,
    on_head: Callable[[int, int], bool] = lambda done, total: True,
) -> LearningCurve | None:
    """Train heads on parts of the photos and measure each on the validation photos.

    Args:
        data: Features and labels of `train` and `val`, in their order.
        train: Training photos; an augmented variant has its parent's group and stays with it.
        val: Validation photos, on which each head is measured.
        recipe: Recipe of the head.
        seed: Seed of the draws and of the heads.
        on_head: Called with the heads done and in total; returns False to stop.

    Returns:
        The curve, or None if it was stopped.

    Raises:
        DatasetError: The training photos come from too few groups.
    """
    require_enough_groups(train)
    groups = number_groups([photo.group for photo in train])
    is_original = np.array([photo.parent is None for photo in train])
    count = int(groups.max()) + 1
    shares = [share for share in SHARES if share * count >= MIN_GROUPS]
    parts = [
        draw_parts(groups, data.train_labels, is_original, shares, seed + at) for at in range(DRAWS)
    ]
    rows: list[CurveRow] = []
    right: list[_Reals] = []
    for (number, share), at in product(enumerate(shares), range(DRAWS)):
        members = parts[at][number]
        logits = _answers(data, members, recipe, seed + at)
        said = logits.argmax(axis=1).astype(np.int64)
        photos, drawn = int(is_original[members].sum()), len(np.unique(groups[members]))
        counts = count_confusion(data.val_labels, said, len(data.scheme))
        rows.append(
            CurveRow(
                share=share,
                draw=at + 1,
                groups=drawn,
                photos=photos,
                accuracies=measure_accuracies(counts, data.scheme),
            )
        )
        right.append((said == data.val_labels).astype(np.float64))
        if not on_head(len(rows), len(shares) * DRAWS):
            return None
    val_groups = number_groups([photo.group for photo in val])
    return _curve(rows, np.stack(right), val_groups, len(shares), seed)


def draw_order(groups: _Numbers, labels: _Numbers, seed: int) -> list[int]:
    """Draw an order of the groups in which every beginning holds the classes equally.

    The first few groups hold every class.

    Args:
        groups: Group of each photo, numbers from 0, shape (N,).
        labels: Class numbers, shape (N,).
        seed: Seed of the order.
    """
    contents = np.zeros((int(groups.max()) + 1, int(labels.max()) + 1), np.int64)
    np.add.at(contents, (groups, labels), 1)
    random = np.random.default_rng(seed)
    shuffled = random.permutation(len(contents))
    main = contents.argmax(axis=1)
    place = np.empty(len(contents))
    for label in range(contents.shape[1]):
        own = shuffled[main[shuffled] == label]
        place[own] = (np.arange(len(own)) + random.random()) / max(1, len(own))
    order = sorted(shuffled.tolist(), key=lambda group: place[group])
    present = np.flatnonzero(contents.any(axis=0))
    first = [next(group for group in order if contents[group, label]) for label in present]
    return list(dict.fromkeys([*first, *order]))


def draw_parts(
    groups: _Numbers,
    labels: _Numbers,
    is_original: NDArray[np.bool_],
    shares: Sequence[float],
    seed: int,
) -> list[_Numbers]:
    """Draw parts of the photos: whole groups, all classes, each within the next larger part.

    Args:
        groups: Group of each photo, numbers from 0, shape (N,).
        labels: Class numbers, shape (N,).
        is_original: False for augmented variants, which do not count in the size of a part.
        shares: Shares, over 0 to 1; a part is as near to its share as whole groups allow.
        seed: Seed of the draws.

    Returns:
        Indices of photos, sorted, for each share.
    """
    order = draw_order(groups, labels, seed)
    rank = np.argsort(order)[groups]
    photos = np.bincount(rank[is_original], minlength=len(order)).cumsum()
    least = 1 + max(int(rank[labels == label].min()) for label in np.unique(labels))
    nearest = [1 + int(np.abs(photos - share * photos[-1]).argmin()) for share in shares]
    return [np.flatnonzero(rank < max(count, least)) for count in nearest]


def forecast_doubling(sizes: Sequence[float], accuracies: _Reals) -> _Reals:
    """Forecast the gain from twice the photos by a fitted power law `a - b * size ** -c`.

    Args:
        sizes: Number of photos of each part, the smallest first, shape (K,).
        accuracies: Accuracies, 0 to 1, one curve in each row, shape (R, K).

    Returns:
        Gains in accuracy, 0 or more, shape (R,). No gain leads to an accuracy above 1: `b` is kept
        at 0 or more, `a` at 1 or less.
    """
    least = np.full(len(accuracies), np.inf)
    gains = np.zeros(len(accuracies))
    for exponent in EXPONENTS:
        x = (np.asarray(sizes) / sizes[-1]) ** -exponent
        apart = x - x.mean()
        b = np.maximum(0, -accuracies @ apart / (apart @ apart))
        a = accuracies.mean(axis=1) + b * x.mean()
        b = np.where(a > 1, (1 - accuracies) @ x / (x @ x), b)
        a = np.minimum(a, 1)
        error = ((a[:, None] - b[:, None] * x - accuracies) ** 2).sum(axis=1)
        is_better = error < least
        least = np.where(is_better, error, least)
        gains = np.where(is_better, b * (1 - 2**-exponent), gains)
    # The fitted curve may end below the measured one.
    return np.minimum(gains, 1 - accuracies[:, -1])


def _answers(data: HeadData, members: _Numbers, recipe: Recipe, seed: int) -> NDArray[np.float32]:
    """Return the validation photos' logits (M, C) by a head trained on some photos."""
    part = replace(data, train=data.train[members], train_labels=data.train_labels[members])
    # As many steps as with all photos. With as many epochs, heads on few photos would be far from
    # converged, and the curve would rise because of that.
    phase = recipe.head
    longer = _steps(len(data.train_labels), phase) / _steps(len(members), phase)
    lasting = replace(
        phase,
        epochs=max(1, round(phase.epochs * longer)),
        patience=max(1, round(phase.patience * longer)),
    )
    return train_head(part, replace(recipe, head=lasting), seed=seed).logits(data.val)


def _steps(photos: int, phase: Phase) -> int:
    return -(-photos // phase.batch_size)


def _curve(
    rows: list[CurveRow], right: _Reals, val_groups: _Numbers, share_count: int, seed: int
) -> LearningCurve:
    """Join the heads into a curve, with intervals from resampled draws and groups."""
    resampled = resample_means(right, val_groups, seed).reshape(-1, share_count, DRAWS)
    chosen = np.random.default_rng(seed).integers(DRAWS, size=(len(resampled), 1, DRAWS))
    curves = np.take_along_axis(resampled, chosen, axis=2).mean(axis=2)
    means = right.mean(axis=1).reshape(share_count, DRAWS).mean(axis=1)
    gain = estimate(float(means[-1] - means[-2]), curves[:, -1] - curves[:, -2])
    ahead = None
    photos = np.array([row.photos for row in rows], np.float64).reshape(share_count, DRAWS)
    sizes = photos.mean(axis=1).tolist()
    if share_count >= 3 and sizes[0] < sizes[-1]:
        expected = float(forecast_doubling(sizes, means[None])[0])
        ahead = estimate(expected, forecast_doubling(sizes, curves))
    return LearningCurve(tuple(rows), right.shape[1], int(val_groups.max()) + 1, gain, ahead)
