"""The thread that watches the camera: finds the face of the newest frame, and reopens what is lost.

It hands one `Observation` at a time to the screen: a newer one replaces one not yet shown, and the
replaced ones are counted.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from collector.capture.observation import Observation, observe_frame
from maskage.cameras.newest_frame import NewestFrameReader
from maskage.cameras.picture_queue import PictureQueue
from maskage.cameras.reconnecting import RETRY_S, FrameRhythm
from maskage.cameras.sources import Camera, PictureFolder, can_fall_silent
from maskage.cameras.video.video_file import VideoFile
from maskage.errors import CameraError, ToolchainError
from maskage.faces.finder import FaceFinder
from maskage.records import Frame

CameraOpener = Callable[[str], Camera]

_WAIT_S = 0.2
_FIRST_FRAME_S = 2.0
"""How long a camera that was opened again may take to give a picture."""


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
        attempt: Where it is lost, how often it was tried to open it again, from 1.
    """

    condition: CameraCondition
    name: str
    message: str = ""
    attempt: int = 0


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
        self._rhythm = FrameRhythm()
        self._reader = _start_reader(camera)
        self._thread = threading.Thread(target=self._watch, name="observer", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Frames that were read from a camera and never shown."""
        return self._dropped_before + self._reader.dropped + self._unshown

    def take(self) -> Observation | None:
        """The newest observation that was not taken yet."""
        with self._mutex:
            observation, self._slot = self._slot, None
            return observation

    def advance(self) -> None:
        """Go to the next picture, where the source is a folder of pictures."""
        if isinstance(self._reader, PictureQueue):
            self._reader.advance()

    def return_to(self, index: int) -> None:
        """Show this picture of a folder again, counted from 0."""
        if isinstance(self._reader, PictureQueue):
            self._reader.go_to(index)

    @property
    def frame_count(self) -> int | None:
        """How many pictures there are, or None where unknown or endless."""
        return self._reader.camera.frame_count

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
        self._rhythm.restart()
        is_ended = False
        while not self._stopping.is_set():
            if self._next_sources is not None:
                self._change_camera()
                is_ended = False
            try:
                frame = self._reader.take(_WAIT_S)
                if frame is not None:
                    if is_ended:
                        is_ended = False
                        self._say(CameraCondition.LIVE)
                    self._rhythm.note(is_first=frame.index == 0)
                    self._show(frame)
                    continue
            except CameraError as fault:
                is_ended = self._lose(str(fault), is_ended)
                continue
            except Exception as fault:  # noqa: BLE001  a dead thread must not look like a still picture
                is_ended = self._lose(f"A picture could not be looked at ({fault!r}).", is_ended)
                continue
            if self._reader.has_ended and not is_ended:
                is_ended = True
                self._say(CameraCondition.ENDED, _describe_end(self._reader.camera))
            elif is_ended:
                self._stopping.wait(_WAIT_S)
            elif can_fall_silent(self._reader.camera) and self._rhythm.is_silent:
                self._reopen("No picture: waiting for the camera.")

    def _show(self, frame: Frame) -> None:
        self._hand_over(self._observe(frame, self._reader.camera))

    def _observe(self, frame: Frame, camera: Camera) -> Observation:
        return observe_frame(
            frame,
            self._finder,
            _source_of(frame, camera),
            is_live=camera.is_live,
            still_s=self._measure_stillness(frame),
        )

    def _hand_over(self, observation: Observation) -> None:
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

    def _lose(self, why: str, is_ended: bool) -> bool:
        """Open a lost camera again; a recording would begin anew, and come to the same fault.

        Returns:
            Whether the source is over.
        """
        if not isinstance(self._reader.camera, VideoFile):
            self._reopen(why)
            return False
        if not is_ended:
            self._say(CameraCondition.ENDED, why)
        self._stopping.wait(_WAIT_S)
        return True

    def _reopen(self, why: str) -> None:
        """Try to open the lost camera again until it gives a picture."""
        self._close_reader()
        attempt = 0
        while not self._stopping.is_set() and self._next_sources is None:
            attempt += 1
            self._say(CameraCondition.LOST, f"{why} Reconnecting ({attempt}).", attempt)
            if self._stopping.wait(RETRY_S[min(attempt, len(RETRY_S)) - 1]):
                return
            try:
                self._adopt(self._opener(self.source))
                return
            except Exception as fault:  # noqa: BLE001  whatever it is, it is tried again
                why = _describe_fault(fault)

    def _change_camera(self) -> None:
        sources, self._next_sources = self._next_sources or [], None
        # This one answers: wait for it, so that the same camera can be opened again at once.
        self._close_reader(wait_s=1.0)
        faults = []
        for source in [*sources, self.source]:
            try:
                self._adopt(self._opener(source))
            except Exception as fault:  # noqa: BLE001  the next one may open
                faults.append(_describe_fault(fault))
                continue
            self.source = source
            return
        self._reopen(faults[-1])

    def _adopt(self, camera: Camera) -> None:
        """Take a camera over once it gives a picture: one that only opens is not back.

        Raises:
            CameraError: It gives none.
        """
        reader = _start_reader(camera)
        try:
            frame = reader.take(_FIRST_FRAME_S)
            if frame is None and can_fall_silent(camera) and not reader.has_ended:
                raise CameraError(f"{camera.name}: opened, but no picture comes.")
            # Looked at before it is adopted: what cannot be looked at is not back.
            observation = self._observe(frame, camera) if frame is not None else None
        except Exception:
            reader.close(wait_s=0)
            raise
        # What counts as frozen goes on counting: relays begin with the last picture they kept.
        self._reader = reader
        self._rhythm.restart()
        self._say(CameraCondition.LIVE)
        if observation is not None:
            self._hand_over(observation)

    def _close_reader(self, wait_s: float = 0.1) -> None:
        """Let go of the camera without waiting for a read that is stuck; forget what it showed."""
        self._reader.close(wait_s)
        self._dropped_before += self._reader.dropped
        self._reader.dropped = 0
        with self._mutex:
            self._slot = None

    def _say(self, condition: CameraCondition, message: str = "", attempt: int = 0) -> None:
        self._on_state(CameraState(condition, self._reader.camera.name, message, attempt))


def _describe_fault(fault: Exception) -> str:
    """What to tell of it: our own faults speak for themselves."""
    return str(fault) if isinstance(fault, ToolchainError) else f"Unforeseen: {fault!r}."


def _source_of(frame: Frame, camera: Camera) -> str:
    """What a photo of this frame is said to come from: a picture of a folder by its own path."""
    if isinstance(camera, PictureFolder) and frame.file is not None:
        return str(camera.folder / frame.file)
    return camera.name


def _describe_end(camera: Camera) -> str:
    if isinstance(camera, VideoFile):
        return " ".join(["The recording is over.", *camera.damage.faults])
    if not isinstance(camera, PictureFolder):
        return "The recording is over."
    unread = len(camera.skipped)
    broken = f" {unread} could not be read, first: {camera.skipped[0]}" if unread else ""
    others = len(camera.left_out)
    left = f" {others} are left out, first: {camera.left_out[0].path}" if others else ""
    return f"Every picture of the folder is dealt with.{broken}{left}"


def _start_reader(camera: Camera) -> NewestFrameReader | PictureQueue:
    """A live camera is read all the time; a folder of pictures waits for the person."""
    return NewestFrameReader(camera) if camera.is_live else PictureQueue(camera)
