"""Run YuNet's file in ONNX Runtime, and decode its answers in numpy.

OpenCV's `FaceDetectorYN` runs the same file and is the reference of the tests.

Source:
    YuNet: A Tiny Millisecond-level Face Detector (Wu, Peng, Yu; 2023). The whole of `detect` took
    2.6 / 8.4 / 20.3 ms of processor time at 320 / 640 / 960 px (4:3), where `FaceDetectorYN`, which
    uses all cores, took 4.1 / 15.0 / 35.8 (medians of 25, by turns). By the clock the two were as
    fast on two busy cores: 2.1 / 7.6 / 18.2 and 2.3 / 7.8 / 19.1 at best.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from maskage.records import RgbImage
from maskage.security.files import UnsafeFileError, read_regular_file
from maskage.system.onnx_runtime import onnxruntime

LARGEST_FACE_MODEL = 8_000_000
"""Most bytes of a face model; YuNet has 230 kB."""

STRIDES = (8, 16, 32)
"""Sides in px of the cells that YuNet looks for faces in. Its input is a multiple of the last."""

PADDED_TO_PX = STRIDES[-1]

OVERLAP = 0.3
"""Two boxes that overlap more, as a share of what they cover together, are one face."""

MOST_CANDIDATES = 5000
"""Boxes, the best ones, that are compared with each other; OpenCV's number."""

_ROUNDING = np.float32(1e-4)

_FARTHEST_PX = 1e6
"""No face or part of one lies farther away, and none is larger."""

Rows = NDArray[np.float32]
"""Faces, shape (N, 15): x, y, width, height; right eye, left eye, nose, right and left corner of
the mouth as x and y each; score."""

_KINDS = ("cls", "obj", "bbox", "kps")
_OUTPUTS = [f"{kind}_{stride}" for kind in _KINDS for stride in STRIDES]


class YuNet:
    """YuNet in ONNX Runtime. One serves one thread.

    It computes in the thread that calls it: a second one gained nothing up to 640 px, and the
    camera and the screen need a core too.

    Args:
        model: Path of the ONNX file.
        score_threshold: Score from which a box is a face, 0 to 1.
        known_sha256: Digest of the file that needs no check of its operators.

    Raises:
        UnsafeFileError: The file is not YuNet, is damaged, or ONNX Runtime refuses it.
    """

    def __init__(self, model: Path, score_threshold: float, known_sha256: str = "") -> None:
        # A link is followed: stores of downloads hold links, and the bytes are checked below.
        data = read_regular_file(model.resolve(), LARGEST_FACE_MODEL)
        is_known = hashlib.sha256(data).hexdigest() == known_sha256
        self._session = _open_session(data if is_known else _checked(data))
        self._input = self._session.get_inputs()[0].name
        self._threshold = np.float32(score_threshold)
        self._planes = np.zeros((1, 3, 0, 0), np.float32)
        self._filled = (0, 0)
        if not is_known:
            self._try_sizes()

    def detect(self, pixels: RgbImage) -> Rows:
        """Return the faces of an RGB uint8 (H, W, 3) picture at its own size, best first."""
        planes = self._fill_planes(pixels)
        outputs = self._session.run(_OUTPUTS, {self._input: planes})
        cells = planes.shape[3]
        cls, obj, bbox, kps = (outputs[at : at + 3] for at in range(0, 12, 3))
        found = [
            _decode(parts, cells // stride, stride, self._threshold)
            for *parts, stride in zip(cls, obj, bbox, kps, STRIDES, strict=True)
        ]
        return _suppress_overlaps(np.concatenate(found))

    def _fill_planes(self, pixels: RgbImage) -> NDArray[np.float32]:
        """Return the planes blue, green and red, with zeros to the right and below."""
        height, width = pixels.shape[:2]
        sides = tuple(-(-side // PADDED_TO_PX) * PADDED_TO_PX for side in (height, width))
        if self._filled != (height, width):
            self._planes = np.zeros((1, 3, *sides), np.float32)
            self._filled = (height, width)
        for plane, color in zip(self._planes[0], reversed(cv2.split(pixels)), strict=True):
            plane[:height, :width] = color
        return self._planes

    def _try_sizes(self) -> None:
        """Run a file that is not the known one at two sizes, since its graph may fix one."""
        try:
            for height, width in ((64, 96), (160, 128)):
                self.detect(np.zeros((height, width, 3), np.uint8))
        # ONNX Runtime's exceptions have no public common base.
        except Exception as fault:
            reason = (str(fault).splitlines() or [type(fault).__name__])[0][:200]
            raise UnsafeFileError(f"it does not run at every size ({reason})") from fault


def _checked(data: bytes) -> bytes:
    # Loads onnx, which the known file does not need.
    from maskage.faces.yunet_file import open_input_size

    return open_input_size(data, frozenset(_OUTPUTS))


def _open_session(data: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    # ONNX Runtime also reads a format of its own, which is not checked.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    # Its exceptions have no public common base.
    except Exception as fault:
        reason = (str(fault).splitlines() or [type(fault).__name__])[0][:200]
        raise UnsafeFileError(f"ONNX Runtime refuses it ({reason})") from fault


def _decode(
    parts: Sequence[NDArray[np.float32]], across: int, stride: int, threshold: np.float32
) -> Rows:
    """Return the faces in the answers of one stride, row by row of its cells.

    Args:
        parts: Class, object, box and landmarks of each cell, shapes (1, N, 1), the same, (1, N, 4)
            and (1, N, 10).
        across: Number of cells in a row.
        stride: Side of a cell, px.
        threshold: Score from which a box is a face.
    """
    cls, obj, bbox, kps = (part[0] for part in parts)
    # Of thousands of cells few are likely: only their scores are computed as OpenCV does.
    at = np.flatnonzero(cls[:, 0] * obj[:, 0] > threshold * threshold - _ROUNDING)
    scores = np.sqrt(np.clip(cls[at, 0], 0, 1) * np.clip(obj[at, 0], 0, 1))
    at, scores = at[scores >= threshold], scores[scores >= threshold]
    rows = np.empty((len(at), 15), np.float32)
    if not len(at):
        return rows
    cell = np.stack([at % across, at // across], axis=1).astype(np.float32)
    # A network that is not trained answers anything; such boxes are left out below.
    with np.errstate(over="ignore", invalid="ignore"):
        sides = np.exp(bbox[at, 2:]) * stride
    rows[:, :2] = (cell + bbox[at, :2]) * stride - sides / 2
    rows[:, 2:4] = sides
    rows[:, 4:14] = (kps[at] + np.tile(cell, 5)) * stride
    rows[:, 14] = scores
    return rows[(np.abs(rows) < _FARTHEST_PX).all(axis=1)]


def _suppress_overlaps(rows: Rows) -> Rows:
    """Return the rows, best first, without those that overlap a better one.

    Boxes are compared in whole pixels, as OpenCV does.
    """
    rows = rows[np.argsort(-rows[:, 14], kind="stable")][:MOST_CANDIDATES]
    corners = rows[:, :2].astype(np.int64)
    sides = rows[:, 2:4].astype(np.int64)
    areas = sides.prod(axis=1)
    left = np.arange(len(rows))
    kept = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        start = np.maximum(corners[best], corners[left])
        end = np.minimum(corners[best] + sides[best], corners[left] + sides[left])
        shared = np.clip(end - start, 0, None).prod(axis=1)
        together = areas[best] + areas[left] - shared
        left = left[shared <= OVERLAP * together]
    return rows[kept]
