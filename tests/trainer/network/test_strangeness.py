"""Strangeness: what lies far from the training photos is strange, in numpy and in the file."""

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, helper, numpy_helper

from maskage.inference.onnx_engine import OnnxEngine
from maskage.security.onnx import check_onnx
from tests.maskage.security.hostile_models import SIZE, make_network
from trainer.network.onnx_strangeness import add_strangeness, read_depths
from trainer.network.strangeness import FeatureSpread, Strangeness, fit_strangeness

Features = NDArray[np.float64]


def draw_features(photos: int, seed: int) -> tuple[Features, NDArray[np.int64]]:
    """Features (photos, 30) of two classes, that vary most along the first five."""
    chance = np.random.default_rng(seed)
    labels = np.arange(photos) % 2
    spread = np.where(np.arange(30) < 5, 3.0, 0.3)
    return chance.normal(0, spread, (photos, 30)) + 10 * labels[:, None], labels


def make_deep_network() -> ModelProto:
    """The small network with a second convolution that halves, so that it has two depths."""
    model = make_network()
    kernel = np.random.default_rng(6).normal(0, 0.2, (8, 8, 3, 3)).astype(np.float32)
    model.graph.initializer.append(numpy_helper.from_array(kernel, "second"))
    names = [node.name or node.op_type for node in model.graph.node]
    at = names.index("GlobalAveragePool")
    pads = numpy_helper.from_array(np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64), "pads")
    model.graph.initializer.append(pads)
    model.graph.node.insert(at, helper.make_node("Pad", ["bent", "pads"], ["padded"]))
    model.graph.node.insert(
        at + 1, helper.make_node("Conv", ["padded", "second"], ["deep"], strides=[2, 2])
    )
    model.graph.node[at + 2].input[0] = "deep"
    onnx.checker.check_model(model)
    return model


def draw_images(count: int, seed: int = 1) -> NDArray[np.uint8]:
    chance = np.random.default_rng(seed)
    shades = chance.integers(40, 200, (count, 1, 1, 3))
    noise = chance.integers(-30, 30, (count, SIZE, SIZE, 3))
    return (shades + noise).astype(np.uint8)


def fit_for(network: bytes) -> Strangeness:
    found = fit_strangeness(
        read_depths(network, [draw_images(40, 1), draw_images(40, 2)]),
        np.arange(80) % 4,
        read_depths(network, [draw_images(100, 3)]),
    )
    assert found is not None
    return found


def test_one_in_a_hundred_validation_photos_is_strange_and_what_is_far_is() -> None:
    train, labels = draw_features(400, 1)
    val, _ = draw_features(300, 2)
    found = fit_strangeness([train], labels, [val])
    assert found is not None
    assert (found.measure([val]) > 1).sum() == 3
    assert (found.measure([draw_features(300, 3)[0]]) > 1).mean() < 0.05
    # Between the classes there is nothing, and off the main directions little is enough.
    assert found.measure([np.full((1, 30), 5.0)])[0] > 2
    off = np.zeros((1, 30))
    off[0, 20] = 6.0
    assert found.measure([off])[0] > 1
    along = np.zeros((1, 30))
    along[0, 2] = 6.0
    assert found.measure([along])[0] < 1


def test_a_distance_counts_each_direction_by_its_variance() -> None:
    spread = FeatureSpread(
        means=np.array([[0.0, 0.0, 0.0], [9.0, 9.0, 9.0]]),
        directions=np.array([[1.0], [0.0], [0.0]]),
        variances=np.array([16.0]),
        rest=4.0,
    )
    found = spread.measure(np.array([[4.0, 0.0, 0.0], [0.0, 4.0, 0.0], [9.0, 9.0, 11.0]]))
    assert found.tolist() == pytest.approx([1.0, 2.0, 1.0])
    whole = Strangeness((spread, spread), (0.5, 0.25))
    rows = np.array([[0.0, 4.0, 0.0]])
    assert whole.measure([rows, rows]).tolist() == pytest.approx([1.5])


def test_features_that_are_all_the_same_measure_nothing() -> None:
    same = np.ones((60, 8))
    assert fit_strangeness([same], np.arange(60) % 4, [same]) is None


@pytest.mark.parametrize(("make", "depths"), [(make_network, [8]), (make_deep_network, [8, 8])])
def test_the_file_measures_what_was_fitted_and_its_probabilities_stay(
    make: object, depths: list[int]
) -> None:
    assert callable(make)
    network: bytes = make().SerializeToString()
    harsh = np.random.default_rng(8).integers(0, 2, (1, SIZE, SIZE, 3)) * 255
    images = np.concatenate([draw_images(5, 9), harsh.astype(np.uint8)])
    found = fit_for(network)
    features = read_depths(network, [images])
    assert [each.shape[1] for each in features] == depths
    with_strangeness = add_strangeness(network, found)
    assert check_onnx(with_strangeness) == SIZE
    answers = OnnxEngine(with_strangeness).answer(images)
    assert answers.strangeness is not None
    assert answers.strangeness == pytest.approx(found.measure(features), rel=2e-3)
    assert answers.strangeness[-1] > 1 > np.median(answers.strangeness[:-1])
    plain = OnnxEngine(network).answer(images)
    assert plain.strangeness is None
    assert np.array_equal(answers.probabilities, plain.probabilities)
    # Each image by itself, whatever it is together with.
    alone = OnnxEngine(with_strangeness).answer(images[2:3]).strangeness
    assert alone is not None
    assert alone[0] == pytest.approx(answers.strangeness[2], rel=1e-4)


def test_the_file_says_where_strange_begins() -> None:
    network = make_network().SerializeToString()
    model = onnx.load_model_from_string(add_strangeness(network, fit_for(network)))
    assert {each.key: each.value for each in model.metadata_props}["strange_above"] == "1.0"
