"""Run an ONNX file on the CPU, without TensorFlow, after `maskage.security.onnx` checked it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskage.errors import ModelRefusedError
from maskage.security.files import UnsafeFileError, read_regular_file
from maskage.security.onnx import check_onnx
from maskage.system.onnx_runtime import onnxruntime

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


@dataclass(frozen=True, eq=False)
class Answers:
    """The answers of a network to N images.

    Attributes:
        probabilities: Its first output, float32, shape (N, C).
        strangeness: How unlike the photos it learned from each image is, float32, shape (N,); None
            where the network does not measure it.
    """

    probabilities: NDArray[np.float32]
    strangeness: NDArray[np.float32] | None

    @classmethod
    def of(cls, outputs: Sequence[NDArray[np.float32]]) -> "Answers":
        """Return the answers in the outputs of a network, one or two."""
        return cls(outputs[0], outputs[1][:, 0] if len(outputs) > 1 else None)

    @classmethod
    def join(cls, parts: Sequence["Answers"]) -> "Answers":
        """Return the answers to several batches of one network as one."""
        found = [part.strangeness for part in parts if part.strangeness is not None]
        return cls(
            np.concatenate([part.probabilities for part in parts]),
            np.concatenate(found) if found else None,
        )


class OnnxEngine:
    """One network with one input, and one output or the strangeness beside it.

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
        """Run the network on a batch; return its first output, float32, shape (N, ...).

        Args:
            images: uint8, shape (N, size, size, 3).

        Raises:
            ModelRefusedError: The network refuses the images, or fails.
        """
        return self._run(images)[0]

    def answer(self, images: NDArray[np.uint8]) -> Answers:
        """Run the network on a batch, as `run`; return both outputs."""
        return Answers.of(self._run(images))

    def _run(self, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        try:
            outputs: list[NDArray[np.float32]] = self._session.run(None, {self._input: images})
        # ONNX Runtime's exceptions have no public common base.
        except Exception as fault:
            raise ModelRefusedError(
                f"The model does not run on images of {images.shape[1:]} ({first_line(fault)}). "
                f"Train or export it again."
            ) from fault
        return outputs

    def run_batches(self, batches: Iterable[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Run the network on each batch; return all outputs as one array, shape (N, ...)."""
        return np.concatenate([self.run(batch) for batch in batches])

    def answer_batches(self, batches: Iterable[NDArray[np.uint8]]) -> Answers:
        """Run the network on each batch; return all answers together."""
        return Answers.join([self.answer(batch) for batch in batches])


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
