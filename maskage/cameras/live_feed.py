"""Frames for the live view: the newest one, from a source that is opened again when it is lost."""

import threading
from collections.abc import Callable
from dataclasses import replace

from maskage.cameras.newest_frame import NewestFrameReader
from maskage.cameras.picture_queue import PictureQueue
from maskage.cameras.reconnecting import RETRY_S, FrameRhythm
from maskage.cameras.sources import Camera, can_fall_silent
from maskage.context_mixin import ClosingMixin
from maskage.errors import CameraError
from maskage.records import Frame

HUNG_AFTER_S = 5.0
"""A read that gives nothing for so long is given up: some drivers wait in it for ever."""

_CLOSE_WAIT_S = 10.0

Reader = NewestFrameReader | PictureQueue


class LiveFeed(ClosingMixin):
    """The newest frame of one source at a time.

    Live sources and recordings are read by a thread; pictures of a folder come one for each
    `advance`. A live source that is lost, or silent without a word, is opened again, at most a
    second apart, for as long as it takes. Numbers and times of frames go on over all of it.

    Args:
        open_source: Opens the camera; called again after a loss, from a thread.

    Attributes:
        camera: The one that frames come from.
        reconnects: How often a lost source was opened again.
        problem: Why no frames come, for people; None while they do.

    Raises:
        CameraError: The source cannot be opened the first time.
    """

    def __init__(self, open_source: Callable[[], Camera]) -> None:
        self._open_source = open_source
        self.camera = open_source()
        self.reconnects = 0
        self.problem: str | None = None
        self._ended = False
        self._reader: Reader | None = _start_reader(self.camera)
        self._dropped_before = 0
        self._rhythm = FrameRhythm()
        self._last: Frame | None = None
        self._index_before, self._seconds_before = 0, 0.0
        self._opening: _Opening | None = None

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
        is_silent = self.camera.is_live and not self.has_ended and self._rhythm.is_silent
        return self._rhythm.silent_s if is_silent else None

    def take(self, timeout_s: float) -> Frame | None:
        """The newest frame not taken yet, or None where none came in time.

        Raises:
            CameraError: A recording or a folder cannot be read any further.
        """
        if self._reader is None:
            self._adopt_opened(timeout_s)
            return None
        try:
            frame = self._reader.take(timeout_s)
        except CameraError as fault:
            if not can_fall_silent(self.camera):
                # A recording would begin anew, and come to the same fault.
                raise
            self._open_again(str(fault))
            return None
        if frame is not None:
            self._rhythm.note(is_first=frame.index == 0)
            self.problem = None
            self._last = frame = self._count_on(frame)
        elif self._is_hung():
            self._open_again(f"{self.camera.name}: silent, opening it again.")
        else:
            # Asked only now: a reader whose camera was lost says so at `take`, and is over too.
            self._ended = self._reader.has_ended
        return frame

    def advance(self) -> None:
        """Go on to the next picture of a folder."""
        if isinstance(self._reader, PictureQueue):
            self._reader.advance()

    def switch(self, open_source: Callable[[], Camera], name: str) -> None:
        """Watch another source from now on; it is opened by a thread.

        Args:
            open_source: Opens it.
            name: For people, until it is open.
        """
        self._open_source = open_source
        self._ended = False
        self._begin_opening(f"Opening {name}.", is_lost=False)

    def close(self) -> None:
        """Stop reading and close the camera."""
        if self._opening is not None:
            self._opening.cancel(_CLOSE_WAIT_S)
        if self._reader is not None:
            self._reader.close()

    def _count_on(self, frame: Frame) -> Frame:
        """A camera that was opened again counts from 0; who listens gets numbers that only grow."""
        if not self._index_before:
            return frame
        return replace(
            frame,
            index=self._index_before + frame.index,
            position_s=self._seconds_before + frame.position_s,
        )

    def _is_hung(self) -> bool:
        limit_s = max(HUNG_AFTER_S, 2 * self._rhythm.patience_s)
        is_waiting = can_fall_silent(self.camera) and self._reader is not None
        return (
            is_waiting
            and self._rhythm.silent_s > limit_s
            and not (self._reader and self._reader.has_ended)
        )

    def _open_again(self, problem: str) -> None:
        self._begin_opening(problem, is_lost=True)

    def _begin_opening(self, problem: str, *, is_lost: bool) -> None:
        if self._opening is not None:
            # Not waited for: its camera is closed by its own thread, should it still open.
            self._opening.cancel(0)
        if self._reader is not None:
            self._dropped_before += self._reader.dropped
        self._opening = _Opening(self._open_source, self._reader, problem, is_lost=is_lost)
        self._reader = None
        self.problem = problem

    def _adopt_opened(self, timeout_s: float) -> None:
        assert self._opening is not None
        camera = self._opening.wait(timeout_s)
        self.problem = self._opening.problem
        if camera is not None:
            self.reconnects += self._opening.is_lost
            self._opening = None
            if self._last is not None:
                self._index_before = self._last.index + 1
                self._seconds_before = self._last.position_s + self._rhythm.silent_s
            self.camera = camera
            self._reader = _start_reader(camera)
            self._rhythm.restart()


class _Opening:
    """Opens a source in a thread, again and again until it opens or nobody wants it any more.

    Args:
        open_source: Opens it.
        former: Reader to close before, or None: a device opens only once.
        problem: Why it is opened, for people.
        is_lost: Whether it was there before; then it is given a moment.
    """

    def __init__(
        self,
        open_source: Callable[[], Camera],
        former: Reader | None,
        problem: str,
        *,
        is_lost: bool,
    ) -> None:
        self.problem = problem
        self.is_lost = is_lost
        self._open_source, self._former = open_source, former
        self._camera: Camera | None = None
        self._mutex = threading.Lock()
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera-opener", daemon=True)
        self._thread.start()

    def wait(self, timeout_s: float) -> Camera | None:
        """The open camera, or None where it is still tried; what is returned is the caller's."""
        self._thread.join(timeout_s)
        with self._mutex:
            camera, self._camera = self._camera, None
            return camera

    def cancel(self, wait_s: float) -> None:
        """No longer wanted; waits a little, since opening may take a camera's own time-out."""
        self._cancelled.set()
        self._thread.join(wait_s)
        with self._mutex:
            camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()

    def _run(self) -> None:
        if self._former is not None:
            self._former.close()
        attempt = 0
        while not self._cancelled.wait(self._pause_s(attempt)):
            attempt += 1
            try:
                camera = self._open_source()
            except CameraError as fault:
                self.problem = str(fault)
            except Exception as fault:  # noqa: BLE001  a dead thread would never try again
                self.problem = f"The camera cannot be opened ({fault!r})."
            else:
                self._hand_over(camera)
                return

    def _pause_s(self, attempt: int) -> float:
        if attempt == 0 and not self.is_lost:
            return 0.0
        return RETRY_S[min(attempt, len(RETRY_S) - 1)]

    def _hand_over(self, camera: Camera) -> None:
        with self._mutex:
            if not self._cancelled.is_set():
                self._camera = camera
                return
        camera.close()


def _start_reader(camera: Camera) -> Reader:
    # A recording that is not paced would be read to its end before the first frame is shown.
    return NewestFrameReader(camera) if camera.is_live else PictureQueue(camera)
