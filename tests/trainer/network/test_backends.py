"""TensorFlow and JAX make the same bundle, and what is not to be had is said."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest

from maskage.formats.bundle import golden_images, load_bundle
from maskage.inference.onnx_engine import OnnxEngine
from trainer.evaluate import evaluate_run

ROOT = Path(__file__).parents[3]


def run_trainer(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    path = os.pathsep.join([environment.pop("PYTHONPATH", ""), str(ROOT)]).strip(os.pathsep)
    return subprocess.run(
        [sys.executable, "-m", "trainer.cli", *arguments],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed")
def test_both_backends_fit_a_network_to_the_same_bundle_format(
    curated: Path, backbone_weights: Path, small_run: Path, tmp_path: Path
) -> None:
    done = run_trainer(
        "fit", str(curated), "--runs", str(tmp_path), "--name", "jax",
        "--weights", str(backbone_weights), "--epochs", "3", "--fine-tune-epochs", "1",
        "--image-size", "64", "--alpha", "0.35", "--batch-size", "16",
        KERAS_BACKEND="jax",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    # The small run was trained on TensorFlow, with the same settings but for the epochs.
    first, second = (load_bundle(run / "bundle") for run in (small_run, tmp_path / "jax"))
    contents = [json.loads((each.folder / "bundle.json").read_text()) for each in (first, second)]
    assert contents[0].keys() == contents[1].keys()
    assert first.files.keys() == second.files.keys()
    ends = [describe_ends(each.onnx_path) for each in (first, second)]
    assert ends[0] == ends[1]
    operations = [
        [node.op_type for node in onnx.load(each.onnx_path).graph.node] for each in (first, second)
    ]
    assert operations[0] == operations[1]
    for each in (first, second):
        assert evaluate_run(each.folder, curated, "test").evaluation.photos == 16
    # Written on JAX, read here on TensorFlow: the same weights give the same answers.
    from trainer.network.backend import keras

    images = golden_images(second.input_size)
    loaded = keras.models.load_model(second.folder / "model.keras", compile=False)
    answers = OnnxEngine(second.onnx_path).run(images)
    np.testing.assert_allclose(loaded.predict_on_batch(images), answers, atol=1e-5)
    np.testing.assert_allclose(second.golden_probabilities, answers, atol=1e-5)


def describe_ends(model: Path) -> list[str]:
    graph = onnx.load(model).graph
    return [str(end) for end in (*graph.input, *graph.output)]


@pytest.mark.parametrize("name", ["foo", "torch", "numpy"])
def test_a_backend_that_cannot_train_is_named(name: str, curated: Path) -> None:
    done = run_trainer("fit", str(curated), "--weights", "none", KERAS_BACKEND=name)
    assert done.returncode == 5
    assert f"KERAS_BACKEND is '{name}'" in done.stderr
    assert "tensorflow or jax" in done.stderr


def test_a_missing_jax_is_told_with_what_to_install(curated: Path, tmp_path: Path) -> None:
    # Found before an installed one, and missing its insides as if it were not there.
    (tmp_path / "jax").mkdir()
    (tmp_path / "jax" / "__init__.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'jax'\", name='jax')\n"
    )
    done = run_trainer(
        "fit", str(curated), "--weights", "none", KERAS_BACKEND="jax", PYTHONPATH=str(tmp_path)
    )
    assert done.returncode == 5, done.stderr
    assert "pip install -c requirements.lock '.[jax]'" in done.stderr
    assert "Traceback" not in done.stderr
