"""Annotated frames written as one MP4, or as a folder of pictures."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from detector.video.encoder import CODEC, Encoder
from detector.video.mp4 import GrowingMp4
from maskage.context_mixin import ClosingMixin
from maskage.errors import EnvironmentProblemError
from maskage.outside_text import path_for_opencv
from maskage.pictures.images import encode_jpeg
from maskage.records import RgbImage
from maskage.system.files import make_private, write_private

MP4_SUFFIXES = (".mp4", ".m4v", ".mov")
"""Suffixes of the files that are written here; OpenCV writes all others."""


class VideoSink(ClosingMixin):
    """An MP4 file of RGB frames.

    Frames of another size than the first are scaled to fit, with bars. A kill costs an MP4 its last
    second (`mp4.FRAGMENT_S`). `close` checks that what was written can be read again.

    Args:
        path: The file, replaced if it exists. Its folder is made.
        fps: Frames a second at which it plays.

    Raises:
        EnvironmentProblemError: From any call: the file cannot be written or read back.
    """

    def __init__(self, path: Path, fps: float) -> None:
        self.path = path
        self.frames = 0
        self._fps = fps
        self._writer: _Writer | None = None
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
        self._writer.write(fit_into(pixels, *self._size))
        self.frames += 1

    def close(self) -> None:
        """Finish the file; may be called twice."""
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        writer.close()
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
        write_private(path, encode_jpeg(pixels, quality=92))
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


class _Writer(Protocol):
    """Takes frames of one size, RGB."""

    def write(self, pixels: RgbImage) -> None: ...

    def close(self) -> None: ...


class _Mp4Writer:
    """Encodes into a file that can be played at every moment."""

    def __init__(self, path: Path, fps: float, size: tuple[int, int]) -> None:
        self._path = path
        with self._explaining():
            self._file = GrowingMp4(path, size, fps)
        try:
            self._encoder = Encoder(fps, size, self._file.add)
        except BaseException:
            self._file.close()
            raise

    def write(self, pixels: RgbImage) -> None:
        with self._explaining():
            self._encoder.write(pixels)

    def close(self) -> None:
        with self._explaining(), self._file:
            self._encoder.close()

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except OSError as fault:
            raise EnvironmentProblemError(
                f"{self._path}: the video cannot be written ({fault.strerror}). Make room, or name "
                f"a file that ends in .mp4, in a folder you may write to."
            ) from fault


class _OtherWriter:
    """Leaves encoding and container to OpenCV."""

    def __init__(self, path: Path, fps: float, size: tuple[int, int]) -> None:
        self._writer = cv2.VideoWriter(
            path_for_opencv(path), cv2.VideoWriter.fourcc(*CODEC), fps, size
        )
        make_private(path)
        if not self._writer.isOpened():
            raise EnvironmentProblemError(
                f"{path}: a video of {size[0]}x{size[1]} px cannot be written here. Name a file "
                f"that ends in .mp4, in a folder you may write to."
            )

    def write(self, pixels: RgbImage) -> None:
        self._writer.write(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        self._writer.release()


def _open_writer(path: Path, fps: float, size: tuple[int, int]) -> _Writer:
    if path.suffix.lower() in MP4_SUFFIXES:
        return _Mp4Writer(path, fps, size)
    return _OtherWriter(path, fps, size)
