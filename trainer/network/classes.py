"""Labels as numbers: class order, one-hot rows, weights of classes, classes from factors."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskage.classes.scheme import Scheme
from maskage.formats.curated.curated_set import CuratedPhoto
from trainer.recipe import CLASSES


def class_numbers(photos: Sequence[CuratedPhoto], scheme: Scheme) -> NDArray[np.int64]:
    """Return the index of each photo's label in the class order, shape (N,)."""
    return np.array([scheme.index(photo.label) for photo in photos], dtype=np.int64)


def one_hot(numbers: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """Return class numbers (N,) as one-hot rows, float32 (N, classes)."""
    return np.eye(classes, dtype=np.float32)[numbers]


def class_weights(numbers: NDArray[np.int64], classes: int) -> NDArray[np.float32]:
    """Return the weight of a photo of each class, shape (classes,), so that all count alike.

    The mean over all photos is 1. A weight is at most four times that of a class of average size,
    so that a handful of photos does not dominate.
    """
    counts = np.bincount(numbers, minlength=classes).astype(np.float64)
    weights = np.minimum(counts.sum() / (classes * np.maximum(counts, 1)), 4.0)
    mean = (weights * counts).sum() / counts.sum()
    return np.asarray(weights / mean, dtype=np.float32)


def merge_matrix(heads: str, scheme: Scheme) -> NDArray[np.float32]:
    """Return the matrix (K, C) that turns a head's K answers into logits of the C classes.

    With "factors", the logit of a class is the sum of the logits of its values, one for each
    factor. A factor of two values has one answer m, the logit of the first value against the
    second, which gives +m/2 and -m/2: "has a mask" and "is old" become (+-m +-a) / 2. A factor of
    more values has one answer for each.

    The softmax over the classes is then the product of the probabilities of the values, so one
    cross entropy trains all factors. Where a combination of values is no class, the products of
    the others are scaled to a sum of 1.

    Args:
        heads: "classes" (K is C, nothing changes) or "factors".
        scheme: The classes; with "factors" it has at least one factor.
    """
    if heads == CLASSES:
        return np.eye(len(scheme), dtype=np.float32)
    rows: list[NDArray[np.float32]] = []
    for name, values in scheme.factors.items():
        numbers = np.array(scheme.factor_numbers(name))
        if len(values) == 2:
            rows.append(np.where(numbers == 0, np.float32(0.5), np.float32(-0.5)))
        else:
            rows += [(numbers == at).astype(np.float32) for at in range(len(values))]
    return np.stack(rows)
