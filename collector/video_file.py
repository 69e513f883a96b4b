"""Reads a recorded video from its first frame to its last, over damaged spots and pauses.

FFmpeg itself, by PyAV: OpenCV's reader says the same of a damaged packet, of the end, and of a file
that was cut short.
"""

import queue
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from collector.errors import CameraError
from collector.file_extent import FileExtent
from collector.frame_ledger import FrameLedger
from collector.pixel_shape import square_size
from collector.records import Frame, RgbImage
from collector.video_container import OpenVideo, conversion, open_video

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.stream import Stream

LONGEST_PAUSE_S = 1.0
"""A recording that waits for something to move is silent for hours, and is not to be waited for.
Under `collector.reconnecting.PATIENCE_S`, so that a pause is never taken for a fault."""
_PERIODS = 4
"""A slow recording is no pause: up to four of its own periods are waited for."""
_EARLY_S = 0.5
"""The length that a file says is that of its longest track, rounded; less is no cut."""
_EVEN_SHARE = 0.98
_MOST_NOTICES = 20
_BROKEN_READS = 100
"""So many times FFmpeg may lose its way in the packets of one file."""


@dataclass(frozen=True)
class VideoDamage:
    """What of a video could not be shown.

    Attributes:
        lost: Frames that could not be decoded.
        damaged: Frames that were shown, with faults in the picture.
        early_end: Why frames are missing at the end, for people; None where it ends as it says.
    """

    lost: int = 0
    damaged: int = 0
    early_end: str | None = None

    @property
    def is_incomplete(self) -> bool:
        """Whether there are frames that nobody saw."""
        return bool(self.lost or self.early_end)

    @property
    def faults(self) -> list[str]:
        """For people, one a kind; empty for a whole video."""
        lost = f"{self.lost} frame{'s' * (self.lost > 1)} could not be decoded"
        damaged = f"{self.damaged} picture{'s' * (self.damaged > 1)} decoded with faults in them"
        kinds = [lost * (self.lost > 0), damaged * (self.damaged > 0), self.early_end]
        return [kind for kind in kinds if kind]


class VideoFile:
    """A recorded video; `pace` plays it at its own speed, as a camera would show it.

    It ends where it ends: a pause in it, or a disk that is slow, is no lost camera.

    Args:
        path: The file, or a named pipe.
        pace: Whether to wait until each frame is due. Pauses are cut to `LONGEST_PAUSE_S`.

    Attributes:
        codec: As the file names it.
        is_even: Whether its frames come at `fps` all the time, as far as the file says.

    Raises:
        CameraError: It cannot be read.
    """

    def __init__(self, path: Path, *, pace: bool) -> None:
        self.name = path.name
        self._path = path
        self.is_live = pace
        self._video: OpenVideo = open_video(path)
        self.codec = self._video.codec
        self.fps: float | None = self._video.fps
        self.is_even = self._video.average_fps > _EVEN_SHARE * self._video.fps
        self.frame_count: int | None = self._video.frame_count
        self._notices: queue.SimpleQueue[str] = queue.SimpleQueue()
        # AVI has no times of showing; FFmpeg makes them up.
        self._is_in_order = self._video.container.format.name == "avi"
        self._ledger = FrameLedger(
            self._video.time_base,
            1 / self._video.fps,
            in_order=self._is_in_order,
        )
        self._extent = FileExtent()
        self._spans_told = 0
        self._has_frames = False
        self._damaged = 0
        self._early_end: str | None = None
        self._pictures = self._decode_all()
        self._position_s = 0.0
        self._opened_s = time.monotonic()

    @property
    def damage(self) -> VideoDamage:
        """What could not be shown so far."""
        return VideoDamage(self._ledger.lost_count, self._damaged, self._early_end)

    def take_notices(self) -> list[str]:
        """Return what is wrong with it or left out, for people, since the last call."""
        return [self._notices.get() for _ in range(self._notices.qsize())]

    def read(self) -> Frame | None:
        """Return the next frame that can be decoded, or None at the end.

        Raises:
            CameraError: Not one could be.
        """
        picture = next(self._pictures, None)
        if picture is None:
            self._require_frames()
            return None
        self._has_frames = True
        if picture.is_corrupt:
            self._damaged += 1
            self._ledger.suspect()
        index, position_s = self._ledger.place(picture.pts)
        self._tell_lost()
        pixels = self._show_square(picture)
        if self.is_live:
            self._keep_pace(position_s)
        self._position_s = position_s
        return Frame(pixels, index, time.monotonic(), position_s)

    def close(self) -> None:
        self._pictures.close()
        self._video.container.close()

    def _require_frames(self) -> None:
        if not self._has_frames:
            raise CameraError(
                f"{self._path}: none of its frames can be decoded (codec {self.codec}). If a "
                f"player shows it, convert it: {conversion(self._path)}"
            )

    def _decode_all(self) -> Generator["VideoFrame"]:
        for packet in self._read_packets():
            hole = self._extent.add(packet) if packet.size else 0
            if packet.stream is self._video.stream:
                yield from self._decode(packet, hole)
        self._ledger.finish()
        self._tell_lost()
        self._check_end()

    def _read_packets(self) -> Iterator["Packet[Stream]"]:
        import av

        for _ in range(_BROKEN_READS):
            try:
                yield from self._video.container.demux()
                return
            except av.InvalidDataError:
                # FFmpeg goes on behind what it could not make sense of.
                self._ledger.suspect()
            except av.FFmpegError as fault:
                self._early_end = f"cannot be read any further ({fault.strerror})"
                return

    def _decode(self, packet: "Packet[Stream]", hole: int) -> Iterator["VideoFrame"]:
        import av

        stamp = packet.dts if self._is_in_order else packet.pts
        if packet.size and not packet.is_discard:
            self._ledger.expect(stamp, packet.size, hole)
        if packet.is_corrupt:
            self._ledger.suspect()
        try:
            yield from self._video.stream.decode(packet)
        except av.FFmpegError:
            self._ledger.fail(stamp)

    def _check_end(self) -> None:
        if self._damaged:
            self._notice(f"pictures decoded with faults in them: {self._damaged}.")
        self._early_end = self._early_end or self._find_early_end()
        if self._early_end is not None:
            self._notice(f"{self._early_end}. It was cut short: copy it again.")

    def _find_early_end(self) -> str | None:
        lasts_s = self._video.lasts_s
        ends_s = max(self._ledger.ends_s, self._extent.ends_s - self._video.starts_s)
        if lasts_s is not None and lasts_s - ends_s > _EARLY_S:
            return f"ends at {ends_s:.1f} s, but says that it lasts {lasts_s:.1f} s"
        return "ends in the middle of a frame" if self._extent.is_cut else None

    def _tell_lost(self) -> None:
        for first, last in self._ledger.lost[self._spans_told : _MOST_NOTICES]:
            which = f"frame {first}" if first == last else f"frames {first} to {last}"
            self._notice(f"{which} could not be decoded.")
        self._spans_told = len(self._ledger.lost)

    def _notice(self, text: str) -> None:
        self._notices.put(f"{self.name}: {text}")

    def _show_square(self, picture: "VideoFrame") -> RgbImage:
        """Make it RGB, upright and of square pixels, as players show it."""
        import av

        aspect = self._video.stream.sample_aspect_ratio
        width, height = square_size(picture.width, picture.height, aspect)
        try:
            pixels: RgbImage = np.asarray(
                picture.to_ndarray(format="rgb24", width=width, height=height), np.uint8
            )
        except (av.FFmpegError, ValueError) as fault:
            raise CameraError(
                f"{self.name}: its pictures ({picture.format.name}) cannot be turned into RGB "
                f"({fault}). Convert it: {conversion(self._path)}"
            ) from fault
        turns = round(picture.rotation / 90) % 4
        return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels

    def _keep_pace(self, position_s: float) -> None:
        """Wait until a frame is due; what is longer than a pause may be is left out."""
        step_s = position_s - self._position_s
        longest_s = max(LONGEST_PAUSE_S, _PERIODS / self._video.average_fps)
        if step_s > longest_s:
            self._opened_s -= step_s - longest_s
            self._notice(
                f"nothing was recorded from {self._position_s:.1f} to {position_s:.1f} s; "
                f"this pause is left out."
            )
        time.sleep(max(0.0, self._opened_s + position_s - time.monotonic()))
