import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from maskage.classes.ready_made import MASK_AGE
from maskage.errors import DatasetError, EnvironmentProblemError, UsageError
from maskage.formats.curated.curated_set import SPLITS, CuratedPhoto, read_curated
from maskage.formats.curated.plan_file import PLAN_COLUMNS
from maskage.formats.feature_cache import FeatureCache
from maskage.pictures.images import encode_jpeg
from tests.read_only import read_only
from tests.trainer.conftest import draw_face
from trainer.cli import main
from trainer.evaluation.intervals import Estimate
from trainer.network.classes import one_hot
from trainer.recipe import Phase, load_recipe
from trainer.studies.cross_validation import make_folds
from trainer.studies.leak import MAX_FOLDS, compare_splits, list_originals, measure_leak
from trainer.studies.leak_report import REPEATS, Leak, LeakMeasurement

RECIPE = replace(
    load_recipe("mobilenetv2"),
    head=Phase(
        epochs=15, batch_size=16, learning_rate=0.01, weight_decay=0.0, patience=15, dropout=0.2
    ),
)
Features = NDArray[np.float32]


def make_bursts(people: int, shots: int, look: float) -> tuple[Features, list[CuratedPhoto]]:
    """Photos of people, each in one class: a little of the class, and much of who it is.

    Args:
        people: A group each.
        shots: Photos of each.
        look: How far people are from one another; 0 where nobody can be recognised.
    """
    chance = np.random.default_rng(7)
    groups = np.repeat(np.arange(people), shots)
    labels = groups % 4
    features = chance.normal(0, 0.5, (len(groups), 60))
    features[:, :4] += 0.8 * one_hot(labels, 4)
    features += look * chance.normal(0, 1, (people, 60))[groups]
    photos = [
        CuratedPhoto(Path(f"/{at:04d}.jpg"), MASK_AGE.labels[label], f"g{group:03d}")
        for at, (label, group) in enumerate(zip(labels, groups, strict=True))
    ]
    return features.astype(np.float32), photos


def compare(features: Features, photos: list[CuratedPhoto], seed: int = 1) -> LeakMeasurement:
    return compare_splits(features, photos, RECIPE, seed=seed, scheme=MASK_AGE)


def make_curated_bursts(root: Path) -> Path:
    """A curated folder of drawn faces with a plan: groups of two of one class, and one variant."""
    rows = []
    for split_number, (split, count) in enumerate(zip(SPLITS, (8, 2, 2), strict=True)):
        for class_number, label in enumerate(MASK_AGE.labels):
            (root / split / label).mkdir(parents=True)
            names = [f"{split}_{number}" for number in range(count)]
            names += ["train_0__aug1"] if split == "train" else []
            for number, name in enumerate(names):
                pixels = draw_face(label, 1000 * split_number + 100 * class_number + number)
                path = f"{label}/{name}.jpg"
                (root / split / path).write_bytes(encode_jpeg(pixels))
                pair = 0 if "aug" in name else number // 2
                parent = f"{label}/train_0.jpg" if "aug" in name else ""
                group = f"{split}-{label}-{pair}"
                rows.append([path, label, "1", "", group, split, parent])
    with (root / "plan.csv").open("w", newline="") as file:
        csv.writer(file).writerows([PLAN_COLUMNS, *rows])
    return root


@pytest.mark.parametrize("together", ["photos", "groups"])
def test_folds_hold_the_classes_evenly_and_keep_groups_whole(together: str) -> None:
    groups = np.repeat(np.arange(60), 4)
    labels = groups % 4
    kept = groups if together == "groups" else np.arange(len(groups))
    folds = make_folds(labels, kept, 5, seed=3)
    for fold in range(5):
        assert np.bincount(labels[folds == fold]).tolist() == [12] * 4
    places = [len(set(folds[groups == group].tolist())) for group in range(60)]
    assert (max(places) == 1) == (together == "groups")


def test_recognisable_people_leak_through_a_split_photo_by_photo() -> None:
    features, photos = make_bursts(people=48, shots=6, look=1.0)
    found = compare(features, photos)
    assert found.at_random.accuracy.value > 0.75
    assert found.by_group.accuracy.value < 0.4
    assert found.gap.low > 0.4
    assert found.gap.value == pytest.approx(
        found.at_random.accuracy.value - found.by_group.accuracy.value
    )
    assert found.shared_gap.value == pytest.approx(found.gap.value)
    text = str(Leak(288, 48, 288, found))
    assert "Under 30 groups" not in text
    assert "Under 30 groups, so the true intervals are wider" in str(Leak(288, 29, 288, found))
    assert f"promise {100 * found.gap.value:.1f} points more" in text
    assert f"{found.at_random.accuracy.value:.2%}" in text
    assert f"{found.by_group.accuracy.value:.2%}" in text


def test_people_that_cannot_be_recognised_leak_nothing() -> None:
    features, photos = make_bursts(people=48, shots=6, look=0.0)
    found = compare(features, photos)
    assert found.gap.low <= 0 <= found.gap.high
    assert "cannot rule a leak out" in Leak(288, 48, 288, found).meaning


def test_a_leak_of_few_photos_is_told_of_those() -> None:
    one, many = Estimate(0.001, -0.001, 0.003), Estimate(0.1, 0.02, 0.2)
    features, photos = make_bursts(people=20, shots=2, look=0.5)
    found = replace(compare(features, photos), gap=one, shared_gap=many)
    meaning = Leak(1000, 990, 20, found).meaning
    assert "20 of 1,000 photos" in meaning
    assert "10.0 points too many" in meaning


def test_photos_alone_in_their_group_are_not_counted_among_the_shared() -> None:
    features, photos = make_bursts(people=48, shots=6, look=1.0)
    # Of the later people nobody knows: they leak either way, so they add nothing to the gap.
    known = [replace(p, group=str(p.path)) if at >= 144 else p for at, p in enumerate(photos)]
    found = compare(features, known)
    assert found.shared_gap.value > 1.5 * found.gap.value > 0


def test_the_seed_repeats_a_measurement() -> None:
    features, photos = make_bursts(people=20, shots=3, look=0.5)
    assert compare(features, photos) == compare(features, photos)
    assert compare(features, photos) != compare(features, photos, seed=2)


def test_a_class_of_two_people_cannot_be_split_by_group() -> None:
    features, photos = make_bursts(people=8, shots=3, look=0.5)
    with pytest.raises(DatasetError, match=r"at least 3 groups .* found 2 of mask_old"):
        compare(features, photos)
    assert compare(*make_bursts(people=12, shots=3, look=0.5)).folds == 3
    assert compare(*make_bursts(people=40, shots=2, look=0.5)).folds == MAX_FOLDS


def test_variants_are_left_out_and_all_splits_taken(tmp_path: Path) -> None:
    photos = list_originals(read_curated(make_curated_bursts(tmp_path / "curated")))
    assert len(photos) == 48
    assert len({photo.group for photo in photos}) == 24
    assert {photo.path.parts[-3] for photo in photos} == set(SPLITS)


def test_where_every_group_has_one_photo_there_is_nothing_to_leak(
    curated: Path, tmp_path: Path
) -> None:
    # Nothing is computed: there need not even be weights.
    found = measure_leak(
        curated, load_recipe("mobilenetv2"), weights="gone.h5", runs=tmp_path, seed=1
    )
    assert found == Leak(80, 80, 0, None)
    assert "nothing can leak" in str(found)
    assert found.as_dict()["measured"] is None
    assert not list(tmp_path.iterdir())


def test_random_weights_are_refused(tmp_path: Path) -> None:
    curated = make_curated_bursts(tmp_path / "curated")
    with pytest.raises(UsageError, match="--weights none leaves the backbone at random"):
        measure_leak(curated, load_recipe("mobilenetv2"), weights="none", runs=tmp_path, seed=1)


@pytest.mark.slow
def test_the_command_prints_both_scores_and_keeps_features(
    backbone_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["leak", str(make_curated_bursts(tmp_path / "curated"))]
    words += ["--weights", str(backbone_weights), "--image-size", "64", "--alpha", "0.35"]
    words += ["--runs", str(tmp_path / "runs")]
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["photos"], told["groups"], told["shared_photos"]) == (48, 24, 48)
    measured = told["measured"]
    assert (measured["folds"], measured["repeats"]) == (MAX_FOLDS, REPEATS)
    pieces = sorted((tmp_path / "runs").rglob("*.npz"))
    assert main(words) == 0
    printed = capsys.readouterr().out
    for way in ("at_random", "by_group"):
        assert f"{measured[way]['accuracy']['value']:.2%}" in printed
    assert told["meaning"] in printed
    assert sorted((tmp_path / "runs").rglob("*.npz")) == pieces


def test_a_cache_that_cannot_be_written_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    with (
        read_only(tmp_path / "runs") as view,
        pytest.raises(EnvironmentProblemError, match="MASKAGE_CACHE=FOLDER"),
    ):
        FeatureCache(view / ".features" / "network")
