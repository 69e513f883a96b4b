"""Finds faces with YuNet; without its model a guide stands in, to hold the face in."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from maskage.errors import EnvironmentProblemError, FaceOutsideFrameError, MissingDownloadError
from maskage.records import FaceBox, RgbImage
from maskage.security.files import UnsafeFileError
from maskage.system.paths import user_cache

CROP_MARGIN = 0.3
SCORE_THRESHOLD = 0.6

FACE_MODEL_VARIABLE = "FACE_MODEL"
FACE_MODEL_NAME = "face_detection_yunet_2026may.onnx"
FACE_MODEL_URL = (
    "https://github.com/opencv/opencv_zoo/raw/main/models/face_detection_yunet/" + FACE_MODEL_NAME
)
FACE_MODEL_SHA256 = "ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0"
DOWNLOAD_TIMEOUT_S = 10.0

_CELL_PX = 32
"""Side in px of the largest cell that YuNet looks for faces in."""

_SIDE_RANGE_PX = (320, 960)
"""Smallest and largest longer side of YuNet's input, px."""


@dataclass(frozen=True)
class FaceLandmarks:
    """The positions of the parts of a face, each as (x, y) in pixels of the frame.

    Attributes:
        box: The face.
        eyes: The point between the eyes.
        nose: The tip of the nose.
        mouth: The point between the corners of the mouth.
    """

    box: FaceBox
    eyes: tuple[float, float]
    nose: tuple[float, float]
    mouth: tuple[float, float]


class FaceFinder(Protocol):
    """A finder of the faces of a frame.

    Attributes:
        is_guide: True where it only shows where a face should be held.
        notice: One line that says so to the user, or None.
    """

    is_guide: bool
    notice: str | None

    def find(self, pixels: RgbImage) -> list[FaceBox]:
        """Return the face boxes of an RGB uint8 (H, W, 3) frame, largest first."""


class YuNetFinder:
    """YuNet on a scaled-down frame. One finder serves one thread.

    Args:
        model: The ONNX file.
        smallest_face_px: Smallest face side wanted, in pixels of the full frame. YuNet sees faces
            down to some 20 px of its own input, so this sets how far a frame is scaled down.

    Source:
        At 320 px it found 93.5% of masked and all unmasked faces in 6-9 ms (DESIGN.md, Where the
        face is).
    """

    is_guide: bool = False
    notice: str | None = None

    _SMALLEST_SEEN_PX = 20

    def __init__(self, model: Path, smallest_face_px: int = 40) -> None:
        # Loads ONNX Runtime, which who only crops faces does not need.
        from maskage.faces.yunet import YuNet

        self._smallest_face_px = smallest_face_px
        try:
            self._yunet = YuNet(model, SCORE_THRESHOLD, FACE_MODEL_SHA256)
        except UnsafeFileError as fault:
            raise EnvironmentProblemError(
                f"{model}: not a face model that is run here ({fault}). Remove it to fetch it "
                f"anew, or name a good copy of YuNet with --face-model."
            ) from fault

    def find(self, pixels: RgbImage) -> list[FaceBox]:
        """Return the face boxes of an RGB uint8 (H, W, 3) frame, largest first."""
        # In every frame of a live view, which asks for no landmarks.
        return [box for box, _, _ in self._detect(pixels)]

    def find_landmarks(self, pixels: RgbImage) -> list[FaceLandmarks]:
        """Return the faces of an RGB uint8 (H, W, 3) frame with their parts, largest first."""
        return [_landmarks_of(box, row, scale) for box, row, scale in self._detect(pixels)]

    def _detect(self, pixels: RgbImage) -> list[tuple[FaceBox, "_Row", float]]:
        """Return box, row and scale of each face, largest first."""
        height, width = pixels.shape[:2]
        scale = self._scale(width, height)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = pixels
        if scale < 1:
            small = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        found = self._yunet.detect(small)
        boxes = [(_box_within(row, scale, width, height), row) for row in found]
        faces = [(box, row, scale) for box, row in boxes if box]
        return sorted(faces, key=lambda face: face[0].width * face[0].height, reverse=True)

    def _scale(self, width: int, height: int) -> float:
        """Return the scale at which the smallest face wanted is the smallest that YuNet sees."""
        longest = max(width, height)
        wanted = longest * self._SMALLEST_SEEN_PX / self._smallest_face_px
        return whole_cells(wanted, longest) / longest


def whole_cells(side_px: float, longest_px: int) -> int:
    """Return the multiple of YuNet's largest cell nearest to a side, in a picture of `longest_px`.

    A picture up to YuNet's smallest input stays as it is.

    Args:
        side_px: Longer side at which the smallest face wanted is the smallest that YuNet sees.
        longest_px: Longer side of the picture.

    Source:
        Of 205 marked faces over 40 px in photos of several people, as they are and as JPEGs of four
        qualities, 195 were found at any side and 200 at these where 40 px was asked for; 203 and
        205 where 30 px was; of the 110 over 100 px 105 and 110, and 108 and 110.
    """
    low, high = _SIDE_RANGE_PX
    if longest_px <= low:
        return longest_px
    cells = round(min(max(side_px, low), high) / _CELL_PX)
    return min(cells, longest_px // _CELL_PX) * _CELL_PX


class GuideFinder:
    """The finder without a face model: one box in the middle, to hold the face in."""

    is_guide: bool = True

    def __init__(self, notice: str | None = None) -> None:
        self.notice: str | None = notice

    def find(self, pixels: RgbImage) -> list[FaceBox]:
        """Return the guide's box, whatever the frame shows."""
        return [guide_box(pixels.shape[1], pixels.shape[0])]


SMALLEST_IN_PICTURE_PX = 30
"""Side in px of the smallest face wanted in a still picture, where time is no matter.

Source: of 43 marked faces over 40 px in photos with several people, 41 were found where 40 was
asked for, all where 30 was.
"""


def guide_box(width: int, height: int) -> FaceBox:
    """Return the box to hold a face in: the middle half of `width` x `height` pixels."""
    side = max(1, min(width, height) // 2)
    return FaceBox((width - side) // 2, (height - side) // 2, side, side, score=0.0)


def crop_face(pixels: RgbImage, box: FaceBox, margin: float = CROP_MARGIN) -> RgbImage:
    """Cut one face, with its surroundings, out of a frame.

    Args:
        pixels: RGB uint8, shape (H, W, 3).
        box: Face position in pixels of `pixels`.
        margin: Border on each side, as a fraction of the longer box side, 0 to 1.

    Returns:
        RGB uint8, shape (side, side, 3), a copy. Near the edge the square is moved inside the
        frame, and where the frame is smaller than the square, the square shrinks to it.

    Raises:
        FaceOutsideFrameError: `box` lies wholly outside `pixels`.
    """
    height, width = pixels.shape[:2]
    if box.x >= width or box.y >= height or box.x + box.width <= 0 or box.y + box.height <= 0:
        raise FaceOutsideFrameError(
            f"Face at ({box.x}, {box.y}), {box.width}x{box.height} px, lies outside its frame of "
            f"{width}x{height} px. The box belongs to another picture."
        )
    side = max(1, min(round(box.side_px * (1 + 2 * margin)), width, height))
    center_x, center_y = box.center
    left = int(np.clip(round(center_x - side / 2), 0, width - side))
    top = int(np.clip(round(center_y - side / 2), 0, height - side))
    return pixels[top : top + side, left : left + side].copy()


def open_face_finder(face_model: Path | None = None, smallest_face_px: int = 40) -> FaceFinder:
    """Open the best finder that this machine can have.

    Looks for the model at `face_model`, then at `FACE_MODEL`, then in the user's cache, then
    fetches it once and checks its sha256. Without it the guide stands in, and `notice` says so.

    Raises:
        EnvironmentProblemError: The user named a model that is not there or cannot be run.
    """
    try:
        return YuNetFinder(obtain_face_model(face_model), smallest_face_px)
    except MissingDownloadError as fault:
        return GuideFinder(str(fault))


def obtain_face_model(face_model: Path | None = None) -> Path:
    """Return YuNet's file: the one named, that of `FACE_MODEL`, the cached or a fetched one.

    Raises:
        EnvironmentProblemError: The user named a model that is not there.
        MissingDownloadError: No model was named or cached, and it cannot be fetched.
    """
    named = face_model or (Path(path) if (path := os.environ.get(FACE_MODEL_VARIABLE)) else None)
    if named is None:
        return _cached_face_model()
    if not named.is_file():
        raise EnvironmentProblemError(
            f"No face model at {named}. Check --face-model or the variable "
            f"{FACE_MODEL_VARIABLE}, or leave both out to have it fetched."
        )
    return named


def find_face_model(face_model: Path | None = None) -> Path | None:
    """Return YuNet's file where it is at hand, as `obtain_face_model`, which would fetch it too.

    Returns:
        The file, or None if none was named and none is cached.

    Raises:
        EnvironmentProblemError: The user named a model that is not there.
    """
    if face_model is None and not os.environ.get(FACE_MODEL_VARIABLE):
        return _find_cached()
    return obtain_face_model(face_model)


def _find_cached() -> Path | None:
    path = user_cache() / FACE_MODEL_NAME
    is_whole = path.is_file() and _sha256(path.read_bytes()) == FACE_MODEL_SHA256
    return path if is_whole else None


def _cached_face_model() -> Path:
    if (cached := _find_cached()) is not None:
        return cached
    path = user_cache() / FACE_MODEL_NAME
    data = _download(FACE_MODEL_URL)
    if _sha256(data) != FACE_MODEL_SHA256:
        raise MissingDownloadError(
            "The face model that was fetched is not the one expected; it was thrown away. A guide "
            "is used instead of finding faces: name a good copy with --face-model."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.part")
    partial.write_bytes(data)
    partial.replace(path)
    return path


def _download(url: str) -> bytes:
    from urllib.request import urlopen

    try:
        with urlopen(url, timeout=DOWNLOAD_TIMEOUT_S) as answer:
            return bytes(answer.read(8_000_000))
    except OSError as fault:
        raise MissingDownloadError(
            "No face model here and it cannot be fetched: hold the face in the guide. "
            "(Or name a copy of YuNet with --face-model.)"
        ) from fault


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


_Row = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
"""A row of YuNet: x, y, width, height; right eye, left eye, nose, right and left corner of the
mouth as x and y each; score."""


def _landmarks_of(box: FaceBox, row: _Row, scale: float) -> FaceLandmarks:
    """Return the landmarks of a row of a scaled frame, in pixels of the full one."""
    points = row[4:14].reshape(5, 2) / scale
    eyes, nose, mouth = points[:2].mean(axis=0), points[2], points[3:].mean(axis=0)
    return FaceLandmarks(
        box,
        (float(eyes[0]), float(eyes[1])),
        (float(nose[0]), float(nose[1])),
        (float(mouth[0]), float(mouth[1])),
    )


def _box_within(row: _Row, scale: float, width: int, height: int) -> FaceBox | None:
    """Return the box of a row, clipped to the frame; None where nothing is left."""
    left, top = max(0, round(row[0] / scale)), max(0, round(row[1] / scale))
    right = min(width, round((row[0] + row[2]) / scale))
    bottom = min(height, round((row[1] + row[3]) / scale))
    if right <= left or bottom <= top:
        return None
    return FaceBox(left, top, right - left, bottom - top, float(row[14]))
