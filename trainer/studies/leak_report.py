"""The result of a leak measurement, and how it is printed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maskage.classes.scheme import AGE, MASK
from trainer.evaluation.intervals import Estimate
from trainer.evaluation.metrics import FEW_GROUPS
from trainer.evaluation.score_tables import factor_heads, format_accuracies, format_heads

REPEATS = 3
"""Number of times that the folds are drawn; the accuracy is the mean over all."""


@dataclass(frozen=True)
class SplitScore:
    """The scores of photos split in one way, all 0 to 1.

    Attributes:
        accuracy: Accuracy of the classes.
        factors: Accuracy of each factor by itself.
        shared_accuracy: Accuracy on the photos that share a group with another photo.
    """

    accuracy: Estimate
    factors: Mapping[str, Estimate]
    shared_accuracy: Estimate

    def as_dict(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        factors = {name: each.as_dict() for name, each in self.factors.items()}
        named = {f"{name}_accuracy": factors[name] for name in (MASK, AGE) if name in factors}
        return {
            "accuracy": self.accuracy.as_dict(),
            **named,
            "shared_accuracy": self.shared_accuracy.as_dict(),
            "factor_accuracies": factors,
        }


@dataclass(frozen=True)
class LeakMeasurement:
    """The scores of the same photos split both ways.

    Attributes:
        at_random, by_group: Scores of the split photo by photo and of the split by group.
        gap: Accuracy at random minus accuracy by group, -1 to 1, paired photo by photo.
        shared_gap: The same difference on the photos that share a group.
        folds: Number of folds.
    """

    at_random: SplitScore
    by_group: SplitScore
    gap: Estimate
    shared_gap: Estimate
    folds: int


@dataclass(frozen=True)
class Leak:
    """The leak of a random split.

    Attributes:
        photos, groups: Number of photos and groups, without augmented variants.
        shared_photos: Number of photos that share a group with another photo.
        measured: Scores; None where every group has one photo, so that nothing can leak.
    """

    photos: int
    groups: int
    shared_photos: int
    measured: LeakMeasurement | None

    @property
    def meaning(self) -> str:
        """The meaning of the figures, in one or two sentences."""
        if self.measured is None:
            return (
                "Every group has one photo, so both splits are the same and nothing can leak. If "
                "people or sessions do recur, the dataset does not record it: name them (subject, "
                "session or group) and curate again."
            )
        gap, shared = self.measured.gap, self.measured.shared_gap
        part = f"{self.shared_photos:,} of {self.photos:,} photos share a group with another"
        if gap.low > 0:
            return (
                f"Split photo by photo, these photos promise {100 * gap.value:.1f} points more "
                f"than the model reaches on new people: {part}, and the network recognises them. "
                "Only the score by group holds for people it has not seen."
            )
        if shared.low > 0:
            return (
                f"{part}. On those a random split promises {100 * shared.value:.1f} points too "
                "many; over all photos the difference is within the uncertainty. Split by group: "
                "it costs nothing."
            )
        return (
            f"No leak is visible beyond chance here: {part}. Split by group anyway: it costs "
            f"nothing, and these figures cannot rule a leak out."
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        found = self.measured
        measured = found and {
            "folds": found.folds,
            "repeats": REPEATS,
            "at_random": found.at_random.as_dict(),
            "by_group": found.by_group.as_dict(),
            "gap": found.gap.as_dict(),
            "shared_gap": found.shared_gap.as_dict(),
        }
        return {
            "photos": self.photos,
            "groups": self.groups,
            "shared_photos": self.shared_photos,
            "measured": measured,
            "meaning": self.meaning,
        }

    def __str__(self) -> str:
        lines = [f"{self.photos:,} photos in {self.groups:,} groups"]
        if (found := self.measured) is not None:
            widths = factor_heads(found.by_group.factors, 9)
            head = f"{'split':<15}{'accuracy':>10}{'95% interval':>18}{format_heads(widths)}"
            blank = " " * sum(widths.values())
            lines += [
                f"each predicted by heads trained without it, {found.folds} folds, {REPEATS} times",
                "",
                f"{head}   where a group is shared",
                _line("photo by photo", found.at_random, widths),
                _line("by group", found.by_group, widths),
                f"{'gap, points':<15}{100 * found.gap.value:>+10.2f}"
                f"{f'{100 * found.gap.low:+.2f} to {100 * found.gap.high:+.2f}':>18}{blank}   "
                f"{100 * found.shared_gap.value:+.2f} "
                f"({100 * found.shared_gap.low:+.2f} to {100 * found.shared_gap.high:+.2f})",
            ]
            if self.groups < FEW_GROUPS:
                lines.append(f"Under {FEW_GROUPS} groups, so the true intervals are wider.")
        return "\n".join([*lines, "", self.meaning])


def _line(name: str, score: SplitScore, widths: Mapping[str, int]) -> str:
    factors = format_accuracies({at: each.value for at, each in score.factors.items()}, widths)
    span = f"{score.accuracy.low:.2%}-{score.accuracy.high:.2%}"
    return (
        f"{name:<15}{score.accuracy.value:>10.2%}{span:>18}{factors}"
        f"   {score.shared_accuracy.value:.2%}"
    )
