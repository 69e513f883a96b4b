"""A tiny bundle whose answer is known, and pictures to feed it with."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from detector.video.sink import VideoSink
from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import Scheme
from maskage.faces.finder import guide_box
from maskage.formats.bundle import (
    ModelBundle,
    describe_file,
    golden_images,
    load_bundle,
    write_bundle,
)
from maskage.records import RgbImage
from maskage.system.onnx_runtime import onnxruntime

COLORS: dict[str, tuple[int, int, int]] = {
    "mask_old": (250, 0, 0),
    "mask_young": (0, 250, 0),
    "nomask_old": (0, 0, 250),
    "nomask_young": (20, 20, 20),
}
SIZE = 32


def write_palette_model(path: Path, colors: Sequence[tuple[int, int, int]]) -> None:
    """A network of as many classes as colours, that names a crop by the nearest one."""
    palette = np.array(colors, dtype=np.float32).T / 255
    sharpness = 400.0
    _write_network(
        path,
        SIZE,
        {
            "axes": np.array([1, 2], dtype=np.int64),
            "scale": np.array(1 / 255, dtype=np.float32),
            # The distance to a colour, without the part that is the same for all of them.
            "weights": 2 * sharpness * palette,
            "bias": -sharpness * (palette**2).sum(axis=0),
        },
    )


def bundle_for(folder: Path, scheme: Scheme) -> ModelBundle:
    """Write a sealed bundle of any classes, that names a crop by the class whose colour it has."""
    write_palette_model(folder / "model.onnx", [each.rgb for each in scheme])
    return seal_bundle(folder, scheme=scheme)


def write_color_model(path: Path, size: int = SIZE, sharpness: float = 8.0) -> None:
    """A network that names a crop by its mean colour, as in `COLORS`."""
    weights = np.array([[1, -1, -1, -0.3], [-1, 1, -1, -0.3], [-1, -1, 1, -0.3]], dtype=np.float32)
    _write_network(
        path,
        size,
        {
            "axes": np.array([1, 2], dtype=np.int64),
            "scale": np.array(sharpness / 255, dtype=np.float32),
            "weights": weights,
            "bias": np.array([0, 0, 0, sharpness * 0.3], dtype=np.float32),
        },
    )


def _write_network(path: Path, size: int, constants: dict[str, NDArray[Any]]) -> None:
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats", "axes"], ["means"], keepdims=0),
        helper.make_node("Mul", ["means", "scale"], ["scaled"]),
        helper.make_node("Gemm", ["scaled", "weights", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    classes = len(constants["bias"])
    graph = helper.make_graph(
        nodes,
        "colors",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", size, size, 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", classes])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())


def seal_bundle(
    folder: Path,
    *,
    golden: NDArray[np.float32] | None = None,
    size: int = SIZE,
    scheme: Scheme = MASK_AGE,
) -> ModelBundle:
    """Write the `bundle.json` of the model that lies in `folder`."""
    model = folder / "model.onnx"
    if golden is None:
        session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
        golden = session.run(None, {"images": golden_images(size)})[0]
    write_bundle(
        ModelBundle(
            folder=folder,
            scheme=scheme,
            input_size=size,
            crop_margin=0.0,
            temperature=1.0,
            unsure_below=0.5,
            dataset_digest="0" * 64,
            metrics={},
            versions={},
            files={"model.onnx": describe_file(model)},
            golden=tuple(tuple(float(p) for p in row) for row in golden),
        )
    )
    return load_bundle(folder)


@pytest.fixture
def bundle(tmp_path: Path) -> ModelBundle:
    """A sealed bundle that names crops by their colour."""
    folder = tmp_path / "runs" / "colors" / "bundle"
    write_color_model(folder / "model.onnx")
    return seal_bundle(folder)


@pytest.fixture
def reseal() -> Callable[..., ModelBundle]:
    """`seal_bundle`, for tests that want other golden probabilities."""
    return seal_bundle


@pytest.fixture
def paint() -> Callable[..., RgbImage]:
    """Paints a picture all over in the colour of a label."""

    def make(label: str, width: int = 64, height: int = 48) -> RgbImage:
        return np.full((height, width, 3), COLORS[label], dtype=np.uint8)

    return make


@pytest.fixture
def film(tmp_path: Path, paint: Callable[..., RgbImage]) -> Callable[..., Path]:
    """Makes a video, 320x240, with a face of these labels where the guide is, frame by frame."""

    def make(labels: Sequence[str], fps: float = 10.0) -> Path:
        path = tmp_path / "clip.mp4"
        box = guide_box(320, 240)
        pixels = np.full((240, 320, 3), 128, dtype=np.uint8)
        with VideoSink(path, fps) as sink:
            for label in labels:
                face = paint(label, box.width, box.height)
                pixels[box.y : box.y + box.height, box.x : box.x + box.width] = face
                sink.write(pixels)
        return path

    return make


@pytest.fixture
def no_face_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine where YuNet neither lies nor can be fetched; holds for child processes too."""
    monkeypatch.delenv("FACE_MODEL", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    # The discard port: refused at once.
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A self-signed certificate for this machine, and its key."""
    paths = tmp_path / "certificate.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    try:
        subprocess.run(
            [*command, "-subj", "/CN=localhost", "-out", str(paths[0]), "-keyout", str(paths[1])],
            check=True,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("openssl, which makes the certificate, is not installed")
    return paths
