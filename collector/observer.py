"""The thread that watches the camera: finds the face of the newest frame, and reopens what is lost.

It hands one `Observation` at a time to the screen: a newer one replaces one not yet shown, and the
replaced ones are counted.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from collector.cameras import Camera
from collector.errors import CameraError, ToolchainError
from collector.faces import FaceFinder
from collector.observation import Observation, observe_frame
from collector.picture_queue import PictureQueue
from collector.reader import NewestFrameReader
from collector.records import Frame

CameraOpener = Callable[[str], Camera]

_WAIT_S = 0.25
_STALLED_AFTER_S = 2.0
_RETRY_S = (0.5, 1.0, 2.0, 4.0)


class CameraCondition(StrEnum):
    LIVE = "live"
    LOST = "lost"
    ENDED = "ended"


@dataclass(frozen=True)
class CameraState:
    """How the camera is.

    Attributes:
        condition: Live, lost, or at the end of its recording.
        name: Of the camera.
        message: For people; empty while all is well.
    """

    condition: CameraCondition
    name: str
    message: str = ""


class Observer:
    """Watches one camera at a time until closed.

    Args:
        camera: Open; the observer closes it.
        source: What `opener` opened it from, so that it can be opened again.
        opener: Opens a source, or raises `CameraError`.
        finder: Used from the observer's thread only.
        on_observation: Called from the thread when `take` has something new, once until taken.
        on_state: Called from the thread when the camera's condition changes.
    """

    def __init__(
        self,
        camera: Camera,
        source: str,
        opener: CameraOpener,
        finder: FaceFinder,
        on_observation: Callable[[], None],
        on_state: Callable[[CameraState], None],
    ) -> None:
        self.source = source
        self._opener = opener
        self._finder = finder
        self._on_observation = on_observation
        self._on_state = on_state
        self._slot: Observation | None = None
        self._mutex = threading.Lock()
        self._stopping = threading.Event()
        self._next_sources: list[str] | None = None
        self._dropped_before = 0
        self._unshown = 0
        self._changed_s = time.monotonic()
        self._thumbprint = b""
        self._reader = _start_reader(camera)
        self._thread = threading.Thread(target=self._watch, name="observer", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Frames that were read from a camera and never shown."""
        return self._dropped_before + self._reader.dropped + self._unshown

    @property
    def finder_notice(self) -> str | None:
        return self._finder.notice

    def take(self) -> Observation | None:
        """The newest observation that was not taken yet."""
        with self._mutex:
            observation, self._slot = self._slot, None
            return observation

    def advance(self) -> None:
        """Go to the next picture, where the source is a folder of pictures."""
        if isinstance(self._reader, PictureQueue):
            self._reader.advance()

    def switch(self, sources: list[str]) -> None:
        """Open the first of `sources` that opens, instead of the present camera."""
        self._next_sources = sources

    def close(self) -> None:
        """Stop watching and close the camera."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        self._reader.close()

    def _watch(self) -> None:
        self._say(CameraCondition.LIVE)
        last_frame_s = time.monotonic()
        is_ended = is_stalled = False
        while not self._stopping.is_set():
            if self._next_sources is not None:
                self._change_camera()
                last_frame_s, is_ended = time.monotonic(), False
            try:
                frame = self._reader.take(_WAIT_S)
            except CameraError as fault:
                self._reopen(str(fault))
                last_frame_s = time.monotonic()
                continue
            if frame is not None:
                if is_stalled:
                    is_stalled = False
                    self._say(CameraCondition.LIVE)
                last_frame_s = time.monotonic()
                self._show(frame)
            elif self._reader.has_ended and not is_ended:
                is_ended = True
                self._say(CameraCondition.ENDED, "The recording is over.")
            elif is_ended:
                self._stopping.wait(_WAIT_S)
            elif not is_stalled and time.monotonic() - last_frame_s > _STALLED_AFTER_S:
                is_stalled = self._reader.camera.is_live
                if is_stalled:
                    self._say(CameraCondition.LOST, "No picture: waiting for the camera.")

    def _show(self, frame: Frame) -> None:
        camera = self._reader.camera
        observation = observe_frame(
            frame,
            self._finder,
            camera.name,
            is_live=camera.is_live,
            still_s=self._measure_stillness(frame),
        )
        with self._mutex:
            is_announced = self._slot is not None
            self._unshown += is_announced
            self._slot = observation
        if not is_announced:
            self._on_observation()

    def _measure_stillness(self, frame: Frame) -> float:
        """Seconds since the picture last changed; a real sensor's noise changes every frame."""
        thumbprint = frame.pixels[::16, ::16].tobytes()
        if thumbprint != self._thumbprint:
            self._thumbprint, self._changed_s = thumbprint, frame.captured_s
        return frame.captured_s - self._changed_s

    def _reopen(self, why: str) -> None:
        """Try to open the lost camera again, ever more slowly, until it answers."""
        self._close_reader()
        attempt = 0
        while not self._stopping.is_set() and self._next_sources is None:
            attempt += 1
            self._say(CameraCondition.LOST, f"{why} Reconnecting ({attempt}).")
            if self._stopping.wait(_RETRY_S[min(attempt, len(_RETRY_S)) - 1]):
                return
            try:
                self._adopt(self._opener(self.source))
            except ToolchainError as fault:
                why = str(fault)
            else:
                return

    def _change_camera(self) -> None:
        sources, self._next_sources = self._next_sources or [], None
        self._close_reader()
        faults = []
        for source in [*sources, self.source]:
            try:
                camera = self._opener(source)
            except ToolchainError as fault:
                faults.append(str(fault))
                continue
            self.source = source
            self._adopt(camera)
            return
        self._reopen(faults[-1])

    def _adopt(self, camera: Camera) -> None:
        self._reader = _start_reader(camera)
        self._changed_s = time.monotonic()
        self._say(CameraCondition.LIVE)

    def _close_reader(self) -> None:
        self._reader.close()
        self._dropped_before += self._reader.dropped
        self._reader.dropped = 0

    def _say(self, condition: CameraCondition, message: str = "") -> None:
        self._on_state(CameraState(condition, self._reader.camera.name, message))


def _start_reader(camera: Camera) -> NewestFrameReader | PictureQueue:
    """A live camera is read all the time; a folder of pictures waits for the person."""
    return NewestFrameReader(camera) if camera.is_live else PictureQueue(camera)
