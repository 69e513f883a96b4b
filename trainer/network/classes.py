"""Labels as numbers: class order, one-hot rows, weights of classes, classes from factors."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import AGE, MASK, OLD, WORN
from maskage.formats.curated_set import CuratedPhoto
from trainer.recipe import CLASSES


def class_numbers(photos: Sequence[CuratedPhoto]) -> NDArray[np.int64]:
    """Return the index of each photo's label in the class order, shape (N,)."""
    return np.array([MASK_AGE.index(photo.label) for photo in photos], dtype=np.int64)


def one_hot(numbers: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return class numbers (N,) as one-hot rows, float32 (N, 4)."""
    return np.eye(len(MASK_AGE), dtype=np.float32)[numbers]


def class_weights(numbers: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the weight of a photo of each class, shape (4,), so that all classes count alike.

    The mean over all photos is 1. A weight is at most four times that of a class of average size,
    so that a handful of photos does not dominate.
    """
    counts = np.bincount(numbers, minlength=len(MASK_AGE)).astype(np.float64)
    weights = np.minimum(counts.sum() / (len(MASK_AGE) * np.maximum(counts, 1)), 4.0)
    mean = (weights * counts).sum() / counts.sum()
    return np.asarray(weights / mean, dtype=np.float32)


def merge_matrix(heads: str) -> NDArray[np.float32]:
    """Return the matrix (K, 4) that turns a head's answers into logits of the four classes.

    Two factors m and a (logits of "has a mask" and "is old") become (+-m +-a) / 2. The softmax of
    these four is the product of the two probabilities, so one cross entropy trains both.

    Args:
        heads: "classes" (K is 4, nothing changes) or "factors" (K is 2).
    """
    if heads == CLASSES:
        return np.eye(len(MASK_AGE), dtype=np.float32)
    halves = [
        [MASK_AGE.has(label, MASK, WORN) for label in MASK_AGE.labels],
        [MASK_AGE.has(label, AGE, OLD) for label in MASK_AGE.labels],
    ]
    return np.where(halves, np.float32(0.5), np.float32(-0.5))
