"""A live view leaves out what need not be done anew, and nobody sees the difference."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from detector.tracking.pipeline import (
    EVERYTHING,
    FrameResult,
    LivePipeline,
    Thrift,
    process_together,
)
from detector.tracking.tracker import FADE_S, LABEL_LEAD, YOUNG_S, FaceTracker, TrackedFace
from maskage.classes.ready_made import MASK_AGE
from maskage.faces.finder import crop_face
from maskage.formats.bundle import ModelBundle
from maskage.inference.classifier import Classifier
from maskage.inference.onnx_engine import Answers
from maskage.records import FaceBox, Frame, RgbImage
from tests.detector.conftest import COLORS
from tests.detector.tracking.test_optical_flow import box_at, draw_texture

FPS = 30
THRIFT = Thrift()
WALL = draw_texture(1000, 640, 480, cell_px=20) // 3 + 80


@dataclass(frozen=True)
class Person:
    """A face with texture in the colour of its label, which the test bundle goes by.

    Attributes:
        at: Its place (x, y, side) at a time in seconds, or None while it is not there.
        label: What it is at that time.
        seed: Of its texture.
    """

    at: Callable[[float], tuple[float, float, float] | None]
    label: Callable[[float], str]
    seed: int = 0


def resting(x: float, y: float, side: float, label: str = "mask_old", seed: int = 0) -> Person:
    return Person(lambda _: (x, y, side), lambda _: label, seed)


def draw(people: Sequence[Person], now_s: float) -> RgbImage:
    pixels = WALL.copy()
    for person in people:
        if (place := person.at(now_s)) is None:
            continue
        box = box_at(*place)
        texture = draw_texture(person.seed, 96, 96).astype(np.int16) - 128
        face = (np.array(COLORS[person.label(now_s)]) + texture // 2).clip(0, 255)
        pixels[box.y : box.y + box.height, box.x : box.x + box.width] = cv2.resize(
            face.astype(np.uint8), (box.width, box.height)
        )
    return pixels


class CountingFinder:
    """Knows where everybody is, and counts how often it is asked."""

    is_guide = False
    notice: str | None = None

    def __init__(self, people: Sequence[Person]) -> None:
        self.now_s = 0.0
        self.asked_s: list[float] = []
        self._people = people

    def find(self, pixels: RgbImage) -> list[FaceBox]:
        self.asked_s.append(self.now_s)
        places = [person.at(self.now_s) for person in self._people]
        return [box_at(*place) for place in places if place is not None]


class CountingClassifier(Classifier):
    """Counts the faces that it is given, batch by batch."""

    def __init__(self, bundle: ModelBundle) -> None:
        super().__init__(bundle)
        self.batches: list[int] = []

    def answer(self, crops: Sequence[RgbImage]) -> Answers:
        self.batches.append(len(crops))
        return super().answer(crops)


@dataclass
class Session:
    """People before a camera, and what a pipeline makes of them."""

    bundle: ModelBundle
    people: Sequence[Person]
    thrift: Thrift = THRIFT
    fps: float = FPS
    results: list[FrameResult] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.finder = CountingFinder(self.people)
        self.classifier = CountingClassifier(self.bundle)
        self.pipeline = LivePipeline(self.finder, self.classifier, thrift=self.thrift)

    def watch(self, seconds: float) -> list[FrameResult]:
        """The results of so many more seconds."""
        begun = len(self.results)
        for number in range(begun, begun + round(seconds * self.fps)):
            now_s = number / self.fps
            self.finder.now_s = now_s
            frame = Frame(draw(self.people, now_s), number, position_s=now_s)
            self.results.append(self.pipeline.process(frame))
        return self.results[begun:]


def walk(now_s: float) -> tuple[float, float, float]:
    return 60 + 90 * now_s, 150 + 30 * math.sin(3 * now_s), 110


def test_the_finder_looks_ten_times_a_second_and_the_face_is_followed_meanwhile(
    bundle: ModelBundle,
) -> None:
    session = Session(bundle, [Person(walk, lambda _: "mask_old")])
    results = session.watch(4.0)
    assert 35 <= len(session.finder.asked_s) <= 45
    assert {face.track for result in results for face in result.faces} == {1}
    for number, result in enumerate(results):
        x, y, side = walk(number / FPS)
        (face,) = result.faces
        assert math.dist(face.box.center, (x + side / 2, y + side / 2)) < 5
        assert face.label == "mask_old"


def test_at_a_rate_below_the_period_the_finder_looks_at_every_frame(bundle: ModelBundle) -> None:
    session = Session(bundle, [resting(100, 100, 100)], fps=8)
    session.watch(2.0)
    assert len(session.finder.asked_s) == 16


@pytest.mark.parametrize("shift", range(4))
def test_a_new_face_is_seen_within_the_period(bundle: ModelBundle, shift: int) -> None:
    comes_s = 1.0 + shift / FPS
    newcomer = Person(
        lambda now_s: (400, 200, 100) if now_s >= comes_s - 1e-6 else None,
        lambda _: "nomask_young",
        seed=1,
    )
    session = Session(bundle, [resting(80, 100, 110), newcomer])
    session.watch(2.0)
    first = next(n for n, result in enumerate(session.results) if len(result.faces) == 2)
    assert comes_s - 1e-6 <= first / FPS <= comes_s + session.thrift.find_period_s + 1e-6
    assert session.results[first].faces[1].label == "nomask_young"


@pytest.mark.parametrize("shift", range(4))
def test_a_face_that_has_gone_is_not_shown_for_longer_than_the_period(
    bundle: ModelBundle, shift: int
) -> None:
    goes_s = 1.0 + shift / FPS
    leaver = Person(
        lambda now_s: (400, 200, 100) if now_s < goes_s - 1e-6 else None, lambda _: "mask_old"
    )
    session = Session(bundle, [leaver])
    session.watch(2.0)
    shown_s = [n / FPS for n, result in enumerate(session.results) if result.faces]
    assert goes_s - 2 / FPS <= shown_s[-1] <= goes_s + session.thrift.find_period_s


def test_with_nobody_there_the_finder_looks_at_every_frame(bundle: ModelBundle) -> None:
    session = Session(bundle, [])
    session.watch(1.0)
    assert len(session.finder.asked_s) == FPS
    assert sum(session.classifier.batches) == 0


def test_where_a_face_is_lost_the_finder_looks_at_once(bundle: ModelBundle) -> None:
    jumps_s = 1 + 1 / FPS
    person = Person(
        lambda now_s: (80, 100, 100) if now_s < jumps_s - 1e-6 else (420, 300, 100),
        lambda _: "mask_old",
    )
    session = Session(bundle, [person])
    session.watch(1.5)
    landed = session.results[round(jumps_s * FPS)].faces
    assert [face.box for face in landed] == [box_at(420, 300, 100)]


def test_a_settled_face_is_looked_at_ten_times_a_second(bundle: ModelBundle) -> None:
    session = Session(bundle, [resting(100, 100, 100)])
    session.watch(YOUNG_S)
    # While it is young the network sees every frame of it.
    assert session.classifier.batches == [1] * round(YOUNG_S * FPS)
    session.watch(3.0)
    settled = session.classifier.batches[round(YOUNG_S * FPS) :]
    assert 25 <= sum(settled) <= 35


@pytest.mark.parametrize("fps", [12, 30])
def test_of_many_settled_faces_each_is_looked_at_and_never_all_at_once(
    bundle: ModelBundle, fps: int
) -> None:
    people = [resting(20 + 150 * (n % 4), 20 + 230 * (n // 4), 120, seed=n) for n in range(7)]
    session = Session(bundle, people, fps=fps)
    session.watch(1.0)
    begun = len(session.results)
    seen_s: dict[int, list[float]] = {}
    tracks = session.pipeline.tracker._tracks
    for _ in range(2 * fps):
        before = [track.classified_s for track in tracks]
        session.watch(1 / fps)
        now_s = (len(session.results) - 1) / fps
        for track, told_s in zip(tracks, before, strict=True):
            if track.classified_s != told_s:
                seen_s.setdefault(track.number, []).append(now_s)
    assert max(session.classifier.batches[begun:]) <= 3
    assert sorted(seen_s) == [1, 2, 3, 4, 5, 6, 7]
    longest_s = max(
        after - before for times in seen_s.values() for before, after in pairwise(times)
    )
    assert longest_s <= 3 * session.thrift.classify_period_s + 1 / fps


def test_an_unsure_face_is_looked_at_in_every_frame(bundle: ModelBundle) -> None:
    session = Session(bundle, [resting(100, 100, 100)])
    session.pipeline.adjust(unsure_below=1.0)
    session.watch(2.0)
    assert session.classifier.batches == [1] * (2 * FPS)
    # And once it need not be that sure any more, it is settled.
    session.pipeline.adjust(unsure_below=0.5)
    session.watch(1.0)
    assert sum(session.classifier.batches[2 * FPS :]) <= 15


def row(label: str, p: float = 0.9) -> NDArray[np.float32]:
    table = np.full(4, (1 - p) / 3, np.float32)
    table[MASK_AGE.index(label)] = p
    return table


def test_a_face_whose_label_is_contested_is_due_in_every_frame() -> None:
    tracker, box, now_s = FaceTracker(MASK_AGE, 0.5), box_at(100, 100, 80), 0.0

    def step(label: str) -> list[int]:
        nonlocal now_s
        now_s += 1 / FPS
        placed = tracker.place([box], now_s)
        due = tracker.due(placed, now_s, 0.1)
        tracker.answer([box], placed, {at: row(label) for at in due}, now_s)
        return due

    for _ in range(60):
        step("mask_old")
    while not step("mask_young"):
        pass
    # One frame spoke against the label: the next ones are heard until they agree with it again.
    assert step("mask_old") == [0]
    assert step("mask_old") == []


def test_a_period_of_zero_lets_the_network_see_everything() -> None:
    tracker, boxes = FaceTracker(MASK_AGE, 0.5), [box_at(100 * n, 100, 80) for n in range(5)]
    for number in range(60):
        placed = tracker.place(boxes, number / FPS)
        assert tracker.due(placed, number / FPS, 0.0) == [0, 1, 2, 3, 4]
        rows = dict.fromkeys(range(5), row("mask_old"))
        tracker.answer(boxes, placed, rows, number / FPS)


def test_a_cut_to_another_scene_forgets_whom_it_followed(bundle: ModelBundle) -> None:
    session = Session(bundle, [resting(100, 100, 100)])
    session.watch(1.0 + 1 / FPS)
    asked = len(session.finder.asked_s)
    other = 255 - draw([resting(110, 100, 100)], 0)
    result = session.pipeline.process(Frame(other, len(session.results), position_s=1 + 2 / FPS))
    # Between two looks, at the place where it might still be: another person all the same.
    assert len(session.finder.asked_s) == asked + 1
    assert [face.track for face in result.faces] == [2]


def test_what_is_forgotten_is_not_followed_either(bundle: ModelBundle) -> None:
    session = Session(bundle, [resting(100, 100, 100)])
    session.watch(1.0 + 1 / FPS)
    asked = len(session.finder.asked_s)
    session.pipeline.forget()
    (result,) = session.watch(1 / FPS)
    assert len(session.finder.asked_s) == asked + 1
    assert [face.track for face in result.faces] == [2]


def test_another_camera_whose_time_begins_anew_is_looked_at_anew(bundle: ModelBundle) -> None:
    session = Session(bundle, [resting(100, 100, 100)])
    session.watch(1.0)
    asked = len(session.finder.asked_s)
    frame = Frame(draw(session.people, 0), 0, position_s=0.0)
    session.pipeline.process(frame)
    assert len(session.finder.asked_s) == asked + 1


def changes(results: Sequence[FrameResult]) -> list[tuple[int, str]]:
    """Frames at which the first face's label is another than before."""
    labels = [result.faces[0].label for result in results]
    return [(n, labels[n]) for n in range(1, len(labels)) if labels[n] != labels[n - 1]]


@pytest.mark.parametrize("shift", range(6))
def test_a_mask_that_goes_on_is_told_as_soon_as_without_thrift(
    bundle: ModelBundle, shift: int
) -> None:
    on_s = 1.5 + shift / FPS
    person = Person(walk, lambda now_s: "mask_old" if now_s >= on_s - 1e-6 else "nomask_old")
    told_s = []
    for thrift in (EVERYTHING, Thrift()):
        session = Session(bundle, [person], thrift)
        session.watch(on_s + 1.5)
        ((frame, label),) = changes(session.results)
        assert label == "mask_old"
        told_s.append(frame / FPS - on_s)
    assert told_s[1] <= told_s[0] + 0.15
    assert told_s[1] <= FADE_S + 0.15


def test_thrift_may_be_changed_while_it_runs(bundle: ModelBundle) -> None:
    session = Session(bundle, [resting(100, 100, 100)])
    session.watch(1.0)
    session.pipeline.adjust(thrift=EVERYTHING)
    asked, batches = len(session.finder.asked_s), len(session.classifier.batches)
    session.watch(1.0)
    assert len(session.finder.asked_s) - asked == FPS
    assert sum(session.classifier.batches[batches:]) == FPS
    session.pipeline.adjust(thrift=Thrift())
    asked = len(session.finder.asked_s)
    results = session.watch(1.0)
    assert len(session.finder.asked_s) - asked <= FPS / 2
    assert {face.track for result in results for face in result.faces} == {1}


class Plain:
    """What the pipeline did before there was thrift, for one face: all of it, every frame."""

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._average = np.zeros(4)
        self._weight = 0.0
        self._label: str | None = None
        self._seen_s = 0.0

    def process(self, pixels: RgbImage, box: FaceBox, now_s: float) -> TrackedFace:
        crop = crop_face(pixels, box, self._classifier.bundle.crop_margin)
        (instant,) = self._classifier.classify([crop])
        weight = self._weight * math.exp(-(now_s - self._seen_s) / FADE_S)
        self._average = (self._average * weight + instant) / (weight + 1)
        self._weight, self._seen_s = weight + 1, now_s
        if self._label is None:
            self._label = MASK_AGE.labels[int(instant.argmax())]
        lead = self._average.max() - self._average[MASK_AGE.index(self._label)]
        if lead >= LABEL_LEAD:
            self._label = MASK_AGE.labels[int(self._average.argmax())]
        probabilities = tuple(float(p) for p in self._average)
        instants = tuple(float(p) for p in instant)
        return TrackedFace(
            1, box, self._label, probabilities, instants, is_sure=True, scheme=MASK_AGE
        )


def test_everything_does_what_was_done_before_there_was_thrift(bundle: ModelBundle) -> None:
    order = ["nomask_old", "mask_old", "mask_young", "nomask_young"]
    person = Person(walk, lambda now_s: order[int(now_s / 0.7) % 4])
    session = Session(bundle, [person], EVERYTHING)
    session.watch(3.5)
    assert len(session.finder.asked_s) == len(session.results)
    assert session.classifier.batches == [1] * len(session.results)
    plain = Plain(Classifier(bundle))
    for result in session.results:
        frame = result.frame
        expected = plain.process(frame.pixels, box_at(*walk(frame.position_s)), frame.position_s)
        (face,) = result.faces
        assert (face.track, face.box, face.label) == (1, expected.box, expected.label)
        assert face.probabilities == pytest.approx(expected.probabilities, abs=1e-6)
        assert face.instant == pytest.approx(expected.instant, abs=1e-6)
    assert len(changes(session.results)) >= 4


def test_a_pipeline_is_thorough_unless_it_is_told_otherwise(bundle: ModelBundle) -> None:
    pipeline = LivePipeline(CountingFinder([]), Classifier(bundle))
    assert pipeline.thrift == EVERYTHING == Thrift(0.0, 0.0)


@pytest.mark.parametrize("thrift", [EVERYTHING, THRIFT])
def test_sources_that_are_labelled_together_share_a_batch_and_nothing_else(
    bundle: ModelBundle, thrift: Thrift
) -> None:
    people: tuple[list[Person], ...] = (
        [resting(80, 100, 110), resting(400, 200, 100, "nomask_young", seed=1)],
        [Person(walk, lambda _: "nomask_old", seed=2)],
        [],
    )
    alone = [Session(bundle, each, thrift) for each in people]
    finders = [CountingFinder(each) for each in people]
    classifier = CountingClassifier(bundle)
    first = LivePipeline(finders[0], classifier, thrift=thrift)
    together = [first, first.for_another_source(), first.for_another_source()]
    for pipeline, finder in zip(together, finders, strict=True):
        pipeline.finder = finder
    tracks: dict[tuple[int, int], int] = {}
    for number in range(20):
        now_s = number / FPS
        for finder in finders:
            finder.now_s = now_s
        frames = [Frame(draw(each, now_s), number, position_s=now_s) for each in people]
        results = process_together(list(zip(together, frames, strict=True)))
        for source, (result, session) in enumerate(zip(results, alone, strict=True)):
            (expected,) = session.watch(1 / FPS)
            for face, same in zip(result.faces, expected.faces, strict=True):
                assert (face.box, face.label) == (same.box, same.label)
                assert face.instant == pytest.approx(same.instant, abs=1e-5)
                # Each track goes on, under a number that no other source has.
                assert tracks.setdefault((source, same.track), face.track) == face.track
    assert len(classifier.batches) == 20
    assert classifier.batches[0] == 3
    assert sorted(tracks.values()) == [1, 2, 3]


def test_no_source_is_no_work() -> None:
    assert process_together([]) == []
