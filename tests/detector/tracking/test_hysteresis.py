"""A face near the threshold is sure or unsure for a while, not by turns."""

from itertools import pairwise

import numpy as np

from detector.tracking.tracker import SURE_LEAD, FaceTracker
from maskage.classes.ready_made import MASK_AGE
from maskage.records import FaceBox
from tests.detector.tracking.test_tracker import update

BOX = FaceBox(10, 10, 50, 50)


def count_changes(confidences: list[float], fade_s: float) -> int:
    tracker = FaceTracker(MASK_AGE, unsure_below=0.5, fade_s=fade_s)
    sure = []
    for number, confidence in enumerate(confidences):
        rest = (1 - confidence) / 3
        row = np.array([[confidence, rest, rest, rest]], np.float32)
        (face,) = update(tracker, [BOX], row, number / 30)
        sure.append(face.is_sure)
    return sum(one is not other for one, other in pairwise(sure))


def test_a_face_that_hovers_about_the_threshold_changes_once() -> None:
    hovering = [0.52 if number % 20 < 10 else 0.47 for number in range(200)]
    assert count_changes(hovering, fade_s=0.1) == 1
    # By itself each frame would be told as it is.
    assert count_changes(hovering, fade_s=0.0) == 19


def test_a_face_is_sure_again_once_it_is_clearly_above() -> None:
    tracker = FaceTracker(MASK_AGE, unsure_below=0.5)
    for number, confidence in enumerate([0.4] * 30 + [0.5 + SURE_LEAD + 0.05] * 60):
        rest = (1 - confidence) / 3
        row = np.array([[confidence, rest, rest, rest]], np.float32)
        (face,) = update(tracker, [BOX], row, number / 30)
        assert face.is_sure == (face.confidence >= 0.5 + SURE_LEAD)
    assert face.is_sure
