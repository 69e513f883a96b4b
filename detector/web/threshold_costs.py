"""The cost of a threshold: how many test photos of the training run still get an answer."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskage.classes.scheme import Scheme
from maskage.errors import DatasetError
from maskage.formats.run.predictions_file import PREDICTIONS_FILE, read_predictions

STEPS = 100
"""Thresholds are whole percents, as on the page."""


@dataclass(frozen=True)
class ThresholdCost:
    """The answers at one threshold.

    Attributes:
        answered: Photos whose confidence reaches it.
        right: How many of these answers are right.
    """

    answered: int
    right: int


@dataclass(frozen=True)
class ThresholdCosts:
    """The answers of a run to its test photos, threshold by threshold.

    Attributes:
        photos: The test photos.
        steps: The answers at 0, 1 ... 100 percent.
    """

    photos: int
    steps: tuple[ThresholdCost, ...]


def find_threshold_costs(bundle: Path, scheme: Scheme) -> ThresholdCosts | None:
    """Read the test answers of the run that a bundle lies in.

    Args:
        bundle: Folder of the bundle.
        scheme: Its classes.

    Returns:
        None where the bundle lies in no run, or the answers are not about these classes.
    """
    run = bundle.resolve().parent
    if not (run / PREDICTIONS_FILE).is_file():
        return None
    try:
        predictions = read_predictions(run)
    except DatasetError:
        return None
    labels = set(scheme.labels)
    if not predictions or not all(
        each.actual in labels
        and each.predicted in labels
        and len(each.probabilities) == len(scheme)
        for each in predictions
    ):
        return None
    confidence = np.array([max(each.probabilities) for each in predictions])
    is_right = np.array([each.is_right for each in predictions])
    return measure_costs(confidence, is_right)


def measure_costs(confidence: NDArray[np.float64], is_right: NDArray[np.bool_]) -> ThresholdCosts:
    """Count the answers at each threshold.

    Args:
        confidence: Confidence of each answer, 0 to 1, shape (N,).
        is_right: True for each right one, shape (N,).
    """
    steps = []
    for percent in range(STEPS + 1):
        is_given = confidence >= percent / STEPS
        steps.append(ThresholdCost(int(is_given.sum()), int((is_given & is_right).sum())))
    return ThresholdCosts(len(confidence), tuple(steps))
