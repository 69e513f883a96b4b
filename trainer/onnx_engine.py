"""Runs an ONNX file on the CPU; no TensorFlow."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from collector.errors import ModelRefusedError


class OnnxEngine:
    """One network with one input and one output.

    Args:
        model: The file.
        threads: For one run; None leaves it to ONNX Runtime (all cores).

    Raises:
        ModelRefusedError: ONNX Runtime does not take the file.
    """

    def __init__(self, model: Path, threads: int | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(
                str(model), options, providers=["CPUExecutionProvider"]
            )
        # ONNX Runtime's exceptions have no public common base.
        except Exception as fault:
            reason = str(fault).splitlines()[0][:200]
            raise ModelRefusedError(
                f"{model}: not a model that ONNX Runtime can run ({reason}). Train or export it "
                f"again."
            ) from fault
        self._input = self._session.get_inputs()[0].name

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Images uint8 (N, size, size, 3) to the network's output, float32 (N, ...)."""
        output: NDArray[np.float32] = self._session.run(None, {self._input: images})[0]
        return output

    def run_batches(self, batches: Iterable[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Every batch, one after the other, as one array."""
        return np.concatenate([self.run(batch) for batch in batches])
