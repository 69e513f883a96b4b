"""The leak, shown: the same photos split photo by photo and by group, two scores side by side.

Split photo by photo, shots of one person, sitting or burst come into training and test alike, and
a score rises by what the classifier merely recognises. Here a head on the frozen backbone's
features is trained both ways, and every photo is judged once in each, by a head that it had no part
in. Of five folds one is judged, the next one picks the head's epoch, the others teach, in turn: as
train, val and test do.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count as count_from
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskage.errors import DatasetError
from maskage.formats.curated_set import SPLITS, CuratedPhoto, read_curated
from maskage.records import LABELS
from trainer.evaluation.cross_validation import judge_by_folds
from trainer.evaluation.intervals import (
    Estimate,
    estimate,
    estimate_accuracy,
    number_groups,
    resample_means,
)
from trainer.evaluation.metrics import FEW_GROUPS
from trainer.network.classes import class_numbers
from trainer.network.head import Matrix
from trainer.progress import OnProgress
from trainer.recipe import Recipe

MAX_FOLDS = 5
MIN_FOLDS = 3
"""One is judged, one picks the epoch, one teaches."""
REPEATS = 3
"""Folds are drawn anew so many times, and a photo counts as often as it was right."""

_Numbers = NDArray[np.int64]
_Reals = NDArray[np.float64]


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


def measure_leak(
    curated: Path,
    recipe: Recipe,
    *,
    weights: str,
    runs: Path,
    seed: int,
    on_progress: OnProgress = lambda _: None,
) -> Leak:
    """Split the photos of a curated folder both ways and measure a head on each.

    Args:
        curated: Photos of all its splits are taken, variants left out.
        recipe: Of the backbone and its head.
        weights: "imagenet" or the path of an .h5 file without top.
        runs: Where runs lie; features are cached beside them.
        seed: Of folds, heads and intervals.
        heads: What each answers, as for `train_head`.
        on_progress: Told how far it is, after each batch of features and each head.

    Raises:
        DatasetError: The folder is not usable, or a class comes from too few groups.
        UsageError: The weights are "none", or the recipe does not fit the backbone.
        MissingDownloadError: There are no ImageNet weights.
    """
    photos = list_originals(curated)
    counts = Counter(photo.group for photo in photos)
    shared = sum(count for count in counts.values() if count > 1)
    if not shared:
        return Leak(len(photos), len(counts), 0, None)
    count_folds(photos)
    # It loads Keras, which what is said above does not need.
    from trainer.data.frozen_features import FrozenBackbone, report_rate

    features = FrozenBackbone(recipe, weights, runs).compute(photos, on_progress)
    measured = compare_splits(
        features,
        photos,
        recipe,
        seed=seed,
        on_head=report_rate("training", "heads", on_progress),
    )
    return Leak(len(photos), len(counts), shared, measured)


def list_originals(curated: Path) -> list[CuratedPhoto]:
    """Every photo of a curated folder that is no augmented variant, by split, then by path.

    Raises:
        DatasetError: The folder is not usable.
    """
    dataset = read_curated(curated)
    photos = [photo for split in SPLITS for photo in dataset.photos(split)]
    return [photo for photo in photos if photo.parent is None]


def count_folds(photos: Sequence[CuratedPhoto]) -> int:
    """How many folds every class can be spread over by group, at most `MAX_FOLDS`.

    Raises:
        DatasetError: A class comes from fewer than `MIN_FOLDS` groups.
    """
    found = {
        label: len({photo.group for photo in photos if photo.label == label}) for label in LABELS
    }
    rarest = min(found, key=lambda label: found[label])
    if found[rarest] < MIN_FOLDS:
        raise DatasetError(
            f"Splitting by group takes photos of each class from {MIN_FOLDS} groups (people, "
            f"sittings, look-alikes) at least; found {found[rarest]} of {rarest}. Collect this "
            f"class from more people, then curate again."
        )
    return min(MAX_FOLDS, found[rarest])


def compare_splits(
    features: Matrix,
    photos: Sequence[CuratedPhoto],
    recipe: Recipe,
    *,
    seed: int,
    on_head: Callable[[int, int], None] = lambda done, total: None,
) -> LeakMeasurement:
    """Judge every photo by heads trained on others: folds photo by photo, then folds by group.

    Args:
        features: Of the photos through a frozen backbone, shape (N, depth).
        photos: With their groups, two of them in one group at least.
        recipe: How a head is trained.
        seed: Of folds, heads and intervals.
        on_head: Told heads done and in total.

    Raises:
        DatasetError: A class comes from fewer than `MIN_FOLDS` groups.
    """
    count = count_folds(photos)
    labels = class_numbers(photos)
    groups = number_groups([photo.group for photo in photos])
    # Drawn photo by photo, each photo is a group of its own: nothing else differs.
    ways = {"random": np.arange(len(photos)), "group": groups}
    total = len(ways) * REPEATS * count
    done = count_from(1)

    def judge(kept_together: _Numbers, repeat: int) -> _Reals:
        return judge_by_folds(
            features,
            labels,
            kept_together,
            count,
            recipe,
            seed + repeat,
            on_head=lambda: on_head(next(done), total),
        )

    right: dict[str, _Reals] = {
        way: np.mean([judge(groups_of, repeat) for repeat in range(REPEATS)], axis=0)
        for way, groups_of in ways.items()
    }
    return _measurement(right["random"], right["group"], groups, count, seed)


def _measurement(
    random: _Reals, group: _Reals, groups: _Numbers, folds: int, seed: int
) -> LeakMeasurement:
    """Join what each photo's answers were worth, (3, N) both ways, into scores and gaps."""
    is_shared = np.bincount(groups)[groups] > 1
    shared_groups = np.unique(groups[is_shared], return_inverse=True)[1].astype(np.int64)
    values = np.concatenate([random, group])
    shared = np.stack([random[0], group[0]])[:, is_shared]
    drawn = resample_means(values, groups, seed)
    drawn_shared = resample_means(shared, shared_groups, seed)
    means, shared_means = values.mean(axis=1), shared.mean(axis=1)

    def score(at: int) -> SplitScore:
        accuracy, mask, age = (
            estimate_accuracy(float(means[row]), drawn[:, row], groups)
            for row in range(3 * at, 3 * at + 3)
        )
        own = float(shared_means[at])
        shared_score = estimate_accuracy(own, drawn_shared[:, at], shared_groups)
        return SplitScore(accuracy, mask, age, shared_score)

    return LeakMeasurement(
        at_random=score(0),
        by_group=score(1),
        gap=estimate(float(means[0] - means[3]), drawn[:, 0] - drawn[:, 3]),
        shared_gap=estimate(
            float(shared_means[0] - shared_means[1]), drawn_shared[:, 0] - drawn_shared[:, 1]
        ),
        folds=folds,
    )


def _line(name: str, score: SplitScore) -> str:
    span = f"{score.accuracy.low:.2%}-{score.accuracy.high:.2%}"
    return (
        f"{name:<15}{score.accuracy.value:>10.2%}{span:>18}{score.mask_accuracy.value:>9.2%}"
        f"{score.age_accuracy.value:>9.2%}   {score.shared_accuracy.value:.2%}"
    )
