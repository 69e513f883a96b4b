"""A network in 8 bits is run live where it agreed and is faster, and this is always said."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from detector.cli import main
from maskage.errors import ModelRefusedError
from maskage.formats.bundle import BundledFile, ModelBundle, load_bundle
from maskage.formats.int8_export import (
    RECORD_FILE,
    Int8Export,
    PhotoFigures,
    int8_folder,
    read_int8,
    write_int8,
)
from maskage.inference import engine_choice
from maskage.inference.classifier import Classifier
from maskage.inference.engine_choice import EngineTime, choose_engine, open_chosen
from trainer.exports.quantised import compare_int8, quantise

SIZE = 32
GOOD = PhotoFigures(accuracy=0.95, log_loss=0.2, strange_share=0.03)


def write_conv_model(path: Path) -> None:
    """A network with convolutions, so that there is something to compute in 8 bits."""
    draw = np.random.default_rng(3)
    weights = {
        "kernel": draw.normal(0, 0.1, (8, 3, 3, 3)).astype(np.float32),
        "second": draw.normal(0, 0.3, (4, 8, 1, 1)).astype(np.float32),
        "scale": np.array(1 / 128, np.float32),
        "zero": np.array(0, np.float32),
        "six": np.array(6, np.float32),
    }
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], "cast", to=TensorProto.FLOAT),
        helper.make_node("Mul", ["floats", "scale"], ["scaled"], "scale"),
        helper.make_node("Transpose", ["scaled"], ["planes"], "planes", perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "kernel"], ["first"], "conv"),
        helper.make_node("Clip", ["first", "zero", "six"], ["clipped"], "clip"),
        helper.make_node("Conv", ["clipped", "second"], ["last"], "conv2"),
        helper.make_node("GlobalAveragePool", ["last"], ["pooled"], "pool"),
        helper.make_node("Flatten", ["pooled"], ["logits"], "flat", axis=1),
        helper.make_node("Softmax", ["logits"], ["probabilities"], "softmax", axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "conv",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", SIZE, SIZE, 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 4])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    opset = [helper.make_opsetid("", 15)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)


@pytest.fixture
def conv_bundle(
    bundle: ModelBundle,
    reseal: Callable[..., ModelBundle],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> ModelBundle:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_conv_model(bundle.onnx_path)
    reseal(bundle.folder, size=SIZE)
    return load_bundle(bundle.folder)


@pytest.fixture
def photos() -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    return np.random.default_rng(0).integers(0, 255, (40, SIZE, SIZE, 3), dtype=np.uint8)


@pytest.fixture
def export(
    conv_bundle: ModelBundle, photos: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]"
) -> Int8Export:
    """An export in 8 bits in the run's folder."""
    floats = conv_bundle.onnx_path.read_bytes()
    labels = Classifier(conv_bundle).classify(list(photos)).argmax(axis=1)
    int8 = quantise(floats, photos)
    made = compare_int8(conv_bundle, floats, int8, photos, labels)
    folder = int8_folder(conv_bundle.folder)
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(int8)
    write_int8(folder, made)
    return made


def set_times(monkeypatch: pytest.MonkeyPatch, *each_ms: float) -> None:
    """Have the clock say these; how fast a small network is on this machine is by chance."""
    times = [EngineTime(one_ms=value, each_ms=value) for value in each_ms]
    monkeypatch.setattr(engine_choice, "_measure", lambda classifiers, size: times)


def test_a_network_in_8_bits_answers_as_in_32_and_passes_the_check_of_models(
    conv_bundle: ModelBundle, export: Int8Export, photos: list[np.ndarray]
) -> None:
    int8 = onnx.load(int8_folder(conv_bundle.folder) / "model.onnx")
    assert "QuantizeLinear" in {node.op_type for node in int8.graph.node}
    assert read_int8(conv_bundle) == export
    assert export.disagreement is None
    assert export.photos == 40
    floats = Classifier(conv_bundle).classify(list(photos))
    eight = Classifier(conv_bundle, int8=export).classify(list(photos))
    np.testing.assert_allclose(eight, floats, atol=0.05)
    assert np.abs(eight - floats).max() > 0


def test_the_faster_network_is_chosen_kept_and_said(
    conv_bundle: ModelBundle, export: Int8Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "not measured on this machine yet" in open_chosen(conv_bundle)[1]
    set_times(monkeypatch, 6.0, 3.0)
    choice = choose_engine(conv_bundle)
    assert choice.is_int8
    assert "save 50%" in str(choice)
    classifier, line = open_chosen(conv_bundle)
    assert line.startswith("The network runs in 8 bits. 40 validation photos")
    assert classifier._int8 == export
    set_times(monkeypatch, 6.0, 5.9)
    assert not choose_engine(conv_bundle).is_int8
    assert "runs in 32 bits" in open_chosen(conv_bundle)[1]


def test_both_networks_are_really_measured(conv_bundle: ModelBundle, export: Int8Export) -> None:
    choice = choose_engine(conv_bundle, threads=1)
    assert choice.int8 is not None
    assert choice.int8.one_ms > 0
    assert choice.floats.each_ms > 0


def test_without_an_export_the_bundles_own_network_runs(conv_bundle: ModelBundle) -> None:
    choice = choose_engine(conv_bundle, threads=1)
    assert not choice.is_int8
    assert "trainer export --to onnx-int8" in str(choice)
    assert open_chosen(conv_bundle)[1] == "The network runs in 32 bits."


@pytest.mark.parametrize(
    ("worse", "reason"),
    [
        (replace(GOOD, accuracy=0.944), "loses 0.60 points of accuracy"),
        (replace(GOOD, accuracy=float("nan")), "points of accuracy"),
        (replace(GOOD, strange_share=0.05), "unfamiliar validation photos moves by 2.00"),
    ],
)
def test_a_network_that_did_worse_on_photos_is_never_chosen(
    conv_bundle: ModelBundle,
    export: Int8Export,
    worse: PhotoFigures,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_times(monkeypatch, 6.0, 3.0)
    bad = replace(export, floats=GOOD, int8=worse)
    assert reason in str(bad.disagreement)
    if worse.accuracy == worse.accuracy:
        choose_engine(conv_bundle)
        write_int8(int8_folder(conv_bundle.folder), bad)
        set_times(monkeypatch, 6.0)
        assert not choose_engine(conv_bundle).is_int8
        assert reason in open_chosen(conv_bundle)[1]


def test_half_a_point_is_accepted(export: Int8Export) -> None:
    assert replace(export, floats=GOOD, int8=replace(GOOD, accuracy=0.945)).disagreement is None


def choose_fast(bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch) -> Path:
    set_times(monkeypatch, 6.0, 3.0)
    assert choose_engine(bundle).is_int8
    return int8_folder(bundle.folder)


@pytest.mark.parametrize("what", ["model.onnx", RECORD_FILE])
def test_a_damaged_export_is_not_run_and_that_is_said(
    conv_bundle: ModelBundle, export: Int8Export, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = choose_fast(conv_bundle, monkeypatch) / what
    path.write_bytes(path.read_bytes()[:-20])
    classifier, line = open_chosen(conv_bundle)
    assert classifier._int8 is None
    assert "in 32 bits. The network in 8 bits is not used" in line
    with pytest.raises(ModelRefusedError, match="trainer export --to onnx-int8"):
        choose_engine(conv_bundle)


def test_an_export_of_another_network_is_refused(
    conv_bundle: ModelBundle, export: Int8Export
) -> None:
    write_int8(int8_folder(conv_bundle.folder), replace(export, made_from="0" * 64))
    with pytest.raises(ModelRefusedError, match="made from another network"):
        read_int8(conv_bundle)


def test_an_export_that_answers_otherwise_here_is_refused(
    conv_bundle: ModelBundle, export: Int8Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    turned = tuple(row[::-1] for row in export.golden)
    write_int8(int8_folder(conv_bundle.folder), replace(export, golden=turned))
    with pytest.raises(ModelRefusedError, match=r"in 8 bits: .*golden images are off"):
        choose_engine(conv_bundle)


def test_another_export_than_was_measured_is_measured_again(
    conv_bundle: ModelBundle, export: Int8Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = choose_fast(conv_bundle, monkeypatch)
    write_int8(folder, replace(export, model=BundledFile("1" * 64, export.model.size)))
    assert "another than was measured" in open_chosen(conv_bundle)[1]
    (folder / RECORD_FILE).unlink()
    assert "is gone" in open_chosen(conv_bundle)[1]


def test_a_damaged_choice_is_said(
    conv_bundle: ModelBundle, export: Int8Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose_fast(conv_bundle, monkeypatch)
    engine_choice._choice_path(conv_bundle).write_text("{", encoding="utf-8")
    assert "is damaged" in open_chosen(conv_bundle)[1]


def test_the_command_prints_and_keeps_the_choice(
    conv_bundle: ModelBundle, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["bench", "--choose", "--model", str(conv_bundle.folder), "--threads", "1"]
    assert main(words) == 0
    assert "`detector live` runs the network in 32 bits" in capsys.readouterr().out
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["is_int8"] is False
    assert engine_choice._choice_path(conv_bundle).is_file()
