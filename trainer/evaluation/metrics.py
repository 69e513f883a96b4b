"""The scores of a classifier.

Precision of a class: of the photos predicted as the class, the share that are in it (a column of
the confusion matrix). Recall: of the photos in the class, the share predicted as it (a row).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from maskage.classes.scheme import Scheme
from trainer.evaluation.accuracies import Accuracies, Scores, name_accuracies
from trainer.evaluation.calibration import (
    BINS,
    ReliabilityBin,
    calibration_error,
    measure_reliability,
)
from trainer.evaluation.coverage import (
    CoveragePoint,
    find_threshold,
    format_coverage,
    measure_coverage,
)
from trainer.evaluation.intervals import bootstrap_interval, wilson_interval
from trainer.evaluation.score_tables import (
    fit_width,
    format_confusion,
    format_scores,
    name_width,
)
from trainer.network.head import softmax

CLEARLY_WIDER = 1.25
"""Ratio of an interval by group to Wilson's above which it is not chance of the draws."""

FEW_GROUPS = 30
"""Number of groups below which the interval by group is too narrow.

Source: Cameron, Gelbach and Miller, Bootstrap-based improvements for inference with clustered
errors, Review of Economics and Statistics 90 (2008): few is five to thirty.
"""


@dataclass(frozen=True)
class FactorScores:
    """Scores of one factor, whatever the other factors of a photo are taken for; 0 to 1.

    Attributes:
        accuracy: Share of the photos with the right value.
        interval: 95% Wilson interval of the accuracy, as if photos were independent.
        values: For each value that photos have, the share of its photos that are seen as such.
    """

    accuracy: float
    interval: tuple[float, float]
    values: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The scores of a classifier on labelled photos.

    Attributes:
        accuracy: Share of the photos with the right class, 0 to 1.
        accuracy_interval: 95% Wilson interval of the accuracy, as if photos were independent.
        accuracy_interval_by_group: 95% bootstrap interval of the accuracy over whole groups; None
            where all groups have the same accuracy.
        groups: Number of groups.
        factors: Scores of each factor, by its name.
        per_class: Scores of each label.
        averages: "micro", "macro", "weighted" (by support), "samples" (over photos).
        confusion: Counts, rows actual, columns predicted, in class order.
        photos: Number of photos.
        calibration_error: Expected calibration error, 0 to 1.
        calibration_error_uncalibrated: The same without the temperature.
        temperature: Temperature that is inside the probabilities.
        reliability: Confidence and accuracy in bins of the confidence.
        reliability_uncalibrated: The same without the temperature.
        coverage: Share answered and accuracy at several thresholds of the confidence.
        threshold_for_99: Lowest threshold at which 99% of the answers are right, or None.
        labels: The classes, in class order.
    """

    accuracy: float
    accuracy_interval: tuple[float, float]
    accuracy_interval_by_group: tuple[float, float] | None
    groups: int
    factors: dict[str, FactorScores]
    per_class: dict[str, Scores]
    averages: dict[str, Scores]
    confusion: tuple[tuple[int, ...], ...]
    photos: int
    calibration_error: float
    calibration_error_uncalibrated: float
    temperature: float
    reliability: tuple[ReliabilityBin, ...]
    reliability_uncalibrated: tuple[ReliabilityBin, ...]
    coverage: tuple[CoveragePoint, ...]
    threshold_for_99: CoveragePoint | None
    labels: tuple[str, ...]

    @property
    def accuracies(self) -> Accuracies:
        """The accuracy of the classes and of each factor."""
        return Accuracies(
            self.accuracy, {name: each.accuracy for name, each in self.factors.items()}
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the object that `metrics.json` holds."""
        values = asdict(self)
        factors = values.pop("factors")
        named = name_accuracies(self.accuracies.factors)
        return {**values, **named, "labels": list(self.labels), "factors": factors}

    def format_accuracy(self) -> list[str]:
        """Return lines of text with the accuracy, its intervals and that of each factor."""
        low, high = self.accuracy_interval
        return [
            f"accuracy  {self.accuracy:.2%}  (95% interval {low:.2%} to {high:.2%}, "
            f"{self.photos} photos)",
            f"          {_format_groups(self)}",
            *(
                f"{fit_width(name, name_width([name], 10))}{each.accuracy:.2%}"
                for name, each in self.factors.items()
            ),
        ]

    def __str__(self) -> str:
        lines = [
            *format_scores(self.per_class, self.averages),
            "",
            *self.format_accuracy(),
            f"calibration error {self.calibration_error:.2%}  "
            f"({self.calibration_error_uncalibrated:.2%} without its temperature of "
            f"{self.temperature:.2f})",
            "",
            format_confusion(self.confusion, self.labels),
            "",
            format_coverage(self.coverage),
            _format_threshold(self.threshold_for_99),
        ]
        return "\n".join(lines)


def evaluate_answers(
    actual: NDArray[np.int64],
    probabilities: NDArray[np.floating],
    groups: Sequence[str] | None = None,
    temperature: float = 1.0,
    *,
    scheme: Scheme,
) -> Evaluation:
    """Score a classifier's answers.

    Args:
        actual: Class numbers, shape (N,), N at least 1.
        probabilities: Probabilities of the C classes, shape (N, C).
        groups: Group of each photo; None where each photo is its own group.
        temperature: Temperature that is inside the probabilities.
        scheme: The C classes.

    Raises:
        ValueError: There are no photos, or the shapes do not fit.
    """
    if len(actual) == 0 or probabilities.shape != (len(actual), len(scheme)):
        raise ValueError(
            f"One row of {len(scheme)} probabilities for each photo, at least one; found "
            f"{probabilities.shape} for {len(actual)} photos."
        )
    groups = groups if groups is not None else [str(at) for at in range(len(actual))]
    predicted = probabilities.argmax(axis=1)
    is_right = predicted == actual
    confidence = probabilities.max(axis=1).astype(np.float64)
    counts = count_confusion(actual, predicted, len(scheme))
    right = int(np.trace(counts))
    uncalibrated = undo_temperature(probabilities, temperature)
    reliability = measure_reliability(actual, probabilities)
    before = measure_reliability(actual, uncalibrated)
    return Evaluation(
        accuracy=right / len(actual),
        accuracy_interval=wilson_interval(right, len(actual)),
        accuracy_interval_by_group=bootstrap_interval(is_right, groups),
        groups=len(set(groups)),
        factors={name: _score_factor(counts, scheme, name) for name in scheme.factors},
        per_class=_per_class(actual, predicted, scheme),
        averages=_averages(actual, predicted, len(scheme)),
        confusion=tuple(tuple(int(count) for count in row) for row in counts),
        photos=len(actual),
        calibration_error=calibration_error(reliability),
        calibration_error_uncalibrated=calibration_error(before),
        temperature=temperature,
        reliability=reliability,
        reliability_uncalibrated=before,
        coverage=measure_coverage(is_right, confidence),
        threshold_for_99=find_threshold(is_right, confidence, 0.99),
        labels=scheme.labels,
    )


def count_confusion(
    actual: NDArray[np.int64], predicted: NDArray[np.integer], classes: int
) -> NDArray[np.int64]:
    """Count answers in a matrix (classes, classes), rows actual, columns predicted."""
    counts: NDArray[np.int64] = confusion_matrix(actual, predicted, labels=range(classes))
    return counts


def measure_accuracies(counts: NDArray[np.int64], scheme: Scheme) -> Accuracies:
    """Return the accuracies in a confusion matrix (C, C) of at least one photo."""
    factors = {name: _factor_matrix(counts, scheme, name) for name in scheme.factors}
    total = counts.sum()
    return Accuracies(
        float(counts.trace() / total),
        {name: float(matrix.trace() / total) for name, matrix in factors.items()},
    )


def undo_temperature(
    probabilities: NDArray[np.floating], temperature: float
) -> NDArray[np.floating]:
    """Return probabilities (N, C) as they were before logits were divided by the temperature."""
    if temperature == 1:
        return probabilities
    # Their logarithms are the divided logits, up to a constant that softmax removes again. A
    # probability that is too small for a float32 is 0, which has no logarithm.
    smallest = np.finfo(np.float32).tiny
    return softmax(np.log(np.maximum(probabilities, smallest)) * temperature)


def expected_calibration_error(
    actual: NDArray[np.int64], probabilities: NDArray[np.floating], bins: int = BINS
) -> float:
    """Return the mean gap between confidence and accuracy over bins of equal width, 0 to 1."""
    return calibration_error(measure_reliability(actual, probabilities, bins))


def _format_groups(result: Evaluation) -> str:
    if result.groups == result.photos:
        return "(each photo is its own group)"
    if result.accuracy_interval_by_group is None:
        reason = (
            "there is only one group" if result.groups == 1 else "all groups have the same accuracy"
        )
        return f"(no interval by group: {reason})"
    low, high = result.accuracy_interval_by_group
    alone_low, alone_high = result.accuracy_interval
    text = f"(95% interval {low:.2%} to {high:.2%} over {result.groups} groups)"
    if high - low > CLEARLY_WIDER * (alone_high - alone_low):
        text += "\n          Photos of one group are not independent: trust this wider interval."
    if result.groups < FEW_GROUPS:
        text += f"\n          Under {FEW_GROUPS} groups, so the true interval is even wider."
    return text


def _format_threshold(point: CoveragePoint | None) -> str:
    if point is None:
        return "No threshold reaches an accuracy of 99%."
    if point.share == 1:
        return "An accuracy of 99% is reached with every photo answered."
    return (
        f"99% accuracy is reached from {point.threshold:g} on: {point.share:.1%} of these photos."
    )


def _per_class(
    actual: NDArray[np.int64], predicted: NDArray[np.integer], scheme: Scheme
) -> dict[str, Scores]:
    precision, recall, f1, support = precision_recall_fscore_support(
        actual, predicted, labels=range(len(scheme)), zero_division=0.0
    )
    return {
        label: Scores(float(precision[at]), float(recall[at]), float(f1[at]), int(support[at]))
        for at, label in enumerate(scheme.labels)
    }


def _averages(
    actual: NDArray[np.int64], predicted: NDArray[np.integer], classes: int
) -> dict[str, Scores]:
    names = ("micro", "macro", "weighted")
    found = {name: _average(actual, predicted, name, classes) for name in names}
    # Each photo has one class and one answer, so its own precision, recall and F1 are all 1 or all
    # 0. Their mean equals the score of all photos pooled.
    return {**found, "samples": found["micro"]}


def _average(
    actual: NDArray[np.int64], predicted: NDArray[np.integer], name: str, classes: int
) -> Scores:
    precision, recall, f1, _ = precision_recall_fscore_support(
        actual, predicted, labels=range(classes), average=name, zero_division=0.0
    )
    return Scores(float(precision), float(recall), float(f1), len(actual))


def _score_factor(counts: NDArray[np.int64], scheme: Scheme, factor: str) -> FactorScores:
    matrix = _factor_matrix(counts, scheme, factor)
    right, total, photos = int(matrix.trace()), int(matrix.sum()), matrix.sum(axis=1)
    return FactorScores(
        accuracy=right / total,
        interval=wilson_interval(right, total),
        values={
            value: float(matrix[at, at] / photos[at])
            for at, value in enumerate(scheme.factors[factor])
            if photos[at]
        },
    )


def _factor_matrix(counts: NDArray[np.int64], scheme: Scheme, factor: str) -> NDArray[np.int64]:
    """Return the confusion matrix of a factor's values (V, V) in that of the classes (C, C)."""
    numbers = np.array(scheme.factor_numbers(factor))
    values = len(scheme.factors[factor])
    matrix = np.zeros((values, values), np.int64)
    np.add.at(matrix, (numbers[:, None], numbers[None, :]), counts)
    return matrix
