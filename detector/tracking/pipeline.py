"""From a frame to labelled faces: find or follow, crop, classify, track. For every command."""

import math
import time
from dataclasses import dataclass, replace

from detector.tracking.optical_flow import FaceFollower
from detector.tracking.scene_cuts import SceneWatch
from detector.tracking.tracker import FADE_S, FaceTracker, TrackedFace
from maskage.faces.finder import FaceFinder, crop_face
from maskage.inference.classifier import Classifier
from maskage.records import FaceBox, Frame


@dataclass(frozen=True)
class Timings:
    """Milliseconds that each stage took for one frame."""

    find_ms: float
    crop_ms: float
    classify_ms: float
    track_ms: float

    @property
    def total_ms(self) -> float:
        return self.find_ms + self.crop_ms + self.classify_ms + self.track_ms


@dataclass(frozen=True, eq=False)
class FrameResult:
    """One frame with its labelled faces.

    Attributes:
        frame: As it came from the camera.
        faces: Largest first, as the finder gave them.
        timings: What each stage took.
    """

    frame: Frame
    faces: tuple[TrackedFace, ...]
    timings: Timings


@dataclass(frozen=True)
class Thrift:
    """What need not be done anew in every frame of a live view.

    Attributes:
        find_period_s: Between two looks of the finder while faces are in the picture; meanwhile
            they are followed. With none in the picture it looks at every frame.
        classify_period_s: Between two looks of the network at a face whose label is settled. Where
            the network itself takes long, it is `SLOW_RUNS` of its runs, so that frames in which
            faces are only followed come between; never over `LONGEST_PERIOD_S`.
    """

    find_period_s: float = 0.1
    classify_period_s: float = 0.1


SLOW_RUNS = 3.0
LONGEST_PERIOD_S = 0.5

EVERYTHING = Thrift(0.0, 0.0)
"""The finder and the network see every frame."""


class LivePipeline:
    """Labels the faces of one source, frame after frame.

    Args:
        finder: The same that the collector uses.
        classifier: A loaded bundle; its crop margin is used for the crops.
        fade_s: How long labels are averaged, in seconds; 0 takes each frame by itself. At a cut
            to another scene tracks end; pictures of a folder are scenes of their own.
        thrift: What is left out between frames; may be changed at any time.
    """

    def __init__(
        self,
        finder: FaceFinder,
        classifier: Classifier,
        fade_s: float = FADE_S,
        thrift: Thrift = EVERYTHING,
    ) -> None:
        self.finder = finder
        self.classifier = classifier
        self.thrift = thrift
        self._scenes = SceneWatch()
        self._follower = FaceFollower()
        self._found_s = -math.inf
        self._run_s = 0.0
        self.tracker = FaceTracker(classifier.bundle.unsure_below, fade_s)

    def process(self, frame: Frame) -> FrameResult:
        """Find or follow, classify and steady the faces of a frame.

        All faces that the network looks at go in one batch.
        """
        clock = time.perf_counter
        started = clock()
        if self._scenes.is_cut(frame.pixels) or frame.file is not None:
            self.forget()
        followed = self._follow(frame)
        tracked = clock()
        boxes = self._find(frame) if followed is None else followed
        found = clock()
        placed = self.tracker.place(boxes, frame.position_s)
        due = self.tracker.due(placed, frame.position_s, self._classify_period_s())
        matched = clock()
        margin = self.classifier.bundle.crop_margin
        crops = [crop_face(frame.pixels, boxes[at], margin) for at in due]
        cropped = clock()
        rows = self.classifier.classify(crops)
        classified = clock()
        if due:
            self._run_s = 0.8 * self._run_s + 0.2 * (classified - cropped)
        told = dict(zip(due, rows, strict=True))
        faces = self.tracker.answer(boxes, placed, told, frame.position_s)
        if self.finder.is_guide:
            faces = tuple(replace(face, is_guide=True) for face in faces)
        ended = clock()
        timings = Timings(
            find_ms=1000 * (found - tracked),
            crop_ms=1000 * (cropped - matched),
            classify_ms=1000 * (classified - cropped),
            track_ms=1000 * (tracked - started + matched - found + ended - classified),
        )
        return FrameResult(frame, faces, timings)

    def forget(self) -> None:
        """End all tracks: what comes next has nothing to do with what was."""
        self.tracker.forget()
        self._found_s = -math.inf

    def _classify_period_s(self) -> float:
        asked_s = self.thrift.classify_period_s
        if asked_s <= 0:
            return 0.0
        return max(asked_s, min(SLOW_RUNS * self._run_s, LONGEST_PERIOD_S))

    def _follow(self, frame: Frame) -> list[FaceBox] | None:
        """Where the faces went; None where the finder is to look."""
        since_s = frame.position_s - self._found_s
        # Time that runs backwards is that of another camera.
        if not 0 <= since_s < self.thrift.find_period_s - 1e-6:
            return None
        return self._follower.follow(frame.pixels) or None

    def _find(self, frame: Frame) -> list[FaceBox]:
        boxes = self.finder.find(frame.pixels)
        if self.thrift.find_period_s > 0 and not self.finder.is_guide:
            self._follower.start(frame.pixels, boxes)
            self._found_s = frame.position_s
        return boxes
