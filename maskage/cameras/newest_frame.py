"""Reads a camera in a thread and keeps the newest frame, so that a slow consumer never lags.

A plain read loop with a slow consumer fell 8 s behind in 12 s; a slot that holds only the newest
frame stays at 0 (DESIGN.md, Dependencies).
"""

import threading
from collections.abc import Callable

from maskage.cameras.frame_rhythm import FrameRhythm
from maskage.cameras.sources import Camera
from maskage.context_mixin import ClosingMixin
from maskage.errors import CameraError
from maskage.records import Frame

CLOSE_WAIT_S = 2.5
"""A little longer than a read of a stream takes at most, in seconds."""


class NewestFrameReader(ClosingMixin):
    """A thread that reads a camera, and the newest frame of it.

    Args:
        camera: The camera to read.
        on_change: Called from the thread after each frame and at the end; it must not wait.

    Attributes:
        camera: The camera that is read; the reader closes it.
        dropped: Number of frames that were replaced before anyone took them.
        read: Number of frames read from the camera.
        rhythm: The pace of the camera, noted at each read: however late frames are taken.
    """

    def __init__(self, camera: Camera, on_change: Callable[[], object] = lambda: None) -> None:
        self.camera, self._on_change = camera, on_change
        self.dropped = 0
        self.read = 0
        self.rhythm = FrameRhythm()
        self._frame: Frame | None = None
        self._fault: CameraError | None = None
        self._ended = False
        self._stopping = False
        self._may_read = threading.Event()
        self._may_read.set()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read_on, name="camera-reader", daemon=True)
        self._thread.start()

    def take(self, timeout_s: float = 1.0) -> Frame | None:
        """Return the newest frame that was not taken yet, waiting for one if need be.

        Returns:
            The frame, or None when none came within `timeout_s` or the recording has ended; see
            `has_ended`.

        Raises:
            CameraError: The camera was lost, and every frame read before has been taken.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._frame or self._ended, timeout_s)
            frame, self._frame = self._frame, None
            if frame is None and self._fault is not None:
                raise self._fault
            return frame

    @property
    def has_ended(self) -> bool:
        """True once the recording is over and its last frame taken; a fault is no end."""
        with self._changed:
            return self._ended and self._frame is None and self._fault is None

    def hold(self, *, is_held: bool) -> None:
        """Read no further frame, or go on."""
        if is_held:
            self._may_read.clear()
        else:
            self._may_read.set()

    def close(self, wait_s: float = CLOSE_WAIT_S) -> None:
        """Stop reading and close the camera; waits a little for the read in progress.

        A camera that is stuck in it is left to the thread, which closes it when the read comes
        back: closing a camera under a read in progress crashes some drivers.
        """
        self._stopping = True
        self._may_read.set()
        self._thread.join(timeout=wait_s)
        if not self._thread.is_alive():
            self.camera.close()

    def _await_turn(self) -> None:
        """Wait until the next frame may be read."""
        self._may_read.wait()

    def _read_on(self) -> None:
        try:
            while not self._stopping:
                self._await_turn()
                frame = None if self._stopping else self.camera.read()
                if frame is None:
                    break
                self.rhythm.note()
                with self._changed:
                    self.read += 1
                    self.dropped += self._frame is not None
                    self._frame = frame
                    self._changed.notify_all()
                self._on_change()
        except CameraError as fault:
            self._fault = fault
        except Exception as fault:  # noqa: BLE001  a dead thread must not look like a slow camera
            self._fault = CameraError(f"{self.camera.name}: reading failed ({fault!r}).")
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()
            self._on_change()
            if self._stopping:
                self.camera.close()
