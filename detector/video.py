"""Writes annotated frames: one MP4, or a folder of pictures."""

from pathlib import Path

import cv2
import numpy as np

from collector.closing import Closing
from collector.errors import EnvironmentProblemError
from collector.images import encode_jpeg
from collector.outside_text import path_for_opencv
from collector.records import RgbImage

CODEC = "mp4v"
"""MPEG-4 part 2: the one that OpenCV's own FFmpeg encodes everywhere; H.264 it does not."""


class VideoSink(Closing):
    """Writes RGB frames into an MP4 file.

    Frames of another size than the first are scaled to fit, with bars. `close` checks that what
    was written can be read again.

    Args:
        path: The file, replaced where it exists. Its folder is made.
        fps: Frames a second at which it plays.

    Raises:
        EnvironmentProblemError: From any call: the file cannot be written or read back.
    """

    def __init__(self, path: Path, fps: float) -> None:
        self.path = path
        self.frames = 0
        self._fps = fps
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        make_parent(path)

    def write(self, pixels: RgbImage) -> None:
        """Append one frame, RGB uint8 (H, W, 3)."""
        if self._writer is None:
            # Encoders want even sides.
            self._size = (
                pixels.shape[1] + pixels.shape[1] % 2,
                pixels.shape[0] + pixels.shape[0] % 2,
            )
            self._writer = _open_writer(self.path, self._fps, self._size)
        self._writer.write(cv2.cvtColor(fit_into(pixels, *self._size), cv2.COLOR_RGB2BGR))
        self.frames += 1

    def close(self) -> None:
        """Finish the file; may be called twice."""
        if self._writer is None:
            return
        self._writer.release()
        self._writer = None
        reader = cv2.VideoCapture(path_for_opencv(self.path))
        is_readable, _ = reader.read()
        reader.release()
        if not is_readable:
            raise EnvironmentProblemError(
                f"{self.path}: the video that was written cannot be read back. Is the disk full?"
            )


def write_picture(path: Path, pixels: RgbImage) -> None:
    """Write one annotated picture as JPEG, its folder made; replaces an older one.

    Raises:
        EnvironmentProblemError: It cannot be written.
    """
    make_parent(path)
    try:
        path.write_bytes(encode_jpeg(pixels, quality=92))
    except OSError as fault:
        raise EnvironmentProblemError(
            f"{path}: cannot be written ({fault.strerror}). Choose another place."
        ) from fault


def make_parent(path: Path) -> None:
    """Make the folder that `path` is to lie in.

    Raises:
        EnvironmentProblemError: It cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise EnvironmentProblemError(
            f"{path}: its folder cannot be made ({fault.strerror}). Choose another place."
        ) from fault


def fit_into(pixels: RgbImage, width: int, height: int) -> RgbImage:
    """Scale a picture into `width` x `height` with its aspect kept and black bars around it."""
    if pixels.shape[1] == width and pixels.shape[0] == height:
        return pixels
    canvas = np.zeros((height, width, 3), dtype=np.uint8)
    is_one_larger = 0 <= width - pixels.shape[1] <= 1 and 0 <= height - pixels.shape[0] <= 1
    if is_one_larger:
        canvas[: pixels.shape[0], : pixels.shape[1]] = pixels
        return canvas
    scale = min(width / pixels.shape[1], height / pixels.shape[0])
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    canvas[top : top + size[1], left : left + size[0]] = cv2.resize(
        pixels, size, interpolation=method
    )
    return canvas


def _open_writer(path: Path, fps: float, size: tuple[int, int]) -> cv2.VideoWriter:
    fourcc = cv2.VideoWriter.fourcc(*CODEC)
    writer = cv2.VideoWriter(path_for_opencv(path), fourcc, fps, size)
    if not writer.isOpened():
        raise EnvironmentProblemError(
            f"{path}: a video of {size[0]}x{size[1]} px cannot be written here. Name a file that "
            f"ends in .mp4, in a folder you may write to."
        )
    return writer
