"""Cross-validation: predict each photo with a head that was trained on other photos."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import AGE, MASK, OLD, WORN
from trainer.network.classes import class_weights
from trainer.network.head import HeadData, Matrix, train_head
from trainer.recipe import Recipe

_Numbers = NDArray[np.int64]


def cross_validate(
    features: Matrix,
    labels: _Numbers,
    groups: _Numbers,
    *,
    count: int,
    recipe: Recipe,
    seed: int,
    on_head: Callable[[], object] = lambda: None,
) -> NDArray[np.float64]:
    """Train a head for each fold, on the other folds, and let it predict the fold's photos.

    Args:
        features: Features of the photos from a frozen backbone, shape (N, depth).
        labels: Class numbers, shape (N,).
        groups: Group of each photo, numbers from 0, shape (N,); a group lies in one fold.
        count: Number of folds, at least 3: one is predicted, one chooses the epoch, the rest train.
        recipe: Recipe of the head.
        seed: Seed of the folds and of the heads.
        on_head: Called after each head.

    Returns:
        1 where class, mask and age of a photo are right, else 0, shape (3, N).
    """
    folds = make_folds(labels, groups, count, seed)
    said = np.empty_like(labels)
    for fold in range(count):
        asked, picks = folds == fold, folds == (fold + 1) % count
        teaches = ~asked & ~picks
        data = HeadData(
            features[teaches][:, None],
            labels[teaches],
            features[picks],
            labels[picks],
            class_weights(labels[teaches]),
        )
        said[asked] = train_head(data, recipe, seed=seed).logits(features[asked]).argmax(axis=1)
        on_head()
    halves = np.array(
        [
            [MASK_AGE.has(label, MASK, WORN), MASK_AGE.has(label, AGE, OLD)]
            for label in MASK_AGE.labels
        ]
    )
    return np.array([said == labels, *(halves[said] == halves[labels]).T], np.float64)


def make_folds(labels: _Numbers, groups: _Numbers, count: int, seed: int) -> _Numbers:
    """Return the fold of each photo, 0 to `count` - 1; groups stay whole, classes are even."""
    from sklearn.model_selection import StratifiedGroupKFold

    # scikit-learn takes seeds below 2**32.
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed % 2**32)
    folds = np.empty(len(labels), np.int64)
    for fold, (_, asked) in enumerate(splitter.split(labels[:, None], labels, groups)):
        folds[asked] = fold
    return folds
