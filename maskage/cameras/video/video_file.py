"""Reads a recorded video from its first frame to its last, over damaged spots and pauses.

It uses FFmpeg by PyAV: OpenCV's reader gives the same answer to a damaged packet, to the end, and
to a file that was cut short.
"""

import queue
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from maskage.cameras.pixel_shape import square_size
from maskage.cameras.video.container import (
    OpenVideo,
    conversion,
    find_pixel_aspect,
    open_video,
)
from maskage.cameras.video.display_matrix import DisplayMatrix
from maskage.cameras.video.file_extent import FileExtent
from maskage.cameras.video.frame_ledger import FrameLedger
from maskage.cameras.video.playback_pace import PlaybackPace
from maskage.errors import CameraError
from maskage.records import Frame, RgbImage

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.stream import Stream

_EARLY_S = 0.5
"""The stated length of a file is that of its longest track, rounded; less is no cut."""
_MOST_NOTICES = 20
_BROKEN_READS = 100
"""Number of times that FFmpeg may lose its way in the packets of one file."""


@dataclass(frozen=True)
class VideoDamage:
    """The damage of a video.

    Attributes:
        lost: Number of frames that could not be decoded.
        damaged: Number of frames that were shown, with faults in the picture.
        early_end: Reason why frames are missing at the end, for people; None for a whole end.
    """

    lost: int = 0
    damaged: int = 0
    early_end: str | None = None

    @property
    def is_incomplete(self) -> bool:
        """True where there are frames that nobody saw."""
        return bool(self.lost or self.early_end)

    @property
    def faults(self) -> list[str]:
        """Messages for people, one a kind; empty for a whole video."""
        lost = f"{self.lost} frame{'s' * (self.lost > 1)} could not be decoded"
        damaged = f"{self.damaged} picture{'s' * (self.damaged > 1)} decoded with faults in them"
        kinds = [lost * (self.lost > 0), damaged * (self.damaged > 0), self.early_end]
        return [kind for kind in kinds if kind]


class VideoFile:
    """A recorded video; `pace` plays it at its own speed, as a camera would show it.

    Its end is an end: a pause in it, or a disk that is slow, is no lost camera.

    Args:
        path: The file, or a named pipe.
        pace: True to wait until each frame is due. Pauses are cut short.

    Attributes:
        codec: Name of the codec in the file.
        has_beat: True where frames come at `fps` but for pauses; else at any time.
        path: As given.
        sounds: Number of its tracks of sound.

    Raises:
        CameraError: It cannot be read.
    """

    def __init__(self, path: Path, *, pace: bool) -> None:
        video = open_video(path)
        self.name = path.name
        self.is_live = pace
        self.fps: float | None = video.facts.fps
        self.frame_count: int | None = video.facts.frame_count
        self.codec = video.facts.codec
        self.has_beat = video.facts.has_beat
        self.path = path
        self.sounds = video.facts.sounds
        self._facts = video.facts
        self._ledger = FrameLedger(
            self._facts.time_base, 1 / self._facts.fps, in_order=self._facts.is_in_order
        )
        self._extent = FileExtent()
        self._notices: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._pixel_aspect = self._facts.pixel_aspect
        self._matrix = DisplayMatrix()
        self._spans_reported = 0
        self._has_frames = False
        self._damaged = 0
        self._early_end: str | None = None
        self._pace = PlaybackPace() if pace else None
        # It alone holds the container: closing it ends the threads of the decoder.
        self._pictures = self._decode_all(video)

    @property
    def damage(self) -> VideoDamage:
        """The damage so far."""
        return VideoDamage(self._ledger.lost_count, self._damaged, self._early_end)

    @property
    def begins_s(self) -> float:
        """Time of the first frame by the file's own clock, in seconds; 0 before it was read."""
        return self._ledger.begins_s

    def take_notices(self) -> list[str]:
        """Return messages about damage and pauses left out, for people, since the last call."""
        return [self._notices.get() for _ in range(self._notices.qsize())]

    def read(self) -> Frame | None:
        """Return the next frame that can be decoded, or None at the end.

        Raises:
            CameraError: Not one frame can be decoded.
        """
        picture = next(
            (each for each in self._pictures if not self._ledger.is_late(each.pts)), None
        )
        if picture is None:
            self._require_frames()
            return None
        self._has_frames = True
        if picture.is_corrupt:
            self._damaged += 1
            self._ledger.suspect()
        index, position_s = self._ledger.place(picture.pts)
        self._report_lost()
        pixels = self._show_square(picture)
        if self._pace is not None and (pause := self._pace.wait_for(position_s)) is not None:
            self._notice(pause)
        return Frame(pixels, index, time.monotonic(), position_s)

    def close(self) -> None:
        """Release the file. May be called twice."""
        self._pictures.close()

    def _require_frames(self) -> None:
        if not self._has_frames and not self.path.is_file():
            raise CameraError(
                f"{self.path}: no frame can be read from this pipe; an MP4 often has its index at "
                f"the end. Write it to a file first."
            )
        if not self._has_frames:
            raise CameraError(
                f"{self.path}: none of its frames can be decoded (codec {self.codec}). If a "
                f"player shows it, convert it: {conversion(self.path)}"
            )

    def _decode_all(self, video: OpenVideo) -> Generator["VideoFrame"]:
        with video.container:
            for packet in self._read_packets(video):
                hole = self._extent.add(packet) if packet.size else 0
                if packet.stream is video.stream:
                    yield from self._decode(packet, video, hole)
        self._ledger.finish()
        self._report_lost()
        self._check_end()

    def _read_packets(self, video: OpenVideo) -> Iterator["Packet[Stream]"]:
        import av

        for _ in range(_BROKEN_READS):
            try:
                yield from video.container.demux()
                return
            except (av.InvalidDataError, av.BlockingIOError):
                # FFmpeg goes on behind what it could not make sense of; in an MPEG transport
                # stream it asks to be asked again.
                self._ledger.suspect()
            except av.FFmpegError as fault:
                self._early_end = f"cannot be read any further ({fault.strerror})"
                return

    def _decode(
        self, packet: "Packet[Stream]", video: OpenVideo, hole: int
    ) -> Iterator["VideoFrame"]:
        import av

        stamp = packet.dts if self._facts.is_in_order else packet.pts
        if packet.size and not packet.is_discard:
            self._ledger.expect(stamp, packet.size, hole)
        if packet.is_corrupt:
            self._ledger.suspect()
        try:
            pictures = video.stream.decode(packet)
            self._pixel_aspect = find_pixel_aspect(video)
            yield from pictures
        except av.FFmpegError:
            self._ledger.fail(stamp)

    def _check_end(self) -> None:
        if self._damaged:
            self._notice(f"pictures decoded with faults in them: {self._damaged}.")
        advice = "Is its disk still there?"
        if self._early_end is None:
            self._early_end = self._find_early_end()
            advice = "It was cut short, or is still being written: copy it again."
        if self._early_end is not None:
            self._notice(f"{self._early_end}. {advice}")

    def _find_early_end(self) -> str | None:
        lasts_s = self._facts.lasts_s
        ends_s = max(self._ledger.ends_s, self._extent.ends_s - self._facts.starts_s)
        # AVI says how many frames it has, and no times.
        early_s = 2 / self._facts.fps if self._facts.is_in_order else _EARLY_S
        if lasts_s is not None and lasts_s - ends_s > early_s:
            return f"ends at {ends_s:.1f} s, but says that it lasts {lasts_s:.1f} s"
        return "ends in the middle of a frame" if self._extent.is_cut else None

    def _report_lost(self) -> None:
        for first, last in self._ledger.lost[self._spans_reported : _MOST_NOTICES]:
            which = f"frame {first}" if first == last else f"frames {first} to {last}"
            self._notice(f"{which} could not be decoded.")
        self._spans_reported = len(self._ledger.lost)

    def _notice(self, text: str) -> None:
        self._notices.put(f"{self.name}: {text}")

    def _show_square(self, picture: "VideoFrame") -> RgbImage:
        """Make it RGB, upright and of square pixels, as players show it."""
        import av
        from av.video.reformatter import VideoReformatter

        width, height = square_size(picture.width, picture.height, self._pixel_aspect)
        try:
            # One made by the picture would live, with its threads, as long as the picture.
            shown = VideoReformatter().reformat(picture, width, height, "rgb24")
            pixels: RgbImage = np.asarray(shown.to_ndarray(), np.uint8)
        except (av.FFmpegError, ValueError) as fault:
            raise CameraError(
                f"{self.name}: its pictures ({picture.format.name}) cannot be turned into RGB "
                f"({fault}). Convert it: {conversion(self.path)}"
            ) from fault
        return self._matrix.show(pixels, picture)
