"""Frames from a source that is opened again when it is lost: the newest one, always.

The collector and the live view both stand on it, so that a camera is in the same state for both.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from maskage.cameras.frame_rhythm import FrameRhythm
from maskage.cameras.newest_frame import CLOSE_WAIT_S, NewestFrameReader
from maskage.cameras.picture_queue import PictureQueue, PictureReader
from maskage.cameras.reconnecting import Opening, Reader, retry_pause_s
from maskage.cameras.sources import Camera, can_fall_silent
from maskage.context_mixin import ClosingMixin
from maskage.errors import CameraError, CameraLoginError
from maskage.records import Frame

HUNG_AFTER_S = 3.0
"""A camera that gives nothing for so long, without an error, is opened again.

Some drivers wait in a read for ever. It is longer than the time-outs of network cameras, and than
the longest period of a slow camera whose pace is not known yet."""
FIRST_FRAME_S = 5.0
"""The same for the first frame: some webcams need seconds to wake up."""

MOST_REFUSALS = 3
"""A camera that refuses its login so often in a row is not asked again: many then lock the user."""

_HUNG_READ_WAIT_S = 0.1
_OPENING_WAIT_S = 10.0


class CameraCondition(StrEnum):
    """The condition of a camera.

    opening: Another source was asked for, and its first frame has not come.
    live: Frames come.
    silent: A frame is overdue; the camera is not given up yet.
    lost: The camera is opened again and again.
    refused: The camera refuses its name and password, and is not asked again.
    ended: The recording or the folder is over.
    """

    OPENING = "opening"
    LIVE = "live"
    SILENT = "silent"
    LOST = "lost"
    REFUSED = "refused"
    ENDED = "ended"


@dataclass(frozen=True)
class CameraState:
    """The state of a camera at one moment.

    Attributes:
        condition: The condition.
        name: Name of the camera, for people.
        message: The reason, for people; empty while all is well.
        attempt: The number of the attempt to open a lost camera again, from 1; else 0.
    """

    condition: CameraCondition
    name: str
    message: str = ""
    attempt: int = 0


class AwaitedCamera:
    """A camera that has not been opened yet; it stands in for it until then.

    Args:
        name: Its name for people.
    """

    fps: float | None = None
    frame_count: int | None = None
    is_live: bool = True

    def __init__(self, name: str) -> None:
        self.name = name

    def read(self) -> Frame | None:
        """Refuse: there is nothing to read.

        Raises:
            CameraError: Always.
        """
        raise CameraError(f"{self.name}: it is not open yet.")

    def close(self) -> None:
        """Do nothing: nothing is held open."""


class LiveFeed(ClosingMixin):
    """The newest frame of one source at a time.

    Live sources and paced recordings are read by a thread; pictures of a folder come one for each
    `advance`. A live source that is lost, or gives no frame without an error, is opened again, at
    most a second apart, for as long as it takes. It is back once a frame has come: a camera that
    only opens is still lost. Numbers and times of frames go on over all of it. `take`, `advance`,
    `switch` and `close` belong to one thread.

    Args:
        open_source: Opens the camera; called again after a loss, from a thread.
        camera: The camera, where it is open already; None opens it now.
        awaited: Name of the camera, for people, to open it in a thread and wait for it as for a
            lost one, even if it is not there yet; None opens it now.
        examine: Called with each frame, as the camera numbered it, before the camera counts as
            live. When it fails, the camera has failed.
        on_state: Called with each new state, by the thread that calls `take`.
        on_change: Called from a thread when `take` may have something new; it must not wait. With
            it a folder is read in a thread too; None reads it in `take`.

    Attributes:
        camera: The camera that frames come from.
        reconnects: Number of times that frames came back after a loss.
        state: The present state.

    Raises:
        CameraError: The source cannot be opened the first time, and is not awaited.
    """

    def __init__(
        self,
        open_source: Callable[[], Camera],
        camera: Camera | None = None,
        *,
        examine: Callable[[Frame], object] = lambda frame: None,
        on_state: Callable[[CameraState], object] = lambda state: None,
        awaited: str | None = None,
        on_change: Callable[[], object] | None = None,
    ) -> None:
        self._open_source, self._examine, self._on_state = open_source, examine, on_state
        self._on_change = on_change
        self.reconnects = 0
        self._rhythm = FrameRhythm()
        self._reader: Reader | None = None
        self._opening: Opening | None = None
        self._attempt = self._refusals = 0
        self._was_live = self._is_new = False
        self._dropped_before = 0
        self._last: Frame | None = None
        self._last_s = 0.0
        self._index_before, self._seconds_before = 0, 0.0
        if awaited is not None and camera is None:
            self.camera: Camera = AwaitedCamera(awaited)
            self.state = CameraState(CameraCondition.OPENING, awaited, f"Opening {awaited}.")
            self._begin_opening(close_wait_s=0.0)
        else:
            self.camera = camera if camera is not None else open_source()
            self.state = CameraState(CameraCondition.LIVE, self.camera.name)
            self._reader = self._start_reader()

    @property
    def is_queue(self) -> bool:
        """True for a folder of pictures, which waits for `advance`."""
        return isinstance(self._reader, PictureQueue | PictureReader)

    @property
    def was_live(self) -> bool:
        """True once a frame of the present source has come."""
        return self._was_live

    @property
    def has_ended(self) -> bool:
        """True once a recording is over and its last frame taken."""
        return self.state.condition is CameraCondition.ENDED

    @property
    def dropped(self) -> int:
        """Number of frames that newer ones replaced before anyone took them."""
        return self._dropped_before + (self._reader.dropped if self._reader else 0)

    @property
    def problem(self) -> str | None:
        """The reason why no frames come, for people; None while they do, or may be only late."""
        reasons = (CameraCondition.OPENING, CameraCondition.LOST, CameraCondition.REFUSED)
        return self.state.message if self.state.condition in reasons else None

    @property
    def stale_s(self) -> float | None:
        """Seconds since the last frame of a live source, or None while frames come."""
        is_silent = self.camera.is_live and not self.has_ended and self._rhythm.is_silent
        return self._rhythm.silent_s if is_silent else None

    def take(self, timeout_s: float) -> Frame | None:
        """Return the newest frame not taken yet, or None where none came in time.

        Raises:
            CameraError: A recording or a folder cannot be read any further.
        """
        if self._reader is None:
            self._adopt_opened(timeout_s)
            return None
        try:
            frame = self._read(self._reader, timeout_s)
        except CameraError as fault:
            self._lose(fault)
            return None
        if frame is None:
            self._note_absence(self._reader)
        return frame

    def advance(self) -> None:
        """Go on to the next picture of a folder."""
        if isinstance(self._reader, PictureQueue | PictureReader):
            self._reader.advance()

    def hold(self, *, is_held: bool) -> None:
        """Stop reading a recording, or go on; a live camera goes on by itself."""
        if isinstance(self._reader, NewestFrameReader) and not can_fall_silent(self.camera):
            self._reader.hold(is_held=is_held)

    def go_to(self, index: int) -> None:
        """Show this picture of a folder next, counted from 0."""
        if isinstance(self._reader, PictureQueue):
            self._reader.go_to(index)

    def switch(self, open_source: Callable[[], Camera], name: str) -> None:
        """Watch another source from now on; a thread opens it.

        Args:
            open_source: Opens the source.
            name: Its name for people, until it is open.
        """
        self._open_source = open_source
        self._attempt, self._refusals, self._was_live = 0, 0, False
        self._begin_opening(close_wait_s=CLOSE_WAIT_S)
        self._report(CameraCondition.OPENING, f"Opening {name}.")

    def close(self) -> None:
        """Stop reading and close the camera."""
        if self._opening is not None:
            # Opening may take a camera's own time-out.
            self._opening.cancel(_OPENING_WAIT_S)
        if self._reader is not None:
            self._reader.close()

    def _start_reader(self) -> Reader:
        if not self.camera.is_live:
            # A recording that is not paced would be read to its end before its first frame shows.
            if self._on_change is None:
                return PictureQueue(self.camera)
            return PictureReader(self.camera, self._on_change)
        reader = NewestFrameReader(self.camera, self._on_change or (lambda: None))
        self._rhythm = reader.rhythm
        return reader

    def _read(self, reader: Reader, timeout_s: float) -> Frame | None:
        try:
            frame = reader.take(timeout_s)
            if frame is not None:
                self._examine(frame)
        except CameraError:
            raise
        except Exception as fault:
            raise CameraError(
                f"{self.camera.name}: a picture cannot be read or examined ({fault!r})."
            ) from fault
        return self._note_frame(frame) if frame is not None else None

    def _note_frame(self, frame: Frame) -> Frame:
        if self._is_new or self.state.condition is not CameraCondition.LIVE:
            self.reconnects += self._attempt > 0 and self._was_live
            self._attempt, self._refusals, self._is_new = 0, 0, False
            self._report(CameraCondition.LIVE)
        self._was_live = True
        if self._index_before:
            # A camera that was opened again counts from 0; these numbers only grow.
            frame = replace(
                frame,
                index=self._index_before + frame.index,
                position_s=self._seconds_before + frame.position_s,
            )
        self._last, self._last_s = frame, time.monotonic()
        return frame

    def _note_absence(self, reader: Reader) -> None:
        """No frame came: find out whether there is an end, a silence, or only a wait."""
        if reader.has_ended:
            if not self.has_ended:
                self._report(CameraCondition.ENDED)
        elif not can_fall_silent(self.camera):
            return
        elif self._rhythm.silent_s > max(self._hung_after_s, self._rhythm.patience_s):
            why = "silent, opening it again" if not self._is_new else "opened, but no picture comes"
            self._try_again(CameraError(f"{self.camera.name}: {why}."))
        elif self._rhythm.is_silent and self.state.condition is CameraCondition.LIVE:
            self._report(CameraCondition.SILENT, "No picture: waiting for the camera.")

    @property
    def _hung_after_s(self) -> float:
        return HUNG_AFTER_S if self._rhythm.has_frame else FIRST_FRAME_S

    def _lose(self, fault: CameraError) -> None:
        if can_fall_silent(self.camera):
            self._try_again(fault)
            return
        # A recording would begin anew, and come to the same fault.
        if not self.has_ended:
            self._report(CameraCondition.ENDED, str(fault))
        raise fault

    def _try_again(self, fault: CameraError) -> None:
        self._refusals += isinstance(fault, CameraLoginError)
        if self._refusals >= MOST_REFUSALS:
            self._give_up(fault)
            return
        self._attempt += 1
        # A read that hangs is not waited for; after an error there is none.
        self._begin_opening(pause_s=retry_pause_s(self._attempt), close_wait_s=_HUNG_READ_WAIT_S)
        self._report(CameraCondition.LOST, str(fault))

    def _give_up(self, fault: CameraError) -> None:
        if self._reader is not None:
            self._dropped_before += self._reader.dropped
            self._reader.close()
        self._reader = self._opening = None
        self._attempt = 0
        self._report(CameraCondition.REFUSED, f"{fault} It is not asked again.")

    def _begin_opening(self, *, close_wait_s: float, pause_s: float = 0.0) -> None:
        if self._opening is not None:
            self._opening.cancel(0)
        if self._reader is not None:
            self._dropped_before += self._reader.dropped
        self._opening = Opening(
            self._open_source, self._reader, pause_s=pause_s, close_wait_s=close_wait_s
        )
        self._reader = None

    def _adopt_opened(self, timeout_s: float) -> None:
        if self._opening is None:  # the camera was given up
            time.sleep(timeout_s)
            return
        try:
            camera = self._opening.wait(timeout_s)
        except CameraError as fault:
            self._try_again(fault)
            return
        if camera is None:
            return
        self._opening = None
        if self._last is not None:
            self._index_before = self._last.index + 1
            self._seconds_before = self._last.position_s + time.monotonic() - self._last_s
        self.camera, self._is_new = camera, True
        self._reader = self._start_reader()

    def _report(self, condition: CameraCondition, message: str = "") -> None:
        self.state = CameraState(condition, self.camera.name, message, self._attempt)
        self._on_state(self.state)
