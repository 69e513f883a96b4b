"""Frames for the live view: the newest one, from a source that is opened again when it is lost."""

import threading
import time
from collections.abc import Callable

from collector.cameras import Camera
from collector.closing import Closing
from collector.errors import CameraError
from collector.picture_queue import PictureQueue
from collector.reader import NewestFrameReader
from collector.records import Frame

STALE_AFTER_S = 1.5
"""A live picture older than this is called stale: the slowest webcams give 5 frames a second."""

RETRY_S = (0.5, 1.0, 2.0, 4.0)


class LiveFeed(Closing):
    """The newest frame of one source.

    Live sources and recordings are read by a thread; pictures of a folder come one for each
    `advance`. A live source that is lost is opened again, ever more slowly but for as long as it
    takes.

    Args:
        open_source: Opens the camera; called again after a loss.

    Raises:
        CameraError: The source cannot be opened the first time.
    """

    def __init__(self, open_source: Callable[[], Camera]) -> None:
        self._open_source = open_source
        self.camera = open_source()
        self.reconnects = 0
        self.problem: str | None = None
        self._ended = False
        self._reader: NewestFrameReader | PictureQueue | None = _start_reader(self.camera)
        self._dropped_before = 0
        self._last_frame_s = time.monotonic()
        self._closing = threading.Event()
        self._opened: Camera | None = None
        self._opener: threading.Thread | None = None

    @property
    def is_queue(self) -> bool:
        """Whether it is a folder of pictures, which waits to be told to go on."""
        return isinstance(self._reader, PictureQueue)

    @property
    def has_ended(self) -> bool:
        """Whether the recording is over and its last frame taken."""
        return self._ended

    @property
    def dropped(self) -> int:
        """Frames that were replaced by newer ones before anyone took them."""
        return self._dropped_before + (self._reader.dropped if self._reader else 0)

    @property
    def stale_s(self) -> float | None:
        """Seconds since the last frame of a live source, or None while frames come."""
        silent_s = time.monotonic() - self._last_frame_s
        is_silent = self.camera.is_live and not self.has_ended and silent_s > STALE_AFTER_S
        return silent_s if is_silent else None

    def take(self, timeout_s: float) -> Frame | None:
        """The newest frame not taken yet, or None where none came in time."""
        if self._reader is None:
            self._adopt_reopened(timeout_s)
            return None
        try:
            frame = self._reader.take(timeout_s)
        except CameraError as fault:
            self._begin_reopening(str(fault))
            return None
        if frame is not None:
            self._last_frame_s = time.monotonic()
            self.problem = None
        else:
            # Asked only now: a reader whose camera was lost says so at `take`, and is over too.
            self._ended = self._reader.has_ended
        return frame

    def advance(self) -> None:
        """Go on to the next picture of a folder."""
        if isinstance(self._reader, PictureQueue):
            self._reader.advance()

    def close(self) -> None:
        """Stop reading and close the camera."""
        self._closing.set()
        if self._opener is not None:
            # Opening may take as long as the camera's own time-out.
            self._opener.join(timeout=10)
        if self._opened is not None:
            self._opened.close()
        if self._reader is not None:
            self._reader.close()

    def _begin_reopening(self, problem: str) -> None:
        if self._reader is not None:
            self._dropped_before += self._reader.dropped
            self._reader.close()
        self._reader = None
        self.problem = problem
        self._opener = threading.Thread(target=self._reopen, name="camera-opener", daemon=True)
        self._opener.start()

    def _reopen(self) -> None:
        attempt = 0
        while not self._closing.wait(RETRY_S[min(attempt, len(RETRY_S) - 1)]):
            attempt += 1
            try:
                self._opened = self._open_source()
            except CameraError as fault:
                self.problem = str(fault)
            else:
                return

    def _adopt_reopened(self, timeout_s: float) -> None:
        if self._opener is not None:
            self._opener.join(timeout_s)
        if self._opened is not None:
            self.camera, self._opened = self._opened, None
            self._reader = _start_reader(self.camera)
            self.reconnects += 1


def _start_reader(camera: Camera) -> NewestFrameReader | PictureQueue:
    # A recording that is not paced would be read to its end before the first frame is shown.
    return NewestFrameReader(camera) if camera.is_live else PictureQueue(camera)
