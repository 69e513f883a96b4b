"""A learning curve: validation accuracy over the number of training photos, and what it advises."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from trainer.evaluation.accuracies import Accuracies
from trainer.evaluation.intervals import Estimate
from trainer.evaluation.metrics import FEW_GROUPS

NOTABLE = 0.01
"""Gain in accuracy from twice the photos, 0 to 1, below which collecting them is not worth it."""


class Verdict(StrEnum):
    """The advice that a curve gives about more photos."""

    RISING = "rising"
    FLAT = "flat"
    UNCLEAR = "unclear"
    PERFECT = "perfect"


@dataclass(frozen=True, kw_only=True)
class CurveRow:
    """One head on a part of the photos, a line of `learning_curve.csv`.

    Attributes:
        share: Share of the training photos that was asked for, over 0 to 1.
        draw: Number of the draw, from 1.
        groups, photos: Number of groups and photos trained on; augmented variants are not counted.
        accuracies: Accuracies on the validation photos.
    """

    share: float
    draw: int
    groups: int
    photos: int
    accuracies: Accuracies

    def as_columns(self) -> dict[str, float]:
        """Return the figures by the names of their columns."""
        factors = self.accuracies.factors.items()
        return {
            "share": self.share,
            "draw": self.draw,
            "groups": self.groups,
            "photos": self.photos,
            "accuracy": self.accuracies.classes,
            **{f"{name}_accuracy": value for name, value in factors},
        }


@dataclass(frozen=True)
class LearningCurve:
    """The validation accuracy over the number of training photos.

    Attributes:
        rows: All heads, sorted by share, then by draw.
        val_photos, val_groups: Number of photos and groups that each head was measured on.
        last_doubling: Gain in accuracy, -1 to 1, from the last doubling of the photos; the interval
            covers other draws and other validation photos.
        next_doubling: Gain in accuracy that twice the photos would bring if the curve followed the
            power law that fits it; None where there are fewer than three shares.
    """

    rows: tuple[CurveRow, ...]
    val_photos: int
    val_groups: int
    last_doubling: Estimate
    next_doubling: Estimate | None

    @property
    def shares(self) -> list[float]:
        """Shares of the training photos, the smallest first."""
        return sorted({row.share for row in self.rows})

    def mean(self, name: str) -> list[float]:
        """Return the mean over the draws of a column of `rows`, for each share."""
        return [
            float(np.mean([row.as_columns()[name] for row in self.rows if row.share == share]))
            for share in self.shares
        ]

    @property
    def verdict(self) -> Verdict:
        """Advice from the interval of the last doubling."""
        if self.mean("accuracy")[-1] == 1:
            return Verdict.PERFECT
        if self.last_doubling.low > 0:
            return Verdict.RISING
        return Verdict.FLAT if self.last_doubling.high < NOTABLE else Verdict.UNCLEAR

    def as_dict(self) -> dict[str, Any]:
        """Return the object that `learning_curve.json` holds."""
        ahead = self.next_doubling
        names = [name for name in self.rows[0].as_columns() if name not in ("share", "draw")]
        return {
            "verdict": self.verdict.value,
            "summary": str(self),
            "val_photos": self.val_photos,
            "val_groups": self.val_groups,
            "share": self.shares,
            "mean": {name: self.mean(name) for name in names},
            "last_doubling": self.last_doubling.as_dict(),
            "next_doubling": None if ahead is None else ahead.as_dict(),
        }

    def as_table(self) -> list[list[str]]:
        """Return the rows of `learning_curve.csv`, the names of the columns first."""
        rows = [[f"{value:.6g}" for value in row.as_columns().values()] for row in self.rows]
        return [list(self.rows[0].as_columns()), *rows]

    def __str__(self) -> str:
        """Return the gains and the advice as sentences."""
        before, after = self.mean("photos")[-2:]
        measured = (
            f"From {before:,.0f} to {after:,.0f} training photos the accuracy on {self.val_photos} "
            f"validation photos changed by {_points(self.last_doubling)}"
        )
        if self.next_doubling is not None and self.verdict is not Verdict.PERFECT:
            measured += (
                f"; if the curve continues as before, twice the photos, with other people, might "
                f"bring {_points(self.next_doubling)}"
            )
        few = (
            f" The validation photos come from only {self.val_groups} groups, so the true "
            f"intervals are even wider."
            if self.val_groups < FEW_GROUPS
            else ""
        )
        return f"{measured}. {_ADVICE[self.verdict]}{few}"


_ADVICE = {
    Verdict.PERFECT: (
        "All validation photos are right, so this curve cannot show what more photos would bring. "
        "Validate on more people, or on harder photos."
    ),
    Verdict.RISING: "The accuracy still rises: more photos will help.",
    Verdict.FLAT: (
        "The accuracy has stopped rising: a bigger model, fine-tuning or cleaner labels would do "
        "more than more photos of this kind."
    ),
    Verdict.UNCLEAR: (
        "It is unclear whether the accuracy still rises: the last step may have been chance. More "
        "validation photos, of other people, would show it."
    ),
}


def _points(gain: Estimate) -> str:
    return (
        f"{100 * gain.value:+.1f} points (95% interval {100 * gain.low:+.1f} to "
        f"{100 * gain.high:+.1f})"
    )
