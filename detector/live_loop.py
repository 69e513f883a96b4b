"""The live loop: takes the newest frame, labels it, shows it, obeys keys. It must never lag."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from collector.cameras import PictureFolder
from collector.console import say
from collector.errors import EnvironmentProblemError
from collector.records import Label
from detector.events import EventLog
from detector.feed import LiveFeed
from detector.overlay import Readout, describe_face, draw_result
from detector.pipeline import FrameResult, LivePipeline
from detector.screens import MIRROR, NEXT, PAUSE, QUIT, SNAPSHOT, LiveView, NoScreen, Screen
from detector.video import write_picture

PICTURE_S = 1.5
"""How long each picture of a folder is shown."""

MESSAGE_S = 3.0
_WAIT_S = 0.05
_REFRESH_S = 0.5
_RATE_FRAMES = 30


@dataclass(frozen=True)
class LoopOptions:
    """When the loop stops by itself, and how it begins.

    Attributes:
        seconds, frames: Limits; None for none.
        snapshots: Folder for snapshots.
        is_mirrored: Begin mirrored.
    """

    seconds: float | None = None
    frames: int | None = None
    snapshots: Path = Path("snapshots")
    is_mirrored: bool = False


@dataclass(frozen=True)
class LiveSummary:
    """How it went.

    Attributes:
        frames: Frames labelled.
        dropped: Frames passed over because newer ones had come.
        reconnects: How often a lost source was opened again.
        seconds: From the first frame to the last.
        age_p50_ms, age_p95_ms: Age of a frame when it had been shown.
        skipped: Messages about pictures that could not be read.
    """

    frames: int
    dropped: int
    reconnects: int
    seconds: float
    age_p50_ms: float
    age_p95_ms: float
    skipped: tuple[str, ...] = ()

    def __str__(self) -> str:
        rate = (self.frames - 1) / self.seconds if self.frames > 1 and self.seconds > 0 else 0.0
        return (
            f"{self.frames} frames labelled at {rate:.1f} a second, {self.dropped} dropped for "
            f"newer ones, {self.reconnects} reconnects; age when shown: median "
            f"{self.age_p50_ms:.0f} ms, 95% under {self.age_p95_ms:.0f} ms"
        )


class LiveLoop:
    """Takes the newest frame, labels it, shows it; obeys keys.

    Args:
        options: Limits and places.
        feed: Open; closed by the caller.
        pipeline: Labels the frames.
        screen: Open; closed by the caller.
        log: Where events go, or None.
        clock: Seconds, monotonic, the one that `Frame.captured_s` is told by.
    """

    def __init__(
        self,
        options: LoopOptions,
        feed: LiveFeed,
        pipeline: LivePipeline,
        screen: Screen,
        log: EventLog | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._feed = feed
        self._pipeline = pipeline
        self._screen = screen
        self._log = log
        self._clock = clock
        self._is_mirrored = options.is_mirrored
        self._is_paused = False
        self._has_quit = False
        self._message, self._message_until_s = "", 0.0
        self._shown: FrameResult | None = None
        self._shown_s = 0.0
        self._frames = 0
        self._first_s = self._last_s = 0.0
        self._done_s: deque[float] = deque(maxlen=_RATE_FRAMES)
        self._ages_ms: deque[float] = deque(maxlen=100_000)
        self._said_problem: str | None = None
        self._said: dict[int, tuple[Label, bool]] = {}

    def run(self) -> None:
        """Loop until something ends it."""
        started_s = self._clock()
        while self._goes_on(started_s):
            frame = self._feed.take(_WAIT_S)
            for key in self._screen.read_keys():
                self._obey(key)
            if frame is not None and not self._is_paused:
                self._handle(self._pipeline.process(frame))
            elif self._shown and self._clock() - self._shown_s > _REFRESH_S:
                self._show(self._shown)
            self._advance_pictures()
            if isinstance(self._screen, NoScreen):
                self._say_problem()

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
        )

    def _goes_on(self, started_s: float) -> bool:
        if self._has_quit or not self._screen.is_open:
            return False
        if self._options.frames is not None and self._frames >= self._options.frames:
            return False
        if self._options.seconds is not None:
            return self._clock() - started_s < self._options.seconds
        return not (self._feed.has_ended and not self._is_paused)

    def _handle(self, result: FrameResult) -> None:
        self._frames += 1
        if self._log:
            self._log.write(result)
        if isinstance(self._screen, NoScreen):
            self._say_changes(result)
        self._show(result)
        self._last_s = self._clock()
        self._first_s = self._first_s or self._last_s
        self._done_s.append(self._last_s)
        self._ages_ms.append(1000 * (self._last_s - result.frame.captured_s))

    def _show(self, result: FrameResult) -> None:
        self._shown, self._shown_s = result, self._clock()
        self._screen.show(LiveView(result, self._readout(result), self._is_mirrored))

    def _readout(self, result: FrameResult) -> Readout:
        notices = [self._feed.problem, self._pipeline.finder.notice]
        is_moving = self._feed.camera.is_live and not self._is_paused
        age_ms = 1000 * (self._clock() - result.frame.captured_s)
        return Readout(
            fps=self._rate() if is_moving else None,
            age_ms=age_ms if is_moving else None,
            notice="  ".join(filter(None, notices)) or None,
            stale_s=self._feed.stale_s,
            is_paused=self._is_paused,
            message=self._message if self._shown_s < self._message_until_s else "",
        )

    def _rate(self) -> float | None:
        """Frames a second over the last ones."""
        if len(self._done_s) < 2 or self._done_s[-1] <= self._done_s[0]:
            return None
        return (len(self._done_s) - 1) / (self._done_s[-1] - self._done_s[0])

    def _obey(self, key: str) -> None:
        if key == QUIT:
            self._has_quit = True
        elif key == PAUSE:
            self._is_paused = not self._is_paused
            self._done_s.clear()
        elif key == MIRROR:
            self._is_mirrored = not self._is_mirrored
        elif key == SNAPSHOT and self._shown:
            self._take_snapshot(self._shown)
        elif key == NEXT:
            self._feed.advance()
        else:
            return
        if self._shown:
            self._show(self._shown)

    def _take_snapshot(self, result: FrameResult) -> None:
        name = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")[:-3] + "Z.jpg"
        path = self._options.snapshots / name
        drawn = draw_result(result, Readout(), is_mirrored=self._is_mirrored)
        try:
            write_picture(path, drawn)
            self._message = f"saved {path}"
        except EnvironmentProblemError as fault:
            # A full disk is no reason to stop watching.
            self._message = str(fault)
        self._message_until_s = self._clock() + MESSAGE_S

    def _advance_pictures(self) -> None:
        if not self._feed.is_queue or self._is_paused:
            return
        is_watched = not isinstance(self._screen, NoScreen)
        if not is_watched or self._clock() - self._last_s >= PICTURE_S:
            self._feed.advance()

    def _say_problem(self) -> None:
        """Headless: one line when the source is lost, and when it is back."""
        problem = self._feed.problem
        if problem != self._said_problem:
            say(problem or "The picture is back.")
            self._said_problem = problem

    def _say_changes(self, result: FrameResult) -> None:
        """Headless: one line for each new face and each change of its label."""
        for face in result.faces:
            now = (face.label, face.is_sure)
            if self._said.get(face.track) != now:
                say(f"{result.frame.position_s:8.2f} s  {describe_face(face)}")
        present = {face.track: (face.label, face.is_sure) for face in result.faces}
        # Tracks never come back once forgotten; keep what may still be remembered.
        self._said = {**dict(list(self._said.items())[-50:]), **present}
