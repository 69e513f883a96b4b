"""The result of a leak measurement, and how it is printed."""

from dataclasses import dataclass
from typing import Any

from trainer.evaluation.intervals import Estimate
from trainer.evaluation.metrics import FEW_GROUPS

REPEATS = 3
"""Folds are drawn anew so many times, and a photo counts as often as it was right."""


@dataclass(frozen=True)
class SplitScore:
    """How well photos were judged, split one way. All 0 to 1.

    Attributes:
        accuracy: Of the four classes.
        mask_accuracy, age_accuracy: Of their halves.
        shared_accuracy: Of the four classes, on the photos that share a group with another.
    """

    accuracy: Estimate
    mask_accuracy: Estimate
    age_accuracy: Estimate
    shared_accuracy: Estimate

    def as_dict(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {name: getattr(self, name).as_dict() for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class LeakMeasurement:
    """Both scores of the same photos.

    Attributes:
        at_random, by_group: The scores.
        gap: At random less by group, in accuracy, from -1 to 1; paired photo by photo.
        shared_gap: The same, on the photos that share a group.
        folds: How many.
    """

    at_random: SplitScore
    by_group: SplitScore
    gap: Estimate
    shared_gap: Estimate
    folds: int


@dataclass(frozen=True)
class Leak:
    """What a random split would leak.

    Attributes:
        photos, groups: How many; augmented variants are left out.
        shared_photos: Photos that share a group with another photo.
        measured: None where every group has one photo, so that there is nothing to leak.
    """

    photos: int
    groups: int
    shared_photos: int
    measured: LeakMeasurement | None

    @property
    def meaning(self) -> str:
        """One or two sentences for people."""
        if self.measured is None:
            return (
                "Every group has one photo, so both ways are the same kind of split: there is "
                "nothing to leak. Should people or sittings recur, the dataset does not know it; "
                "name them (subject, session or group) and curate again."
            )
        gap, shared = self.measured.gap, self.measured.shared_gap
        part = f"{self.shared_photos:,} of {self.photos:,} photos share a group with another"
        if gap.low > 0:
            return (
                f"Split photo by photo, these photos would promise {100 * gap.value:.1f} points "
                f"more than new people get: {part}, and the network recognises them. Only the "
                f"score by group speaks of people it has not seen."
            )
        if shared.low > 0:
            return (
                f"{part}; on those a random split promises {100 * shared.value:.1f} points too "
                f"much, on all photos together it is within the uncertainty. Split by group: it "
                f"costs nothing."
            )
        return (
            f"No leak can be told from chance here: {part}. Split by group all the same: it costs "
            f"nothing, and these figures cannot rule a leak out."
        )

    def as_dict(self) -> dict[str, Any]:
        """As `--json` prints it."""
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
            head = f"{'split':<15}{'accuracy':>10}{'95% interval':>18}{'mask':>9}{'age':>9}"
            lines += [
                f"each judged by heads trained without it, {found.folds} folds, {REPEATS} times",
                "",
                f"{head}   where a group is shared",
                _line("photo by photo", found.at_random),
                _line("by group", found.by_group),
                f"{'gap, points':<15}{100 * found.gap.value:>+10.2f}"
                f"{f'{100 * found.gap.low:+.2f} to {100 * found.gap.high:+.2f}':>18}{'':>18}   "
                f"{100 * found.shared_gap.value:+.2f} "
                f"({100 * found.shared_gap.low:+.2f} to {100 * found.shared_gap.high:+.2f})",
            ]
            if self.groups < FEW_GROUPS:
                lines.append(f"Under {FEW_GROUPS} groups, so the true intervals are wider still.")
        return "\n".join([*lines, "", self.meaning])


def _line(name: str, score: SplitScore) -> str:
    span = f"{score.accuracy.low:.2%}-{score.accuracy.high:.2%}"
    return (
        f"{name:<15}{score.accuracy.value:>10.2%}{span:>18}{score.mask_accuracy.value:>9.2%}"
        f"{score.age_accuracy.value:>9.2%}   {score.shared_accuracy.value:.2%}"
    )
