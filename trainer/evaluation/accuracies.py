"""Scores and accuracies as records, and their keys in JSON files. No library is loaded for them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from maskage.classes.scheme import AGE, MASK


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


@dataclass(frozen=True)
class Accuracies:
    """The accuracies of some answers, 0 to 1.

    Attributes:
        classes: Share of the photos with the right class.
        factors: Share of the photos with the right value of each factor, by its name.
    """

    classes: float
    factors: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the keys of these accuracies in JSON files."""
        return {
            "accuracy": self.classes,
            **name_accuracies(self.factors),
            "factor_accuracies": dict(self.factors),
        }


def name_accuracies(factors: Mapping[str, float]) -> dict[str, float]:
    """Return `mask_accuracy` and `age_accuracy`, where there are these factors."""
    return {f"{name}_accuracy": factors[name] for name in (MASK, AGE) if name in factors}


def read_factor_accuracies(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return the accuracy of each factor in the content of `metrics.json`.

    Files of earlier versions hold those of mask and age alone.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: The content is something else.
    """
    if "factors" in metrics:
        return {str(name): float(each["accuracy"]) for name, each in metrics["factors"].items()}
    keys = {name: f"{name}_accuracy" for name in (MASK, AGE)}
    return {name: float(metrics[key]) for name, key in keys.items() if key in metrics}
