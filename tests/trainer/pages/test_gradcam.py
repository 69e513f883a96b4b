from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from maskage.formats.bundle import golden_images
from maskage.inference.onnx_engine import OnnxEngine
from trainer.pages.gradcam import draw_overlay, open_maps

SIZE, DEPTH = 16, 5
Weights = NDArray[np.float32]


def write_network(path: Path, answers: Sequence[onnx.NodeProto], **weights: Weights) -> Path:
    """A convolution, its average over positions as "pooled" (N, 5), then `answers`."""
    chance = np.random.default_rng(5)
    weights["filters"] = chance.normal(0, 0.02, (DEPTH, 3, 4, 4)).astype(np.float32)
    weights["axes"] = np.array([2, 3], np.int64)
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["floats"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "filters"], ["raw"], strides=[4, 4]),
        helper.make_node("Relu", ["raw"], ["maps"]),
        helper.make_node("GlobalAveragePool", ["maps"], ["means"]),
        helper.make_node("Squeeze", ["means", "axes"], ["pooled"]),
        *answers,
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", SIZE, SIZE, 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 4])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)
    return path


def random_weights(*shape: int) -> Weights:
    return np.random.default_rng(shape).normal(0, 1, shape).astype(np.float32)


def centred_logits(probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
    logits = np.log(probabilities.astype(np.float64))
    return np.asarray(logits - logits.mean(axis=1, keepdims=True))


def explained(added: NDArray[np.float32]) -> NDArray[np.float64]:
    """The logits that maps sum to, up to a constant of each photo."""
    sums = added.sum(axis=(2, 3), dtype=np.float64)
    return np.asarray(sums - sums.mean(axis=1, keepdims=True))


def assert_maps_explain(model: Path, images: NDArray[np.uint8]) -> None:
    maps = open_maps(model)
    assert maps is not None
    told = explained(maps.compute(images))
    logits = centred_logits(OnnxEngine(model).run(images))
    # Between two photos the bias drops out: what is left the maps must explain to the last digit.
    assert np.ptp(logits, axis=0).max() > 1e-3
    np.testing.assert_allclose(told - told[0], logits - logits[0], atol=1e-4)


def test_maps_sum_to_the_logits_of_a_trained_run(small_run: Path) -> None:
    assert_maps_explain(small_run / "bundle" / "model.onnx", golden_images(64))


def test_maps_explain_a_head_of_two_factors_as_well(tmp_path: Path) -> None:
    answers = [
        helper.make_node("MatMul", ["pooled", "kernel"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["factors"]),
        helper.make_node("MatMul", ["factors", "merge"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    model = write_network(
        tmp_path / "factors.onnx",
        answers,
        kernel=random_weights(DEPTH, 2),
        bias=random_weights(2),
        merge=np.array([[0.5, 0.5, -0.5, -0.5], [0.5, -0.5, 0.5, -0.5]], np.float32),
    )
    assert_maps_explain(model, golden_images(SIZE))


def test_a_head_that_is_not_linear_has_no_maps(tmp_path: Path) -> None:
    answers = [
        helper.make_node("MatMul", ["pooled", "kernel"], ["product"]),
        helper.make_node("Relu", ["product"], ["bent"]),
        helper.make_node("Softmax", ["bent"], ["probabilities"]),
    ]
    model = write_network(tmp_path / "bent.onnx", answers, kernel=random_weights(DEPTH, 4))
    assert open_maps(model) is None


def test_a_graph_without_an_average_or_a_softmax_has_no_maps(tmp_path: Path) -> None:
    flat = [
        helper.make_node("Flatten", ["maps"], ["row"]),
        helper.make_node("MatMul", ["row", "wide"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"]),
    ]
    wide = random_weights(DEPTH * (SIZE // 4) ** 2, 4)
    assert open_maps(write_network(tmp_path / "flat.onnx", flat, wide=wide)) is None
    plain = [helper.make_node("MatMul", ["pooled", "kernel"], ["probabilities"])]
    kernel = random_weights(DEPTH, 4)
    assert open_maps(write_network(tmp_path / "plain.onnx", plain, kernel=kernel)) is None


@pytest.mark.parametrize("shape", [(40, 60), (128, 128)])
def test_an_overlay_glows_where_the_map_is_high_and_is_grey_where_it_is_not(
    shape: tuple[int, int],
) -> None:
    pixels = np.full((*shape, 3), (40, 80, 120), np.uint8)
    added = np.full((4, 4), -1.0, np.float32)
    added[0, 0] = 2.0
    drawn = draw_overlay(pixels, added)
    assert drawn.shape == pixels.shape
    assert drawn.dtype == np.uint8
    assert drawn[0, 0].sum() > 300
    assert np.ptp(drawn[-1, -1]) == 0
    assert drawn[-1, -1, 0] == 80
    assert (draw_overlay(pixels, -np.ones((4, 4), np.float32)) == 80).all()
