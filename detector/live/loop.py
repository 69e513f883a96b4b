"""The live loop: takes the newest frame, labels it, shows it, obeys. It must never lag."""

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from detector.drawing.overlay import Readout
from detector.drawing.tags import describe_face
from detector.live.controls import LiveControls
from detector.screens.base import Controls, Counts, LiveView, NoScreen, Screen
from detector.screens.commands import KEYS, CommandDesk
from detector.tracking.pipeline import FrameResult, LivePipeline
from detector.tracking.tracker import TrackedFace
from maskage.cameras.live_feed import LiveFeed
from maskage.cameras.sources import Camera, PictureFolder
from maskage.cameras.video.video_file import VideoFile
from maskage.console import say
from maskage.pictures.picture_files import LeftOut
from maskage.records import Label

PICTURE_S = 1.5
"""How long each picture of a folder is shown."""

_WAIT_S = 0.05
_REFRESH_S = 0.25
_RATE_FRAMES = 30
_AGES = 20_000
"""Frames whose ages are summed up: the last ten minutes or so."""


@dataclass(frozen=True)
class LoopOptions:
    """When the loop stops by itself.

    Attributes:
        seconds, frames: Limits; None for none.
    """

    seconds: float | None = None
    frames: int | None = None


@dataclass(frozen=True)
class LiveSummary:
    """How it went.

    Attributes:
        frames: Frames labelled.
        dropped: Frames passed over because newer ones had come.
        reconnects: How often a lost source was opened again.
        seconds: From the first frame to the last.
        age_p50_ms, age_p95_ms: Age of a frame when it had been shown, of the last 20,000.
        skipped: Messages about pictures that could not be read.
        left_out: What lies in the folder of pictures and is none that is read.
        damage: What of a video could not be shown, for people.
    """

    frames: int
    dropped: int
    reconnects: int
    seconds: float
    age_p50_ms: float
    age_p95_ms: float
    skipped: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    damage: tuple[str, ...] = ()

    def __str__(self) -> str:
        rate = (self.frames - 1) / self.seconds if self.frames > 1 and self.seconds > 0 else 0.0
        return (
            f"{self.frames} frames labelled at {rate:.1f} a second, {self.dropped} dropped for "
            f"newer ones, {self.reconnects} reconnects; age when shown: median "
            f"{self.age_p50_ms:.0f} ms, 95% under {self.age_p95_ms:.0f} ms"
        )


class LiveLoop:
    """Takes the newest frame, labels it, shows it; carries out what is asked for.

    Args:
        options: Limits.
        feed: Open; closed by the caller.
        pipeline: Labels the frames.
        screen: Open; closed by the caller.
        controls: Carries out commands; closed by the caller.
        listeners: Called with each labelled frame before it is shown; they must not wait.
        desk: Where others than the screen's keys leave commands.
        clock: Seconds, monotonic, the one that `Frame.captured_s` is told by.
    """

    def __init__(
        self,
        options: LoopOptions,
        feed: LiveFeed,
        pipeline: LivePipeline,
        screen: Screen,
        controls: LiveControls,
        listeners: Iterable[Callable[[FrameResult], None]] = (),
        desk: CommandDesk | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._feed = feed
        self._pipeline = pipeline
        self._screen = screen
        self._controls = controls
        self._listeners = tuple(listeners)
        self._desk = desk or CommandDesk()
        self._clock = clock
        self._camera: Camera = feed.camera
        self._shown_s = 0.0
        self._frames = 0
        self._first_s = self._last_s = 0.0
        self._done_s: deque[float] = deque(maxlen=_RATE_FRAMES)
        self._ages_ms: deque[float] = deque(maxlen=_AGES)
        self._said_problem: str | None = None
        self._said_message = ""
        self._is_over = False
        self._said: dict[int, Label | None] = {}

    def run(self) -> None:
        """Loop until something ends it."""
        started_s = self._clock()
        while self._goes_on(started_s):
            # Before the next frame is taken: after a switch, one of the former camera is not shown.
            self._obey()
            frame = self._feed.take(_WAIT_S)
            if frame is not None and self._is_shown():
                self._notice_camera()
                self._handle(self._pipeline.process(frame))
            elif self._clock() - self._shown_s > _REFRESH_S:
                self._show_again()
            self._advance_pictures()
            self._tell_notices()
            if isinstance(self._screen, NoScreen):
                self._say_problem()
                self._say_message()
        self._tell_notices()
        if self._feed.has_ended:
            # Or who watches from afar could not tell an end from a fault.
            self._is_over = True
            self._show_again()

    @property
    def summary(self) -> LiveSummary:
        """How it went so far."""
        ages = np.array(self._ages_ms or [0.0])
        camera = self._feed.camera
        return LiveSummary(
            self._frames,
            self._feed.dropped,
            self._feed.reconnects,
            self._last_s - self._first_s,
            float(np.percentile(ages, 50)),
            float(np.percentile(ages, 95)),
            tuple(camera.skipped) if isinstance(camera, PictureFolder) else (),
            camera.left_out if isinstance(camera, PictureFolder) else (),
            tuple(camera.damage.faults) if isinstance(camera, VideoFile) else (),
        )

    def _goes_on(self, started_s: float) -> bool:
        if self._controls.has_quit or not self._screen.is_open:
            return False
        if self._options.frames is not None and self._frames >= self._options.frames:
            return False
        if self._options.seconds is not None and (
            self._clock() - started_s >= self._options.seconds
        ):
            return False
        is_over = self._feed.has_ended and not self._controls.is_paused
        return not is_over or self._controls.go_on_after_end()

    def _obey(self) -> None:
        asked = [KEYS[key] for key in self._screen.read_keys() if key in KEYS] + self._desk.take()
        was_paused = self._controls.is_paused
        for command in asked:
            self._controls.obey(command)
        if self._controls.is_paused is not was_paused:
            self._done_s.clear()
        if asked:
            self._show_again()

    def _is_shown(self) -> bool:
        """Whether a frame is shown; one of a queue would be lost for good if it were not."""
        return not self._controls.is_paused or self._feed.is_queue

    def _notice_camera(self) -> None:
        """Another camera, or the same one opened again: who was seen before need not be there."""
        if self._feed.camera is not self._camera:
            self._camera = self._feed.camera
            self._pipeline.forget()

    def _handle(self, result: FrameResult) -> None:
        self._frames += 1
        for tell in self._listeners:
            tell(result)
        if isinstance(self._screen, NoScreen):
            self._say_changes(result)
        self._controls.record(self._show(result))
        self._last_s = self._clock()
        self._first_s = self._first_s or self._last_s
        self._done_s.append(self._last_s)
        self._ages_ms.append(1000 * (self._last_s - result.frame.captured_s))

    def _show_again(self) -> None:
        if self._controls.shown is not None:
            self._show(self._controls.shown)

    def _show(self, result: FrameResult) -> LiveView:
        self._controls.shown, self._shown_s = result, self._clock()
        controls = self._controls.describe()
        view = LiveView(
            result,
            self._readout(result, controls),
            self._controls.is_mirrored,
            controls,
            Counts(self._frames, self._feed.dropped, self._feed.reconnects),
            self._is_over,
        )
        self._screen.show(view)
        return view

    def _readout(self, result: FrameResult, controls: Controls) -> Readout:
        notices = [self._feed.problem, self._pipeline.finder.notice]
        is_moving = self._feed.camera.is_live and not self._controls.is_paused
        age_ms = 1000 * (self._clock() - result.frame.captured_s)
        return Readout(
            fps=self._rate() if is_moving else None,
            age_ms=age_ms if is_moving else None,
            notice="  ".join(filter(None, notices)) or None,
            stale_s=self._feed.stale_s,
            is_paused=self._controls.is_paused,
            message=self._controls.message,
            is_recording=controls.recording is not None,
            selected=controls.selected,
        )

    def _rate(self) -> float | None:
        """Frames a second over the last ones."""
        if len(self._done_s) < 2 or self._done_s[-1] <= self._done_s[0]:
            return None
        return (len(self._done_s) - 1) / (self._done_s[-1] - self._done_s[0])

    def _advance_pictures(self) -> None:
        if not self._feed.is_queue or self._controls.is_paused:
            return
        is_slide = isinstance(self._feed.camera, PictureFolder)
        is_watched = is_slide and not isinstance(self._screen, NoScreen)
        if not is_watched or self._clock() - self._last_s >= PICTURE_S:
            self._feed.advance()

    def _tell_notices(self) -> None:
        """Tell of damage and pauses of a video as they are met; of the damage at the end too."""
        camera = self._feed.camera
        if not isinstance(camera, VideoFile):
            return
        for notice in camera.take_notices():
            if isinstance(self._screen, NoScreen):
                say(notice)
            else:
                self._controls.tell(notice)

    def _say_problem(self) -> None:
        """Headless: one line when the source is lost, and when it is back."""
        problem = self._feed.problem
        if problem != self._said_problem:
            say(problem or "The picture is back.")
            self._said_problem = problem

    def _say_message(self) -> None:
        """Headless: what just happened, once; a recording that failed is not to go unnoticed."""
        message = self._controls.message
        if message and message != self._said_message:
            say(message)
        self._said_message = message

    def _say_changes(self, result: FrameResult) -> None:
        """Headless: one line for each new face and each change of its label."""
        for face in result.faces:
            if face.track not in self._said or self._said[face.track] is not _told_label(face):
                say(f"{result.frame.position_s:8.2f} s  {describe_face(face)}")
        present = {face.track: _told_label(face) for face in result.faces}
        # Tracks never come back once forgotten; keep what may still be remembered.
        self._said = {**dict(list(self._said.items())[-50:]), **present}


def _told_label(face: TrackedFace) -> Label | None:
    """The label that people are told; None for an unsure face, whose label is not."""
    return face.label if face.is_sure else None
