from dataclasses import replace

import numpy as np
import pytest

from maskage.classes.ready_made import MASK_AGE
from trainer.evaluation.calibration import RANGE, fit_temperature
from trainer.network.classes import one_hot
from trainer.network.head import EpochFigures, HeadData, cross_entropy, softmax, train_head
from trainer.recipe import Phase, load_recipe

RECIPE = replace(
    load_recipe("mobilenetv2"),
    head=Phase(
        epochs=60, batch_size=16, learning_rate=0.01, weight_decay=0.0, patience=60, dropout=0.2
    ),
)
PLAIN = replace(RECIPE, label_smoothing=0.0)


def make_data(seed: int = 0, views: int = 2) -> HeadData:
    """Four clouds of features, some of them constant, as dead channels are."""
    chance = np.random.default_rng(seed)
    labels = np.arange(80) % 4
    clouds = np.zeros((80, 12), np.float32)
    clouds[:, :4] = 3 * one_hot(labels, 4)
    train = clouds[:, None] + chance.normal(0, 0.5, (80, views, 12))
    train[..., 11] = 7.0
    val = (clouds + chance.normal(0, 0.5, (80, 12))).astype(np.float32)
    val[:, 11] = 7.0
    return HeadData(train.astype(np.float32), labels, val, labels, np.ones(4, np.float32), MASK_AGE)


def test_the_head_learns_and_its_kernel_works_on_raw_features() -> None:
    data = make_data()
    told: list[float] = []

    def note(figures: EpochFigures) -> bool:
        told.append(figures.val_loss)
        return True

    head = train_head(data, RECIPE, seed=1, on_epoch=note)
    logits = head.logits(data.val)
    assert (logits.argmax(axis=1) == data.val_labels).mean() >= 0.95
    # The best epoch is what comes back, folded to features as they were given.
    assert cross_entropy(logits, data.val_labels) == pytest.approx(min(told), rel=1e-3)
    assert told[head.best_epoch - 1] == min(told)


def test_the_seed_repeats_a_head() -> None:
    heads = [train_head(make_data(), PLAIN, seed=4, on_epoch=lambda _: True) for _ in range(2)]
    assert np.array_equal(heads[0].kernel, heads[1].kernel)


def test_training_ends_when_asked() -> None:
    told: list[int] = []

    def stop_at_three(figures: EpochFigures) -> bool:
        told.append(figures.epoch)
        return figures.epoch < 3

    train_head(make_data(), PLAIN, seed=1, on_epoch=stop_at_three)
    assert told == [1, 2, 3]


def test_training_ends_when_patience_is_out() -> None:
    # Features without meaning: the validation loss rises as soon as they are learned by heart.
    told: list[int] = []

    def note(figures: EpochFigures) -> bool:
        told.append(figures.epoch)
        return True

    data = make_data()
    noise = np.random.default_rng(3).normal(0, 1, data.train.shape).astype(np.float32)
    meaningless = replace(data, train=noise, val=noise[::-1, 0])
    impatient = replace(PLAIN, head=replace(PLAIN.head, patience=4))
    head = train_head(meaningless, impatient, seed=1, on_epoch=note)
    assert len(told) == head.best_epoch + 4 < PLAIN.head.epochs


def test_softmax_takes_large_logits() -> None:
    chances = softmax(np.array([[1000.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]))
    assert chances.tolist() == [[1.0, 0.0, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]]


def test_temperature_finds_the_factor_that_logits_are_off_by() -> None:
    chance = np.random.default_rng(2)
    honest = chance.normal(0, 1.5, (6000, 4))
    drawn = chance.random((6000, 1)) < softmax(honest).cumsum(axis=1)
    labels = drawn.argmax(axis=1)
    assert fit_temperature(honest * 2.5, labels) == pytest.approx(2.5, rel=0.06)
    assert fit_temperature(honest, labels) == pytest.approx(1.0, rel=0.06)


def test_temperature_stays_in_range_where_everything_is_right() -> None:
    assert fit_temperature(10 * np.eye(4), np.arange(4)) == pytest.approx(RANGE[0], rel=1e-2)
    assert fit_temperature(np.zeros((0, 4)), np.array([], dtype=int)) == 1.0
