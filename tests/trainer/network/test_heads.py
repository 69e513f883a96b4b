"""A head of two factors is the product of their probabilities, in numpy and in Keras."""

from dataclasses import replace

import numpy as np
import pytest

from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import AGE, MASK, OLD, WORN
from trainer.fit.side_heads import accuracy, build_trainee, make_loss
from trainer.network.backbones import build_deliverable, build_network
from trainer.network.classes import merge_matrix
from trainer.network.head import HeadData, softmax, train_head
from trainer.recipe import Phase, load_recipe, with_overrides

SMALL = with_overrides(load_recipe("mobilenetv2"), image_size=32, alpha=0.35, heads="factors")


def multiply(factors: np.ndarray) -> np.ndarray:
    """Probabilities (N, 4) of logits of "has a mask" and "is old" (N, 2)."""
    mask, old = (1 / (1 + np.exp(-factors.astype(np.float64)))).T
    parts = [
        (mask if MASK_AGE.has(label, MASK, WORN) else 1 - mask)
        * (old if MASK_AGE.has(label, AGE, OLD) else 1 - old)
        for label in MASK_AGE.labels
    ]
    return np.stack(parts, axis=1)


def test_merged_factors_are_the_product_of_their_probabilities() -> None:
    factors = np.random.default_rng(1).normal(0, 3, (50, 2)).astype(np.float32)
    merged = softmax(factors @ merge_matrix("factors", MASK_AGE))
    assert np.abs(merged - multiply(factors)).max() < 1e-6


def test_the_cross_entropy_of_four_classes_is_the_sum_of_the_factors() -> None:
    factors = np.random.default_rng(2).normal(0, 2, (30, 2))
    labels = np.arange(30) % 4
    whole = -np.log(softmax(factors @ merge_matrix("factors", MASK_AGE))[np.arange(30), labels])
    signs = np.array(
        [
            [1 if MASK_AGE.has(at, MASK, WORN) else -1, 1 if MASK_AGE.has(at, AGE, OLD) else -1]
            for at in MASK_AGE.labels
        ]
    )
    of_factors = np.log1p(np.exp(-signs[labels] * factors)).sum(axis=1)
    assert np.abs(whole - of_factors).max() < 1e-9


def test_a_network_of_factors_answers_as_their_product() -> None:
    network = build_network(SMALL, MASK_AGE)
    assert network.head.name == "factors"
    depth = network.head.kernel.shape[0]
    kernel = np.random.default_rng(3).normal(0, 1, (depth, 2)).astype(np.float32)
    network.head.set_weights([kernel, np.array([0.5, -1.0], np.float32)])
    images = np.random.default_rng(4).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    factors = np.asarray(network.features(images)) @ kernel + np.array([0.5, -1.0])
    assert (
        np.abs(np.asarray(build_deliverable(network, 1.0)(images)) - multiply(factors)).max() < 1e-5
    )


def test_training_leaves_the_merging_of_factors_alone() -> None:
    from trainer.network.backend import keras

    network = build_network(SMALL, MASK_AGE)
    network.backbone.trainable = False
    trainee = build_trainee(network, has_sides=False)
    trainee.compile(keras.optimizers.SGD(0.5), make_loss(0.0), metrics=[accuracy])
    images = np.random.default_rng(5).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
    trainee.train_on_batch(images, np.eye(4, dtype=np.float32)[np.zeros(8, int)])
    merged = network.logits.get_layer("logits")
    assert np.array_equal(np.asarray(merged.kernel), merge_matrix("factors", MASK_AGE))
    assert not np.array_equal(np.asarray(network.head.bias), np.zeros(2))


@pytest.mark.parametrize("heads", ["classes", "factors"])
def test_either_head_learns_two_factors(heads: str) -> None:
    chance = np.random.default_rng(6)
    labels = np.arange(120) % 4
    signs = np.array(
        [
            [MASK_AGE.has(label, MASK, WORN), MASK_AGE.has(label, AGE, OLD)]
            for label in MASK_AGE.labels
        ],
        np.float32,
    )
    clouds = np.hstack([2 * signs[labels], np.zeros((120, 3), np.float32)])
    noisy = (clouds[None] + chance.normal(0, 0.4, (2, 120, 5))).astype(np.float32)
    data = HeadData(noisy[0][:, None], labels, noisy[1], labels, np.ones(4, np.float32), MASK_AGE)
    phase = Phase(
        epochs=60, batch_size=16, learning_rate=0.02, weight_decay=0.0, patience=60, dropout=0.0
    )
    head = train_head(data, replace(SMALL, head=phase, heads=heads), seed=1)
    assert head.kernel.shape == (5, 2 if heads == "factors" else 4)
    assert (head.logits(noisy[1]).argmax(axis=1) == labels).mean() > 0.95
