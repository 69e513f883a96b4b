"""Tracks hold on to a face, labels change once for each real change, and never flicker."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from detector.tracking.tracker import FaceTracker, TrackedFace, match_boxes
from maskage.classes.ready_made import MASK_AGE
from maskage.records import FaceBox

HERE = FaceBox(100, 100, 80, 80)
FPS = 25


def rows(*labels: str, p: float = 0.9) -> NDArray[np.float32]:
    """One row for each label, which has probability `p`."""
    table = np.full((len(labels), 4), (1 - p) / 3, dtype=np.float32)
    for row, label in enumerate(labels):
        table[row, MASK_AGE.index(label)] = p
    return table


def update(
    tracker: FaceTracker,
    boxes: list[FaceBox],
    probabilities: NDArray[np.float32],
    now_s: float,
) -> tuple[TrackedFace, ...]:
    """Take in a frame in which every face is classified."""
    placed = tracker.place(boxes, now_s)
    return tracker.answer(boxes, placed, dict(enumerate(probabilities)), now_s)


def follow(tracker: FaceTracker, sequence: list[NDArray[np.float32]]) -> list[TrackedFace]:
    return [update(tracker, [HERE], row, number / FPS)[0] for number, row in enumerate(sequence)]


def test_a_moving_face_keeps_its_track() -> None:
    tracker = FaceTracker(MASK_AGE, 0.5)
    numbers = {
        update(tracker, [FaceBox(10 * n, 50, 80, 80)], rows("mask_old"), n / FPS)[0].track
        for n in range(20)
    }
    assert numbers == {1}


def test_two_faces_that_pass_in_any_order_keep_their_tracks() -> None:
    left, right = FaceBox(0, 0, 50, 50), FaceBox(200, 0, 50, 50)
    tracker = FaceTracker(MASK_AGE, 0.5)
    update(tracker, [left, right], rows("mask_old", "nomask_young"), 0.0)
    faces = update(tracker, [right, left], rows("nomask_young", "mask_old"), 0.04)
    assert [face.track for face in faces] == [2, 1]
    assert [face.label for face in faces] == ["nomask_young", "mask_old"]


def test_a_face_that_jumps_across_the_frame_is_another() -> None:
    assert match_boxes([HERE], [FaceBox(400, 100, 80, 80)]) == {}


def test_a_fast_face_is_matched_by_nearness() -> None:
    moved = FaceBox(155, 100, 80, 80)
    assert HERE.iou(moved) < 0.2
    assert match_boxes([HERE], [moved]) == {0: 0}


def test_the_greater_overlap_wins() -> None:
    near, nearer = FaceBox(120, 100, 80, 80), FaceBox(104, 100, 80, 80)
    assert match_boxes([HERE], [near, nearer]) == {1: 0}


def test_no_boxes_match_nothing() -> None:
    assert match_boxes([], []) == {}
    assert update(FaceTracker(MASK_AGE, 0.5), [], np.zeros((0, 4), np.float32), 0.0) == ()


def test_a_face_lost_for_half_a_second_comes_back_and_for_two_is_new() -> None:
    tracker = FaceTracker(MASK_AGE, 0.5)
    first = update(tracker, [HERE], rows("mask_old"), 0.0)[0]
    back = update(tracker, [HERE], rows("mask_old"), 0.5)[0]
    new = update(tracker, [HERE], rows("mask_old"), 2.5)[0]
    assert (first.track, back.track, new.track) == (1, 1, 2)
    assert tracker.tracks_begun == 2


def test_one_wrong_frame_does_not_change_the_label() -> None:
    sequence = [rows("mask_old")] * 20 + [rows("nomask_old")] + [rows("mask_old")] * 20
    faces = follow(FaceTracker(MASK_AGE, 0.5), sequence)
    assert {face.label for face in faces} == {"mask_old"}
    assert faces[20].instant_label == "nomask_old"


def test_a_mask_that_goes_on_is_reported_once_and_within_a_second() -> None:
    sequence = [rows("nomask_young")] * 50 + [rows("mask_young")] * 50
    labels = [face.label for face in follow(FaceTracker(MASK_AGE, 0.5), sequence)]
    changes = [n for n in range(1, 100) if labels[n] != labels[n - 1]]
    assert len(changes) == 1
    assert 50 < changes[0] <= 50 + FPS


def test_an_even_flicker_between_two_classes_changes_nothing() -> None:
    sequence = [rows("mask_old", p=0.6), rows("mask_young", p=0.6)] * 50
    faces = follow(FaceTracker(MASK_AGE, 0.5), sequence)
    assert sum(a.label != b.label for a, b in pairwise(faces)) == 0
    assert sum(a.instant_label != b.instant_label for a, b in pairwise(faces))


def test_a_low_confidence_is_unsure() -> None:
    tracker = FaceTracker(MASK_AGE, unsure_below=0.7)
    assert not update(tracker, [HERE], rows("mask_old", p=0.69), 0.0)[0].is_sure
    assert update(tracker, [HERE], rows("mask_old", p=0.95), 5.0)[0].is_sure


def test_without_fading_each_frame_stands_alone() -> None:
    faces = follow(FaceTracker(MASK_AGE, 0.5, fade_s=0), [rows("mask_old"), rows("nomask_old")])
    assert [face.label for face in faces] == ["mask_old", "nomask_old"]
    assert faces[1].confidence == pytest.approx(0.9)


def test_forgotten_tracks_do_not_come_back() -> None:
    tracker = FaceTracker(MASK_AGE, 0.5)
    update(tracker, [HERE], rows("mask_old"), 0.0)
    tracker.forget()
    face = update(tracker, [HERE], rows("nomask_old"), 0.0)[0]
    assert (face.track, face.label) == (2, "nomask_old")


@given(
    st.lists(
        st.lists(st.floats(0.0625, 1, width=32), min_size=4, max_size=4), min_size=1, max_size=30
    )
)
def test_averaged_probabilities_always_add_up_to_one(raw: list[list[float]]) -> None:
    table = np.array(raw, dtype=np.float32)
    table /= table.sum(axis=1, keepdims=True)
    for face in follow(FaceTracker(MASK_AGE, 0.5), [row[None] for row in table]):
        assert sum(face.probabilities) == pytest.approx(1, abs=1e-4)
        assert 0 <= face.confidence <= 1
