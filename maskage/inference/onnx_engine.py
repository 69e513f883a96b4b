"""Run an ONNX file on the CPU, without TensorFlow, after `maskage.security.onnx` checked it."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskage.errors import ModelRefusedError
from maskage.inference.onnx_runtime import onnxruntime
from maskage.security.files import UnsafeFileError, read_regular_file
from maskage.security.onnx import check_onnx

LARGEST_MODEL = 2_000_000_000
"""Most bytes of a model; protobuf, the encoding of ONNX, ends at 2 GB."""


def read_network(path: Path) -> bytes:
    """Read and check an ONNX file; return its bytes.

    Raises:
        ModelRefusedError: The file is not a network that this toolchain exports.
    """
    try:
        data = read_regular_file(path, LARGEST_MODEL)
        check_onnx(data)
    except UnsafeFileError as fault:
        raise _refusal(path, fault) from fault
    return data


class OnnxEngine:
    """One network with one input and one output.

    Args:
        model: The file, or its bytes.
        threads: Threads of one run; None leaves it to ONNX Runtime (all cores).

    Raises:
        ModelRefusedError: The model is not a network that this toolchain exports, or ONNX Runtime
            refuses it.
    """

    def __init__(self, model: Path | bytes, threads: int | None = None) -> None:
        options = onnxruntime.SessionOptions()
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            data = model if isinstance(model, bytes) else read_regular_file(model, LARGEST_MODEL)
            self._session = open_session(data, options)
        except UnsafeFileError as fault:
            raise _refusal("The model" if isinstance(model, bytes) else model, fault) from fault
        self._input = self._session.get_inputs()[0].name

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run the network on a batch.

        Args:
            images: uint8, shape (N, size, size, 3).

        Returns:
            float32, shape (N, ...).

        Raises:
            ModelRefusedError: The network refuses the images, or fails.
        """
        try:
            output: NDArray[np.float32] = self._session.run(None, {self._input: images})[0]
        # ONNX Runtime's exceptions have no public common base.
        except Exception as fault:
            raise ModelRefusedError(
                f"The model does not run on images of {images.shape[1:]} ({first_line(fault)}). "
                f"Train or export it again."
            ) from fault
        return output

    def run_batches(self, batches: Iterable[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Run the network on each batch; return all outputs as one array, shape (N, ...)."""
        return np.concatenate([self.run(batch) for batch in batches])


def open_session(
    data: bytes, options: onnxruntime.SessionOptions, size: int | None = None
) -> onnxruntime.InferenceSession:
    """Check a network and load it from the bytes that were checked.

    Args:
        data: Bytes of an ONNX file.
        options: Options for ONNX Runtime; its log is suppressed.
        size: Side that the input must have, px; None for any.

    Raises:
        UnsafeFileError: `check_onnx` or ONNX Runtime refuses the network.
    """
    found = check_onnx(data)
    if size is not None and found != size:
        raise UnsafeFileError(f"its input is {found} px where its bundle says {size}")
    options.log_severity_level = 4
    # ONNX Runtime also reads a format of its own, which `check_onnx` does not check.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as fault:
        # Its exceptions have no public common base.
        raise UnsafeFileError(f"ONNX Runtime refuses it ({first_line(fault)})") from fault


def _refusal(model: Path | str, fault: UnsafeFileError) -> ModelRefusedError:
    return ModelRefusedError(
        f"{model}: not a model that is run here ({fault}). Train or export it again."
    )


def first_line(fault: BaseException) -> str:
    """Return the first line of a fault's text, at most 200 characters."""
    return (str(fault).splitlines() or [type(fault).__name__])[0][:200]
