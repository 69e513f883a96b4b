from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maskage.classes.ready_made import MASK_AGE, READY_MADE, plain_scheme
from maskage.classes.scheme import Scheme
from maskage.formats.curated.curated_set import CuratedPhoto
from tests.trainer.conftest import MOOD, OWN
from trainer.network.classes import class_numbers, class_weights, merge_matrix, one_hot
from trainer.network.head import HeadData, softmax, train_head
from trainer.recipe import Phase, load_recipe, with_overrides


def test_labels_are_numbered_in_the_order_of_the_scheme(tmp_path: Path) -> None:
    photos = [CuratedPhoto(tmp_path / label, label, label) for label in ("micro", "=1+1", "Mask")]
    numbers = class_numbers(photos, OWN)
    assert numbers.tolist() == [4, 0, 1]
    assert one_hot(numbers, len(OWN)).argmax(axis=1).tolist() == [4, 0, 1]


def test_rare_classes_weigh_more_and_never_four_times_as_much() -> None:
    weights = class_weights(np.array([0] * 8 + [1] * 4), 2)
    assert weights.tolist() == pytest.approx([0.75, 1.5])
    # Of three classes one has a single photo of 101.
    rare = class_weights(np.array([0] * 50 + [1] * 50 + [2]), 3)
    assert rare[2] / rare[0] == pytest.approx(4 / (101 / 150))


def test_the_default_factors_are_merged_by_halves() -> None:
    expected = [[0.5, 0.5, -0.5, -0.5], [0.5, -0.5, 0.5, -0.5]]
    assert merge_matrix("factors", MASK_AGE).tolist() == expected


def test_a_factor_of_three_values_has_an_answer_for_each() -> None:
    merge = merge_matrix("factors", OWN)
    assert merge.tolist() == [
        [1, 0, 0, 0, 0],
        [0, 1, 1, 0, 0],
        [0, 0, 0, 1, 1],
        [0.5, 0.5, -0.5, 0.5, -0.5],
    ]
    assert merge_matrix("factors", READY_MADE["mask-state"]).tolist() == np.eye(3).tolist()


def test_probabilities_are_products_scaled_to_the_combinations_there_are() -> None:
    logits = np.random.default_rng(1).normal(0, 2, (40, 4))
    glasses = softmax(logits[:, :3])
    calm = 1 / (1 + np.exp(-logits[:, 3]))
    products = np.stack(
        [
            glasses[:, OWN.factors["glasses"].index(each.factors["glasses"])]
            * (calm if each.factors[MOOD] == "calm" else 1 - calm)
            for each in OWN
        ],
        axis=1,
    )
    expected = products / products.sum(axis=1, keepdims=True)
    assert np.abs(softmax(logits @ merge_matrix("factors", OWN)) - expected).max() < 1e-6


@pytest.mark.parametrize("heads", ["classes", "factors"])
@pytest.mark.parametrize(
    "scheme", [OWN, plain_scheme(["a", "b"]), plain_scheme(list("abcdefghijkl"))]
)
def test_a_head_learns_any_number_of_classes(heads: str, scheme: Scheme) -> None:
    if heads == "factors" and not scheme.factors:
        pytest.skip("there are no factors")
    count = len(scheme)
    labels = np.arange(24 * count) % count
    chance = np.random.default_rng(6)
    clouds = np.hstack([2 * one_hot(labels, count), np.zeros((len(labels), 3), np.float32)])
    noisy = (clouds + chance.normal(0, 0.3, (2, *clouds.shape))).astype(np.float32)
    data = HeadData(noisy[0][:, None], labels, noisy[1], labels, np.ones(count, np.float32), scheme)
    phase = Phase(
        epochs=80, batch_size=16, learning_rate=0.05, weight_decay=0.0, patience=80, dropout=0.0
    )
    recipe = replace(with_overrides(load_recipe("mobilenetv2"), heads=heads), head=phase)
    head = train_head(data, recipe, seed=1)
    assert head.kernel.shape == (count + 3, 4 if heads == "factors" else count)
    assert (head.logits(noisy[1]).argmax(axis=1) == labels).mean() > 0.95


@pytest.mark.parametrize("heads", ["classes", "factors"])
def test_a_network_and_its_side_heads_answer_the_classes(heads: str) -> None:
    from trainer.fit.side_heads import accuracy, build_trainee, make_loss
    from trainer.network.backbones import build_deliverable, build_network
    from trainer.network.backend import keras

    recipe = with_overrides(load_recipe("mobilenetv2"), image_size=32, alpha=0.35, heads=heads)
    network = build_network(recipe, OWN)
    images = np.random.default_rng(4).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
    chances = np.asarray(build_deliverable(network, 1.5)(images))
    assert chances.shape == (8, 5)
    assert chances.sum(axis=1) == pytest.approx(1)
    trainee = build_trainee(network, has_sides=True)
    trainee.compile(keras.optimizers.SGD(0.1), make_loss(0.1), metrics=[accuracy])
    labels = one_hot(np.arange(8) % 5, 5)
    trainee.train_on_batch(images, labels)
    sides = 1 + len(network.row.side_heads)
    assert trainee.output_shape == (None, sides, 5)
