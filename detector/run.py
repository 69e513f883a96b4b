"""`detector run`: label a recording or a folder of pictures, without a screen."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from detector.live.sources import public_source
from detector.picture_tree import WRITTEN_HERE, PictureTree, Unread
from detector.run_outputs import OpenOutputs, RunOutputs, open_outputs
from detector.run_summary import FaceCounts, LabellingSummary, scheme_has_masks
from detector.source_guard import require_source_kept
from detector.tracking.pipeline import LivePipeline, ModelRequest, open_pipeline
from maskage.cameras.sources import Camera, open_camera, shows_pictures
from maskage.cameras.video.video_file import VideoDamage, VideoFile
from maskage.classes.scheme import Scheme
from maskage.console import say, show_progress
from maskage.demo.address import is_demo
from maskage.errors import CameraError, DatasetError, UsageError
from maskage.formats.bundle import find_bundle, load_bundle
from maskage.pictures.picture_files import UNLISTABLE, report_left_out
from maskage.records import Frame

DEMO_FRAMES = 300


@dataclass(frozen=True)
class RunSource:
    """The frames to label.

    Attributes:
        name: A video, a picture, a folder of pictures, "demo", or a live source.
        every: Label one frame in so many.
        max_frames: Most frames to label; None for all.
        seed: Seed of the people before the demo camera.
    """

    name: str
    every: int = 1
    max_frames: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class RunRequest:
    """A run of `detector run`.

    Attributes:
        source: The frames to label.
        model: The model.
        outputs: Everything that is written or sent.
        needs_mask: The share of faces with a mask is asked for.
    """

    source: RunSource
    model: ModelRequest = field(default_factory=ModelRequest)
    outputs: RunOutputs = field(default_factory=RunOutputs)
    needs_mask: bool = False


def run_source(request: RunRequest) -> LabellingSummary:
    """Label every frame of a source and write what was asked for.

    Raises:
        ToolchainError: The source, the model or an output is not usable.
    """
    source, outputs = request.source, request.outputs
    files = {"--json": outputs.json_out, "--csv": outputs.csv_out, "--video": outputs.video_out}
    require_source_kept([source.name], files)
    bundle = load_bundle(find_bundle(request.model.folder))
    _require_classes(request, bundle.scheme)
    request.outputs.log(source.name, bundle.folder)
    camera = _open_source(request, bundle.scheme)
    try:
        total = _frames_wanted(source, camera)
        has_pictures = isinstance(camera, PictureTree)
        if isinstance(camera, PictureTree):
            report_left_out(camera.left_out)
        pipeline = open_pipeline(request.model, bundle, has_pictures=has_pictures)
        if pipeline.finder.notice:
            say(pipeline.finder.notice)
        summary = _label_all(request, camera, pipeline, total)
    finally:
        camera.close()
    _require_frames(source, summary)
    return summary


def check_folders(request: RunRequest, summary: LabellingSummary) -> None:
    """Require that every folder within the source could be listed.

    Raises:
        DatasetError: One could not; the outputs are written all the same.
    """
    for each in summary.left_out:
        if each.reason == UNLISTABLE:
            raise DatasetError(
                f"{Path(request.source.name) / each.path}: the folder cannot be listed, so nothing "
                f"in it was labelled; all else is done. Check who may read it."
            )


def _require_classes(request: RunRequest, scheme: Scheme) -> None:
    """Require that the model has the classes that the options are about, before it runs.

    Raises:
        UsageError: It has not.
    """
    if request.outputs.alarms:
        request.outputs.alarms.for_classes(scheme)
    if request.needs_mask and not scheme_has_masks(scheme):
        raise UsageError(
            f"--fail-under counts the faces of classes with mask=worn, and this model has none: "
            f"its classes are {', '.join(scheme.labels)}. Leave it out, or count the labels in "
            f"--json or --csv."
        )


def _frames_wanted(source: RunSource, camera: Camera) -> int | None:
    """Return how many frames will be labelled, or None if that is unknown."""
    if camera.frame_count is not None:
        available = -(-camera.frame_count // source.every)
        return min(available, source.max_frames or available)
    if source.max_frames is not None:
        return source.max_frames
    if is_demo(source.name):
        say(f"The demo camera never ends: taking {DEMO_FRAMES} frames (see --max-frames).")
        return DEMO_FRAMES
    if camera.is_live:
        shown = public_source(source.name)
        raise UsageError(
            f"{shown}: a live source never ends. Say with --max-frames how many frames to label, "
            f"or watch it with `detector live --source {shown}`."
        )
    return None


def _frames(camera: Camera, every: int, limit: int | None) -> Iterator[Frame]:
    """Yield one frame in so many of a camera, at most `limit`."""
    taken = read = 0
    while limit is None or taken < limit:
        frame = camera.read()
        if frame is None:
            return
        if read % every == 0:
            taken += 1
            yield frame
        read += 1


def _open_source(request: RunRequest, scheme: Scheme) -> Camera:
    """Open the source; a folder with all that lies below it, but for what the run writes itself.

    Raises:
        CameraError: It cannot be opened, or gives no picture.
    """
    source = request.source
    if shows_pictures(source.name):
        written = request.outputs.pictures_out
        return PictureTree(Path(source.name).expanduser(), [written] if written else [])
    return open_camera(source.name, pace=False, seed=source.seed, scheme=scheme)


def _label_all(
    request: RunRequest, camera: Camera, pipeline: LivePipeline, total: int | None
) -> LabellingSummary:
    source, counts = request.source, FaceCounts(pipeline.scheme)
    # A recording that holds more frames than it says is read to its end.
    limit = source.max_frames if camera.frame_count is not None else total
    with ExitStack() as held:
        outputs = open_outputs(request.outputs, camera, source.every, pipeline.scheme, held)
        unread = _UnreadReport(camera, outputs)
        for frame in show_progress(_frames(camera, source.every, limit), "labelling", total):
            unread.update(frame.position_s)
            result = pipeline.process(frame)
            counts.add(result)
            outputs.write(result)
        unread.finish()
    return LabellingSummary(
        counts,
        pipeline.tracker.tracks_begun,
        unread=tuple(camera.unread) if isinstance(camera, PictureTree) else (),
        left_out=camera.left_out if isinstance(camera, PictureTree) else (),
        damage=camera.damage if isinstance(camera, VideoFile) else VideoDamage(),
        alarms=outputs.alarms.summary if outputs.alarms else None,
    )


class _UnreadReport:
    """Says what could not be read, once each: to people and in the events."""

    def __init__(self, camera: Camera, outputs: OpenOutputs) -> None:
        self._camera, self._outputs = camera, outputs
        self._reported = 0
        self._position_s = 0.0

    def update(self, position_s: float) -> None:
        """Report what was passed over before the frame at this second."""
        self._report()
        self._position_s = position_s

    def finish(self) -> None:
        """Report what was passed over at the end, and what was left out altogether."""
        self._report()
        if isinstance(self._camera, PictureTree):
            self._outputs.write_unread(
                Unread(each.reason, each.path)
                for each in self._camera.left_out
                if each.reason != WRITTEN_HERE
            )

    def _report(self) -> None:
        camera = self._camera
        if isinstance(camera, PictureTree):
            new = camera.unread[self._reported :]
            self._reported += len(new)
            for each in new:
                say(f"skipped {each.reason}")
            self._outputs.write_unread(new)
        elif isinstance(camera, VideoFile):
            for message in camera.take_notices():
                say(message)
                self._outputs.write_unread([Unread(message, time_s=round(self._position_s, 3))])


def _require_frames(source: RunSource, summary: LabellingSummary) -> None:
    if summary.counts.frames:
        return
    shown = public_source(source.name)
    if count := len(summary.unread):
        raise DatasetError(f"{shown}: none of its {count} pictures can be read. Copy them again.")
    raise CameraError(f"{shown}: no picture came. Look at it with `detector live`.")
