"""What the observer says of a camera, with cameras that are handed in."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from collector.capture.observer import Observer
from maskage.cameras.live_feed import CameraCondition, CameraState
from maskage.cameras.sources import Camera, PictureFolder, open_camera
from maskage.cameras.video.video_file import VideoFile
from maskage.errors import CameraError
from maskage.faces.finder import GuideFinder
from maskage.records import FaceBox, Frame, RgbImage
from tests.collector.screens.test_app import draw_pictures
from tests.maskage.cameras.video.video_clips import make_clip, spoil_middle
from tests.maskage.dataset.importing.test_importer import make_video

WAIT_S = 60.0
_, LIVE, SILENT, LOST, _, ENDED = CameraCondition


class ScriptedCamera:
    """Gives frames that hold their camera's number, until it is told to hang or to be lost."""

    name = "scripted camera"
    fps: float | None = 50.0
    frame_count: int | None = None
    is_live = True

    def __init__(self, number: int = 0, *, hangs: bool = False) -> None:
        self.number = number
        self.may_go_on = threading.Event()
        self.is_lost = False
        self.closed = threading.Event()
        self._index = 0
        if not hangs:
            self.may_go_on.set()

    def read(self) -> Frame | None:
        time.sleep(0.02)
        self.may_go_on.wait()
        if self.is_lost:
            raise CameraError(f"{self.name}: no picture.")
        pixels = np.full((48, 64, 3), 100 + self.number, np.uint8)
        pixels[0, 0] = self._index % 250
        self._index += 1
        return Frame(pixels, self._index - 1, time.monotonic())

    def close(self) -> None:
        self.closed.set()


class Log:
    """What an observer told, in its order: states, and the numbers of the cameras that were seen.

    Its observer takes each observation as it is announced.
    """

    def __init__(self, camera: Camera, opener: Callable[[str], Camera]) -> None:
        self.told: list[CameraState | int] = []
        self._came = threading.Condition()
        self.observer = Observer(
            camera,
            "scripted",
            opener,
            GuideFinder(),
            on_observation=self._see,
            on_state=lambda state: self._note(state),
        )

    @property
    def states(self) -> list[CameraState]:
        return [entry for entry in self.told if isinstance(entry, CameraState)]

    @property
    def conditions(self) -> list[CameraCondition]:
        return [state.condition for state in self.states]

    def wait(self, happened: Callable[[], bool]) -> None:
        with self._came:
            assert self._came.wait_for(happened, WAIT_S), self.told[-5:]

    def _see(self) -> None:
        observation = self.observer.take()
        if observation is not None:
            self._note(int(observation.frame.pixels[20, 20, 0]) - 100)

    def _note(self, entry: CameraState | int) -> None:
        with self._came:
            self.told.append(entry)
            self._came.notify_all()


def refuse(source: str) -> Camera:
    raise CameraError(f"{source}: not there.")


@contextmanager
def observing(camera: Camera, opener: Callable[[str], Camera] = refuse) -> Iterator[Log]:
    log = Log(camera, opener)
    log.observer.start()
    try:
        yield log
    finally:
        log.observer.close()


def test_a_camera_that_hangs_in_a_read_is_told_within_2_s_and_replaced() -> None:
    first, second = ScriptedCamera(1), ScriptedCamera(2)
    with observing(first, lambda _: second) as log:
        log.wait(lambda: 1 in log.told)
        hung_s = time.monotonic()
        first.may_go_on.clear()
        log.wait(lambda: SILENT in log.conditions)
        assert time.monotonic() - hung_s < 2.0
        assert log.states[-1].message == "No picture: waiting for the camera."
        log.wait(lambda: 2 in log.told)
        assert log.conditions == [LIVE, SILENT, LOST, LIVE]
        assert log.states[2].message == (
            "scripted camera: silent, opening it again. Reconnecting (1)."
        )
        # The read that hung comes back late: its frame is shown to nobody, its camera is closed.
        assert not first.closed.is_set()
        first.may_go_on.set()
        assert first.closed.wait(WAIT_S)
        gap = log.told.index(log.states[1])
        assert 1 not in log.told[gap:]


def test_nothing_of_before_the_gap_is_left_to_be_taken_after_it() -> None:
    camera, may_open = ScriptedCamera(1), threading.Event()

    def open_late(_: str) -> Camera:
        may_open.wait(WAIT_S)
        return ScriptedCamera(2)

    log = Log(camera, open_late)
    announced = threading.Event()
    # A screen that is too busy to take what is announced.
    observer = Observer(
        camera,
        "scripted",
        open_late,
        GuideFinder(),
        on_observation=announced.set,
        on_state=lambda s: log._note(s),
    )
    observer.start()
    try:
        assert announced.wait(WAIT_S)
        camera.is_lost = True
        log.wait(lambda: LOST in log.conditions)
        assert observer.take() is None
        announced.clear()
        may_open.set()
        assert announced.wait(WAIT_S)
        observation = observer.take()
        assert observation is not None
        assert observation.frame.pixels[20, 20, 0] == 102
    finally:
        observer.close()


def test_every_failed_attempt_is_counted_and_one_without_a_picture_has_failed() -> None:
    camera = ScriptedCamera(1)
    silent = ScriptedCamera(2, hangs=True)
    answers: list[Camera | None] = [None, silent, None, ScriptedCamera(3)]

    def open_next(source: str) -> Camera:
        return answers.pop(0) or refuse(source)

    with observing(camera, open_next) as log:
        log.wait(lambda: 1 in log.told)
        camera.is_lost = True
        log.wait(lambda: 3 in log.told)
        lost = [state for state in log.states if state.condition is LOST]
        assert [state.attempt for state in lost] == [1, 2, 3, 4]
        assert [f"Reconnecting ({n})." in s.message for n, s in enumerate(lost, 1)] == [True] * 4
        assert "opened, but no picture comes" in lost[2].message
        assert log.conditions == [LIVE, LOST, LOST, LOST, LOST, LIVE]
    silent.may_go_on.set()
    assert silent.closed.wait(WAIT_S)


def test_closing_waits_no_longer_than_opening_takes() -> None:
    camera = ScriptedCamera(1)
    is_opening, opened = threading.Event(), ScriptedCamera(2)

    def open_slowly(_: str) -> Camera:
        is_opening.set()
        time.sleep(1.0)
        return opened

    with observing(camera, open_slowly) as log:
        log.wait(lambda: 1 in log.told)
        camera.is_lost = True
        assert is_opening.wait(WAIT_S)
        started_s = time.monotonic()
        log.observer.close()
        assert time.monotonic() - started_s < 4.0
    assert opened.closed.is_set()


def test_the_end_of_a_paced_video_is_an_end_and_no_loss(tmp_path: Path) -> None:
    video = VideoFile(make_video(tmp_path / "a.mp4", 10), pace=True)
    with observing(video) as log:
        log.wait(lambda: ENDED in log.conditions)
        time.sleep(2.0)
        assert log.conditions == [LIVE, ENDED]
        assert log.states[-1].message == "The recording is over."


def test_a_video_whose_second_frame_comes_late_is_no_lost_camera(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mkv", [0, 1.8, 1.9, 20, 20.1])
    with observing(open_camera(str(clip)), open_camera) as log:
        log.wait(lambda: ENDED in log.conditions)
        assert log.conditions == [LIVE, ENDED]


def test_the_end_of_a_damaged_video_says_so(tmp_path: Path) -> None:
    clip = spoil_middle(make_clip(tmp_path / "a.mkv"))
    with observing(open_camera(str(clip)), open_camera) as log:
        log.wait(lambda: ENDED in log.conditions)
        assert "frames could not be decoded" in log.states[-1].message


def test_a_video_that_cannot_be_read_ends_with_its_reason_and_is_not_opened_anew(
    tmp_path: Path,
) -> None:
    path = make_clip(tmp_path / "a.avi", [n / 30 for n in range(10)], codec="mjpeg")
    path.write_bytes(path.read_bytes().replace(b"\xff\xc0", b"\xff\x00"))
    with observing(open_camera(str(path)), open_camera) as log:
        log.wait(lambda: len(log.states) > 1)
        assert log.conditions == [LIVE, ENDED]
        assert "none of its frames" in log.states[-1].message


def test_a_picture_that_is_looked_at_for_long_is_no_stall(tmp_path: Path) -> None:
    with observing(PictureFolder(draw_pictures(tmp_path / "pictures", 2))) as log:
        log.wait(lambda: len(log.told) >= 2)
        time.sleep(2.0)
        assert log.conditions == [LIVE]


class MoodyFinder(GuideFinder):
    """Fails, with nothing that anybody foresaw, while it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.fails = False

    def find(self, pixels: RgbImage) -> list[FaceBox]:
        if self.fails:
            raise RuntimeError("out of order")
        return super().find(pixels)


def test_what_nobody_foresaw_is_told_and_outlived() -> None:
    finder, opened = MoodyFinder(), 0

    def open_moody(source: str) -> Camera:
        nonlocal opened
        opened += 1
        if opened == 1:
            raise RuntimeError("no such thing")
        return ScriptedCamera(opened)

    states: list[CameraState] = []
    observer = Observer(
        ScriptedCamera(),
        "scripted",
        open_moody,
        finder,
        on_observation=lambda: None,
        on_state=states.append,
    )
    observer.start()
    try:
        _wait_until(lambda: observer.take() is not None)
        finder.fails = True
        _wait_until(lambda: opened >= 3)
        assert [state.attempt for state in states if state.condition is LOST][:3] == [1, 2, 3]
        told = " ".join(state.message for state in states)
        assert "RuntimeError('out of order')" in told
        assert "RuntimeError('no such thing')" in told
        # As long as it fails, nothing is handed out and nothing is called live.
        observer.take()
        assert states[-1].condition is LOST
        finder.fails = False
        _wait_until(lambda: observer.take() is not None)
        assert states[-1].condition is LIVE
    finally:
        observer.close()


def _wait_until(happened: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + WAIT_S
    while not happened():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
