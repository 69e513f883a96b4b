"""Measure a leak: split the same photos photo by photo and by group, and compare the scores.

Split photo by photo, shots of one person, session or burst fall into both training and test, and
the score rises because the classifier recognises them. Here heads on the features of the frozen
backbone are trained both ways, and each photo is predicted once in each way by a head that was not
trained on it. Of five folds, one is predicted, the next one chooses the head's epoch and the others
train, in turn, like test, val and train.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import count as count_from
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskage.classes.scheme import Scheme
from maskage.errors import DatasetError
from maskage.formats.curated.curated_set import SPLITS, CuratedDataset, CuratedPhoto, read_curated
from trainer.evaluation.intervals import estimate, estimate_accuracy, number_groups, resample_means
from trainer.network.classes import class_numbers
from trainer.network.head import Matrix
from trainer.progress import OnProgress
from trainer.recipe import Recipe
from trainer.studies.cross_validation import cross_validate
from trainer.studies.leak_report import REPEATS, Leak, LeakMeasurement, SplitScore

MAX_FOLDS = 5
MIN_FOLDS = 3
"""One fold is predicted, one chooses the epoch, one trains."""

_Numbers = NDArray[np.int64]
_Reals = NDArray[np.float64]


def measure_leak(
    curated: Path,
    recipe: Recipe,
    *,
    weights: str,
    runs: Path,
    seed: int,
    on_progress: OnProgress = lambda _: None,
) -> Leak:
    """Split the photos of a curated folder both ways and measure heads on each.

    Args:
        curated: Curated folder; the photos of all its splits are used, without variants.
        recipe: Recipe of the backbone and its head.
        weights: "imagenet" or the path of an .h5 file without top.
        runs: Folder of the runs; features are cached beside them.
        seed: Seed of folds, heads and intervals.
        on_progress: Called after each batch of features and each head.

    Returns:
        The leak, in which `measured` is None where no photos share a group.

    Raises:
        DatasetError: The folder is not usable, or a class comes from too few groups.
        UsageError: The weights are "none", or the recipe does not fit the backbone.
        MissingDownloadError: There are no ImageNet weights.
    """
    dataset = read_curated(curated, may_lack_test=True)
    photos = list_originals(dataset)
    counts = Counter(photo.group for photo in photos)
    shared = sum(count for count in counts.values() if count > 1)
    if not shared:
        return Leak(len(photos), len(counts), 0, None)
    count_folds(photos, dataset.scheme)
    # Loaded here, because it imports Keras, which the checks above do not need.
    from trainer.data.frozen_features import FrozenBackbone, report_rate

    backbone = FrozenBackbone(recipe, weights, runs, dataset.scheme)
    measured = compare_splits(
        backbone.compute(photos, on_progress),
        photos,
        recipe,
        seed=seed,
        scheme=dataset.scheme,
        on_head=report_rate("training", "heads", on_progress),
    )
    return Leak(len(photos), len(counts), shared, measured)


def list_originals(dataset: CuratedDataset) -> list[CuratedPhoto]:
    """List the photos of a curated set without augmented variants, by split, then by path."""
    photos = [photo for split in SPLITS for photo in dataset.photos(split)]
    return [photo for photo in photos if photo.parent is None]


def count_folds(photos: Sequence[CuratedPhoto], scheme: Scheme) -> int:
    """Return the number of folds that every class can be spread over, at most `MAX_FOLDS`.

    Raises:
        DatasetError: A class comes from fewer than `MIN_FOLDS` groups.
    """
    found = {
        label: len({photo.group for photo in photos if photo.label == label})
        for label in scheme.labels
    }
    rarest = min(found, key=lambda label: found[label])
    if found[rarest] < MIN_FOLDS:
        raise DatasetError(
            f"A split by group needs photos of each class from at least {MIN_FOLDS} groups "
            f"(people, sessions, look-alikes); found {found[rarest]} of {rarest}. Collect this "
            "class from more people, then curate again."
        )
    return min(MAX_FOLDS, found[rarest])


def compare_splits(
    features: Matrix,
    photos: Sequence[CuratedPhoto],
    recipe: Recipe,
    *,
    seed: int,
    scheme: Scheme,
    on_head: Callable[[int, int], None] = lambda done, total: None,
) -> LeakMeasurement:
    """Predict every photo with heads trained on others, in folds photo by photo and by group.

    Args:
        features: Features of the photos from a frozen backbone, shape (N, depth).
        photos: Photos with their groups, at least two of them in one group.
        recipe: Recipe of the head.
        seed: Seed of folds, heads and intervals.
        scheme: The classes.
        on_head: Called with the heads done and in total.

    Raises:
        DatasetError: A class comes from fewer than `MIN_FOLDS` groups.
    """
    count = count_folds(photos, scheme)
    labels = class_numbers(photos, scheme)
    groups = number_groups([photo.group for photo in photos])
    # Split photo by photo, each photo is its own group; nothing else differs.
    ways = {"random": np.arange(len(photos)), "group": groups}
    total = len(ways) * REPEATS * count
    done = count_from(1)

    def predict(kept_together: _Numbers, repeat: int) -> _Reals:
        return cross_validate(
            features,
            labels,
            kept_together,
            count=count,
            recipe=recipe,
            seed=seed + repeat,
            scheme=scheme,
            on_head=lambda: on_head(next(done), total),
        )

    right: dict[str, _Reals] = {
        way: np.mean([predict(groups_of, repeat) for repeat in range(REPEATS)], axis=0)
        for way, groups_of in ways.items()
    }
    return _measurement(right, groups, list(scheme.factors), count, seed)


def _measurement(
    right: Mapping[str, _Reals], groups: _Numbers, factors: Sequence[str], folds: int, seed: int
) -> LeakMeasurement:
    """Join the accuracies of each photo, (1 + F, N) for both ways, into scores and gaps."""
    random, group, width = right["random"], right["group"], 1 + len(factors)
    is_shared = np.bincount(groups)[groups] > 1
    shared_groups = np.unique(groups[is_shared], return_inverse=True)[1].astype(np.int64)
    values = np.concatenate([random, group])
    shared = np.stack([random[0], group[0]])[:, is_shared]
    drawn = resample_means(values, groups, seed)
    drawn_shared = resample_means(shared, shared_groups, seed)
    means, shared_means = values.mean(axis=1), shared.mean(axis=1)

    def score(at: int) -> SplitScore:
        accuracy, *others = (
            estimate_accuracy(float(means[row]), drawn[:, row], groups)
            for row in range(width * at, width * (at + 1))
        )
        own = float(shared_means[at])
        shared_score = estimate_accuracy(own, drawn_shared[:, at], shared_groups)
        return SplitScore(accuracy, dict(zip(factors, others, strict=True)), shared_score)

    return LeakMeasurement(
        at_random=score(0),
        by_group=score(1),
        gap=estimate(float(means[0] - means[width]), drawn[:, 0] - drawn[:, width]),
        shared_gap=estimate(
            float(shared_means[0] - shared_means[1]), drawn_shared[:, 0] - drawn_shared[:, 1]
        ),
        folds=folds,
    )
