"""The live loop: takes the newest frame, labels it, shows it, carries out commands; never lags."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from detector.drawing.overlay import Readout
from detector.live.controls import LiveControls
from detector.live.summary import LiveMeter, LiveSummary
from detector.screens.base import Counts, LiveStatus, LiveView, Screen
from detector.screens.commands import Command
from detector.tracking.pipeline import FrameResult, LivePipeline
from maskage.cameras.live_feed import LiveFeed
from maskage.cameras.sources import Camera, PictureFolder
from maskage.cameras.video.video_file import VideoFile
from maskage.records import Frame

_WAIT_S = 0.05
_REFRESH_S = 0.25


@dataclass(frozen=True)
class LiveLimits:
    """The limits at which the loop stops by itself.

    Attributes:
        seconds: Longest time, or None.
        frames: Most labelled frames, or None.
    """

    seconds: float | None = None
    frames: int | None = None


class LiveLoop:
    """One live view, turn after turn.

    In each turn the commands of the screen go to the controls, which carry them out and return
    the new status. Then a frame goes from the feed through the pipeline to the listeners, the
    screen and the recording.

    Args:
        feed: Open; closed by the caller.
        pipeline: Labels the frames.
        screen: Open; closed by the caller.
        controls: Carries out commands; closed by the caller.
        limits: When to stop.
        listeners: Called with each labelled frame before it is shown; they must not wait.
    """

    def __init__(
        self,
        feed: LiveFeed,
        pipeline: LivePipeline,
        screen: Screen,
        controls: LiveControls,
        *,
        limits: LiveLimits,
        listeners: Iterable[Callable[[FrameResult], None]] = (),
    ) -> None:
        self._feed = feed
        self._pipeline = pipeline
        self._screen = screen
        self._controls = controls
        self._limits = limits
        self._listeners = tuple(listeners)
        self._meter = LiveMeter()
        self._camera: Camera = feed.camera
        self._status = LiveStatus()
        self._shown: FrameResult | None = None
        self._shown_s = 0.0

    def run(self) -> None:
        """Loop until the user, the end of the last source or a limit stops it."""
        started_s = time.monotonic()
        while not self._is_stopped(started_s):
            if not self._feed.has_ended or self._status.is_paused:
                self._take_turn()
            elif not self._controls.use_next_source():
                break
        if self._feed.has_ended:
            # Marked as the last view: for a browser an end looks like a fault.
            self._obey([])
            self._show_again(is_over=True)

    @property
    def summary(self) -> LiveSummary:
        """The figures so far."""
        return self._meter.summarize(self._feed)

    def _is_stopped(self, started_s: float) -> bool:
        limits = self._limits
        return (
            self._status.has_quit
            or not self._screen.is_open
            or (limits.frames is not None and self._meter.frames >= limits.frames)
            or (limits.seconds is not None and time.monotonic() - started_s >= limits.seconds)
        )

    def _take_turn(self) -> None:
        # Before the next frame is taken: after a switch, no frame of the former camera is shown.
        commands = self._screen.read_commands()
        self._obey(commands)
        if commands:
            self._show_again()
        frame = self._feed.take(_WAIT_S)
        # A frame of a queue is labelled in a pause too, or it would be lost for good.
        if frame is not None and (not self._status.is_paused or self._feed.is_queue):
            self._handle(frame)
        elif time.monotonic() - self._shown_s > _REFRESH_S:
            self._show_again()
        self._advance_pictures()
        self._pass_on_notices()

    def _obey(self, commands: Sequence[Command]) -> None:
        """Have commands carried out, and hand what is new to the screen."""
        was_paused = self._status.is_paused
        self._status = self._controls.apply(commands, self._shown)
        self._screen.report(self._status.news, self._feed.problem)
        if self._status.is_paused is not was_paused:
            self._meter.restart_rate()

    def _handle(self, frame: Frame) -> None:
        if self._feed.camera is not self._camera:
            # Another camera, or the same one opened again: other people may be there.
            self._camera = self._feed.camera
            self._pipeline.forget()
        result = self._pipeline.process(frame)
        self._meter.count_labelled()
        for listen in self._listeners:
            listen(result)
        self._controls.record(self._show(result))
        self._meter.note_shown(frame.captured_s, time.monotonic())

    def _show_again(self, *, is_over: bool = False) -> None:
        if self._shown is not None:
            self._show(self._shown, is_over=is_over)

    def _show(self, result: FrameResult, *, is_over: bool = False) -> LiveView:
        self._shown, self._shown_s = result, time.monotonic()
        controls = self._status.controls
        if controls.selected not in [face.track for face in result.faces]:
            controls = replace(controls, selected=None)
        view = LiveView(
            result,
            self._readout(result, controls.selected),
            is_mirrored=self._status.is_mirrored,
            controls=controls,
            counts=Counts(self._meter.frames, self._feed.dropped, self._feed.reconnects),
            is_over=is_over,
        )
        self._screen.show(view)
        return view

    def _readout(self, result: FrameResult, selected: int | None) -> Readout:
        notices = [self._feed.problem, self._pipeline.finder.notice]
        is_moving = self._feed.camera.is_live and not self._status.is_paused
        age_ms = 1000 * (time.monotonic() - result.frame.captured_s)
        return Readout(
            fps=self._meter.rate if is_moving else None,
            age_ms=age_ms if is_moving else None,
            notice="  ".join(filter(None, notices)) or None,
            stale_s=self._feed.stale_s,
            is_paused=self._status.is_paused,
            message=self._status.message,
            is_recording=self._status.controls.recording is not None,
            selected=selected,
        )

    def _advance_pictures(self) -> None:
        if not self._feed.is_queue or self._status.is_paused:
            return
        stays_s = self._screen.picture_s if isinstance(self._feed.camera, PictureFolder) else 0.0
        if time.monotonic() - self._meter.shown_s >= stays_s:
            self._feed.advance()

    def _pass_on_notices(self) -> None:
        """Report damage and pauses of a video as they are met."""
        if isinstance(self._feed.camera, VideoFile):
            for notice in self._feed.camera.take_notices():
                self._controls.add_message(notice)
