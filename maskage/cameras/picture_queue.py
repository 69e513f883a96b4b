"""A folder of pictures as a queue: the next one comes when the last is dealt with."""

import threading
from collections.abc import Callable

from maskage.cameras.sources import Camera, PictureFolder
from maskage.errors import CameraError
from maskage.records import Frame


class PictureQueue:
    """A reader of a source that is not live, with one frame for each `advance`.

    Apart from that it is used like `NewestFrameReader`.

    Attributes:
        camera: The source that is read; the queue closes it.
        dropped: Always 0: no picture is skipped unless the person skips it.
        read: Number of frames read.
    """

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self.dropped = 0
        self.read = 0
        self._ended = False
        self._may_read = threading.Event()
        self._may_read.set()

    @property
    def has_ended(self) -> bool:
        """True once the last picture was dealt with."""
        return self._ended

    def advance(self) -> None:
        """Let the next `take` read the next picture."""
        self._may_read.set()

    def go_to(self, index: int) -> None:
        """Let the next `take` read this picture, counted from 0; also after the last one."""
        if isinstance(self.camera, PictureFolder):
            self.camera.go_to(index)
            self._ended = False
            self._may_read.set()

    def take(self, timeout_s: float = 1.0) -> Frame | None:
        """Return the next picture, or None while the last one is still shown."""
        if not self._may_read.wait(timeout_s) or self._ended:
            return None
        self._may_read.clear()
        frame = self.camera.read()
        self._ended = frame is None
        self.read += frame is not None
        return frame

    def close(self, wait_s: float = 0.0) -> None:
        """Close the source; there is no read in progress to wait for."""
        self.camera.close()


class PictureReader:
    """A `PictureQueue` that reads in a thread, so that a large picture holds nobody up.

    Args:
        camera: The source that is read; closed with the reader.
        on_change: Called from the thread after each picture and at the end; it must not wait.

    Attributes:
        camera: As given.
        dropped: Always 0, as of `PictureQueue`.
        read: Number of frames read.
    """

    def __init__(self, camera: Camera, on_change: Callable[[], object]) -> None:
        self.camera, self._on_change = camera, on_change
        self.dropped = 0
        self.read = 0
        self._frame: Frame | None = None
        self._fault: Exception | None = None
        self._ended = self._stopping = False
        self._is_due = True
        """A picture is being read, or was not taken yet."""
        self._may_read = threading.Event()
        self._may_read.set()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read_on, name="camera-reader", daemon=True)
        self._thread.start()

    @property
    def has_ended(self) -> bool:
        """True once the last picture was taken and dealt with."""
        with self._changed:
            return self._ended and self._frame is None and self._fault is None

    def advance(self) -> None:
        """Have the next picture read; not before the last one was taken."""
        with self._changed:
            if not self._is_due:
                self._is_due = True
                self._may_read.set()

    def take(self, timeout_s: float = 1.0) -> Frame | None:
        """Return the next picture once it is read, or None.

        Raises:
            CameraError: The source cannot be read any further.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._frame or self._ended, timeout_s)
            frame, self._frame = self._frame, None
            if frame is not None:
                self._is_due = False
            if frame is None and self._fault is not None:
                raise self._fault
            return frame

    def close(self, wait_s: float = 1.0) -> None:
        """Stop reading and close the source; a read in progress is waited for, up to `wait_s`."""
        self._stopping = True
        self._may_read.set()
        self._thread.join(wait_s)
        if not self._thread.is_alive():
            self.camera.close()

    def _read_on(self) -> None:
        try:
            while not self._stopping:
                self._may_read.wait()
                self._may_read.clear()
                frame = None if self._stopping else self.camera.read()
                if frame is None:
                    break
                with self._changed:
                    self.read += 1
                    self._frame = frame
                    self._changed.notify_all()
                self._on_change()
        except CameraError as fault:
            self._fault = fault
        except Exception as fault:  # noqa: BLE001  a dead thread must not look like a wait
            self._fault = CameraError(f"{self.camera.name}: reading failed ({fault!r}).")
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()
            self._on_change()
            if self._stopping:
                self.camera.close()
