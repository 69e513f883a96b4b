"""The cameras that are watched: one, which can be exchanged for another, or several at once.

Each camera has a feed, tracks and figures of its own; finder and network are shared. The cameras
that have waited longest come first, so that none starves, and reading happens in threads, so that a
slow or dead camera costs the others nothing.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from detector.live.sources import CameraChoice
from detector.live.summary import LiveMeter, LiveSummary, join_summaries
from detector.screens.base import CameraFigures, CameraPhase, Counts
from detector.tracking.pipeline import FrameResult, LivePipeline, Thrift, process_together
from maskage.cameras.live_feed import CameraCondition, CameraState, LiveFeed
from maskage.errors import CameraError
from maskage.records import Frame

MOST_TOGETHER = 8
"""Most cameras whose frames are labelled in one turn: more would make the first of them old."""

_PHASES = {
    CameraCondition.LIVE: CameraPhase.LIVE,
    CameraCondition.ENDED: CameraPhase.ENDED,
}


class WatchedCamera:
    """One camera of the live view, with what belongs to it alone.

    Args:
        feed: Its frames.
        pipeline: Labels them.
        number: Its position among the cameras that are watched.
        name: Its name for people; None for the name that the open camera has.
        source: The source, as after `--source`.

    Attributes:
        feed, pipeline, number, source: As given.
        meter: Its figures.
        newest: Its newest labelled frame, or None.
        fault: The reason why its recording could not be read any further, or None.
        served_s: When its last frame was taken.
    """

    def __init__(
        self,
        feed: LiveFeed,
        pipeline: LivePipeline,
        number: int = 0,
        name: str | None = None,
        source: str = "",
    ) -> None:
        self.feed, self.pipeline = feed, pipeline
        self.number, self.source = number, source
        self.meter = LiveMeter()
        self.newest: FrameResult | None = None
        self.fault: CameraError | None = None
        self.served_s = 0.0
        self._name = name
        self._camera = feed.camera

    @property
    def name(self) -> str:
        """Its name for people."""
        return self._name or self.feed.camera.name

    @property
    def has_ended(self) -> bool:
        """True once its recording is over."""
        return self.feed.has_ended

    def take(self, timeout_s: float) -> Frame | None:
        """Return its newest frame, or None where none came in time.

        Raises:
            CameraError: A recording cannot be read any further.
        """
        frame = self.feed.take(timeout_s)
        if frame is not None:
            self.served_s = time.monotonic()
        return frame

    def forget_former(self) -> None:
        """End the tracks where another camera is in its place, or it was opened again."""
        if self.feed.camera is not self._camera:
            # Other people may be there.
            self._camera = self.feed.camera
            self.pipeline.forget()

    def accept(self, result: FrameResult) -> FrameResult:
        """Note a labelled frame; returns it, marked with this camera where several are watched."""
        if self._name is not None:
            result = replace(result, camera=self.number, source=self._name)
        self.newest = result
        self.meter.count_labelled()
        return result

    @property
    def phase(self) -> CameraPhase:
        """Its phase."""
        if self.feed.has_ended or self.fault is not None:
            return CameraPhase.ENDED
        if not self.feed.was_live:
            return CameraPhase.WAITING
        return _PHASES.get(self.feed.state.condition, CameraPhase.LOST)

    def describe(self) -> CameraFigures:
        """Return its present figures."""
        phase, newest = self.phase, self.newest
        age_s = time.monotonic() - newest.frame.captured_s if newest else None
        return CameraFigures(
            self.number,
            self.name,
            phase,
            fps=self.meter.rate if phase is CameraPhase.LIVE else None,
            age_ms=None if age_s is None else 1000 * age_s,
            faces=len(newest.faces) if newest else 0,
            counts=Counts(self.meter.frames, self.feed.dropped, self.feed.reconnects),
        )


class CameraNews:
    """What is told of one of several cameras: that it is awaited, lost, back, or at its end.

    Args:
        name: Its name for people.
        tell: Gets each message.
    """

    def __init__(self, name: str, tell: Callable[[str], object]) -> None:
        self._name, self._tell = name, tell
        self._is_told = self._was_live = False

    def note(self, state: CameraState) -> None:
        """Take in a new state; repeated attempts to open a camera are told once."""
        match state.condition:
            case CameraCondition.LOST | CameraCondition.REFUSED:
                if not self._is_told or state.condition is CameraCondition.REFUSED:
                    self._say(state.message if self._was_live else f"{state.message} Waiting.")
                self._is_told = True
            case CameraCondition.LIVE:
                if self._is_told:
                    self._say("the picture is back." if self._was_live else "it is there now.")
                self._is_told, self._was_live = False, True
            case CameraCondition.ENDED:
                self._say(f"it has ended. {state.message}".rstrip())
            case _:
                pass

    def _say(self, message: str) -> None:
        named = message.startswith(f"{self._name}:")
        self._tell(message if named else f"{self._name}: {message}")


class WatchedCameras:
    """The cameras of one live view, and which of them is shown.

    Args:
        cameras: One that can be exchanged for each of `choice`; or several, as many as `choice`
            has, which are all watched.
        choice: The sources.
        is_all: Begin with all of several cameras beside one another.
        arrived: Set when any of several cameras may have a frame.
        news: Messages about single cameras, in order; None for a new queue.

    Attributes:
        cameras, news: As given.
        is_all: All are shown.
    """

    def __init__(
        self,
        cameras: Sequence[WatchedCamera],
        choice: CameraChoice,
        *,
        is_all: bool = False,
        arrived: threading.Event | None = None,
        news: "queue.SimpleQueue[str] | None" = None,
    ) -> None:
        self.cameras = tuple(cameras)
        self.is_all = is_all and len(self.cameras) > 1
        self.news: queue.SimpleQueue[str] = news or queue.SimpleQueue()
        self._choice = choice
        self._arrived = arrived or threading.Event()

    def __iter__(self) -> Iterator[WatchedCamera]:
        return iter(self.cameras)

    @property
    def are_several(self) -> bool:
        """True where more than one camera is watched."""
        return len(self.cameras) > 1

    @property
    def shown(self) -> WatchedCamera:
        """The camera that is shown, or was before all were."""
        return self.cameras[self._choice.index if self.are_several else 0]

    @property
    def index(self) -> int:
        """Position in `names` of the camera that is shown."""
        return self._choice.index

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the cameras that can be chosen."""
        return self._choice.names

    @property
    def frames(self) -> int:
        """Number of labelled frames of all cameras."""
        return sum(each.meter.frames for each in self.cameras)

    @property
    def have_ended(self) -> bool:
        """True once every recording is over."""
        return all(each.has_ended for each in self.cameras)

    @property
    def source(self) -> str:
        """The source that is shown, as after `--source`."""
        return self._choice.source

    def use(self, index: int) -> bool:
        """Show another camera; return False where it is shown already, or there is none."""
        if self.are_several and self.is_all and index == self._choice.index:
            self.is_all = False
            return True
        return self._switch(self._choice.use(index))

    def use_next(self) -> bool:
        """Show the next camera, or one instead of all; return False where there is but one."""
        if self.is_all:
            return self.use(self._choice.index)
        return self._switch(self._choice.use_next())

    def show_all(self, *, is_all: bool) -> bool:
        """Show all cameras, or one again; return False where there is but one."""
        if self.are_several:
            self.is_all = is_all
        return self.are_several

    def take(self, timeout_s: float) -> list[tuple[WatchedCamera, Frame]]:
        """Return the newest frame of each camera that has one, waiting a little for the first.

        Of more than `MOST_TOGETHER` cameras with a frame those come that have waited longest.

        Raises:
            CameraError: The recording of a single source cannot be read any further.
        """
        if not self.are_several:
            camera = self.cameras[0]
            frame = camera.take(timeout_s)
            return [] if frame is None else [(camera, frame)]
        # Cleared before the cameras are asked: a frame that comes meanwhile ends the wait.
        self._arrived.clear()
        taken = self._take_ready()
        if not taken and self._arrived.wait(timeout_s):
            taken = self._take_ready()
        return taken

    def label(self, taken: Sequence[tuple[WatchedCamera, Frame]]) -> list[FrameResult]:
        """Label the frames together, and note each at its camera."""
        for camera, _ in taken:
            camera.forget_former()
        results = process_together([(camera.pipeline, frame) for camera, frame in taken])
        return [camera.accept(result) for (camera, _), result in zip(taken, results, strict=True)]

    def adjust(self, *, thrift: Thrift | None = None, unsure_below: float | None = None) -> None:
        """Change how the next frames of all cameras are labelled."""
        for camera in self.cameras:
            camera.pipeline.adjust(thrift=thrift, unsure_below=unsure_below)

    def find_again(self) -> None:
        """Find the faces anew in the newest frames, in which they may only have been followed."""
        for camera in self.cameras:
            newest = camera.newest
            # In a picture of a folder they are always found.
            if newest is not None and newest.frame.file is None:
                found = camera.pipeline.process(newest.frame)
                camera.newest = replace(found, camera=newest.camera, source=newest.source)

    def restart_rates(self) -> None:
        """Measure the rates anew, as after a pause."""
        for camera in self.cameras:
            camera.meter.restart_rate()

    def find_track(self, track: int) -> WatchedCamera | None:
        """Return the camera that has a track in its newest frame, or None."""
        for camera in self.cameras:
            if camera.newest and any(face.track == track for face in camera.newest.faces):
                return camera
        return None

    def describe(self) -> tuple[CameraFigures, ...]:
        """Return the present figures of every camera."""
        return tuple(camera.describe() for camera in self.cameras)

    def summarize(self) -> LiveSummary:
        """Return the figures so far."""
        parts = [camera.meter.summarize(camera.feed) for camera in self.cameras]
        if not self.are_several:
            return parts[0]
        lines = tuple(map(_describe_end, self.cameras, parts))
        return join_summaries(parts, [camera.meter for camera in self.cameras], lines)

    def _switch(self, is_another: bool) -> bool:
        if is_another:
            self.is_all = False
            if not self.are_several:
                name = self._choice.names[self._choice.index]
                self.cameras[0].feed.switch(self._choice.open, name)
        return is_another

    def _take_ready(self) -> list[tuple[WatchedCamera, Frame]]:
        taken: list[tuple[WatchedCamera, Frame]] = []
        for camera in sorted(self.cameras, key=lambda each: each.served_s):
            if len(taken) < MOST_TOGETHER and not camera.has_ended:
                try:
                    frame = camera.take(0.0)
                except CameraError as fault:
                    # Its feed has told it, and counts as ended: the other cameras go on.
                    camera.fault = fault
                    continue
                if frame is not None:
                    taken.append((camera, frame))
        return taken


def _describe_end(camera: WatchedCamera, summary: LiveSummary) -> str:
    if summary.frames:
        lost = ", lost at the end" if camera.phase is CameraPhase.LOST else ""
        return f"{camera.name}: {summary}{lost}"
    reason = (camera.feed.problem or "").removeprefix(f"{camera.name}: ")
    return f"{camera.name}: no picture came{f': {reason}' if reason else '.'}"
