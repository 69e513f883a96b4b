"""The live loop: takes the newest frames, labels and shows them, obeys commands; never lags."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from detector.drawing.overlay import Readout
from detector.live.controls import LiveControls
from detector.live.summary import LiveSummary
from detector.live.watched import WatchedCamera, WatchedCameras
from detector.screens.base import CameraFigures, CameraPhase, Counts, LiveStatus, LiveView, Screen
from detector.screens.camera_grid import compose_grid, empty_result
from detector.screens.commands import Command
from detector.tracking.pipeline import FrameResult
from maskage.cameras.sources import PictureFolder
from maskage.cameras.video.video_file import VideoFile
from maskage.records import Frame

_WAIT_S = 0.05
_REFRESH_S = 0.25
_GRID_PERIOD_S = 1 / 15
"""Between two pictures of all cameras, whose frames come at different times."""


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
    the new status. Then the newest frame of each camera goes through its pipeline to the listeners,
    and what is shown to the screen and the recording.

    Args:
        cameras: The cameras, whose feeds are open; closed by the caller.
        screen: Open; closed by the caller.
        controls: Carries out commands; closed by the caller.
        limits: When to stop.
        listeners: Called with each labelled frame before it is shown; they must not wait.
    """

    def __init__(
        self,
        cameras: WatchedCameras,
        screen: Screen,
        controls: LiveControls,
        *,
        limits: LiveLimits,
        listeners: Iterable[Callable[[FrameResult], None]] = (),
    ) -> None:
        self._cameras = cameras
        self._screen = screen
        self._controls = controls
        self._limits = limits
        self._listeners = tuple(listeners)
        self._status = LiveStatus()
        self._shown: FrameResult | None = None
        self._shown_s = self._kept_s = 0.0

    def run(self) -> None:
        """Loop until the user, the end of all sources or a limit stops it."""
        started_s = time.monotonic()
        while not self._is_stopped(started_s):
            if self._cameras.have_ended and not self._status.is_paused:
                break
            self._take_turn()
        if self._cameras.have_ended:
            # Marked as the last view: for a browser an end looks like a fault.
            self._pass_on_notices()
            self._obey([])
            self._show_again(is_over=True)

    @property
    def summary(self) -> LiveSummary:
        """The figures so far."""
        return self._cameras.summarize()

    def _is_stopped(self, started_s: float) -> bool:
        limits = self._limits
        return (
            self._status.has_quit
            or not self._screen.is_open
            or (limits.frames is not None and self._cameras.frames >= limits.frames)
            or (limits.seconds is not None and time.monotonic() - started_s >= limits.seconds)
        )

    def _take_turn(self) -> None:
        # Before the next frame is taken: after a switch, no frame of the former camera is shown.
        commands = self._screen.read_commands()
        self._obey(commands)
        if commands:
            self._show_again()
        taken = [
            (camera, frame)
            for camera, frame in self._cameras.take(_WAIT_S)
            # A frame of a queue is labelled in a pause too, or it would be lost for good.
            if not self._status.is_paused or camera.feed.is_queue
        ]
        if taken:
            self._handle(taken)
        if time.monotonic() - self._shown_s > _REFRESH_S:
            self._show_again()
        self._keep_silent_cameras()
        self._advance_pictures()
        self._pass_on_notices()

    def _obey(self, commands: Sequence[Command]) -> None:
        """Have commands carried out, and hand what is new to the screen."""
        was_paused = self._status.is_paused
        self._status = self._controls.apply(commands, self._shown)
        # Of several cameras each has news of its own.
        problem = None if self._cameras.are_several else self._cameras.shown.feed.problem
        self._screen.report(self._status.news, problem)
        if self._status.is_paused is not was_paused:
            self._cameras.restart_rates()

    def _handle(self, taken: Sequence[tuple[WatchedCamera, Frame]]) -> None:
        results = self._cameras.label(taken)
        for result in results:
            for listen in self._listeners:
                listen(result)
        self._show_new(results)
        now_s = time.monotonic()
        for camera, frame in taken:
            camera.meter.note_shown(frame.captured_s, now_s)

    def _show_new(self, results: Sequence[FrameResult]) -> None:
        """Show the result of the camera that is shown, or all; screens keep those of the others."""
        if self._cameras.are_several:
            figures = self._cameras.describe()
            for result in results:
                self._screen.keep(self._view(result, figures))
            if self._cameras.is_all:
                if time.monotonic() - self._shown_s >= _GRID_PERIOD_S:
                    self._controls.record(self._show_all(figures))
                return
        shown = self._cameras.shown
        for result in results:
            if result is shown.newest:
                self._controls.record(self._show(result))

    def _show_again(self, *, is_over: bool = False) -> None:
        if self._cameras.are_several and self._cameras.is_all:
            self._show_all(self._cameras.describe(), is_over=is_over)
            return
        # While another camera is opened in its place, the last picture of the former stays.
        newest = self._cameras.shown.newest
        if newest is None and self._cameras.are_several:
            newest = self._empty(self._cameras.shown)
        if newest is not None:
            self._show(newest, is_over=is_over)

    def _show(self, result: FrameResult, *, is_over: bool = False) -> LiveView:
        view = self._view(result, self._cameras.describe(), is_over=is_over)
        return self._hand_over(view)

    def _show_all(self, figures: tuple[CameraFigures, ...], *, is_over: bool = False) -> LiveView:
        results = [camera.newest or self._empty(camera) for camera in self._cameras]
        base = self._view(results[self._cameras.shown.number], figures, is_over=is_over)
        notice = self._cameras.shown.pipeline.finder.notice
        base = replace(base, readout=replace(base.readout, notice=notice))
        return self._hand_over(compose_grid(results, base))

    def _hand_over(self, view: LiveView) -> LiveView:
        self._shown, self._shown_s = view.result, time.monotonic()
        selected = view.controls.selected
        if selected not in [face.track for face in view.result.faces]:
            view = replace(
                view,
                controls=replace(view.controls, selected=None),
                readout=replace(view.readout, selected=None),
            )
        self._screen.show(view)
        return view

    def _keep_silent_cameras(self) -> None:
        """Have screens keep the state of cameras that give no picture."""
        if not self._cameras.are_several or time.monotonic() - self._kept_s < _REFRESH_S:
            return
        self._kept_s = time.monotonic()
        figures = self._cameras.describe()
        for camera in self._cameras:
            if figures[camera.number].phase is not CameraPhase.LIVE or self._status.is_paused:
                self._screen.keep(self._view(camera.newest or self._empty(camera), figures))

    @staticmethod
    def _empty(camera: WatchedCamera) -> FrameResult:
        return empty_result(camera.pipeline.scheme, camera.number, camera.name)

    def _view(
        self,
        result: FrameResult,
        figures: tuple[CameraFigures, ...],
        *,
        is_over: bool = False,
    ) -> LiveView:
        camera = self._cameras.cameras[result.camera]
        return LiveView(
            result,
            self._readout(result, camera, figures),
            is_mirrored=self._status.is_mirrored,
            controls=self._status.controls,
            counts=Counts(
                sum(each.counts.frames for each in figures),
                sum(each.counts.dropped for each in figures),
                sum(each.counts.reconnects for each in figures),
            ),
            is_over=is_over,
            camera=camera.number,
            cameras=figures,
        )

    def _readout(
        self, result: FrameResult, camera: WatchedCamera, figures: Sequence[CameraFigures]
    ) -> Readout:
        feed = camera.feed
        notices = [feed.problem, camera.pipeline.finder.notice, _name_missing(figures, camera)]
        is_moving = feed.camera.is_live and not self._status.is_paused
        if self._cameras.are_several and camera.has_ended:
            is_moving = False
        age_ms = 1000 * (time.monotonic() - result.frame.captured_s)
        return Readout(
            fps=camera.meter.rate if is_moving else None,
            age_ms=age_ms if is_moving and camera.newest is not None else None,
            notice="  ".join(filter(None, notices)) or None,
            stale_s=feed.stale_s,
            is_paused=self._status.is_paused,
            message=self._status.message,
            is_recording=self._status.controls.recording is not None,
            selected=self._status.controls.selected,
        )

    def _advance_pictures(self) -> None:
        for camera in self._cameras:
            feed = camera.feed
            if feed.is_queue and not self._status.is_paused:
                stays_s = self._screen.picture_s if isinstance(feed.camera, PictureFolder) else 0.0
                if time.monotonic() - camera.meter.shown_s >= stays_s:
                    feed.advance()

    def _pass_on_notices(self) -> None:
        """Report damage and pauses of a video, and news of single cameras, as they are met."""
        for camera in self._cameras:
            if isinstance(camera.feed.camera, VideoFile):
                for notice in camera.feed.camera.take_notices():
                    self._controls.add_message(notice)
        while not self._cameras.news.empty():
            self._controls.add_message(self._cameras.news.get())


def _name_missing(figures: Sequence[CameraFigures], shown: WatchedCamera) -> str | None:
    """Return which of the other cameras give no picture, or None."""
    missing = [
        f"{each.name}: {each.phase}"
        for each in figures
        if each.number != shown.number and each.phase in (CameraPhase.WAITING, CameraPhase.LOST)
    ]
    return ", ".join(missing) or None
