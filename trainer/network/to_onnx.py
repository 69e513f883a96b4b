"""Export a Keras model as ONNX: one file, named ends, any batch size, compared with the model."""

import logging
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from maskage.console import run_command
from maskage.errors import ToolchainError
from maskage.inference.onnx_engine import OnnxEngine
from maskage.system.files import replace_file
from maskage.system.process import suppress_native_output
from trainer.network.backend import backend_name, keras
from trainer.network.to_onnx_process import export_in_process

TOLERANCE = 2e-3
"""Largest accepted difference of a probability between Keras and ONNX Runtime.

Both compute in float32 in different orders; the measured differences are under 1e-5.
"""


def export_onnx(model: Any, path: Path, output: str) -> None:
    """Write a model as an ONNX file.

    Args:
        model: Keras model, one uint8 image input and one output.
        path: File to write, completely or not at all; an old one is replaced.
        output: Name of its output. The input is named "images".

    Raises:
        OSError: The file, or a temporary one, cannot be written.
    """
    if backend_name() != "tensorflow":
        export_in_process(model, path, output)
        return
    size = int(model.input_shape[1])
    signature = [keras.InputSpec(shape=(None, size, size, 3), dtype="uint8", name="images")]
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw.onnx"
        with suppress_native_output(), warnings.catch_warnings():
            # tf2onnx and Keras' patch of it use names that numpy 2 no longer has.
            warnings.filterwarnings("ignore", r"In the future `np\.", FutureWarning)
            warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"tf2onnx\.")
            model.export(str(raw), format="onnx", verbose=False, input_signature=signature)
        graph = onnx.load(raw)
    _name_ends(graph, output)
    onnx.checker.check_model(graph)
    replace_file(path, graph.SerializeToString())


def check_export(model: Any, path: Path, images: NDArray[np.uint8]) -> float:
    """Compare an ONNX file with the Keras model it was made from.

    Args:
        model: The Keras model.
        path: Its ONNX file.
        images: Images to compare on, uint8 (N, size, size, 3).

    Returns:
        The largest difference of any output.

    Raises:
        ToolchainError: They differ by more than `TOLERANCE`.
    """
    expected = np.asarray(model.predict_on_batch(images))
    difference = float(np.abs(OnnxEngine(path).run(images) - expected).max())
    if not difference <= TOLERANCE:
        raise ToolchainError(
            f"The exported model differs from the trained one by {difference:.2g}, and at most "
            f"{TOLERANCE} is accepted, so it was not kept. The trained weights are in "
            f"checkpoints/. Please report this with the versions in environment.json."
        )
    return difference


def _name_ends(graph: onnx.ModelProto, output: str) -> None:
    """Give input and output their names, and the batch dimension one name instead of numbers."""
    renamed = {graph.graph.input[0].name: "images", graph.graph.output[0].name: output}
    for node in graph.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]
    for end in (graph.graph.input[0], graph.graph.output[0]):
        end.name = renamed[end.name]
        end.type.tensor_type.shape.dim[0].dim_param = "batch"


def _main(saved: str, path: str, output: str) -> int:
    """Export a saved model; the process that `export_in_process` starts."""
    export_onnx(keras.models.load_model(saved, compile=False), Path(path), output)
    return 0


if __name__ == "__main__":
    sys.exit(run_command(lambda: _main(*sys.argv[1:])))
