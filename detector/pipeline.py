"""From a frame to labelled faces: find, crop, classify, track. Shared by every detector command."""

import time
from dataclasses import dataclass, replace

from collector.faces import FaceFinder, crop_face
from collector.records import Frame
from detector.classifier import Classifier
from detector.scenes import SceneWatch
from detector.tracker import FADE_S, FaceTracker, TrackedFace


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


class LivePipeline:
    """Labels the faces of one source, frame after frame.

    Args:
        finder: The same that the collector uses.
        classifier: A loaded bundle; its crop margin is used for the crops.
        fade_s: How long labels are averaged, in seconds; 0 takes each frame by itself. At a cut
            to another scene tracks end; pictures of a folder are scenes of their own.
    """

    def __init__(self, finder: FaceFinder, classifier: Classifier, fade_s: float = FADE_S) -> None:
        self.finder = finder
        self.classifier = classifier
        self._scenes = SceneWatch()
        self.tracker = FaceTracker(classifier.bundle.unsure_below, fade_s)

    def process(self, frame: Frame) -> FrameResult:
        """Find, classify and follow every face of a frame; all faces go in one batch."""
        clock = time.perf_counter
        started = clock()
        boxes = self.finder.find(frame.pixels)
        found = clock()
        margin = self.classifier.bundle.crop_margin
        crops = [crop_face(frame.pixels, box, margin) for box in boxes]
        cropped = clock()
        probabilities = self.classifier.classify(crops)
        classified = clock()
        if self._scenes.is_cut(frame.pixels) or frame.file is not None:
            self.tracker.forget()
        faces = self.tracker.update(boxes, probabilities, frame.position_s)
        if self.finder.is_guide:
            faces = tuple(replace(face, is_guide=True) for face in faces)
        ended = clock()
        timings = Timings(
            find_ms=1000 * (found - started),
            crop_ms=1000 * (cropped - found),
            classify_ms=1000 * (classified - cropped),
            track_ms=1000 * (ended - classified),
        )
        return FrameResult(frame, faces, timings)
