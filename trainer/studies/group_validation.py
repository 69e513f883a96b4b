"""Cross-validation by group: each photo is judged by a head that saw no photo of its group.

Where people are too few for a test of their own, each of them can be the test once. Heads on the
features of the frozen backbone take seconds, so every fold has its own head.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskage.classes.scheme import Scheme
from maskage.errors import DatasetError, UsageError
from maskage.formats.curated.curated_set import CuratedDataset, CuratedPhoto, read_curated
from trainer.evaluation.intervals import number_groups
from trainer.evaluation.metrics import evaluate_answers
from trainer.network.classes import class_numbers
from trainer.network.head import Matrix, softmax
from trainer.progress import OnProgress
from trainer.recipe import Recipe
from trainer.studies.cross_validation import make_folds, predict_folds
from trainer.studies.group_validation_report import CrossValidation, Fold, describe_groups
from trainer.studies.leak import MAX_FOLDS, list_originals

LEAST_FOLDS = 2
TRIES = 20
"""Number of ways to draw the folds that are tried until every head has photos of every class."""

_Numbers = NDArray[np.int64]


def validate_by_group(
    curated: Path,
    recipe: Recipe,
    *,
    folds: int | None,
    weights: str,
    runs: Path,
    seed: int,
    on_progress: OnProgress = lambda _: None,
) -> CrossValidation:
    """Predict every photo of a curated folder with a head that was trained on other groups.

    Args:
        curated: Curated folder; the photos of all its splits are used, without variants.
        recipe: Recipe of the backbone and its head.
        folds: Number of folds; None for the most that the classes allow, up to `MAX_FOLDS`.
        weights: "imagenet" or the path of an .h5 file without top.
        runs: Folder of the runs; features are cached beside them.
        seed: Seed of folds and heads.
        on_progress: Called after each batch of features and each head.

    Raises:
        DatasetError: The folder is not usable, or a class comes from too few groups.
        UsageError: There are more folds than groups of a class, the weights are "none", or the
            recipe does not fit the backbone.
        MissingDownloadError: There are no ImageNet weights.
    """
    dataset = read_curated(curated, may_lack_test=True)
    photos = list_originals(dataset)
    count = choose_folds(dataset, photos, folds)
    numbers = draw_folds(photos, dataset.scheme, count, seed)
    # Loaded here, because it imports Keras, which the checks above do not need.
    from trainer.data.frozen_features import FrozenBackbone, report_rate

    backbone = FrozenBackbone(recipe, weights, runs, dataset.scheme)
    features = backbone.compute(photos, on_progress)
    on_head = report_rate("training", "heads", on_progress)
    return judge_folds(
        features, photos, numbers, recipe, seed=seed, dataset=dataset, on_head=on_head
    )


def judge_folds(
    features: Matrix,
    photos: Sequence[CuratedPhoto],
    folds: _Numbers,
    recipe: Recipe,
    *,
    seed: int,
    dataset: CuratedDataset,
    on_head: Callable[[int, int], None] = lambda done, total: None,
) -> CrossValidation:
    """Train a head for each fold on the others, and score the answers to all photos.

    Args:
        features: Features of the photos from a frozen backbone, shape (N, depth).
        photos: The photos with their groups.
        folds: Fold of each photo, numbers from 0, shape (N,).
        recipe: Recipe of the head.
        seed: Seed of the heads.
        dataset: The set of the photos.
        on_head: Called with the heads done and in total.
    """
    scheme, labels = dataset.scheme, class_numbers(photos, dataset.scheme)
    count = int(folds.max()) + 1
    logits = predict_folds(
        features, labels, folds, recipe=recipe, seed=seed, scheme=scheme,
        on_head=lambda done: on_head(done, count),
    )  # fmt: skip
    groups = [photo.group for photo in photos]
    members = [np.flatnonzero(folds == fold) for fold in range(count)]
    right = logits.argmax(axis=1) == labels
    return CrossValidation(
        evaluation=evaluate_answers(labels, softmax(logits), groups, scheme=scheme),
        folds=tuple(
            Fold(len(at), len({groups[each] for each in at}), float(right[at].mean()))
            for at in members
        ),
        groups=describe_groups(dataset),
    )


def choose_folds(dataset: CuratedDataset, photos: Sequence[CuratedPhoto], asked: int | None) -> int:
    """Return the number of folds.

    Raises:
        DatasetError: A class comes from fewer than `LEAST_FOLDS` groups.
        UsageError: More folds were asked for than some class has groups, or fewer than two.
    """
    found = {
        label: len({photo.group for photo in photos if photo.label == label})
        for label in dataset.scheme.labels
    }
    rarest = min(found, key=lambda label: found[label])
    names = describe_groups(dataset)
    few = [label for label, count in found.items() if count < LEAST_FOLDS]
    if few:
        raise DatasetError(
            f"{dataset.folder}: cross-validation needs photos of each class from at least "
            f"{LEAST_FOLDS} {names.plural}; found {found[rarest]} of {', '.join(few)}. "
            f"{names.remedy}"
        )
    most = found[rarest]
    if asked is not None and not LEAST_FOLDS <= asked <= most:
        possible = f"from {LEAST_FOLDS} to {most}" if most > LEAST_FOLDS else f"{most}"
        raise UsageError(
            f"--folds can only be {possible} here, because {rarest} comes from {most} "
            f"{names.plural}; found {asked}. Leave it out for the default."
        )
    return asked if asked is not None else min(MAX_FOLDS, found[rarest])


def draw_folds(photos: Sequence[CuratedPhoto], scheme: Scheme, count: int, seed: int) -> _Numbers:
    """Return the fold of each photo, so that photos of every class are left to train each head.

    Raises:
        DatasetError: Groups lie so that no such folds were found.
    """
    labels = class_numbers(photos, scheme)
    groups = number_groups([photo.group for photo in photos])
    for attempt in range(TRIES):
        folds = make_folds(labels, groups, count, seed + attempt)
        if all(_teaches_all(labels, folds, fold, len(scheme)) for fold in range(count)):
            return folds
    raise DatasetError(
        f"No {count} folds by group were found in which every head has photos of every class to "
        f"learn from: some groups hold nearly all photos of a class. Collect the classes from more "
        f"people each, then curate again."
    )


def _teaches_all(labels: _Numbers, folds: _Numbers, fold: int, classes: int) -> bool:
    """Return whether a fold is not empty and the folds that teach its head have all classes."""
    count = int(folds.max()) + 1
    teaches = folds != fold
    if count > LEAST_FOLDS:
        teaches &= folds != (fold + 1) % count
    return bool((folds == fold).any()) and len(np.unique(labels[teaches])) == classes
