"""The set of a trial: the fold to answer, others to learn from, and never a test photo."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.privacy.project_walk import Places, add_folder
from maskage.formats.curated.curated_set import CuratedDataset, CuratedPhoto, read_curated
from maskage.formats.curated.curation_file import NOTHING, CurationRecord, find_origin
from maskage.formats.curated.plan_file import PLAN_COLUMNS
from tests.trainer.conftest import make_curated
from trainer.search.fold_set import assign_splits, list_judged, number_of, write_fold_set
from trainer.search.session import SET_NAME, TRIAL_NAME
from trainer.studies.group_validation import choose_folds, draw_folds


@pytest.fixture
def dataset(tmp_path: Path) -> CuratedDataset:
    """A set whose photos come two from a person; one of train has a variant."""
    root = make_curated(tmp_path / "curated", train=12, held_out=4)
    rows = []
    for path in sorted(root.glob("*/*/*.jpg")):
        split, label, name = path.parts[-3:]
        group = f"{split}-{int(path.stem) // 2}"
        parent = f"{label}/000.jpg" if (split, name) == ("train", "001.jpg") else ""
        rows.append([f"{label}/{name}", label, "1", "", group, split, parent])
    with (root / "plan.csv").open("w", newline="") as file:
        csv.writer(file).writerows([PLAN_COLUMNS, *rows])
    return read_curated(root)


def split_of(
    dataset: CuratedDataset, fold: int
) -> tuple[list[CuratedPhoto], list[str], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    photos = list_judged(dataset)
    folds = draw_folds(photos, MASK_AGE, choose_folds(dataset, photos, None), seed=1)
    splits = assign_splits(photos, folds, fold, dataset, seed=1)
    assert splits is not None
    return photos, splits, folds


def test_a_trial_has_every_class_in_each_split_and_no_test_photo(
    dataset: CuratedDataset, tmp_path: Path
) -> None:
    photos, splits, folds = split_of(dataset, 2)
    taught = write_fold_set(tmp_path / "set", photos, splits, dataset)
    made = read_curated(tmp_path / "set")
    bytes_of_test = {photo.path.read_bytes() for photo in dataset.photos("test")}
    every = [photo for split in made.splits.values() for photo in split]
    assert not bytes_of_test & {photo.path.read_bytes() for photo in every}
    assert {number_of(photo.path.name) for photo in made.photos("test")} == set(
        np.flatnonzero(folds == 2)
    )
    assert len(made.photos("train")) == taught > len(made.photos("val")) > 0


def test_no_group_is_on_two_sides(dataset: CuratedDataset, tmp_path: Path) -> None:
    photos, splits, _ = split_of(dataset, 0)
    write_fold_set(tmp_path / "set", photos, splits, dataset)
    made = read_curated(tmp_path / "set")
    groups = [{photo.group for photo in made.photos(split)} for split in made.splits]
    assert not groups[0] & groups[1]
    assert not groups[0] & groups[2]
    assert not groups[1] & groups[2]
    parents = [photo.parent for photo in made.photos("train") if photo.parent]
    has_parent = "train-0" in groups[0]
    assert len(parents) == (4 if has_parent else 0)
    assert not any(photo.parent for photo in [*made.photos("val"), *made.photos("test")])


def test_two_folds_leave_nothing_to_train_on(dataset: CuratedDataset) -> None:
    photos = list_judged(dataset)
    folds = np.arange(len(photos)) % 2
    assert assign_splits(photos, folds, 0, dataset, seed=1) is None


def test_a_killed_trial_is_found_by_the_dataset_that_its_photos_come_from(
    dataset: CuratedDataset, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    record = CurationRecord(
        dataset=tmp_path / "data", version="0", classes=MASK_AGE.labels, seed=1, settings={},
        options=("--dedupe",), held_out=NOTHING, caveat="There is no test.",
    )  # fmt: skip
    photos, splits, _ = split_of(dataset, 1)
    place, run = tmp_path / "runs" / "s" / SET_NAME, tmp_path / "runs" / "s" / TRIAL_NAME
    write_fold_set(place, photos, splits, replace(dataset, curation=record))
    run.mkdir()
    (run / "args.yaml").write_text("curated: set")
    assert find_origin(place).dataset == tmp_path / "data"
    # The trial's own test is there, although the whole set has none.
    assert read_curated(place).photos("test")
    # `collector forget` comes that far down.
    places = Places()
    add_folder(tmp_path, tmp_path / "data", places)
    assert place in places.sets
    assert run in places.runs
