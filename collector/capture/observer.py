"""The thread that watches the camera and finds the face of the newest frame.

It hands one `Observation` at a time to the screen: a newer one replaces one not yet shown, and the
replaced ones are counted.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from collector.capture.pictures_ahead import PicturesAhead
from maskage.cameras.live_feed import CameraCondition, CameraState, LiveFeed
from maskage.cameras.sources import Camera, PictureFolder, can_fall_silent
from maskage.cameras.video.video_file import VideoFile
from maskage.capture.observation import Observation, observe_frame
from maskage.errors import CameraError
from maskage.faces.finder import FaceFinder
from maskage.formats.sums import hash_file
from maskage.records import Frame

CameraOpener = Callable[[str], Camera]

_WAIT_S = 0.2


class Observer:
    """Watches one camera at a time until closed; `LiveFeed` gets a lost one back.

    Args:
        camera: The open camera; the observer closes it.
        source: The source that `opener` opened it from, so that it can be opened again.
        opener: Opens a source, or raises `CameraError`.
        finder: Used from the observer's thread only.
        on_observation: Called from the thread when `take` has something new, once until taken.
        on_state: Called from the thread when the camera's condition changes.

    Attributes:
        source: The source that frames come from.
    """

    def __init__(
        self,
        camera: Camera,
        source: str,
        opener: CameraOpener,
        finder: FaceFinder,
        *,
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
        self._unshown = 0
        self._changed_s = time.monotonic()
        self._thumbprint = b""
        self._newest: Observation | None = None
        self._ahead = PicturesAhead()
        self._choice = _SourceChoice([source], opener)
        self._feed = LiveFeed(
            self._choice.open, camera, examine=self._examine, on_state=self._pass_on
        )
        self._thread = threading.Thread(target=self._watch, name="observer", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Number of frames that were read from a camera and never shown."""
        return self._feed.dropped + self._unshown

    @property
    def frame_count(self) -> int | None:
        """Number of pictures of the source, or None where unknown or endless."""
        return self._feed.camera.frame_count

    def take(self) -> Observation | None:
        """Return the newest observation that was not taken yet, or a folder's next picture."""
        with self._mutex:
            observation, self._slot = self._slot, None
        return observation or self._ahead.take()

    def advance(self) -> Observation | None:
        """Go to the next picture of a folder.

        Returns:
            The picture. None where it is announced once it was read, or where there is none left,
            which is reported.
        """
        observation = self._ahead.next()
        if observation is None and (end := self._ahead.take_end()) is not None:
            self._on_state(end)
        return observation

    def return_to(self, index: int) -> None:
        """Show this picture of a folder again, counted from 0; it is announced."""
        self._ahead.go_back(index)

    def hold(self, *, is_held: bool) -> None:
        """Stop a recording at the present frame, or let it go on."""
        self._feed.hold(is_held=is_held)

    @property
    def is_queue(self) -> bool:
        """True for a folder of pictures."""
        return self._feed.is_queue

    @property
    def camera(self) -> Camera:
        """The camera that frames come from."""
        return self._feed.camera

    def switch(self, sources: list[str]) -> None:
        """Watch the first of `sources` that gives a picture, instead of the present camera."""
        self._next_sources = sources

    def close(self) -> None:
        """Stop watching and close the camera."""
        self._stopping.set()
        self._ahead.close()
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        self._feed.close()

    def _watch(self) -> None:
        self._on_state(self._feed.state)
        while not self._stopping.is_set():
            sources, self._next_sources = self._next_sources, None
            if sources is not None:
                self._choice = _SourceChoice([*sources, self.source], self._opener)
                self._ahead.clear()
                self._feed.switch(self._choice.open, sources[0])
            self._watch_once()

    def _wait_for_room(self) -> bool:
        """Return whether a picture of a folder is to be read; wait a little where none is."""
        if not self._feed.is_queue:
            return True
        if (index := self._ahead.take_wanted()) is not None:
            self._feed.go_to(index)
        elif self._feed.has_ended or not self._ahead.has_room:
            self._ahead.wait(_WAIT_S)
            return False
        else:
            self._feed.advance()
        return True

    def _watch_once(self) -> None:
        if not self._wait_for_room():
            return
        try:
            frame = self._feed.take(_WAIT_S)
        except CameraError:
            # A recording that cannot be read further: `_pass_on` has reported it.
            frame = None
        if frame is not None and self._newest is not None:
            self._hand_over(self._newest)
        elif self._feed.has_ended:
            self._stopping.wait(_WAIT_S)

    def _examine(self, frame: Frame) -> None:
        """Find the face; a camera whose pictures cannot be examined is not back."""
        camera = self._feed.camera
        source = _source_of(frame, camera)
        self._newest = observe_frame(
            frame,
            self._finder,
            source,
            is_live=camera.is_live,
            still_s=self._measure_stillness(frame),
            is_recording=camera.is_live and not can_fall_silent(camera),
            digest=hash_file(Path(source)) if isinstance(camera, PictureFolder) else None,
        )
        self.source = self._choice.settle()

    def _hand_over(self, observation: Observation) -> None:
        if self._feed.is_queue:
            if self._ahead.put(observation):
                self._on_observation()
            return
        with self._mutex:
            is_announced = self._slot is not None
            self._unshown += is_announced
            self._slot = observation
        if not is_announced:
            self._on_observation()

    def _measure_stillness(self, frame: Frame) -> float:
        """Return the seconds since the picture changed; a sensor's noise changes every frame.

        It goes on over a reconnect: a relay begins again with the last picture it kept.
        """
        thumbprint = frame.pixels[::16, ::16].tobytes()
        if thumbprint != self._thumbprint:
            self._thumbprint, self._changed_s = thumbprint, frame.captured_s
        return frame.captured_s - self._changed_s

    def _pass_on(self, state: CameraState) -> None:
        """Report a state to the screen, which is to show nothing from before a gap after it."""
        message = state.message
        match state.condition:
            case CameraCondition.ENDED:
                message = message or _describe_end(self._feed.camera)
            case CameraCondition.LOST:
                message = f"{message} Reconnecting ({state.attempt})."
        if state.condition not in (CameraCondition.LIVE, CameraCondition.ENDED):
            with self._mutex:
                self._slot = None
        state = replace(state, message=message)
        is_shown = state.condition is not CameraCondition.OPENING
        if is_shown and not (self._feed.is_queue and self._ahead.keeps(state)):
            self._on_state(state)


class _SourceChoice:
    """Sources to try one after the other; the last one is tried again and again.

    Args:
        sources: The sources, at least one.
        opener: Opens a source, or raises.
    """

    def __init__(self, sources: Sequence[str], opener: CameraOpener) -> None:
        self._left = deque(sources)
        self._opener = opener
        self._opened = sources[0]

    def open(self) -> Camera:
        """Open the first source that opens, of those that were not tried yet."""
        while True:
            is_last = len(self._left) == 1
            self._opened = self._left[0] if is_last else self._left.popleft()
            try:
                return self._opener(self._opened)
            except Exception:
                if is_last:
                    raise

    def settle(self) -> str:
        """Return the source that was opened, and from now on open only that one."""
        self._left = deque([self._opened])
        return self._opened


def _source_of(frame: Frame, camera: Camera) -> str:
    """Return where a photo of this frame comes from: a picture of a folder by its own path."""
    if isinstance(camera, PictureFolder) and frame.file is not None:
        return str((camera.folder / frame.file).absolute())
    return camera.name


def _describe_end(camera: Camera) -> str:
    if isinstance(camera, VideoFile):
        return " ".join(["The recording is over.", *camera.damage.faults])
    if not isinstance(camera, PictureFolder):
        return "The recording is over."
    # A picture that was gone back to may have been tried twice.
    unread = list(dict.fromkeys(camera.skipped))
    broken = f" {len(unread)} could not be read, first: {unread[0]}" if unread else ""
    others = len(camera.left_out)
    left = f" {others} are left out, first: {camera.left_out[0].path}" if others else ""
    return f"Every picture of the folder is dealt with.{broken}{left}"
