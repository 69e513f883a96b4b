"""Cross-validation by group: no head sees a photo of the group that it judges."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import Scheme
from maskage.errors import DatasetError, UsageError
from maskage.formats.curated.curated_set import CuratedDataset, CuratedPhoto, read_curated
from maskage.formats.curated.curation_file import NOTHING, PEOPLE, CurationRecord, write_curation
from maskage.formats.curated.plan_file import PLAN_COLUMNS
from tests.trainer.conftest import make_curated
from trainer.cli import main
from trainer.network.classes import one_hot
from trainer.recipe import Phase, load_recipe
from trainer.studies.cross_validation import predict_folds
from trainer.studies.group_validation import choose_folds, draw_folds, judge_folds
from trainer.studies.group_validation_report import describe_groups

RECIPE = replace(
    load_recipe("mobilenetv2"),
    head=Phase(
        epochs=30, batch_size=16, learning_rate=0.02, weight_decay=0.0, patience=30, dropout=0.0
    ),
)
Features = NDArray[np.float32]


def make_people(people: int, each: int = 6) -> tuple[Features, CuratedDataset]:
    """Photos of people in every class: the class is easy to see, and so is who it is."""
    chance = np.random.default_rng(5)
    photos, rows = [], []
    for person in range(people):
        for number, label in enumerate(MASK_AGE.labels):
            for shot in range(each):
                place = Path(f"/{person}-{number}-{shot}.jpg")
                photos.append(CuratedPhoto(place, label, f"g{person}"))
                rows.append((number, person))
    labels, persons = np.array(rows).T
    features = chance.normal(0, 0.2, (len(photos), 4 + people))
    features[:, :4] += one_hot(labels, 4)
    features[:, 4:] += 0.3 * one_hot(persons, people)
    dataset = CuratedDataset(Path("/set"), {"train": tuple(photos), "val": (), "test": ()})
    return features.astype(np.float32), dataset


@pytest.mark.parametrize("people", [2, 3, 5])
def test_each_person_is_judged_by_what_the_others_teach(people: int) -> None:
    features, dataset = make_people(people)
    photos = dataset.photos("train")
    count = choose_folds(dataset, photos, None)
    assert count == people
    folds = draw_folds(photos, MASK_AGE, count, seed=1)
    found = judge_folds(features, photos, folds, RECIPE, seed=1, dataset=dataset)
    assert [(each.photos, each.groups) for each in found.folds] == [(24, 1)] * people
    assert found.evaluation.photos == 24 * people
    assert found.evaluation.groups == people
    assert found.evaluation.accuracy > 0.7
    mean = np.mean([each.accuracy for each in found.folds])
    assert found.evaluation.accuracy == pytest.approx(mean)


def test_no_head_learns_from_the_photos_that_it_judges() -> None:
    features, dataset = make_people(2)
    labels = np.array([MASK_AGE.index(photo.label) for photo in dataset.photos("train")])
    folds = np.repeat([0, 1], len(labels) // 2)

    def predict(wrong: NDArray[np.int64]) -> Features:
        return predict_folds(features, wrong, folds, recipe=RECIPE, seed=1, scheme=MASK_AGE)

    shuffled = np.where(folds == 0, (labels + 1) % 4, labels)
    as_they_are, as_shuffled = predict(labels), predict(shuffled)
    assert np.array_equal(as_they_are[folds == 0], as_shuffled[folds == 0])
    assert not np.allclose(as_they_are[folds == 1], as_shuffled[folds == 1])


def test_a_class_of_one_person_is_refused() -> None:
    _, dataset = make_people(3)
    photos = [
        photo
        for photo in dataset.photos("train")
        if photo.label != "mask_old" or photo.group == "g0"
    ]
    with pytest.raises(DatasetError, match=r"at least 2 groups; found 1 of mask_old\. Collect"):
        choose_folds(dataset, photos, None)
    with pytest.raises(UsageError, match="--folds can only be from 2 to 3 here"):
        choose_folds(dataset, dataset.photos("train"), 4)
    with pytest.raises(UsageError, match="found 1"):
        choose_folds(dataset, dataset.photos("train"), 1)


def test_every_head_has_every_class_or_there_are_no_folds() -> None:
    two = Scheme(MASK_AGE.classes[:2], MASK_AGE.factors)
    # Of these four people two have one class each, and may not be in one fold with their like.
    classes = {"a": (0, 1), "b": (0, 1), "c": (0,), "d": (1,)}
    photos = [
        CuratedPhoto(Path(f"/{group}{label}{shot}"), two.labels[label], group)
        for group, labels in classes.items()
        for label in labels
        for shot in range(3)
    ]
    folds = draw_folds(photos, two, 2, seed=1)
    for fold in (0, 1):
        assert {p.label for p, at in zip(photos, folds, strict=True) if at != fold} == {*two.labels}
    alone = [photo for photo in photos if photo.group in "cd"]
    with pytest.raises(DatasetError, match="No 2 folds by group were found"):
        draw_folds(alone, two, 2, seed=1)


def make_set(root: Path, people: int, **settings: str) -> Path:
    """A set without a test, of people who are in every class; None has a plan."""
    make_curated(root, train=4, held_out=4)
    shutil.rmtree(root / "test")
    rows = []
    for path in sorted(root.glob("*/*/*.jpg")):
        split, label, name = path.parts[-3:]
        group = f"g{(int(path.stem) + 4 * (split == 'val')) % people}"
        rows.append([f"{label}/{split}{name}", label, "1", "", group, split, ""])
        path.rename(path.with_name(f"{split}{name}"))
    with (root / "plan.csv").open("w", newline="") as file:
        csv.writer(file).writerows([PLAN_COLUMNS, *rows])
    made = CurationRecord(
        dataset=root.parent, version="0", classes=MASK_AGE.labels, seed=1, settings=settings,
        options=(), held_out=NOTHING, caveat="There is no test.",
    )  # fmt: skip
    write_curation(root, made, root)
    return root


def test_groups_of_nobody_in_particular_say_so(tmp_path: Path) -> None:
    dataset = read_curated(make_set(tmp_path / "curated", 2, split="group"), may_lack_test=True)
    assert dataset.curation is not None
    assert describe_groups(dataset).meaning.endswith("that it judges.")
    record = replace(dataset.curation, held_out=PEOPLE, caveat="No photo says who it shows.")
    unnamed = replace(dataset, curation=record)
    assert describe_groups(unnamed).meaning.endswith("judges. But: No photo says who it shows.")


def cross_validate(tmp_path: Path, curated: Path, weights: Path, *more: str) -> int:
    words = ["--alpha", "0.35", "--image-size", "64", "--weights", str(weights)]
    runs = ["--runs", str(tmp_path / "runs")]
    return main(["cross-validate", str(curated), *words, *runs, *more])


def test_the_command_prints_folds_classes_and_what_they_are_worth(
    tmp_path: Path, backbone_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    curated = make_set(tmp_path / "curated", 2, split="group")
    assert cross_validate(tmp_path, curated, backbone_weights) == 0
    told = capsys.readouterr().out
    assert "32 photos in 2 groups, each judged by a head trained on others" in told
    assert "1           16       1" in told
    assert "nomask_young" in told
    assert "heads on a frozen backbone" in told
    assert "No head saw a photo of the group" in told
    assert cross_validate(tmp_path, curated, backbone_weights, "--json") == 0
    held = json.loads(capsys.readouterr().out)
    assert held["grouped_by"] == "people"
    assert [each["groups"] for each in held["folds"]] == [1, 1]
    assert sum(map(sum, held["confusion"])) == held["photos"] == 32
    assert held["factors"].keys() == {"mask", "age"}
    assert 0 <= held["mask_accuracy"] <= 1
    # Nothing but features was written.
    assert not list((tmp_path / "runs").glob("*/metrics.json"))


def test_sessions_are_not_taken_for_people(
    tmp_path: Path, backbone_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    curated = make_set(tmp_path / "curated", 4, split="session")
    assert cross_validate(tmp_path, curated, backbone_weights, "--folds", "2") == 0
    told = capsys.readouterr().out
    assert "4 sessions" in told
    assert "not on strangers" in told
    shutil.move(curated / "plan.csv", tmp_path)
    assert cross_validate(tmp_path, curated, backbone_weights) == 0
    assert "may be far too good" in capsys.readouterr().out


def test_one_person_is_refused_with_what_to_collect(
    tmp_path: Path, backbone_weights: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    curated = make_set(tmp_path / "curated", 1)
    assert cross_validate(tmp_path, curated, backbone_weights) == 4
    told = capsys.readouterr().err
    assert "from at least 2 groups; found 1 of mask_old, mask_young, nomask_old" in told
    assert "Collect these classes from more people" in told
    assert "Loading" not in told
