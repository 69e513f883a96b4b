import csv
import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from maskage.classes.ready_made import MASK_AGE
from maskage.errors import DatasetError, UsageError
from maskage.formats.curated.curated_set import CuratedPhoto
from trainer.cli import main
from trainer.evaluation.accuracies import Accuracies
from trainer.evaluation.intervals import Estimate
from trainer.network.classes import one_hot
from trainer.network.head import HeadData
from trainer.pages.run_pictures import draw_learning_curve
from trainer.recipe import Phase, load_recipe
from trainer.studies.curve_measurement import (
    DRAWS,
    draw_order,
    draw_parts,
    forecast_doubling,
    measure_curve,
)
from trainer.studies.learning_curve import CurveRow, LearningCurve, Verdict

RECIPE = replace(
    load_recipe("mobilenetv2"),
    head=Phase(
        epochs=6, batch_size=32, learning_rate=0.01, weight_decay=0.0, patience=6, dropout=0.2
    ),
)
Numbers = NDArray[np.int64]


def picture_size(curve: LearningCurve) -> tuple[int, int]:
    return Image.open(io.BytesIO(draw_learning_curve(curve))).size


def make_photos(labels: Numbers, groups: Sequence[int]) -> list[CuratedPhoto]:
    return [
        CuratedPhoto(Path(f"/{at:04d}.jpg"), MASK_AGE.labels[label], f"g{group:04d}")
        for at, (label, group) in enumerate(zip(labels, groups, strict=True))
    ]


def make_data(count: int, noise: float, seed: int = 0) -> HeadData:
    """Four clouds of features in 40 dimensions; the more photos, the better they are told apart."""
    chance = np.random.default_rng(seed)
    labels = np.arange(count) % 4
    clouds = np.zeros((count, 40), np.float32)
    clouds[:, :4] = 3 * one_hot(labels, 4)
    train = (clouds + chance.normal(0, noise, clouds.shape)).astype(np.float32)
    val = (clouds + chance.normal(0, noise, clouds.shape)).astype(np.float32)
    return HeadData(train[:, None], labels, val, labels, np.ones(4, np.float32), MASK_AGE)


def measure(data: HeadData, seed: int = 1) -> LearningCurve:
    photos = make_photos(data.train_labels, range(len(data.train_labels)))
    curve = measure_curve(data, photos, photos, RECIPE, seed=seed)
    assert curve is not None
    return curve


def parts_of(
    groups: Numbers, labels: Numbers, shares: Sequence[float], seed: int
) -> list[set[int]]:
    every = np.ones(len(groups), bool)
    return [set(part.tolist()) for part in draw_parts(groups, labels, every, shares, seed)]


@pytest.mark.parametrize("seed", range(5))
def test_parts_are_nested_and_hold_whole_groups_and_every_class(seed: int) -> None:
    # 60 people of one class each, with one to five photos; a single one of the last class.
    groups = np.repeat(np.arange(60), 1 + np.arange(60) % 5)
    labels = np.where(groups == 59, 3, groups % 3)
    small, middle, large = parts_of(groups, labels, (0.1, 0.4, 1.0), seed)
    assert small < middle < large == set(range(len(groups)))
    for part in (small, middle):
        members = sorted(part)
        assert part == set(np.flatnonzero(np.isin(groups, groups[members])).tolist())
        assert set(labels[members].tolist()) == {0, 1, 2, 3}
    assert len(middle) == pytest.approx(0.4 * len(groups), abs=3)


def test_parts_have_the_classes_in_the_shares_of_the_whole() -> None:
    groups = np.arange(400)
    labels = np.repeat([0, 1, 2, 3], [40, 80, 120, 160])
    (part,) = parts_of(groups, labels, (0.25,), 3)
    assert np.bincount(labels[sorted(part)]).tolist() == pytest.approx([10, 20, 30, 40], abs=1)


def test_a_person_with_photos_of_two_classes_stays_whole() -> None:
    groups = np.repeat(np.arange(40), 2)
    labels = np.tile([0, 2], 40) + np.repeat(np.arange(40) % 2, 2)
    (part,) = parts_of(groups, labels, (0.5,), 1)
    assert len(part) == 40
    assert all(({2 * group, 2 * group + 1} <= part) == (2 * group in part) for group in range(40))


def test_variants_go_with_their_parents_and_are_not_counted() -> None:
    # Each of the first 20 photos has three variants.
    parents = np.arange(80)
    groups = np.concatenate([parents, np.repeat(parents[:20], 3)])
    is_original = np.arange(len(groups)) < 80
    (part,) = draw_parts(groups, groups % 4, is_original, (0.5,), 2)
    assert is_original[part].sum() == 40
    drawn = set(part[is_original[part]].tolist())
    assert set(part.tolist()) == {at for at, group in enumerate(groups.tolist()) if group in drawn}


def test_other_seeds_draw_other_orders_of_all_groups() -> None:
    labels = np.arange(50) % 4
    one, same, other = (draw_order(np.arange(50), labels, seed) for seed in (1, 1, 2))
    assert one == same != other
    assert sorted(one) == sorted(other) == list(range(50))


def test_a_power_law_is_continued() -> None:
    sizes = np.array([100.0, 200.0, 400.0, 800.0, 1600.0])
    accuracies = 0.95 - 2.0 * sizes**-0.5
    expected = 2.0 * (1600**-0.5 - 3200**-0.5)
    found = forecast_doubling(sizes.tolist(), np.stack([accuracies, np.full(5, 0.9)]))
    assert found == pytest.approx([expected, 0.0], abs=1e-9)


def test_no_forecast_is_a_loss_or_leads_beyond_everything_right() -> None:
    sizes = [100.0, 200.0, 400.0]
    curves = np.array([[0.9, 0.8, 0.7], [0.5, 0.8, 0.99], [0.97, 0.985, 1.0]])
    gains = forecast_doubling(sizes, curves)
    assert gains[0] == 0
    assert (gains >= 0).all()
    assert (curves[:, -1] + gains <= 1).all()


def test_hard_photos_give_a_curve_that_rises() -> None:
    curve = measure(make_data(640, noise=2.0))
    assert curve.shares == [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0]
    assert curve.mean("photos") == [40, 80, 160, 320, 640]
    assert len(curve.rows) == 5 * DRAWS
    accuracies = curve.mean("accuracy")
    assert accuracies == sorted(accuracies)
    assert curve.mean("mask_accuracy")[-1] > accuracies[-1] < curve.mean("age_accuracy")[-1]
    assert curve.verdict is Verdict.RISING
    assert curve.next_doubling is not None
    assert 0 < curve.next_doubling.value < curve.last_doubling.value
    assert "more photos will help" in str(curve)
    assert "From 320 to 640 training photos" in str(curve)
    assert "from only" not in str(curve)
    assert picture_size(curve) == (1600, 736)


def test_features_without_meaning_give_no_rise() -> None:
    data = make_data(640, noise=1.0)
    noise = np.random.default_rng(9).normal(0, 1, data.train.shape).astype(np.float32)
    curve = measure(replace(data, train=noise, val=noise[::-1, 0]))
    assert curve.verdict in (Verdict.FLAT, Verdict.UNCLEAR)
    assert curve.last_doubling.low < 0 < curve.last_doubling.high


def test_where_every_photo_is_right_nothing_can_be_told() -> None:
    curve = measure(make_data(640, noise=0.1))
    assert curve.verdict is Verdict.PERFECT
    assert "harder photos" in str(curve)


@pytest.mark.parametrize(
    ("gain", "verdict"),
    [
        (Estimate(0.02, 0.005, 0.04), Verdict.RISING),
        (Estimate(0.001, -0.006, 0.008), Verdict.FLAT),
        (Estimate(-0.01, -0.02, -0.001), Verdict.FLAT),
        (Estimate(0.005, -0.01, 0.02), Verdict.UNCLEAR),
    ],
)
def test_the_verdict_heeds_the_interval_not_the_figure_alone(
    gain: Estimate, verdict: Verdict
) -> None:
    rows = tuple(
        CurveRow(
            share=share,
            draw=1,
            groups=10,
            photos=int(100 * share),
            accuracies=Accuracies(0.9, {"mask": 0.95, "age": 0.92}),
        )
        for share in (0.25, 0.5, 1.0)
    )
    curve = LearningCurve(rows, 50, 50, gain, None)
    assert curve.verdict is verdict
    told = json.loads(json.dumps(curve.as_dict()))
    assert told["verdict"] == verdict
    assert f"{100 * gain.value:+.1f} points" in told["summary"]
    assert picture_size(curve) == (1600, 736)


def test_the_seed_repeats_a_curve() -> None:
    data = make_data(96, noise=2.0)
    assert measure(data).as_dict() == measure(data).as_dict() != measure(data, seed=2).as_dict()


def test_few_people_give_fewer_points_and_too_few_none() -> None:
    data = make_data(96, noise=2.0)

    def measure_people(count: int) -> LearningCurve | None:
        photos = make_photos(data.train_labels, [at // 4 % count for at in range(96)])
        return measure_curve(data, photos, photos, replace(RECIPE, label_smoothing=0.0), seed=1)

    curve = measure_people(6)
    assert curve is not None
    assert curve.shares == [0.5, 1.0]
    assert curve.next_doubling is None
    assert "come from only 6 groups" in str(curve)
    with pytest.raises(DatasetError, match="needs at least 4; found 3"):
        measure_people(3)


def test_a_curve_stops_when_asked() -> None:
    data = make_data(96, noise=2.0)
    photos = make_photos(data.train_labels, range(96))
    told: list[int] = []

    def stop_at_three(done: int, total: int) -> bool:
        told.append(total)
        return done < 3

    found = measure_curve(
        data, photos, photos, replace(RECIPE, label_smoothing=0.0), seed=1, on_head=stop_at_three
    )
    assert found is None
    assert told == [5 * DRAWS] * 3


def test_without_frozen_features_there_is_no_curve() -> None:
    from trainer.settings import FitSettings

    with pytest.raises(UsageError, match="features of a frozen backbone"):
        FitSettings(weights="none", learning_curve=True).recipe()


def test_a_run_without_a_curve_says_nothing_of_one(small_run: Path) -> None:
    assert not list(small_run.glob("learning_curve.*"))
    assert "bigger model" not in (small_run / "report.html").read_text()


@pytest.mark.slow
def test_fit_leaves_the_curve_in_the_run_folder_and_its_report(
    curated: Path, backbone_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["fit", str(curated), "--weights", str(backbone_weights), "--name", "curve"]
    words += ["--image-size", "64", "--alpha", "0.35", "--epochs", "5", "--fine-tune-epochs", "0"]
    assert main([*words, "--learning-curve", "--runs", str(tmp_path)]) == 0
    run = tmp_path / "curve"
    told = json.loads((run / "learning_curve.json").read_text())
    assert f"learning curve: {told['summary']}" in capsys.readouterr().out
    with (run / "learning_curve.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5 * DRAWS
    # 48 photos, each a group of its own.
    assert {row["photos"] for row in rows if row["share"] == "1"} == {"48"}
    assert (run / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    page = (run / "report.html").read_text()
    assert "More photos, or a bigger model?" in page
    assert told["summary"] in page
