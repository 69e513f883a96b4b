"""`--headless` prints each new face, each change and each piece of news, and nothing twice."""

import pytest

from detector.drawing.overlay import Readout
from detector.screens.base import LiveView
from detector.screens.headless import HeadlessScreen
from detector.tracking.pipeline import FrameResult, Timings
from detector.tracking.tracker import TrackedFace
from maskage.classes.ready_made import MASK_AGE
from maskage.records import FaceBox, Frame
from tests.detector.live.test_recording import level


def view_of(*faces: tuple[int, str, bool], at_s: float = 0.0) -> LiveView:
    """A view with faces of these tracks and labels, and whether they are sure."""
    shown = []
    for track, label, is_sure in faces:
        p = tuple(0.91 if each == label else 0.03 for each in MASK_AGE.labels)
        shown.append(
            TrackedFace(track, FaceBox(9, 9, 90, 90), label, p, p, is_sure=is_sure, scheme=MASK_AGE)
        )
    frame = Frame(level(99), 0, 100 + at_s, at_s)
    return LiveView(FrameResult(frame, tuple(shown), Timings(1, 1, 1, 1), MASK_AGE), Readout())


def test_a_face_is_printed_when_it_is_new_and_when_its_label_changes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen = HeadlessScreen()
    masked = view_of((1, "mask_old", True), at_s=0.1)
    for view in (
        masked,
        masked,
        view_of((1, "mask_old", True), at_s=0.2),
        view_of((1, "mask_old", False), (2, "nomask_old", True), at_s=0.3),
        view_of(at_s=0.4),
        view_of((1, "mask_old", True), at_s=0.5),
    ):
        screen.show(view)
    assert [line.split() for line in capsys.readouterr().err.splitlines()] == [
        ["0.10", "s", "#1", "mask,", "old", "91%"],
        ["0.30", "s", "#1", "unsure", "91%"],
        ["0.30", "s", "#2", "no", "mask,", "old", "91%"],
        ["0.50", "s", "#1", "mask,", "old", "91%"],
    ]


def test_news_and_a_lost_source_are_printed_also_before_the_first_picture(
    capsys: pytest.CaptureFixture[str],
) -> None:
    screen = HeadlessScreen()
    screen.report([], None)
    screen.report(["saved a.jpg"], "webcam 0: no picture came.")
    screen.report(["saved a.jpg", "saved b.jpg"], "webcam 0: no picture came.")
    screen.report([], None)
    assert capsys.readouterr().err.splitlines() == [
        "webcam 0: no picture came.",
        "saved a.jpg",
        "saved a.jpg",
        "saved b.jpg",
        "The picture is back.",
    ]


def test_pictures_of_a_folder_follow_each_other_at_once_and_no_key_is_heard() -> None:
    screen = HeadlessScreen()
    assert screen.picture_s == 0.0
    assert screen.read_commands() == []
