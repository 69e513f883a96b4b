"""An encoder of single frames, each of which comes out as soon as it is written.

OpenCV passes no options on to the container that its FFmpeg writes
(https://github.com/opencv/opencv/issues/24570), and keeps up to 256 KB back before they reach a
file. Into a pipe it writes each frame at once; what comes out of that pipe, an AVI, is taken apart
again here, and its frames go on into a container of our own choice.
"""

import os
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import cv2

from maskage.context_mixin import ClosingMixin
from maskage.errors import EnvironmentProblemError
from maskage.records import RgbImage

CODEC = "mp4v"
"""MPEG-4 part 2: the one that OpenCV's own FFmpeg encodes everywhere, in 2 ms of one core for a
frame of 640x480. Its VP8 took 62 ms and VP9 429 ms, and it has no H.264 and no AV1."""

_AVI_LISTS = (b"RIFF", b"LIST")
_AVI_FRAME = b"00dc"
# ISO/IEC 14496-2, 6.2.1: a group of pictures, or a picture, begins with one of these.
_GROUP_START, _PICTURE_START = b"\x00\x00\x01\xb3", b"\x00\x00\x01\xb6"
# 6.2.5: the two bits after the start code; 0 is a picture that needs no other.
_CODING_TYPE_SHIFT = 6


@dataclass(frozen=True)
class EncodedFrame:
    """One frame as it is stored.

    Attributes:
        data: The picture, without the header.
        header: The decoder's settings; empty if the frame brings none.
        is_key: It can be shown without the frames before it.
    """

    data: bytes
    header: bytes
    is_key: bool


class Encoder(ClosingMixin):
    """An encoder of frames of one size.

    Args:
        fps: Frames a second.
        size: Width and height in pixels, both even.
        take: Gets each encoded frame in order, in a thread of the encoder's own. An exception from
            it ends the encoding, and is raised by the next call.

    Raises:
        EnvironmentProblemError: OpenCV encodes no frames of this size here.
    """

    def __init__(
        self, fps: float, size: tuple[int, int], take: Callable[[EncodedFrame], None]
    ) -> None:
        self._take = take
        self._fault: Exception | None = None
        self._writer, self._pipe = _open_pipe(fps, size)
        self._thread = threading.Thread(target=self._read_on, name="encoder", daemon=True)
        self._thread.start()

    def write(self, pixels: RgbImage) -> None:
        """Encode one frame, RGB uint8 (H, W, 3), of the encoder's size."""
        self._raise_fault()
        self._writer.write(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))

    def close(self) -> None:
        """Wait until the last frame has been taken; may be called twice."""
        self._writer.release()
        self._thread.join()
        self._raise_fault()

    def _raise_fault(self) -> None:
        if self._fault is not None:
            raise self._fault

    def _read_on(self) -> None:
        # Closed at once after a fault: the encoder must not wait for a reader.
        with self._pipe:
            try:
                for data in read_avi_frames(self._pipe):
                    self._take(split_frame(data))
            except Exception as fault:  # noqa: BLE001  raised again by the next call
                self._fault = fault


def read_avi_frames(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the frames of an AVI as they come in, without one that is cut short."""
    while len(head := stream.read(8)) == 8:
        name, size = struct.unpack("<4sI", head)
        if name in _AVI_LISTS:
            # Its size is not known yet; its contents follow after the name of its kind.
            stream.read(4)
            continue
        data = stream.read(size + size % 2)
        if name == _AVI_FRAME and len(data) >= size > 0:
            yield data[:size]


def split_frame(data: bytes) -> EncodedFrame:
    """Split an MPEG-4 frame into its header and its picture."""
    picture = data.find(_PICTURE_START)
    if picture < 0:
        return EncodedFrame(data, b"", is_key=False)
    group = data.find(_GROUP_START, 0, picture)
    start = group if group >= 0 else picture
    coding_type = data[picture + len(_PICTURE_START)] >> _CODING_TYPE_SHIFT
    return EncodedFrame(data[start:], data[:start], is_key=coding_type == 0)


def _open_pipe(fps: float, size: tuple[int, int]) -> tuple[cv2.VideoWriter, BinaryIO]:
    # The name is only needed until both ends are open: a kill then leaves no file behind.
    with tempfile.TemporaryDirectory(prefix="maskage-encoder-") as folder:
        path = Path(folder, "frames.avi")
        os.mkfifo(path, 0o600)
        pipe = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
        fourcc = cv2.VideoWriter.fourcc(*CODEC)
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, fourcc, fps, size)
        if not writer.isOpened():
            pipe.close()
            raise EnvironmentProblemError(
                f"Frames of {size[0]}x{size[1]} px cannot be encoded by OpenCV here. Use a source "
                f"with a smaller picture."
            )
        os.set_blocking(pipe.fileno(), True)
        return writer, pipe
