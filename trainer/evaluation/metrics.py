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

from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import AGE, MASK, OLD, WORN
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
from trainer.network.head import softmax

CLEARLY_WIDER = 1.25
"""Ratio of an interval by group to Wilson's above which it is not chance of the draws."""

FEW_GROUPS = 30
"""Number of groups below which the interval by group is too narrow.

Source: Cameron, Gelbach and Miller, Bootstrap-based improvements for inference with clustered
errors, Review of Economics and Statistics 90 (2008): few is five to thirty.
"""


@dataclass(frozen=True)
class Scores:
    """Scores of one class, or an average, 0 to 1; 0 where there was nothing to count.

    Attributes:
        precision: Share of the photos predicted as the class that are in it.
        recall: Share of the photos in the class that are predicted as it.
        f1: Harmonic mean of both.
        support: Number of photos.
    """

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The scores of a classifier on labelled photos.

    Attributes:
        accuracy: Share of the photos with the right class, 0 to 1.
        accuracy_interval: 95% Wilson interval of the accuracy, as if photos were independent.
        accuracy_interval_by_group: 95% bootstrap interval of the accuracy over whole groups; None
            where all groups have the same accuracy.
        groups: Number of groups.
        mask_accuracy: Share of the photos where mask or no mask is right, 0 to 1.
        age_accuracy: Share of the photos where old or young is right, 0 to 1.
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
    """

    accuracy: float
    accuracy_interval: tuple[float, float]
    accuracy_interval_by_group: tuple[float, float] | None
    groups: int
    mask_accuracy: float
    age_accuracy: float
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

    def as_dict(self) -> dict[str, Any]:
        """Return the object that `metrics.json` holds."""
        return {**asdict(self), "labels": list(MASK_AGE.labels)}

    def __str__(self) -> str:
        low, high = self.accuracy_interval
        lines = [f"{'':<14}{'precision':>10}{'recall':>10}{'f1':>10}{'photos':>10}"]
        for name, scores in {**self.per_class, **self.averages}.items():
            if name == "micro":
                lines.append("")
            figures = f"{scores.precision:>10.4f}{scores.recall:>10.4f}{scores.f1:>10.4f}"
            lines.append(f"{name:<14}{figures}{scores.support:>10}")
        lines += [
            "",
            f"accuracy  {self.accuracy:.2%}  (95% interval {low:.2%} to {high:.2%}, "
            f"{self.photos} photos)",
            f"          {_format_groups(self)}",
            f"mask      {self.mask_accuracy:.2%}",
            f"age       {self.age_accuracy:.2%}",
            f"calibration error {self.calibration_error:.2%}  "
            f"({self.calibration_error_uncalibrated:.2%} without its temperature of "
            f"{self.temperature:.2f})",
            "",
            format_confusion(self.confusion),
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
) -> Evaluation:
    """Score a classifier's answers.

    Args:
        actual: Class numbers, shape (N,), N at least 1.
        probabilities: Probabilities of the classes, shape (N, 4).
        groups: Group of each photo; None where each photo is its own group.
        temperature: Temperature that is inside the probabilities.

    Raises:
        ValueError: There are no photos, or the shapes do not fit.
    """
    if len(actual) == 0 or probabilities.shape != (len(actual), len(MASK_AGE)):
        raise ValueError(
            f"One row of {len(MASK_AGE)} probabilities for each photo, at least one; found "
            f"{probabilities.shape} for {len(actual)} photos."
        )
    groups = groups if groups is not None else [str(at) for at in range(len(actual))]
    predicted = probabilities.argmax(axis=1)
    is_right = predicted == actual
    confidence = probabilities.max(axis=1).astype(np.float64)
    counts = count_confusion(actual, predicted)
    right = int(np.trace(counts))
    uncalibrated = undo_temperature(probabilities, temperature)
    reliability = measure_reliability(actual, probabilities)
    before = measure_reliability(actual, uncalibrated)
    return Evaluation(
        accuracy=right / len(actual),
        accuracy_interval=wilson_interval(right, len(actual)),
        accuracy_interval_by_group=bootstrap_interval(is_right, groups),
        groups=len(set(groups)),
        mask_accuracy=mask_accuracy(counts),
        age_accuracy=age_accuracy(counts),
        per_class=_per_class(actual, predicted),
        averages=_averages(actual, predicted),
        confusion=tuple(tuple(int(count) for count in row) for row in counts),
        photos=len(actual),
        calibration_error=calibration_error(reliability),
        calibration_error_uncalibrated=calibration_error(before),
        temperature=temperature,
        reliability=reliability,
        reliability_uncalibrated=before,
        coverage=measure_coverage(is_right, confidence),
        threshold_for_99=find_threshold(is_right, confidence, 0.99),
    )


def count_confusion(actual: NDArray[np.int64], predicted: NDArray[np.integer]) -> NDArray[np.int64]:
    """Count answers in a matrix (4, 4), rows actual, columns predicted."""
    counts: NDArray[np.int64] = confusion_matrix(actual, predicted, labels=range(len(MASK_AGE)))
    return counts


def mask_accuracy(counts: NDArray[np.int64]) -> float:
    """Return the share of a confusion matrix (4, 4) where mask or no mask is right."""
    return _factor_accuracy(counts, [MASK_AGE.has(label, MASK, WORN) for label in MASK_AGE.labels])


def age_accuracy(counts: NDArray[np.int64]) -> float:
    """Return the share of a confusion matrix (4, 4) where old or young is right."""
    return _factor_accuracy(counts, [MASK_AGE.has(label, AGE, OLD) for label in MASK_AGE.labels])


def undo_temperature(
    probabilities: NDArray[np.floating], temperature: float
) -> NDArray[np.floating]:
    """Return probabilities (N, 4) as they were before logits were divided by the temperature."""
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


def format_confusion(confusion: tuple[tuple[int, ...], ...]) -> str:
    """Return a confusion matrix as text, rows actual, columns predicted."""
    names = list(MASK_AGE.labels)
    corner = "true \\ predicted"
    head = f"{corner:<14}" + "".join(f"{name:>14}" for name in names)
    rows = [
        f"{name:<14}" + "".join(f"{count:>14}" for count in row)
        for name, row in zip(names, confusion, strict=True)
    ]
    return "\n".join([head, *rows])


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


def _per_class(actual: NDArray[np.int64], predicted: NDArray[np.integer]) -> dict[str, Scores]:
    precision, recall, f1, support = precision_recall_fscore_support(
        actual, predicted, labels=range(len(MASK_AGE)), zero_division=0.0
    )
    return {
        label: Scores(float(precision[at]), float(recall[at]), float(f1[at]), int(support[at]))
        for at, label in enumerate(MASK_AGE.labels)
    }


def _averages(actual: NDArray[np.int64], predicted: NDArray[np.integer]) -> dict[str, Scores]:
    names = ("micro", "macro", "weighted")
    found = {name: _average(actual, predicted, name) for name in names}
    # Each photo has one class and one answer, so its own precision, recall and F1 are all 1 or all
    # 0. Their mean equals the score of all photos pooled.
    return {**found, "samples": found["micro"]}


def _average(actual: NDArray[np.int64], predicted: NDArray[np.integer], name: str) -> Scores:
    precision, recall, f1, _ = precision_recall_fscore_support(
        actual, predicted, labels=range(len(MASK_AGE)), average=name, zero_division=0.0
    )
    return Scores(float(precision), float(recall), float(f1), len(actual))


def _factor_accuracy(counts: NDArray[np.int64], factor: list[bool]) -> float:
    half = np.array(factor)
    return float(counts[half[:, None] == half[None, :]].sum() / counts.sum())
