"""The outputs of `detector run`: events, an annotated video, annotated pictures, alarms."""

import math
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from detector.drawing.overlay import draw_result
from detector.events.alarm_options import AlarmRules, AlarmSettings
from detector.events.events import EventLog, EventTable
from detector.picture_tree import PictureTree, Unread
from detector.tracking.pipeline import FrameResult
from detector.video.sink import VideoSink, write_picture
from detector.video.timeline import LONGEST_STILL_S, Timeline
from maskage.cameras.sources import Camera
from maskage.cameras.video.video_file import VideoFile
from maskage.classes.scheme import Scheme
from maskage.console import say
from maskage.formats.output_log import Kind, Output, log_output
from maskage.formats.run.datasets_behind import datasets_behind
from maskage.outside_text import portable_name
from maskage.records import Frame, RgbImage

if TYPE_CHECKING:
    from detector.events.alarms import Alarms
    from detector.video.sound import SoundTrack

PICTURES_FPS = 1.0
"""Pictures a second at which a folder plays as a video."""
LIVE_FPS = 25.0
"""Frames a second of the video of a camera that does not report its own rate."""


@dataclass(frozen=True)
class RunOutputs:
    """Everything that a run writes or sends.

    Attributes:
        json_out: File of events; "-" is stdout; None for none.
        csv_out: Table of faces; "-" is stdout; None for none.
        video_out: Annotated MP4, or None.
        keeps_sound: The annotated video gets the sound of its source.
        pictures_out: Folder for annotated pictures, or None.
        alarms: What raises an alarm, and what it does; None for no alarms.
    """

    json_out: Path | None = None
    csv_out: Path | None = None
    video_out: Path | None = None
    keeps_sound: bool = False
    pictures_out: Path | None = None
    alarms: AlarmRules | None = None

    def log(self, source: str, model: Path) -> None:
        """Log what may show people of a dataset, for `collector forget`; before it is written.

        Args:
            source: What is labelled.
            model: Folder of the bundle.
        """
        behind = datasets_behind([source])
        roots = behind | datasets_behind([model])
        named = [
            (Kind.TABLE, self.json_out),
            (Kind.TABLE, self.csv_out),
            (Kind.VIDEO, self.video_out),
            (Kind.PICTURES, self.pictures_out),
        ]
        for kind, path in named:
            if path is not None and str(path) != "-":
                log_output(roots, Output(path, kind, is_of_photos=bool(behind)))


@dataclass(frozen=True)
class OpenOutputs:
    """The outputs of a run, open.

    Attributes:
        writers: What writes a labelled frame into each.
        events: The file of events, or None.
        alarms: The alarms, or None if none were asked for.
    """

    writers: "list[Callable[[FrameResult], None]]"
    events: EventLog | None
    alarms: "Alarms | None"

    def write(self, result: FrameResult) -> None:
        """Write a labelled frame into every output."""
        for write in self.writers:
            write(result)

    def write_unread(self, unread: Iterable[Unread]) -> None:
        """Write what could not be read into the events."""
        if self.events is None:
            return
        for each in unread:
            self.events.write_unread(each.reason, each.file, each.frame, each.time_s)


def open_outputs(
    outputs: RunOutputs, camera: Camera, every: int, scheme: Scheme, held: ExitStack
) -> OpenOutputs:
    """Open every output.

    Args:
        outputs: What is asked for.
        camera: The source.
        every: One frame in so many is labelled.
        scheme: The classes of the model.
        held: Closes the outputs.

    Raises:
        EnvironmentProblemError: From any call: an output cannot be written.
        UsageError: An alarm is asked for that no class can raise.
    """
    events = held.enter_context(EventLog(outputs.json_out)) if outputs.json_out else None
    writers: list[Callable[[FrameResult], None]] = [events.write] if events else []
    if outputs.csv_out:
        writers.append(held.enter_context(EventTable(outputs.csv_out, scheme)).write)
    video = _open_video(outputs, camera, every, held) if outputs.video_out else None
    settings = outputs.alarms and outputs.alarms.for_classes(scheme)
    alarms = _open_alarms(settings, camera.name, held) if settings else None
    if alarms:
        writers.append(alarms.update)
    if video or outputs.pictures_out:
        writers.append(_Drawer(video, outputs.pictures_out).write)
    return OpenOutputs(writers, events, alarms)


class _TimedVideo:
    """An annotated video in which each frame lies at its own time."""

    def __init__(self, sink: VideoSink, timeline: Timeline) -> None:
        self._sink, self.timeline = sink, timeline

    def add(self, pixels: RgbImage, position_s: float) -> None:
        self._sink.write(pixels, self.timeline.place(position_s))


class _Drawer:
    """Annotated frames for a video, a folder of pictures, or both."""

    def __init__(self, video: _TimedVideo | None, folder: Path | None) -> None:
        self._video, self._folder = video, folder
        self._frames = 0

    def write(self, result: FrameResult) -> None:
        self._frames += 1
        frame, drawn = result.frame, draw_result(result)
        if self._video:
            # Pictures have no time: they take turns.
            is_picture = frame.file is not None
            at_s = self._frames / PICTURES_FPS if is_picture else frame.position_s
            self._video.add(drawn, at_s)
        if self._folder:
            write_picture(self._folder / _picture_name(frame), drawn)


def _open_video(outputs: RunOutputs, camera: Camera, every: int, held: ExitStack) -> _TimedVideo:
    assert outputs.video_out is not None
    path = outputs.video_out
    sound = _open_sound(outputs, camera, held)
    sink = held.enter_context(VideoSink(path, _video_fps(camera, every), sound))
    # Sound goes on through a still.
    video = _TimedVideo(sink, Timeline(math.inf if sound else LONGEST_STILL_S))
    held.callback(lambda: _report_stills(path, video.timeline))
    return video


def _open_sound(outputs: RunOutputs, camera: Camera, held: ExitStack) -> "SoundTrack | None":
    """Open the sound of a source, or say why the video has none."""
    sounds = camera.sounds if isinstance(camera, VideoFile) else 0
    if not outputs.keeps_sound:
        if sounds:
            say(
                f"{outputs.video_out}: leaves out the sound of {camera.name}. Keep it with "
                f"--keep-sound."
            )
        return None
    if not isinstance(camera, VideoFile) or not sounds:
        say(f"{camera.name}: has no sound that could be kept.")
        return None
    if not camera.path.is_file():
        say(f"{camera.name}: the sound of a pipe cannot be kept. Write it to a file first.")
        return None
    from detector.video.sound import SoundTrack

    if sounds > 1:
        say(f"{camera.name}: has {sounds} tracks of sound; one is kept.")
    return held.enter_context(SoundTrack(camera.path, lambda: camera.begins_s))


def _open_alarms(settings: AlarmSettings, source: str, held: ExitStack) -> "Alarms":
    from detector.events.alarms import PATIENCE_S, Alarms

    alarms = Alarms(settings, source, close_s=PATIENCE_S, keeps_all=True)
    held.callback(lambda: say(str(alarms.summary)))
    return held.enter_context(alarms)


def _report_stills(path: Path, timeline: Timeline) -> None:
    if timeline.left_out_s:
        say(f"{path}: leaves out {timeline.left_out_s:.0f} s without a picture.")


def _picture_name(frame: Frame) -> str:
    if frame.file is None:
        return f"frame_{frame.index:06d}.jpg"
    # The number keeps a.png and a.jpg apart.
    return f"{frame.index:06d}_{portable_name(Path(frame.file).stem)}.jpg"


def _video_fps(camera: Camera, every: int) -> float:
    """Return the usual rate of the annotated video, at which its last frame is shown."""
    if isinstance(camera, PictureTree):
        return PICTURES_FPS
    return max(1.0, (camera.fps or LIVE_FPS) / every)
