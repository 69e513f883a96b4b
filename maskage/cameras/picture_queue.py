"""A folder of pictures as a queue: the next one comes when the last is dealt with."""

import threading
from collections.abc import Callable

from maskage.cameras.newest_frame import NewestFrameReader
from maskage.cameras.sources import Camera, PictureFolder
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


class PictureReader(NewestFrameReader):
    """A `PictureQueue` that reads in a thread, so that a large picture holds nobody up.

    Args:
        camera: The source that is read; closed with the reader.
        on_change: Called from the thread after each picture and at the end; it must not wait.
    """

    def __init__(self, camera: Camera, on_change: Callable[[], object]) -> None:
        self._is_due = True
        """A picture is being read, or was not taken yet."""
        super().__init__(camera, on_change)

    def advance(self) -> None:
        """Have the next picture read; not before the last one was taken."""
        with self._changed:
            if not self._is_due:
                self._is_due = True
                self._may_read.set()

    def hold(self, *, is_held: bool) -> None:
        """Do nothing: each picture waits for `advance` anyway."""

    def take(self, timeout_s: float = 1.0) -> Frame | None:
        """Return the next picture once it is read, or None.

        Raises:
            CameraError: The source cannot be read any further.
        """
        frame = super().take(timeout_s)
        if frame is not None:
            with self._changed:
                self._is_due = False
        return frame

    def _await_turn(self) -> None:
        super()._await_turn()
        self._may_read.clear()
