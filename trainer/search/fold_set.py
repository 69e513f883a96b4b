"""The photos of one trial as a curated set: one fold to answer, the others to learn from.

The set is made of second names of the files (hard links), and removed after the trial.
"""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskage.formats.classes.classes_file import CLASSES_FILE, format_scheme
from maskage.formats.curated.class_weights import WEIGHTS_FILE
from maskage.formats.curated.curated_set import SPLITS, CuratedDataset, CuratedPhoto
from maskage.formats.curated.curation_file import PEOPLE, write_curation
from maskage.formats.curated.plan_file import PlanRow, write_plan
from maskage.outside_text import path_to_text
from maskage.system.files import write_private
from trainer.evaluation.intervals import number_groups
from trainer.network.classes import class_numbers
from trainer.studies.cross_validation import make_folds

_Numbers = NDArray[np.int64]

TRAIN, VAL, TEST = SPLITS


def list_judged(dataset: CuratedDataset) -> list[CuratedPhoto]:
    """List the photos that a search judges by: train and val without variants, never test."""
    photos = [photo for split in (TRAIN, VAL) for photo in dataset.photos(split)]
    return [photo for photo in photos if photo.parent is None]


def assign_splits(
    photos: Sequence[CuratedPhoto], folds: _Numbers, fold: int, dataset: CuratedDataset, seed: int
) -> list[str] | None:
    """Return the split of each photo in the trial of a fold.

    The fold is the test, half of the next one chooses the epoch, and the rest is to train on.

    Args:
        photos: As `list_judged` lists them.
        folds: Their folds, shape (N,).
        fold: The fold that is answered.
        dataset: The set of the photos.
        seed: Seed of the halves.

    Returns:
        "train", "val" or "test" for each photo; None where a split would lack a class.
    """
    count, scheme = int(folds.max()) + 1, dataset.scheme
    if count < 3:
        return None
    following = folds == (fold + 1) % count
    labels = class_numbers(photos, scheme)
    splits = np.where(folds == fold, TEST, np.where(following, VAL, TRAIN)).astype(object)
    at = np.flatnonzero(following)
    groups = number_groups([photos[int(each)].group for each in at])
    if all(len(set(groups[labels[at] == number])) > 1 for number in range(len(scheme))):
        halves = make_folds(labels[at], groups, 2, seed)
        if all(len(np.unique(labels[at][halves == half])) == len(scheme) for half in (0, 1)):
            splits[at[halves == 1]] = TRAIN
    has_all = all(len(np.unique(labels[splits == name])) == len(scheme) for name in SPLITS)
    return [str(name) for name in splits] if has_all else None


def write_fold_set(
    folder: Path, photos: Sequence[CuratedPhoto], splits: Sequence[str], dataset: CuratedDataset
) -> int:
    """Write the set of a trial; a photo is named by its number in `photos`.

    Variants whose group is trained on are trained on too.

    Args:
        folder: The new folder; one that is there is replaced.
        photos: As `list_judged` lists them.
        splits: The split of each.
        dataset: The set of the photos.

    Returns:
        The number of photos to train on.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for split in SPLITS:
        for label in dataset.scheme.labels:
            (folder / split / label).mkdir(parents=True, mode=0o700)
    _write_records(folder, dataset)
    taught = {photo.group for photo, split in zip(photos, splits, strict=True) if split == TRAIN}
    variants = [photo for photo in dataset.photos(TRAIN) if photo.parent is not None]
    variants = [photo for photo in variants if photo.group in taught]
    placed = [*zip(photos, splits, strict=True), *((photo, TRAIN) for photo in variants)]
    rows = []
    for number, (photo, split) in enumerate(placed):
        name = f"{number:06d}{photo.path.suffix}"
        _link(photo.path, folder / split / photo.label / name)
        parent = path_to_text(photo.parent or "")
        path = f"{photo.label}/{name}"
        rows.append(PlanRow(path, photo.label, True, split, photo.group, parent=parent))
    write_plan(folder, rows)
    return sum(split == TRAIN for _, split in placed)


def number_of(path: str) -> int:
    """Return the number of a photo from its path in the set of a trial."""
    return int(Path(path).stem)


def _write_records(folder: Path, dataset: CuratedDataset) -> None:
    write_private(folder / CLASSES_FILE, format_scheme(dataset.scheme))
    weights = dataset.folder / WEIGHTS_FILE
    if weights.is_file():
        shutil.copyfile(weights, folder / WEIGHTS_FILE)
    if dataset.curation is not None:
        # With the name of the dataset `collector forget` finds the photos of a killed trial.
        record = replace(dataset.curation, dataset_digest=None, held_out=PEOPLE, caveat=None)
        write_curation(folder, record, folder.resolve())


def _link(source: Path, target: Path) -> None:
    with suppress(OSError):
        os.link(source, target)
        return
    shutil.copyfile(source, target)
