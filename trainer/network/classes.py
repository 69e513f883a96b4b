"""Labels as numbers: class order, one-hot rows, what a photo counts, how factors make classes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskage.formats.curated_set import CuratedPhoto
from maskage.records import LABELS
from trainer.recipe import CLASSES


def class_numbers(photos: Sequence[CuratedPhoto]) -> NDArray[np.int64]:
    """Position of each photo's label in the class order, shape (N,)."""
    return np.array([LABELS.index(photo.label) for photo in photos], dtype=np.int64)


def one_hot(numbers: NDArray[np.int64]) -> NDArray[np.float32]:
    """Class numbers (N,) as float32 (N, 4)."""
    return np.eye(len(LABELS), dtype=np.float32)[numbers]


def class_weights(numbers: NDArray[np.int64]) -> NDArray[np.float32]:
    """What a photo of each class counts so that all classes count alike; the mean photo counts 1.

    A class is weighted up four times at most: a handful of photos must not lead.
    """
    counts = np.bincount(numbers, minlength=len(LABELS)).astype(np.float64)
    weights = np.minimum(counts.sum() / (len(LABELS) * np.maximum(counts, 1)), 4.0)
    mean = (weights * counts).sum() / counts.sum()
    return np.asarray(weights / mean, dtype=np.float32)


def merge_matrix(heads: str) -> NDArray[np.float32]:
    """What a head's answers are multiplied by to be logits of the four classes, shape (K, 4).

    Two factors m and a (logits of "has a mask" and "is old") become (+-m +-a) / 2: the softmax of
    these four is the product of the two probabilities, so one cross entropy trains both.

    Args:
        heads: "classes" (K is 4, nothing changes) or "factors" (K is 2).
    """
    if heads == CLASSES:
        return np.eye(len(LABELS), dtype=np.float32)
    halves = [[label.has_mask for label in LABELS], [label.is_old for label in LABELS]]
    return np.where(halves, np.float32(0.5), np.float32(-0.5))
