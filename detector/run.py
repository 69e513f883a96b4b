"""`detector run`: label a recording or a folder of pictures, without a screen."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from detector.live.sources import public_source
from detector.run_outputs import RunOutputs, open_outputs
from detector.run_summary import FaceCounts, LabellingSummary, noun, scheme_has_masks
from detector.tracking.pipeline import LivePipeline, ModelRequest, open_pipeline
from maskage.cameras.sources import Camera, PictureFolder, open_camera
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
    source = request.source
    bundle = load_bundle(find_bundle(request.model.folder))
    _require_classes(request, bundle.scheme)
    request.outputs.log(source.name, bundle.folder)
    camera = open_camera(source.name, pace=False, seed=source.seed, scheme=bundle.scheme)
    try:
        total = _frames_wanted(source, camera)
        has_pictures = isinstance(camera, PictureFolder)
        if isinstance(camera, PictureFolder):
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
    """Require that no folder with pictures within the source was left out, or is unreadable.

    Raises:
        DatasetError: One was; the outputs are written all the same.
    """
    source, pictures_out = Path(request.source.name), request.outputs.pictures_out
    written = pictures_out and pictures_out.resolve()
    folders = [
        each
        for each in summary.left_out
        if each.is_loss and (source / each.path).resolve() != written
    ]
    if not folders:
        return
    if locked := [each for each in folders if each.reason == UNLISTABLE]:
        raise DatasetError(
            f"{source / locked[0].path}: the folder cannot be listed, so nothing in it was "
            f"labelled; all else is done. Check who may read it."
        )
    first = source / folders[0].path
    total = sum(each.pictures for each in folders)
    raise DatasetError(
        f"{source}: {total} {noun(total, 'picture')} in {len(folders)} "
        f"{noun(len(folders), 'folder')} within it {'was' if total == 1 else 'were'} not labelled; "
        f"all else is done. Label each folder by itself, such as `detector run {first}`, or move "
        f"the pictures up."
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


def _label_all(
    request: RunRequest, camera: Camera, pipeline: LivePipeline, total: int | None
) -> LabellingSummary:
    source, counts, reported = request.source, FaceCounts(pipeline.scheme), 0
    # A recording that holds more frames than it says is read to its end.
    limit = source.max_frames if camera.frame_count is not None else total
    with ExitStack() as held:
        writers, alarms = open_outputs(request.outputs, camera, source.every, pipeline.scheme, held)
        for frame in show_progress(_frames(camera, source.every, limit), "labelling", total):
            reported = _report_unreadable(camera, reported)
            result = pipeline.process(frame)
            counts.add(result)
            for write in writers:
                write(result)
        _report_unreadable(camera, reported)
    return LabellingSummary(
        counts,
        pipeline.tracker.tracks_begun,
        skipped=tuple(camera.skipped) if isinstance(camera, PictureFolder) else (),
        left_out=camera.left_out if isinstance(camera, PictureFolder) else (),
        damage=camera.damage if isinstance(camera, VideoFile) else VideoDamage(),
        alarms=alarms.summary if alarms else None,
    )


def _report_unreadable(camera: Camera, reported: int) -> int:
    """Print what was passed over since the last call; returns the number of pictures so far."""
    if isinstance(camera, PictureFolder):
        for message in camera.skipped[reported:]:
            say(f"skipped {message}")
        return len(camera.skipped)
    if isinstance(camera, VideoFile):
        for message in camera.take_notices():
            say(message)
    return reported


def _require_frames(source: RunSource, summary: LabellingSummary) -> None:
    if summary.counts.frames:
        return
    shown = public_source(source.name)
    if summary.skipped:
        raise DatasetError(
            f"{shown}: none of its {len(summary.skipped)} pictures can be read. Copy them again."
        )
    raise CameraError(f"{shown}: no picture came. Look at it with `detector live`.")
