"""Run a bundle: every face of a frame in one batch, through ONNX Runtime. No TensorFlow."""

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskage.errors import ModelRefusedError
from maskage.formats.bundle import ONNX_FILE, ModelBundle, golden_images, read_file
from maskage.formats.int8_export import Int8Export, read_int8_model
from maskage.inference.onnx_engine import Answers, first_line, open_session
from maskage.pictures.images import resize_square
from maskage.records import RgbImage
from maskage.security.files import UnsafeFileError
from maskage.system.onnx_runtime import onnxruntime

GOLDEN_TOLERANCE = 0.01
"""Largest difference of a probability from another machine's, whose kernels round differently."""

INT8_GOLDEN_TOLERANCE = 0.05
"""As before, of a network in 8 bits, whose steps are larger: it differs from 32 bits by 0.03."""

STRANGENESS_TOLERANCE = 0.05
"""Largest difference of a strangeness from another machine's, as a share of it."""

MOST_THREADS = 8
"""More threads than this gain nothing on a face crop."""


class Classifier:
    """One bundle, ready to run.

    Args:
        bundle: The bundle, from `maskage.formats.bundle.load_bundle`.
        threads: Threads of one run; None for the cores this process may use, at most
            `MOST_THREADS`.
        int8: Export in 8 bits to run in place of the bundle's own network, from `read_int8`.

    Raises:
        ModelRefusedError: The model was changed, is not a network that this toolchain exports, is
            refused by ONNX Runtime, or answers the golden images differently than when it was made.
    """

    def __init__(
        self, bundle: ModelBundle, threads: int | None = None, int8: Int8Export | None = None
    ) -> None:
        self.bundle = bundle
        self.threads = threads or count_cores()
        self._int8 = int8
        self._session = _open_session(bundle, self.threads, int8)
        self._input = self._session.get_inputs()[0].name
        self._check_golden()

    def classify(self, crops: Sequence[RgbImage]) -> NDArray[np.float32]:
        """Classify the faces of a frame together; return the probabilities alone, see `answer`."""
        return self.answer(crops).probabilities

    def answer(self, crops: Sequence[RgbImage]) -> Answers:
        """Classify the faces of a frame together.

        Args:
            crops: Square face crops, RGB uint8, each of its own size.

        Returns:
            The probabilities, in the order of `bundle.labels`, and the strangeness if the bundle
            measures it.
        """
        if not crops:
            none = np.zeros(0, np.float32) if self.bundle.strange_above is not None else None
            return Answers(np.zeros((0, len(self.bundle.labels)), dtype=np.float32), none)
        size = self.bundle.input_size
        return self._run(np.stack([resize_square(crop, size) for crop in crops]))

    def _run(self, images: NDArray[np.uint8]) -> Answers:
        return Answers.of(self._session.run(None, {self._input: images}))

    def _check_golden(self) -> None:
        try:
            answers = self._run(golden_images(self.bundle.input_size))
        # ONNX Runtime's exceptions have no public common base.
        except Exception as fault:
            raise ModelRefusedError(
                self._refusal(f"it does not run ({first_line(fault)})")
            ) from fault
        own = self._int8 or self.bundle
        tolerance = GOLDEN_TOLERANCE if self._int8 is None else INT8_GOLDEN_TOLERANCE
        expected = own.golden_probabilities
        found = answers.probabilities
        if found.shape != expected.shape:
            raise ModelRefusedError(
                self._refusal(f"it answers {found.shape}, not {expected.shape}")
            )
        off = np.abs(found - expected).max()
        # Written so that NaN is refused too.
        if not off <= tolerance:
            raise ModelRefusedError(
                self._refusal(
                    f"its probabilities for the golden images are off by {off:.3f}, "
                    f"at most {tolerance} is allowed",
                )
            )
        self._check_golden_strangeness(answers.strangeness)

    def _check_golden_strangeness(self, found: NDArray[np.float32] | None) -> None:
        """Refuse a network whose strangeness is missing, not listed, or not as it was."""
        expected = (self._int8 or self.bundle).golden_strangeness
        if (found is None) != (expected is None):
            reason = "has no" if found is None else "has an unlisted"
            raise ModelRefusedError(self._refusal(f"it {reason} measure of strangeness"))
        if found is None or expected is None:
            return
        is_whole = found.shape == (len(expected),)
        off = np.abs(found / np.array(expected, np.float32) - 1).max() if is_whole else np.inf
        if not off <= STRANGENESS_TOLERANCE:
            raise ModelRefusedError(
                self._refusal(
                    f"its strangeness of the golden images is off by {off:.1%}, "
                    f"at most {STRANGENESS_TOLERANCE:.0%} is allowed",
                )
            )

    def _refusal(self, reason: str) -> str:
        return _refusal(self.bundle, reason if self._int8 is None else f"in 8 bits: {reason}")


def count_cores() -> int:
    """Count the cores this process may run on, at most `MOST_THREADS`."""
    if hasattr(os, "sched_getaffinity"):
        return min(len(os.sched_getaffinity(0)), MOST_THREADS)
    return min(os.cpu_count() or 1, MOST_THREADS)


def _open_session(
    bundle: ModelBundle, threads: int, int8: Int8Export | None
) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that spin while they wait would slow the camera, the finder and the screen down.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        data = read_file(bundle, ONNX_FILE) if int8 is None else read_int8_model(bundle, int8)
        return open_session(data, options, bundle.input_size)
    except UnsafeFileError as fault:
        raise ModelRefusedError(_refusal(bundle, str(fault))) from fault


def _refusal(bundle: ModelBundle, reason: str) -> str:
    return (
        f"{bundle.onnx_path}: this model is refused: {reason}. Copy the bundle again as a whole, "
        f"or train a new one with `trainer fit`."
    )
