"""Runs an ONNX file on the CPU; no TensorFlow. Nothing is run that `onnx_guard` has not passed."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskage.errors import ModelRefusedError
from maskage.inference.onnx_runtime import onnxruntime
from maskage.security.files import UnsafeFileError, read_regular_file
from maskage.security.onnx import check_onnx

LARGEST_MODEL = 2_000_000_000
"""Bytes; protobuf, which ONNX is written in, ends at 2 GB."""


def read_network(path: Path) -> bytes:
    """The bytes of an ONNX file that `check_onnx` passed.

    Raises:
        ModelRefusedError: It is no network as we export them.
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
        model: The file, or what was read of it.
        threads: For one run; None leaves it to ONNX Runtime (all cores).

    Raises:
        ModelRefusedError: It is no network as we export them, or ONNX Runtime does not take it.
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
        """Images uint8 (N, size, size, 3) to the network's output, float32 (N, ...).

        Raises:
            ModelRefusedError: The network does not take them, or fails on the way.
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
        """Every batch, one after the other, as one array."""
        return np.concatenate([self.run(batch) for batch in batches])


def open_session(
    data: bytes, options: onnxruntime.SessionOptions, size: int | None = None
) -> onnxruntime.InferenceSession:
    """Check a network and load it from the bytes that were checked.

    Args:
        data: An ONNX file's bytes.
        options: For ONNX Runtime; its log is made quiet.
        size: Side that its input must have, px; None for any.

    Raises:
        UnsafeFileError: See `check_onnx`, or ONNX Runtime does not take it.
    """
    found = check_onnx(data)
    if size is not None and found != size:
        raise UnsafeFileError(f"its input is {found} px where its bundle says {size}")
    options.log_severity_level = 4
    # ONNX Runtime knows a format of its own as well, which nobody checked.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as fault:
        # Its exceptions have no public common base.
        raise UnsafeFileError(f"ONNX Runtime does not take it ({first_line(fault)})") from fault


def _refusal(model: Path | str, fault: UnsafeFileError) -> ModelRefusedError:
    return ModelRefusedError(
        f"{model}: not a model that is run here ({fault}). Train or export it again."
    )


def first_line(fault: BaseException) -> str:
    """What a fault says, short enough for a message."""
    return (str(fault).splitlines() or [type(fault).__name__])[0][:200]
