from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from maskage.classes.ready_made import MASK_AGE
from maskage.formats.curated.curated_set import CuratedPhoto, read_curated
from maskage.inference.onnx_engine import OnnxEngine
from tests.trainer.conftest import draw_face
from trainer.data.pixels import PixelReader
from trainer.evaluate import evaluate_run
from trainer.evaluation.accuracies import Accuracies
from trainer.evaluation.robustness import (
    CORRUPTIONS,
    WORKING_PX,
    CorruptedReader,
    Corruption,
    add_noise,
    blur,
    compress,
    darken,
    format_corruptions,
    keep,
    make_small,
    measure_corruptions,
)

FACE = draw_face("nomask_old", seed=1, size=WORKING_PX)
HARMFUL = [each for each in CORRUPTIONS if each.corrupt is not keep]


def make_brightness_network(path: Path, levels: tuple[int, ...]) -> OnnxEngine:
    """A network that answers with the class whose level is nearest to a picture's mean."""
    helper, kinds = onnx.helper, onnx.TensorProto
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["images"], ["floats"], to=kinds.FLOAT),
            helper.make_node("GlobalAveragePool", ["floats"], ["rows"]),
            helper.make_node("ReduceMean", ["rows"], ["mean"], axes=[1, 2], keepdims=0),
            helper.make_node("Sub", ["mean", "levels"], ["off"]),
            helper.make_node("Mul", ["off", "off"], ["far"]),
            helper.make_node("Sub", ["zero", "far"], ["near"]),
            helper.make_node("Softmax", ["near"], ["probabilities"], axis=1),
        ],
        "brightness",
        [helper.make_tensor_value_info("images", kinds.UINT8, [None, 64, 64, 3])],
        [helper.make_tensor_value_info("probabilities", kinds.FLOAT, [None, 4])],
        [
            helper.make_tensor("levels", kinds.FLOAT, [1, 4], levels),
            helper.make_tensor("zero", kinds.FLOAT, [1], [0]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(path))
    return OnnxEngine(path)


@pytest.mark.parametrize("each", HARMFUL, ids=lambda each: f"{each.name} {each.strength}")
def test_a_corruption_changes_the_pixels_and_nothing_else(each: Corruption) -> None:
    before = FACE.copy()
    found = each.corrupt(FACE)
    assert found.shape == FACE.shape
    assert found.dtype == np.uint8
    assert not np.array_equal(found, FACE)
    assert np.array_equal(FACE, before)
    assert np.array_equal(each.corrupt(FACE), found)


@pytest.mark.parametrize("name", ["blur", "noise", "dark", "jpeg", "small"])
def test_the_second_strength_is_further_from_the_photo_than_the_first(name: str) -> None:
    first, second = (each.corrupt(FACE) for each in HARMFUL if each.name == name)
    face = FACE.astype(float)
    assert np.abs(second - face).mean() > 1.2 * np.abs(first - face).mean()


def test_blur_takes_a_part_of_the_side_and_leaves_flat_colour() -> None:
    flat = np.full((50, 50, 3), 77, np.uint8)
    assert np.array_equal(blur(flat, 0.02), flat)
    dot = np.zeros((101, 101, 3), np.uint8)
    dot[50, 50] = 255
    # The peak of a Gaussian of 2.02 px is 1 / (2 pi 2.02^2) of the dot.
    assert blur(dot, 0.02)[50, 50].tolist() == pytest.approx([255 / (2 * np.pi * 2.02**2)] * 3, 0.1)


def test_noise_has_its_deviation_no_bias_and_is_each_pictures_own() -> None:
    grey = np.full((100, 100, 3), 128, np.uint8)
    noise = add_noise(grey, 15).astype(float) - 128
    assert noise.std() == pytest.approx(15, rel=0.02)
    assert noise.mean() == pytest.approx(0, abs=0.3)
    other = add_noise(grey + np.uint8(1), 15).astype(float) - 129
    assert abs(np.corrcoef(noise.ravel(), other.ravel())[0, 1]) < 0.05


def test_dark_is_light_on_a_screens_gamma() -> None:
    white = np.full((2, 2, 3), 255, np.uint8)
    assert darken(white, 0.4).max() == 168
    assert darken(white, 0.1).max() == 90
    assert darken(np.zeros_like(white), 0.1).max() == 0


def test_small_keeps_no_detail_finer_than_its_pixels() -> None:
    stripes = np.zeros((96, 96, 3), np.uint8)
    stripes[:, ::2] = 200
    assert np.unique(make_small(stripes, 24)).tolist() == [100]


def test_jpeg_leaves_flat_colour_as_it_is() -> None:
    grey = np.full((64, 64, 3), 128, np.uint8)
    assert np.abs(compress(grey, 10).astype(int) - 128).max() <= 2


def test_a_corrupted_photo_comes_at_the_networks_size_from_the_working_size(curated: Path) -> None:
    photo = read_curated(curated).photos("test")[0]
    seen = []

    def look(pixels: np.ndarray) -> np.ndarray:
        seen.append(pixels.shape)
        return pixels

    reader = CorruptedReader(PixelReader(WORKING_PX), 64, Corruption("look", "", look))
    assert reader.read(photo).shape == (64, 64, 3)
    assert seen == [(WORKING_PX, WORKING_PX, 3)]


def test_each_corruption_is_measured_on_its_own(tmp_path: Path) -> None:
    engine = make_brightness_network(tmp_path / "brightness.onnx", (40, 90, 140, 190))
    photos = []
    for label, level in zip(MASK_AGE.labels, (40, 90, 140, 190), strict=True):
        path = tmp_path / f"{level}.png"
        Image.new("RGB", (100, 80), (level, level, level)).save(path)
        photos.append(CuratedPhoto(path, label, str(path)))
    resized, _, blurred, noisy, _, dark, *_ = measure_corruptions(
        engine, photos, 64, scheme=MASK_AGE
    )
    assert (resized.name, blurred.name, noisy.name, dark.name) == (
        "resized", "blur", "noise", "dark"
    )  # fmt: skip
    for each in (resized, blurred, noisy):
        assert each.accuracies == Accuracies(1, {"mask": 1, "age": 1})
    # 40% of the light leaves 66% of each level: 26, 59, 92 and 125, so the classes 0, 0, 1 and 2.
    assert dark.accuracies == Accuracies(0.25, {"mask": 0.75, "age": 0.25})
    assert measure_corruptions(engine, photos, 64, CORRUPTIONS[5:6], scheme=MASK_AGE) == (dark,)


def test_the_table_sets_each_corruption_beside_the_clean_photos(
    small_run: Path, curated: Path
) -> None:
    result = evaluate_run(small_run, curated, "test", has_corruptions=True)
    assert result.corruptions is not None
    assert len(result.corruptions) == len(CORRUPTIONS)
    clean = Accuracies(1.0, {"mask": 1.0, "age": 1.0})
    table = format_corruptions(clean, result.corruptions).splitlines()
    assert table[1].split() == ["none", "100.00%", "100.00%", "100.00%"]
    for line, each in zip(table[2:], result.corruptions, strict=True):
        assert line.startswith(each.name)
        assert each.strength in line
        assert f"{each.accuracy:.2%}" in line
        assert f"{(each.accuracy - 1) * 100:+.2f}" in line
