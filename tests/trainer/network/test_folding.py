from typing import Any

import numpy as np
import pytest

from maskage.classes.ready_made import MASK_AGE
from trainer.fit.side_heads import make_loss
from trainer.network.backbones import BACKBONES, Network, build_network, open_upper_blocks
from trainer.network.backend import backend_name, keras
from trainer.network.folding import FoldedConvolution, fold_norms
from trainer.recipe import load_recipe, with_overrides


def built(name: str, size: int | None = None) -> Network:
    """A network with random weights, and batch norm that differs between channels."""
    size = size or max(64, BACKBONES[name].min_size)
    network = build_network(with_overrides(load_recipe(name), image_size=size), MASK_AGE)
    open_upper_blocks(network)
    chance = np.random.default_rng(7)
    for layer in network.backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shapes = [value.shape for value in layer.get_weights()]
            layer.set_weights([chance.uniform(0.5, 1.5, shape) for shape in shapes])
    return network


def step(network: Network, body: Any) -> tuple[Any, list[Any]]:
    """Return the logits and the gradients of the variables that a step would change."""
    import tensorflow

    images = np.random.default_rng(3).integers(0, 256, (4, *network.logits.input_shape[1:]))
    labels = np.eye(4, dtype=np.float32)[[0, 1, 2, 3]]
    pixels = network.logits.get_layer("preprocessing")(images.astype(np.uint8))
    variables = network.logits.trainable_variables
    with tensorflow.GradientTape() as tape:
        answer = network.logits.get_layer("features")(body(pixels, training=False))
        for layer in network.answer_layers:
            answer = layer(answer)
        loss = keras.ops.mean(make_loss(0.05)(labels, answer[:, None]))
    gradients = tape.gradient(loss, [each.value for each in variables])
    return np.asarray(answer), [np.asarray(each) for each in gradients]


def gap(one: Any, other: Any) -> float:
    """The largest difference, as a share of the largest value."""
    return float(np.abs(one - other).max() / max(1e-12, np.abs(one).max()))


FAST = ["mobilenetv2"]
SLOW = ["xception", "densenet169", "mobilenetv3large", "efficientnetv2b0"]


@pytest.mark.skipif(backend_name() != "tensorflow", reason="folded for TensorFlow on a CPU")
@pytest.mark.parametrize("name", [*FAST, *(pytest.param(n, marks=pytest.mark.slow) for n in SLOW)])
def test_a_folded_network_has_the_same_logits_and_gradients(name: str) -> None:
    network = built(name)
    logits, gradients = step(network, network.backbone)
    folded, folded_gradients = step(network, fold_norms(network.backbone))
    assert gap(logits, folded) < 1e-3
    assert len(gradients) == len(folded_gradients)
    gaps = [gap(*pair) for pair in zip(gradients, folded_gradients, strict=True)]
    assert max(gaps) < 0.02


def test_a_folded_network_has_the_variables_of_the_network() -> None:
    network = built("mobilenetv2")
    folded = fold_norms(network.backbone)
    assert [id(each) for each in folded.variables] == [
        id(each) for each in network.backbone.variables
    ]
    assert [id(each) for each in folded.trainable_variables] == [
        id(each) for each in network.backbone.trainable_variables
    ]


def test_all_batch_norm_of_mobilenet_is_folded_and_its_padding_too() -> None:
    folded = fold_norms(built("mobilenetv2").backbone)
    kinds = [type(layer) for layer in folded.layers]
    assert kinds.count(FoldedConvolution) == 52
    assert keras.layers.BatchNormalization not in kinds
    assert keras.layers.ZeroPadding2D not in kinds


def test_an_odd_side_is_padded_as_the_network_does() -> None:
    network = built("mobilenetv2", 100)
    pixels = np.random.default_rng(1).uniform(-1, 1, (2, 100, 100, 3)).astype(np.float32)
    assert (
        gap(np.asarray(network.backbone(pixels)), np.asarray(fold_norms(network.backbone)(pixels)))
        < 1e-3
    )


def test_batch_norm_after_an_activation_is_left_as_it_is() -> None:
    images = keras.Input((8, 8, 3))
    maps = keras.layers.Conv2D(4, 3, activation="relu")(images)
    maps = keras.layers.BatchNormalization()(maps)
    plain = keras.layers.Conv2D(4, 3)(maps)
    both = keras.layers.Add()([keras.layers.BatchNormalization()(plain), plain])
    model = keras.Model(images, both)
    folded = fold_norms(model)
    assert not any(isinstance(layer, FoldedConvolution) for layer in folded.layers)


def test_only_open_convolutions_multiply_in_16_bits() -> None:
    network = built("mobilenetv2")
    layers = fold_norms(network.backbone, "bfloat16").layers
    low = [each for each in layers if getattr(each, "_products", None) == "bfloat16"]
    assert len(low) == 29
    logits, _ = step(network, network.backbone)
    folded, folded_gradients = step(network, fold_norms(network.backbone, "bfloat16"))
    assert 0 < gap(logits, folded) < 0.1
    assert all(each.dtype == np.float32 for each in folded_gradients)


def test_a_folded_network_follows_the_weights() -> None:
    network = built("mobilenetv2")
    folded = fold_norms(network.backbone)
    network.backbone.set_weights([1.1 * each for each in network.backbone.get_weights()])
    pixels = np.random.default_rng(1).uniform(-1, 1, (2, 64, 64, 3)).astype(np.float32)
    assert gap(np.asarray(network.backbone(pixels)), np.asarray(folded(pixels))) < 1e-3


def test_batch_norm_that_is_trained_is_folded_for_predictions_only() -> None:
    network = built("mobilenetv2")
    network.backbone.get_layer("Conv_1_bn").trainable = True
    kinds = [type(layer) for layer in fold_norms(network.backbone).layers]
    assert kinds.count(FoldedConvolution) == 51
    assert kinds.count(keras.layers.BatchNormalization) == 1
    kinds = [type(layer) for layer in fold_norms(network.backbone, is_trained=False).layers]
    assert kinds.count(FoldedConvolution) == 52


@pytest.mark.parametrize("count", [1, 5, 32])
def test_predictions_are_those_of_the_network(count: int) -> None:
    network = built("mobilenetv2")
    images = np.random.default_rng(2).integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)
    features, logits = network.predict(images)
    assert features.shape == (count, 1280)
    assert gap(np.asarray(network.features(images)), features) < 1e-3
    assert gap(np.asarray(network.logits(images)), logits) < 1e-3
