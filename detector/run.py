"""`detector run`: label a recording or a folder of pictures, without a screen."""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from detector.drawing.overlay import draw_result
from detector.events.alarm_options import AlarmSettings
from detector.events.events import EventLog, EventTable
from detector.live.sources import public_source
from detector.tracking.pipeline import FrameResult, LivePipeline
from detector.video.sink import VideoSink, write_picture
from detector.video.steady_rate import SteadyRate
from maskage.cameras.sources import DEMO_SOURCE, Camera, PictureFolder, open_camera
from maskage.cameras.video.video_file import VideoDamage, VideoFile
from maskage.console import say, show_progress
from maskage.errors import CameraError, DatasetError, GateFailedError, UsageError
from maskage.faces.finder import SMALLEST_IN_PICTURE_PX, FaceFinder, open_face_finder
from maskage.formats.bundle import find_bundle, load_bundle
from maskage.formats.datasets_behind import datasets_behind
from maskage.formats.output_log import Kind, Output, log_output
from maskage.inference.classifier import Classifier
from maskage.outside_text import portable_name
from maskage.pictures.picture_files import LeftOut, tell_left_out
from maskage.records import LABELS, Frame

if TYPE_CHECKING:
    from detector.events.alarms import Alarms, AlarmSummary

DEMO_FRAMES = 300
PICTURES_FPS = 1.0
"""At which a folder of pictures plays as a video."""
LIVE_FPS = 25.0
"""Of a camera that does not say its own."""
UNEVEN_FPS = 60.0
"""Of a video whose frames come unevenly: each is shown within 1/120 s of its time."""


@dataclass(frozen=True)
class RunRequest:
    """What to label, and where to write it.

    Attributes:
        source: A video, a picture, a folder of pictures, "demo", or a live source.
        model: A run or a bundle folder; None for the newest run.
        face_model: A copy of YuNet, or None to look for one.
        json_out, csv_out: Event files; "-" is stdout; None for none.
        video_out: Annotated MP4, or None.
        pictures_out: Folder for annotated pictures, or None.
        max_frames: Stop after so many labelled frames; None for all.
        every: Label one frame in so many.
        alarms: None for none.
        seed: Who the demo camera shows.
    """

    source: str
    model: Path | None = None
    face_model: Path | None = None
    json_out: Path | None = None
    csv_out: Path | None = None
    video_out: Path | None = None
    pictures_out: Path | None = None
    max_frames: int | None = None
    every: int = 1
    alarms: AlarmSettings | None = None
    seed: int = 0


@dataclass
class LabellingSummary:
    """What a run saw.

    Attributes:
        frames: Labelled frames.
        faceless: Frames without a face.
        faces: How often each label was given, over all frames.
        unsure: How many of those were under the threshold.
        tracks: How many faces were told apart.
        skipped: Messages about pictures that could not be read.
        left_out: What lies in the folder and is no picture that is read.
        damage: What of a video could not be shown.
        alarms: What came of them; None where none were asked for.
    """

    frames: int = 0
    faceless: int = 0
    faces: Counter[str] = field(default_factory=Counter)
    unsure: int = 0
    tracks: int = 0
    skipped: list[str] = field(default_factory=list)
    left_out: tuple[LeftOut, ...] = ()
    damage: VideoDamage = field(default_factory=VideoDamage)
    alarms: "AlarmSummary | None" = None

    def add(self, result: FrameResult) -> None:
        """Count one frame."""
        self.frames += 1
        self.faceless += not result.faces
        self.faces.update(str(face.label) for face in result.faces)
        self.unsure += sum(not face.is_sure for face in result.faces)

    @property
    def mask_share(self) -> float | None:
        """Share of the faces that wear a mask, 0 to 1; None where there was no face."""
        total = sum(self.faces.values())
        masked = sum(self.faces[label] for label in LABELS if label.has_mask)
        return masked / total if total else None

    def __str__(self) -> str:
        faces = sum(self.faces.values())
        lines = [
            f"{self.frames:>7} {_noun(self.frames, 'frame')}, {self.faceless} without a face",
            f"{faces:>7} {_noun(faces, 'face')} on {self.tracks} {_noun(self.tracks, 'track')}, "
            f"{self.unsure} unsure",
            *(f"{self.faces[label]:>11} {label}" for label in LABELS),
        ]
        if self.mask_share is not None:
            lines.append(f"{self.mask_share:>7.1%} wear a mask")
        if self.skipped:
            lines.append(f"{len(self.skipped):>7} pictures skipped: unreadable")
        if self.left_out:
            lines.append(f"{len(self.left_out):>7} files and folders left out")
        lines += [f"        {fault}" for fault in self.damage.faults]
        return "\n".join(lines)


def run_source(request: RunRequest) -> LabellingSummary:
    """Label every frame of a source and write what was asked for.

    Raises:
        ToolchainError: The source, model or an output is not usable, or the gate failed.
    """
    bundle = load_bundle(find_bundle(request.model))
    _log_outputs(request, bundle.folder)
    camera = open_camera(request.source, pace=False, seed=request.seed)
    try:
        total = _frames_wanted(request, camera)
        if isinstance(camera, PictureFolder):
            tell_left_out(camera.left_out)
        finder = _open_finder(request, camera)
        if finder.notice:
            say(finder.notice)
        pipeline = LivePipeline(finder, Classifier(bundle))
        summary = _label_all(request, camera, pipeline, total)
    finally:
        camera.close()
    _require_frames(request, summary)
    return summary


def _log_outputs(request: RunRequest, model: Path) -> None:
    """Remember what may show people of a dataset, before anything of it is written."""
    behind = datasets_behind([request.source])
    roots = behind | datasets_behind([model])
    named = {
        Kind.TABLE: (request.json_out, request.csv_out),
        Kind.VIDEO: (request.video_out,),
        Kind.PICTURES: (request.pictures_out,),
    }
    for kind, paths in named.items():
        for path in paths:
            if path is not None and str(path) != "-":
                log_output(roots, Output(path, kind, is_of_photos=bool(behind)))


def _open_finder(request: RunRequest, camera: Camera) -> FaceFinder:
    if isinstance(camera, PictureFolder):
        return open_face_finder(request.face_model, SMALLEST_IN_PICTURE_PX)
    return open_face_finder(request.face_model)


def check_gates(summary: LabellingSummary, fail_under: float | None, *, is_strict: bool) -> None:
    """Hold a run against `--strict` and `--fail-under`.

    Raises:
        GateFailedError: Not all could be read, too few wear a mask, or nobody was seen.
    """
    if is_strict and (faults := [*summary.skipped[:1], *summary.damage.faults]):
        raise GateFailedError(f"--strict: not all of it could be read ({'; '.join(faults)}).")
    if fail_under is None:
        return
    if summary.damage.is_incomplete:
        raise GateFailedError(
            f"--fail-under {fail_under:g}: a part of the video is missing "
            f"({'; '.join(summary.damage.faults)}), and nobody knows who is in it. Copy it again."
        )
    if summary.mask_share is None:
        raise GateFailedError(
            f"--fail-under {fail_under:g}: no face was seen in {summary.frames} frames, so nothing "
            f"can be said. Check the source and the face model."
        )
    if summary.mask_share < fail_under:
        raise GateFailedError(
            f"--fail-under {fail_under:g}: {summary.mask_share:.1%} of the faces wear a mask, "
            f"at least {fail_under:.1%} was asked for."
        )


def check_folders(request: RunRequest, summary: LabellingSummary) -> None:
    """Refuse to call a run whole that left folders with pictures in them out.

    Raises:
        DatasetError: It did; what it was asked to write is written.
    """
    source = Path(request.source)
    written = request.pictures_out and request.pictures_out.resolve()
    folders = [
        each
        for each in summary.left_out
        if each.pictures and (source / each.path).resolve() != written
    ]
    if not folders:
        return
    first = source / folders[0].path
    total = sum(each.pictures for each in folders)
    raise DatasetError(
        f"{source}: {total} {_noun(total, 'picture')} in {len(folders)} "
        f"{_noun(len(folders), 'folder')} within it {_noun_is(total)} not labelled; all else is "
        f"done. Label each folder by itself, such as `detector run {first}`, or move the pictures "
        f"up."
    )


def _frames_wanted(request: RunRequest, camera: Camera) -> int | None:
    """How many frames will be labelled, or None where that is unknown."""
    if camera.frame_count is not None:
        available = -(-camera.frame_count // request.every)
        return min(available, request.max_frames or available)
    if request.max_frames is not None:
        return request.max_frames
    if request.source == DEMO_SOURCE:
        say(f"The demo camera never ends: taking {DEMO_FRAMES} frames (see --max-frames).")
        return DEMO_FRAMES
    if camera.is_live:
        shown = public_source(request.source)
        raise UsageError(
            f"{shown}: a live source never ends. Say with --max-frames how many frames to label, "
            f"or watch it with `detector live --source {shown}`."
        )
    return None


def _frames(camera: Camera, every: int, limit: int | None) -> Iterator[Frame]:
    """Every so-manieth frame of a camera, at most `limit` of them."""
    taken = read = 0
    while limit is None or taken < limit:
        frame = camera.read()
        if frame is None:
            return
        if read % every == 0:
            taken += 1
            yield frame
        read += 1


def _label_all(
    request: RunRequest, camera: Camera, pipeline: LivePipeline, total: int | None
) -> LabellingSummary:
    summary = LabellingSummary()
    if isinstance(camera, PictureFolder):
        summary.left_out = camera.left_out
    # A recording that holds more frames than it says is read to its end.
    limit = request.max_frames if camera.frame_count is not None else total
    with ExitStack() as outputs:
        log = request.json_out and outputs.enter_context(EventLog(request.json_out))
        table = request.csv_out and outputs.enter_context(EventTable(request.csv_out))
        video = request.video_out and outputs.enter_context(
            VideoSink(request.video_out, _video_fps(camera, request.every))
        )
        alarms = request.alarms and _open_alarms(request.alarms, camera.name, outputs)
        rate = video and SteadyRate(video.write, _video_fps(camera, request.every))
        frames = _frames(camera, request.every, limit)
        for frame in show_progress(frames, "labelling", total):
            _report_skipped(camera, summary)
            result = pipeline.process(frame)
            summary.add(result)
            if log:
                log.write(result)
            if table:
                table.write(result)
            if alarms:
                alarms.update(result)
            if video or request.pictures_out:
                drawn = draw_result(result)
                if rate:
                    rate.add(drawn, _beat_s(frame, summary.frames))
                if request.pictures_out:
                    write_picture(request.pictures_out / _picture_name(frame), drawn)
        _report_skipped(camera, summary)
        if rate and rate.left_out_s:
            say(f"{request.video_out}: leaves out {rate.left_out_s:.0f} s without a picture.")
    summary.alarms = alarms.summary if alarms else None
    summary.tracks = pipeline.tracker.tracks_begun
    return summary


def _open_alarms(settings: AlarmSettings, source: str, outputs: ExitStack) -> "Alarms":
    from detector.events.alarms import PATIENCE_S, Alarms

    alarms = Alarms(settings, source, close_s=PATIENCE_S, keeps_all=True)
    outputs.callback(lambda: say(str(alarms.summary)))
    return outputs.enter_context(alarms)


def _report_skipped(camera: Camera, summary: LabellingSummary) -> None:
    """Tell of each unreadable picture or frame as soon as it was passed over."""
    if isinstance(camera, PictureFolder):
        for message in camera.skipped[len(summary.skipped) :]:
            say(f"skipped {message}")
            summary.skipped.append(message)
    elif isinstance(camera, VideoFile):
        for message in camera.take_notices():
            say(message)
        summary.damage = camera.damage


def _picture_name(frame: Frame) -> str:
    if frame.file is None:
        return f"frame_{frame.index:06d}.jpg"
    # The number keeps a.png and a.jpg apart.
    return f"{frame.index:06d}_{portable_name(Path(frame.file).stem)}.jpg"


def _video_fps(camera: Camera, every: int) -> float:
    """At which the annotated video plays as fast as its source did."""
    if isinstance(camera, PictureFolder):
        return PICTURES_FPS
    has_beat = not isinstance(camera, VideoFile) or camera.has_beat
    fps = camera.fps or LIVE_FPS
    return max(1.0, (fps if has_beat else max(fps, UNEVEN_FPS)) / every)


def _beat_s(frame: Frame, number: int) -> float:
    """When a frame is shown in the annotated video; pictures take their turns."""
    return frame.position_s if frame.file is None else number / PICTURES_FPS


def _noun(number: int, thing: str) -> str:
    return thing if number == 1 else f"{thing}s"


def _noun_is(number: int) -> str:
    return "was" if number == 1 else "were"


def _require_frames(request: RunRequest, summary: LabellingSummary) -> None:
    if summary.frames:
        return
    shown = public_source(request.source)
    if summary.skipped:
        raise DatasetError(
            f"{shown}: none of its {len(summary.skipped)} pictures can be read. Copy them again."
        )
    raise CameraError(f"{request.source}: no picture came. Look at it with `detector live`.")
