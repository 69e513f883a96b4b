"""The opening of a camera, and of a lost one again."""

import threading
from collections.abc import Callable

from maskage.cameras.newest_frame import NewestFrameReader
from maskage.cameras.picture_queue import PictureQueue, PictureReader
from maskage.cameras.sources import Camera
from maskage.errors import CameraError

RETRY_S = (0.25, 0.5, 1.0)
"""Pauses before the first, the second and every further attempt to open a lost camera again."""

Reader = NewestFrameReader | PictureQueue | PictureReader


def retry_pause_s(attempt: int) -> float:
    """Return the seconds to wait before an attempt, counted from 1."""
    return RETRY_S[min(attempt, len(RETRY_S)) - 1]


class Opening:
    """One attempt to open a source, in a thread: some drivers never come back from it.

    Args:
        open_source: Opens the source.
        former: Reader to close before, or None. A device opens only once.
        pause_s: Seconds to wait before the attempt.
        close_wait_s: Seconds to wait for a read of `former` that is in progress.
    """

    def __init__(
        self,
        open_source: Callable[[], Camera],
        former: Reader | None,
        *,
        pause_s: float,
        close_wait_s: float,
    ) -> None:
        self._open_source, self._former = open_source, former
        self._pause_s, self._close_wait_s = pause_s, close_wait_s
        self._camera: Camera | None = None
        self._fault: CameraError | None = None
        self._mutex = threading.Lock()
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera-opener", daemon=True)
        self._thread.start()

    def wait(self, timeout_s: float) -> Camera | None:
        """Return the open camera, which then belongs to the caller; None while it is opening.

        Raises:
            CameraError: The attempt failed.
        """
        self._thread.join(timeout_s)
        if self._fault is not None:
            raise self._fault
        return self._release()

    def cancel(self, wait_s: float) -> None:
        """Give the attempt up; its camera is closed, by the thread where it opens later.

        Args:
            wait_s: Seconds to wait for the thread.
        """
        self._cancelled.set()
        self._thread.join(wait_s)
        if (camera := self._release()) is not None:
            camera.close()

    def _release(self) -> Camera | None:
        with self._mutex:
            camera, self._camera = self._camera, None
            return camera

    def _run(self) -> None:
        if self._former is not None:
            self._former.close(self._close_wait_s)
        if self._cancelled.wait(self._pause_s):
            return
        try:
            camera = self._open_source()
        except CameraError as fault:
            self._fault = fault
        except Exception as fault:  # noqa: BLE001  a dead thread would never try again
            self._fault = CameraError(f"The camera cannot be opened ({fault!r}).")
        else:
            self._hand_over(camera)

    def _hand_over(self, camera: Camera) -> None:
        with self._mutex:
            if not self._cancelled.is_set():
                self._camera = camera
                return
        camera.close()
