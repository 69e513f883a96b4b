"""Recordings of what is shown, with faces made unrecognisable unless the user wants otherwise.

Drawing and encoding happen in a thread of their own: a slow disk costs recorded frames, never the
live picture. Each view lies at its own time in the file, however unevenly frames came. What only
matters while one watches, the status line and messages, is left out unless the user wants it.
"""

import contextlib
import queue
import shutil
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cv2

from detector.drawing.overlay import draw_result
from detector.screens.base import LiveView
from detector.tracking.pipeline import FrameResult
from detector.tracking.tracker import KEEP_S
from detector.video.sink import VideoSink
from detector.video.timeline import Timeline
from maskage.context_mixin import ClosingMixin
from maskage.errors import EnvironmentProblemError
from maskage.records import FaceBox, Frame, RgbImage

FPS = 30.0
"""Most frames a second; views between them are left out."""
WAITING = 8
"""Frames that may wait to be written; more are left out."""

BLUR_BLOCKS = 6
"""Blocks a side that are left of a face: too few to recognise a person."""
BLUR_MARGIN = 0.25
"""Margin around the box, as part of its side: hair and chin identify people too."""

LEAST_FREE_BYTES = 50_000_000
"""Free space that ends a recording: the rest is for other files that are written meanwhile."""

_LONGEST_STILL_S = 10.0
_POLL_S = 0.1
_BEAT_SLACK = 0.25
"""Part of a beat by which a frame may come early: cameras are not that punctual."""


class Recording(ClosingMixin):
    """One MP4 file that grows while it is shown, and can be played at every moment.

    Args:
        path: The file; its folder is made.
        is_blurred: Make faces unrecognisable; without a face finder (the guide stands in) the
            whole picture.
        has_status: Draw the status line and messages too, as they were shown.

    Attributes:
        problem: The reason why it ended by itself, or None.
        notice: A message about how it is encoded, or None.
        left_out: Frames that came faster than they could be written.

    Raises:
        EnvironmentProblemError: The folder cannot be made.
    """

    def __init__(self, path: Path, *, is_blurred: bool = True, has_status: bool = False) -> None:
        self.path = path
        self.problem: str | None = None
        self.notice: str | None = None
        self.left_out = 0
        self._is_blurred, self._has_status = is_blurred, has_status
        self._sink = VideoSink(path, FPS, report=self._note)
        self._timeline = Timeline(_LONGEST_STILL_S)
        self._last_beat = -1
        self._waiting: queue.Queue[LiveView] = queue.Queue(WAITING)
        self._ending = threading.Event()
        self._blur = FaceBlur()
        self._thread = threading.Thread(target=self._write_on, name="recorder", daemon=True)
        self._thread.start()

    @property
    def is_done(self) -> bool:
        """True once the file is finished, or given up."""
        return not self._thread.is_alive()

    def add(self, view: LiveView) -> None:
        """Record a view; never waits."""
        try:
            self._waiting.put_nowait(view)
        except queue.Full:
            self.left_out += 1

    def finish(self) -> None:
        """Have the file finished and read back; does not wait for that."""
        self._ending.set()

    def close(self) -> None:
        """Finish the file, and wait until it is done."""
        self.finish()
        self._thread.join()

    def _note(self, notice: str) -> None:
        self.notice = notice

    def _write_on(self) -> None:
        try:
            with self._sink:
                while not (self._ending.is_set() and self._waiting.empty()) and self._has_room():
                    with contextlib.suppress(queue.Empty):
                        self._write(self._waiting.get(timeout=_POLL_S))
            if self._sink.frames == 0 and self.problem is None:
                self.problem = f"{self.path}: not made, nothing new was shown meanwhile."
        except EnvironmentProblemError as fault:
            self.problem = str(fault)
        except Exception as fault:  # noqa: BLE001  a dead thread must not look like a recording
            self.problem = f"{self.path}: recording failed ({fault!r})."

    def _has_room(self) -> bool:
        free = shutil.disk_usage(self.path.parent).free
        if free < LEAST_FREE_BYTES:
            self.problem = (
                f"{self.path}: recording ended after {self._sink.lasts_s:.0f} s, only "
                f"{free / 1e6:.0f} MB are free on that disk. Make room, or choose another folder."
            )
        return self.problem is None

    def _write(self, view: LiveView) -> None:
        result = view.result
        if self._is_blurred:
            result = replace(result, frame=self._blur.apply(result))
        at_s = self._timeline.place(result.frame.captured_s)
        beat = int(at_s * FPS + _BEAT_SLACK)
        if beat == self._last_beat:
            return
        self._last_beat = beat
        readout = view.readout if self._has_status else None
        self._sink.write(draw_result(result, readout, is_mirrored=view.is_mirrored), at_s)


class FaceBlur:
    """The blur of the faces of one source, also of a face that is lost for a moment."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[float, FaceBox]] = {}

    def apply(self, result: FrameResult) -> Frame:
        """Return the frame with its faces blurred; the given one is left as it was."""
        frame = result.frame
        pixels = frame.pixels.copy()
        if any(face.is_guide for face in result.faces):
            pixelate(pixels, FaceBox(0, 0, frame.width, frame.height), 0.0)
            return replace(frame, pixels=pixels)
        for face in result.faces:
            self._seen[face.track] = (frame.captured_s, face.box)
        self._seen = {
            track: (seen_s, box)
            for track, (seen_s, box) in self._seen.items()
            if 0 <= frame.captured_s - seen_s <= KEEP_S
        }
        for _, box in self._seen.values():
            pixelate(pixels, box, BLUR_MARGIN)
        return replace(frame, pixels=pixels)


def pixelate(pixels: RgbImage, box: FaceBox, margin: float) -> None:
    """Replace a face by a few blocks of its mean colours, in place.

    Args:
        pixels: RGB uint8 (H, W, 3), writable.
        box: The face, in pixels.
        margin: Border on each side, as a part of the longer box side.
    """
    border = round(box.side_px * margin)
    height, width = pixels.shape[:2]
    left, top = max(0, box.x - border), max(0, box.y - border)
    right, bottom = min(width, box.x + box.width + border), min(height, box.y + box.height + border)
    if right <= left or bottom <= top:
        return
    part = pixels[top:bottom, left:right]
    blocks = cv2.resize(part, (BLUR_BLOCKS, BLUR_BLOCKS), interpolation=cv2.INTER_AREA)
    size = (right - left, bottom - top)
    pixels[top:bottom, left:right] = cv2.resize(blocks, size, interpolation=cv2.INTER_NEAREST)


def name_by_time(folder: Path, suffix: str) -> Path:
    """Return a path named by the present moment, UTC: "20261126T114501.123Z.mp4"."""
    return folder / (datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")[:-3] + "Z" + suffix)
