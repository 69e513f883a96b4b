"""Numbers that say how good a classifier is. Numpy only.

Precision of a class: of the photos called so, the part that are so (a column of the confusion
matrix). Recall: of the photos that are so, the part called so (a row).
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from collector.records import LABELS

Z_95 = 1.959964
"""Standard normal quantile of a two-sided 95% interval."""


@dataclass(frozen=True)
class Scores:
    """Of one class, or an average. All 0 to 1; 0 where nothing could be counted.

    Attributes:
        support: Photos behind it.
    """

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Evaluation:
    """A classifier's answers to labelled photos, counted.

    Attributes:
        accuracy: Part of the photos with the right one of four classes.
        accuracy_interval: 95% Wilson interval of it.
        mask_accuracy: Part with the right mask half of the class.
        age_accuracy: Part with the right age half.
        per_class: Scores of each label.
        averages: "micro", "macro", "weighted" (by support), "samples" (over photos).
        confusion: Counts, rows actual, columns predicted, in class order.
        photos: How many.
        calibration_error: Expected calibration error, 0 to 1.
    """

    accuracy: float
    accuracy_interval: tuple[float, float]
    mask_accuracy: float
    age_accuracy: float
    per_class: dict[str, Scores]
    averages: dict[str, Scores]
    confusion: tuple[tuple[int, ...], ...]
    photos: int
    calibration_error: float

    def as_dict(self) -> dict[str, Any]:
        """As `metrics.json` holds it."""
        values = asdict(self)
        values["accuracy_interval"] = list(self.accuracy_interval)
        values["confusion"] = [list(row) for row in self.confusion]
        return {**values, "labels": [label.value for label in LABELS]}

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
            f"mask      {self.mask_accuracy:.2%}",
            f"age       {self.age_accuracy:.2%}",
            "",
            format_confusion(self.confusion),
        ]
        return "\n".join(lines)


def evaluate_answers(actual: NDArray[np.int64], probabilities: NDArray[np.floating]) -> Evaluation:
    """Count a classifier's answers.

    Args:
        actual: Class numbers, shape (N,), N at least 1.
        probabilities: Shape (N, 4).

    Raises:
        ValueError: There are no photos, or the shapes do not fit.
    """
    if len(actual) == 0 or probabilities.shape != (len(actual), len(LABELS)):
        raise ValueError(
            f"One row of {len(LABELS)} probabilities for each photo, at least one; found "
            f"{probabilities.shape} for {len(actual)} photos."
        )
    predicted = probabilities.argmax(axis=1)
    counts = count_confusion(actual, predicted)
    right = int(np.trace(counts))
    per_class = {label.value: _class_scores(counts, at) for at, label in enumerate(LABELS)}
    return Evaluation(
        accuracy=right / len(actual),
        accuracy_interval=wilson_interval(right, len(actual)),
        mask_accuracy=_factor_accuracy(counts, [label.has_mask for label in LABELS]),
        age_accuracy=_factor_accuracy(counts, [label.is_old for label in LABELS]),
        per_class=per_class,
        averages=_averages(list(per_class.values()), right, len(actual)),
        confusion=tuple(tuple(int(count) for count in row) for row in counts),
        photos=len(actual),
        calibration_error=expected_calibration_error(actual, probabilities),
    )


def count_confusion(actual: NDArray[np.int64], predicted: NDArray[np.integer]) -> NDArray[np.int64]:
    """Counts (4, 4), rows actual, columns predicted."""
    counts = np.zeros((len(LABELS), len(LABELS)), dtype=np.int64)
    np.add.at(counts, (actual, predicted), 1)
    return counts


def wilson_interval(right: int, total: int, z: float = Z_95) -> tuple[float, float]:
    """Interval of a proportion that also holds near 0 and 1.

    Args:
        right: Successes, 0 to total.
        total: Trials, at least 1.
        z: Standard normal quantile.

    Source:
        Wilson, Probable inference, JASA 22 (1927).
    """
    part = right / total
    middle = part + z * z / (2 * total)
    spread = z * np.sqrt(part * (1 - part) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return float(max(0.0, (middle - spread) / scale)), float(min(1.0, (middle + spread) / scale))


def expected_calibration_error(
    actual: NDArray[np.int64], probabilities: NDArray[np.floating], bins: int = 15
) -> float:
    """Mean gap between confidence and accuracy, over bins of equal width, 0 to 1.

    Source: Guo et al., On calibration of modern neural networks, ICML 2017 (15 bins).
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == actual
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(float(confidence[place == at].mean()) - float(right[place == at].mean()))
        * float((place == at).mean())
        for at in range(bins)
        if (place == at).any()
    ]
    return float(sum(gaps))


def format_confusion(confusion: tuple[tuple[int, ...], ...]) -> str:
    """The matrix as text, rows actual, columns predicted."""
    names = [label.value for label in LABELS]
    corner = "actual \\ said"
    head = f"{corner:<14}" + "".join(f"{name:>14}" for name in names)
    rows = [
        f"{name:<14}" + "".join(f"{count:>14}" for count in row)
        for name, row in zip(names, confusion, strict=True)
    ]
    return "\n".join([head, *rows])


def _class_scores(counts: NDArray[np.int64], at: int) -> Scores:
    hit = int(counts[at, at])
    said, are = int(counts[:, at].sum()), int(counts[at].sum())
    precision, recall = _ratio(hit, said), _ratio(hit, are)
    return Scores(precision, recall, _f1(precision, recall), are)


def _averages(classes: list[Scores], right: int, total: int) -> dict[str, Scores]:
    accuracy = right / total
    # Each photo has one class and gets one answer: pooled over classes, precision and recall are
    # both the accuracy, and each photo's own precision, recall and F1 are all 1 or all 0.
    pooled = Scores(accuracy, accuracy, accuracy, total)
    shares = np.array([scores.support / total for scores in classes])
    even = np.full(len(classes), 1 / len(classes))
    return {
        "micro": pooled,
        "macro": _mean_scores(classes, even, total),
        "weighted": _mean_scores(classes, shares, total),
        "samples": pooled,
    }


def _mean_scores(classes: list[Scores], shares: NDArray[np.float64], total: int) -> Scores:
    table = np.array([(scores.precision, scores.recall, scores.f1) for scores in classes])
    precision, recall, f1 = (float(value) for value in shares @ table)
    return Scores(precision, recall, f1, total)


def _factor_accuracy(counts: NDArray[np.int64], factor: list[bool]) -> float:
    half = np.array(factor)
    return float(counts[half[:, None] == half[None, :]].sum() / counts.sum())


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _f1(precision: float, recall: float) -> float:
    both = precision + recall
    return 2 * precision * recall / both if both else 0.0
