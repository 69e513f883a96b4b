"""The way from a frame to labelled faces: find or follow, crop, classify, track.

Several sources share one finder and one network: `process_together`.
"""

import itertools
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from detector.tracking.optical_flow import FaceFollower
from detector.tracking.scene_cuts import SceneCutDetector
from detector.tracking.tracker import FaceTracker, Track, TrackedFace
from maskage.classes.scheme import Scheme
from maskage.errors import UsageError
from maskage.faces.finder import (
    SMALLEST_IN_PICTURE_PX,
    FaceFinder,
    crop_face,
    open_face_finder,
)
from maskage.formats.bundle import ModelBundle
from maskage.inference.classifier import Classifier
from maskage.inference.onnx_engine import Answers
from maskage.records import FaceBox, Frame, RgbImage


@dataclass(frozen=True)
class Timings:
    """The time that each stage took for one frame.

    Attributes:
        find_ms: Finding the faces, in milliseconds.
        crop_ms: Cutting them out.
        classify_ms: Classifying them; of a batch of several sources its share.
        track_ms: Following them, and steadying their labels.
    """

    find_ms: float
    crop_ms: float
    classify_ms: float
    track_ms: float


ALL_CAMERAS = -1


@dataclass(frozen=True, eq=False)
class FrameResult:
    """One frame with its labelled faces.

    Attributes:
        frame: The frame as it came from the camera.
        faces: The faces, largest first, as the finder gave them.
        timings: The time of each stage.
        scheme: The classes of the model.
        camera: Position of its camera among those that are watched together, from 0;
            `ALL_CAMERAS` for a picture of all of them.
        source: Name of that camera, where several are watched; else None.
    """

    frame: Frame
    faces: tuple[TrackedFace, ...]
    timings: Timings
    scheme: Scheme
    camera: int = 0
    source: str | None = None

    @property
    def is_of_all(self) -> bool:
        """True for a picture of several cameras."""
        return self.camera == ALL_CAMERAS


@dataclass(frozen=True, eq=False)
class _Placed:
    """The faces of a frame before they are classified.

    Attributes:
        boxes: The faces.
        tracks: The track that each continues, or None.
        due: Positions in `boxes` of those to classify.
        crops: The crops of those.
        find_ms, crop_ms, track_ms: See `Timings`.
    """

    boxes: list[FaceBox]
    tracks: list[Track | None]
    due: list[int]
    crops: list[RgbImage]
    find_ms: float
    crop_ms: float
    track_ms: float


@dataclass(frozen=True)
class Thrift:
    """The work that is not repeated in every frame of a live view.

    Attributes:
        find_period_s: Time between two runs of the finder while faces are in the picture; meanwhile
            they are followed. With no face in the picture the finder runs in every frame.
        classify_period_s: Time between two runs of the network on a face whose label is settled. A
            slow network waits for `SLOW_RUNS` times its own run, so that frames in which faces are
            only followed come between; never over `LONGEST_PERIOD_S`.
    """

    find_period_s: float = 0.1
    classify_period_s: float = 0.1


SLOW_RUNS = 3.0
LONGEST_PERIOD_S = 0.5

EVERYTHING = Thrift(0.0, 0.0)
"""The finder and the network see every frame."""


@dataclass(frozen=True)
class ModelRequest:
    """A model, and how it is to be used.

    Attributes:
        folder: A run or a bundle folder; None for the newest run.
        face_model: A copy of YuNet, or None to look for one.
        threshold: Confidence under which a face is unsure; None for the bundle's.
        strange_above: Strangeness above which a face is unsure; None for the bundle's.
        thrift: The work that is not repeated in every frame.
    """

    folder: Path | None = None
    face_model: Path | None = None
    threshold: float | None = None
    strange_above: float | None = None
    thrift: Thrift = EVERYTHING


class LivePipeline:
    """The labels of the faces of one source, frame after frame.

    At a cut to another scene tracks end; each picture of a folder is a scene of its own.

    Args:
        finder: The same that the collector uses.
        classifier: A loaded bundle; its crop margin is used for the crops.
        thrift: The work that is not repeated in every frame.
        unsure_below: Confidence under which a face is unsure; None for the bundle's.
        strange_above: Strangeness above which a face is unsure; None for the bundle's.
        numbers: Gives tracks their numbers; None counts from 1.

    Attributes:
        finder: As given.
        classifier: As given.
        tracker: The tracks.
    """

    def __init__(
        self,
        finder: FaceFinder,
        classifier: Classifier,
        thrift: Thrift = EVERYTHING,
        unsure_below: float | None = None,
        strange_above: float | None = None,
        numbers: Iterator[int] | None = None,
    ) -> None:
        self.finder = finder
        self.classifier = classifier
        self._thrift = thrift
        self._scene_cuts = SceneCutDetector()
        self._follower = FaceFollower()
        self._found_s = -math.inf
        self._run_s = 0.0
        if unsure_below is None:
            unsure_below = classifier.bundle.unsure_below
        if strange_above is None:
            strange_above = classifier.bundle.strange_above
        self._strange_above = strange_above
        self._numbers = itertools.count(1) if numbers is None else numbers
        self.tracker = FaceTracker(
            classifier.bundle.scheme,
            unsure_below,
            strange_above=strange_above,
            numbers=self._numbers,
        )

    def for_another_source(self) -> "LivePipeline":
        """Return one for another source; it shares finder, network and the numbers of tracks."""
        return LivePipeline(
            self.finder,
            self.classifier,
            self._thrift,
            self.unsure_below,
            self._strange_above,
            self._numbers,
        )

    @property
    def thrift(self) -> Thrift:
        """The work that is not repeated in every frame."""
        return self._thrift

    @property
    def scheme(self) -> Scheme:
        """The classes of the model."""
        return self.classifier.bundle.scheme

    @property
    def unsure_below(self) -> float:
        """Confidence under which a face is unsure, 0 to 1."""
        return self.tracker.unsure_below

    def adjust(self, *, thrift: Thrift | None = None, unsure_below: float | None = None) -> None:
        """Change how the next frames are labelled; None leaves a setting as it is."""
        if thrift is not None:
            self._thrift = thrift
        if unsure_below is not None:
            self.tracker.set_threshold(unsure_below)

    def process(self, frame: Frame) -> FrameResult:
        """Find or follow, classify and steady the faces of a frame.

        All faces that are classified go through the network in one batch.
        """
        return process_together([(self, frame)])[0]

    def forget(self) -> None:
        """End all tracks: the next frame is of another scene or camera."""
        self.tracker.forget()
        self._found_s = -math.inf

    def _place(self, frame: Frame) -> _Placed:
        """Find or follow the faces of a frame, and cut out those to classify."""
        clock = time.perf_counter
        started = clock()
        if self._scene_cuts.is_cut(frame.pixels) or frame.file is not None:
            self.forget()
        followed = self._follow(frame)
        tracked = clock()
        boxes = self._find(frame) if followed is None else followed
        found = clock()
        tracks = self.tracker.place(boxes, frame.position_s)
        due = self.tracker.due(tracks, frame.position_s, self._classify_period_s())
        matched = clock()
        margin = self.classifier.bundle.crop_margin
        crops = [crop_face(frame.pixels, boxes[at], margin) for at in due]
        return _Placed(
            boxes,
            tracks,
            due,
            crops,
            find_ms=1000 * (found - tracked),
            crop_ms=1000 * (clock() - matched),
            track_ms=1000 * (tracked - started + matched - found),
        )

    def _answer(self, frame: Frame, placed: _Placed, batch: "_Batch", first: int) -> FrameResult:
        """Take in the answers for a frame's crops, which begin at `first` in the batch."""
        started = time.perf_counter()
        due, last = placed.due, first + len(placed.due)
        if due:
            self._run_s = 0.8 * self._run_s + 0.2 * batch.run_s
        rows = dict(zip(due, batch.answers.probabilities[first:last], strict=True))
        strange = batch.answers.strangeness
        strangeness = (
            None
            if strange is None
            else dict(zip(due, map(float, strange[first:last]), strict=True))
        )
        faces = self.tracker.answer(
            placed.boxes, placed.tracks, rows, frame.position_s, strangeness
        )
        if self.finder.is_guide:
            faces = tuple(replace(face, is_guide=True) for face in faces)
        timings = Timings(
            find_ms=placed.find_ms,
            crop_ms=placed.crop_ms,
            classify_ms=1000 * batch.run_s * (len(due) / batch.size if batch.size else 1.0),
            track_ms=placed.track_ms + 1000 * (time.perf_counter() - started),
        )
        return FrameResult(frame, faces, timings, self.scheme)

    def _classify_period_s(self) -> float:
        wanted_s = self._thrift.classify_period_s
        if wanted_s <= 0:
            return 0.0
        return max(wanted_s, min(SLOW_RUNS * self._run_s, LONGEST_PERIOD_S))

    def _follow(self, frame: Frame) -> list[FaceBox] | None:
        """Return where the faces went; None if the finder has to run."""
        since_s = frame.position_s - self._found_s
        # Time that runs backwards belongs to another camera.
        if not 0 <= since_s < self._thrift.find_period_s - 1e-6:
            return None
        return self._follower.follow(frame.pixels) or None

    def _find(self, frame: Frame) -> list[FaceBox]:
        boxes = self.finder.find(frame.pixels)
        if self._thrift.find_period_s > 0 and not self.finder.is_guide:
            self._follower.start(frame.pixels, boxes)
            self._found_s = frame.position_s
        return boxes


@dataclass(frozen=True, eq=False)
class _Batch:
    """The faces that went through the network together.

    Attributes:
        answers: Their answers.
        size: Number of faces.
        run_s: Time that the network took, in seconds.
    """

    answers: Answers
    size: int
    run_s: float


def process_together(work: Sequence[tuple[LivePipeline, Frame]]) -> list[FrameResult]:
    """Label one frame of each of several sources; all faces go through the network in one batch.

    Args:
        work: The pipeline and the frame of each source. The pipelines come from one another by
            `LivePipeline.for_another_source`, so that they share the network.

    Returns:
        The results, in the same order.
    """
    if not work:
        return []
    classifier = work[0][0].classifier
    placed = [pipeline._place(frame) for pipeline, frame in work]
    crops = [crop for each in placed for crop in each.crops]
    started = time.perf_counter()
    answers = classifier.answer(crops)
    batch = _Batch(answers, len(crops), time.perf_counter() - started)
    results, first = [], 0
    for (pipeline, frame), each in zip(work, placed, strict=True):
        results.append(pipeline._answer(frame, each, batch, first))
        first += len(each.due)
    return results


def open_pipeline(
    request: ModelRequest,
    bundle: ModelBundle,
    *,
    has_pictures: bool,
    classifier: Classifier | None = None,
) -> LivePipeline:
    """Open the finder and the network that a request names.

    Args:
        request: The request.
        bundle: The bundle that was loaded for it.
        has_pictures: The source is a folder of pictures, in which smaller faces are looked for.
        classifier: The network, opened; None to open the bundle's own.

    Raises:
        UsageError: A limit of strangeness is asked for, and the bundle does not measure it.
        ToolchainError: The face model or the bundle is refused.
    """
    if request.strange_above is not None and bundle.strange_above is None:
        raise UsageError(
            f"--strange-above {request.strange_above:g}: the model in {bundle.folder} does not "
            f"measure how strange a face is. Leave it out, or train again with `trainer fit`, on "
            f"at least 50 training and 50 validation photos."
        )
    if has_pictures:
        finder = open_face_finder(request.face_model, SMALLEST_IN_PICTURE_PX)
    else:
        finder = open_face_finder(request.face_model)
    return LivePipeline(
        finder,
        classifier or Classifier(bundle),
        thrift=request.thrift,
        unsure_below=request.threshold,
        strange_above=request.strange_above,
    )
