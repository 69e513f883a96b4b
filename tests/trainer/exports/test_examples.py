"""The programs written beside an export run as they are, and name the classes as the file does."""

import os
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import trainer.exports
from maskage.inference.onnx_engine import OnnxEngine
from maskage.pictures.images import encode_jpeg
from tests.conftest import draw_noise
from tests.trainer.exports.odd_schemes import run_program
from tests.trainer.exports.scheme_runs import SIZE, Exports, SchemeRun

NODE_PACKAGES = ("onnxruntime-web", "sharp")


@pytest.fixture
def run(exports: Exports) -> SchemeRun:
    """A run of forty classes with odd names."""
    return exports.run(40)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture of the network's size, which no program needs to resize."""
    path = tmp_path / "face.png"
    Image.fromarray(draw_noise(5, SIZE)).save(path)
    return path


@pytest.fixture
def python_alone() -> list[str]:
    """A Python without this project: it finds the libraries, but nothing of the checkout."""
    return [sys.executable, "-I", "-X", "utf8"]


def answers_of(output: str) -> dict[str, float]:
    lines = [re.fullmatch(r" *([\d.]+)%  (.*)", line) for line in output.split("\n")[:-1]]
    assert all(lines)
    return {found[2]: float(found[1]) for found in lines if found}


def require_right_answers(output: str, run: SchemeRun, tolerance: float = 0.11) -> None:
    """Compare with the bundle's answers in percent; the highest comes first."""
    expected = OnnxEngine(run.bundle / "model.onnx").run(draw_noise(5, SIZE)[None])[0]
    found = answers_of(output)
    assert next(iter(found)) == run.scheme.labels[int(expected.argmax())]
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert set(found) == set(run.scheme.labels)
    for label, chance in zip(run.scheme.labels, expected, strict=True):
        assert found[label] == pytest.approx(100 * chance, abs=tolerance)


@pytest.mark.parametrize(
    "name",
    ["onnx", "openvino", *(pytest.param(x, marks=pytest.mark.slow) for x in ("tflite", "keras"))],
)
def test_the_python_example_prints_the_classes_of_a_picture(
    exports: Exports, run: SchemeRun, picture: Path, name: str, python_alone: list[str]
) -> None:
    program = exports.folder(40, name) / "example.py"
    require_right_answers(run_program(*python_alone, str(program), str(picture)), run)


def test_a_photo_of_any_size_and_kind_is_taken(
    exports: Exports, run: SchemeRun, tmp_path: Path, python_alone: list[str]
) -> None:
    (tmp_path / "large.jpg").write_bytes(encode_jpeg(draw_noise(5, 300)))
    Image.fromarray(draw_noise(5, 50)).convert("L").save(tmp_path / "grey.png")
    Image.fromarray(np.dstack([draw_noise(5, 50), np.full((50, 50), 9, np.uint8)])).save(
        tmp_path / "clear.png"
    )
    program = exports.folder(40, "onnx") / "example.py"
    for name in ("large.jpg", "grey.png", "clear.png"):
        found = answers_of(run_program(*python_alone, str(program), str(tmp_path / name)))
        assert set(found) == set(run.scheme.labels)


@pytest.mark.slow
def test_the_javascript_example_prints_the_classes_of_a_picture(
    exports: Exports, run: SchemeRun, picture: Path, tmp_path: Path
) -> None:
    node, packages = shutil.which("node"), os.environ.get("MASKAGE_NODE_MODULES")
    if node is None:
        pytest.skip("Node.js is not installed")
    if packages is None:
        pytest.skip(f"MASKAGE_NODE_MODULES names no folder with {' and '.join(NODE_PACKAGES)}")
    folder = tmp_path / "export"
    shutil.copytree(exports.folder(40, "onnx"), folder)
    (folder / "node_modules").symlink_to(Path(packages).resolve())
    require_right_answers(run_program(node, str(folder / "example.mjs"), str(picture)), run)
    (tmp_path / "large.jpg").write_bytes(encode_jpeg(draw_noise(5, 300)))
    Image.fromarray(draw_noise(5, 50)).convert("L").save(tmp_path / "grey.png")
    for name in ("large.jpg", "grey.png"):
        output = run_program(node, str(folder / "example.mjs"), str(tmp_path / name))
        assert set(answers_of(output)) == set(run.scheme.labels)


def test_no_class_name_is_pasted_into_a_program(exports: Exports, run: SchemeRun) -> None:
    for name in ("example.py", "example.mjs"):
        source = (exports.folder(40, "onnx") / name).read_text(encoding="utf-8")
        long = [label for label in run.scheme.labels if len(label) > 6]
        assert not [label for label in long if label in source]


@pytest.mark.parametrize(
    ("name", "library", "switch"),
    [
        ("onnx.py.txt", "import onnxruntime", "ORT_DISABLE_TELEMETRY"),
        ("openvino.py.txt", "import openvino", "openvino_telemetry"),
    ],
)
def test_an_example_keeps_its_library_from_reporting(name: str, library: str, switch: str) -> None:
    text = (Path(trainer.exports.__file__).parent / "examples" / name).read_text("utf-8")
    assert 0 < text.index(switch) < text.index(library)
