"""Annotated frames written as one video, or as a folder of pictures."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from detector.video.encoder import ENCODERS, Encoder, add_video_stream
from detector.video.growing_file import CONTAINER_OPTIONS, FORMATS, GrowingFile
from maskage.cameras.video.video_file import VideoFile
from maskage.console import say
from maskage.context_mixin import ClosingMixin
from maskage.errors import CameraError, EnvironmentProblemError
from maskage.pictures.images import encode_jpeg
from maskage.records import RgbImage
from maskage.system.files import write_private

if TYPE_CHECKING:
    from av import VideoFrame

    from detector.video.sound import SoundTrack


class VideoSink(ClosingMixin):
    """A video of RGB frames: H.264 where it can be had, which browsers play.

    Frames of another size than the first are scaled to fit, with bars. A kill costs an MP4 its last
    second (`growing_file.FRAGMENT_S`). `close` checks that what was written can be read again.

    Args:
        path: The file, replaced if it exists; its ending says the format. Its folder is made.
        fps: Usual frames a second.
        sound: The sound of the source, or None for a video without sound.
        encoders: Encoders to try, the best first.
        report: Gets a message where it is not the usual encoder.

    Attributes:
        path: As given.
        frames: Number of frames so far.
        lasts_s: Seconds for which the frames so far are shown.

    Raises:
        EnvironmentProblemError: From any call: the file cannot be written or read back.
    """

    def __init__(
        self,
        path: Path,
        fps: float,
        sound: "SoundTrack | None" = None,
        *,
        encoders: Sequence[Encoder] = ENCODERS,
        report: Callable[[str], None] = say,
    ) -> None:
        self.path = path
        self.frames = 0
        self.lasts_s = 0.0
        self._fps, self._sound = fps, sound
        self._encoders, self._report = encoders, report
        self._writer: _Writer | None = None
        make_parent(path)

    def write(self, pixels: RgbImage, at_s: float | None = None) -> None:
        """Append one frame.

        Args:
            pixels: RGB uint8 (H, W, 3).
            at_s: Its time in the video, in seconds; by default one period after the last one.
        """
        at_s = self.lasts_s if at_s is None else at_s
        with self._explaining():
            if self._writer is None:
                # Encoders want even sides.
                height, width = (side + side % 2 for side in pixels.shape[:2])
                self._writer = self._open((width, height))
            self._writer.write(pixels, at_s)
        self.frames += 1
        self.lasts_s = at_s + 1 / self._fps

    def close(self) -> None:
        """Finish the file; may be called twice."""
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        with self._explaining():
            writer.close(self.lasts_s)
        video = None
        try:
            video = VideoFile(self.path, pace=False)
            is_readable = video.read() is not None
        except CameraError:
            is_readable = False
        finally:
            if video is not None:
                video.close()
        if not is_readable:
            raise EnvironmentProblemError(
                f"{self.path}: the video that was written cannot be read back. Is the disk full?"
            )

    def _open(self, size: tuple[int, int]) -> "_Writer":
        if self.path.suffix.lower() not in FORMATS:
            raise EnvironmentProblemError(
                f"{self.path}: no video can be written under this name. Name a file that ends in "
                f".mp4."
            )
        writer = _Writer(self.path, size, self._fps, self._encoders, self._sound)
        if writer.notice:
            self._report(f"{self.path}: {writer.notice}")
        return writer

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        import av

        try:
            yield
        except (OSError, av.FFmpegError) as fault:
            raise EnvironmentProblemError(
                f"{self.path}: the video cannot be written ({fault.strerror or fault}). Make room, "
                f"or name a file that ends in .mp4, in a folder you may write to."
            ) from fault


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


class _Writer:
    """A file that is being written; FFmpeg's objects, and the order in which they are closed.

    Args:
        path: The file.
        size: Width and height in pixels, both even.
        fps: Usual frames a second.
        encoders: Encoders to try, the best first.
        sound: The sound, or None.

    Attributes:
        notice: The reason why it is not the usual encoder, or None.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        fps: float,
        encoders: Sequence[Encoder],
        sound: "SoundTrack | None",
    ) -> None:
        import av
        from av.video.reformatter import VideoReformatter

        self._file = GrowingFile(path)
        try:
            self._container = av.open(
                self._file,
                "w",
                format=FORMATS[path.suffix.lower()],
                container_options=CONTAINER_OPTIONS,
            )
            made = add_video_stream(self._container, size, fps, encoders)
            if sound is not None:
                sound.add_to(self._container)
        except BaseException:
            self._file.close()
            raise
        self.notice = made.notice
        self._stream, self._sound = made.stream, sound
        self._size, self._reformatter = size, VideoReformatter()
        self._time_base = made.stream.codec_context.time_base
        self._period = round(1 / fps / self._time_base)
        self._last = -1

    def write(self, pixels: RgbImage, at_s: float) -> None:
        """Append one frame of any size, to be shown at this second."""
        frame = self._convert(fit_into(pixels, *self._size))
        self._last = max(round(at_s / self._time_base), self._last + 1)
        frame.time_base, frame.pts = self._time_base, self._last
        self._mux(frame)
        self._add_sound(at_s)

    def close(self, ends_s: float) -> None:
        """Write what is left, with the sound up to this second, and the index; then close it."""
        try:
            if self._file.fault is None:
                self._mux(None)
                self._add_sound(ends_s)
            self._container.close()
        finally:
            self._file.close()

    def _convert(self, pixels: RgbImage) -> "VideoFrame":
        from av import VideoFrame
        from av.video.reformatter import ColorRange, Colorspace

        frame = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        return self._reformatter.reformat(
            frame,
            format="yuv420p",
            dst_colorspace=Colorspace.ITU601,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )

    def _mux(self, frame: "VideoFrame | None") -> None:
        for packet in self._stream.encode(frame):
            # For the last one: before it, it is the time to the next.
            packet.duration = self._period
            self._container.mux(packet)
            self._file.mark_whole()

    def _add_sound(self, until_s: float) -> None:
        for packet in self._sound.packets(until_s) if self._sound else ():
            self._container.mux(packet)
            self._file.mark_whole()
