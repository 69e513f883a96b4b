"""Cross-validation: predict each photo with a head that was trained on other photos."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from maskage.classes.scheme import Scheme
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
    scheme: Scheme,
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
        scheme: The classes.
        on_head: Called after each head.

    Returns:
        1 where a photo's class and each of its F factors are right, else 0, shape (1 + F, N).
    """
    folds = make_folds(labels, groups, count, seed)
    said = predict_folds(
        features,
        labels,
        folds,
        recipe=recipe,
        seed=seed,
        scheme=scheme,
        on_head=lambda _: on_head(),
    ).argmax(axis=1)
    factors = [np.array(scheme.factor_numbers(name)) for name in scheme.factors]
    right = [values[said] == values[labels] for values in factors]
    return np.array([said == labels, *right], np.float64)


def predict_folds(
    features: Matrix,
    labels: _Numbers,
    folds: _Numbers,
    *,
    recipe: Recipe,
    seed: int,
    scheme: Scheme,
    on_head: Callable[[int], object] = lambda done: None,
) -> Matrix:
    """Train a head for each fold, on the other folds, and return its logits of the fold's photos.

    The next fold chooses the epoch. Of two folds none is left for that, so the epoch is the one
    that fits the training photos best: mostly the last.

    Args:
        features: Features of the photos from a frozen backbone, shape (N, depth).
        labels: Class numbers, shape (N,).
        folds: Fold of each photo, numbers from 0, at least 2 of them, shape (N,).
        recipe: Recipe of the head.
        seed: Seed of the heads.
        scheme: The C classes.
        on_head: Called after each head with the number of those done.

    Returns:
        Logits, float32, shape (N, C).
    """
    count = int(folds.max()) + 1
    logits = np.empty((len(labels), len(scheme)), np.float32)
    for fold in range(count):
        asked, picks = folds == fold, folds == (fold + 1) % count
        teaches = ~asked & ~picks
        if count == 2:
            teaches = picks = ~asked
        data = HeadData(
            features[teaches][:, None],
            labels[teaches],
            features[picks],
            labels[picks],
            class_weights(labels[teaches], len(scheme)),
            scheme,
        )
        logits[asked] = train_head(data, recipe, seed=seed).logits(features[asked])
        on_head(fold + 1)
    return logits


def make_folds(labels: _Numbers, groups: _Numbers, count: int, seed: int) -> _Numbers:
    """Return the fold of each photo, 0 to `count` - 1; groups stay whole, classes are even."""
    from sklearn.model_selection import StratifiedGroupKFold

    # scikit-learn takes seeds below 2**32.
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed % 2**32)
    folds = np.empty(len(labels), np.int64)
    for fold, (_, asked) in enumerate(splitter.split(labels[:, None], labels, groups)):
        folds[asked] = fold
    return folds
