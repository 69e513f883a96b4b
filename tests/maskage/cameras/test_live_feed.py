"""The feed gives the newest frame of the camera that is wanted, and gets a lost one back."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from maskage.cameras.live_feed import HUNG_AFTER_S, CameraCondition, LiveFeed
from maskage.cameras.sources import Camera, PictureFolder, open_camera
from maskage.errors import CameraError, CameraLoginError
from maskage.pictures.images import encode_jpeg
from maskage.records import Frame, RgbImage
from tests.maskage.cameras.video.video_clips import make_clip

PIXELS: RgbImage = np.zeros((48, 64, 3), np.uint8)
LONG_S = 20.0
"""Far more than anything here takes, on a machine however busy."""
FEED_THREADS = ("camera-opener", "camera-reader")


class SteadyCamera:
    """A live camera of a fixed rate, which can hang in a read or be pulled out."""

    frame_count: int | None = None
    is_live = True

    def __init__(self, name: str = "steady camera", period_s: float = 0.02) -> None:
        self.name = name
        self.fps: float | None = 1 / period_s
        self.closed = threading.Event()
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.is_lost = False
        self.is_read = False
        self._period_s = period_s
        self._index = 0

    def read(self) -> Frame | None:
        self.is_read = True
        if self._index > 0:
            time.sleep(self._period_s)
        self.may_go_on.wait(60)
        self.is_read = False
        if self.is_lost:
            raise CameraError(f"{self.name}: pulled out.")
        self._index += 1
        return Frame(PIXELS, self._index - 1)

    def close(self) -> None:
        assert not self.is_read, "closing a camera under a read crashes some drivers"
        self.closed.set()


@pytest.fixture(autouse=True)
def no_thread_is_left_behind() -> Iterator[None]:
    yield
    deadline = time.monotonic() + LONG_S
    while left := [t.name for t in threading.enumerate() if t.name in FEED_THREADS]:
        assert time.monotonic() < deadline, left
        time.sleep(0.02)


def problem_of(feed: LiveFeed) -> str | None:
    return feed.problem


def is_fresh(feed: LiveFeed) -> bool:
    return feed.stale_s is None


def take_until(feed: LiveFeed, happened: Callable[[], object]) -> list[Frame]:
    """Take frames, as the live loop does, until something is the case."""
    frames = []
    deadline = time.monotonic() + LONG_S
    while not happened():
        assert time.monotonic() < deadline, feed.problem
        if (frame := feed.take(0.05)) is not None:
            frames.append(frame)
    return frames


def take_frames(feed: LiveFeed, count: int) -> list[Frame]:
    frames: list[Frame] = []
    deadline = time.monotonic() + LONG_S
    while len(frames) < count:
        assert time.monotonic() < deadline, feed.problem
        if (frame := feed.take(0.05)) is not None:
            frames.append(frame)
    return frames


def test_frames_come_in_order_and_the_camera_is_closed_at_the_end() -> None:
    camera = SteadyCamera()
    with LiveFeed(lambda: camera) as feed:
        indexes = [frame.index for frame in take_frames(feed, 10)]
        assert problem_of(feed) is None
        assert feed.reconnects == 0
    assert indexes == sorted(set(indexes))
    assert camera.closed.is_set()


def test_switching_closes_the_former_camera_and_shows_the_next() -> None:
    first, second = SteadyCamera("first"), SteadyCamera("second")
    with LiveFeed(lambda: first) as feed:
        before = take_frames(feed, 3)[-1]
        feed.switch(lambda: second, "second")
        assert problem_of(feed) == "Opening second."
        frames = take_frames(feed, 3)
        # Numbers and times go on, for whoever reads the events.
        assert frames[0].index == before.index + 1
        assert frames[0].position_s > before.position_s
        assert first.closed.is_set()
        assert feed.camera is second
        assert problem_of(feed) is None
        # The user wanted it: nothing was lost.
        assert feed.reconnects == 0
    assert second.closed.is_set()


def test_the_former_camera_is_closed_before_the_next_is_opened() -> None:
    first = SteadyCamera("first")
    was_closed = []

    def open_next() -> Camera:
        # The same device would open only once.
        was_closed.append(first.closed.is_set())
        return SteadyCamera("second")

    with LiveFeed(lambda: first) as feed:
        take_frames(feed, 1)
        feed.switch(open_next, "second")
        take_frames(feed, 1)
    assert was_closed == [True]


def test_while_a_camera_is_opened_the_loop_is_not_held_up() -> None:
    may_open = threading.Event()

    def open_slowly() -> Camera:
        may_open.wait(LONG_S)
        return SteadyCamera("slow to open")

    with LiveFeed(SteadyCamera) as feed:
        (before,) = take_frames(feed, 1)
        feed.switch(open_slowly, "slow to open")
        started_s = time.monotonic()
        assert [feed.take(0.05) for _ in range(4)] == [None] * 4
        assert time.monotonic() - started_s < 2.0
        assert problem_of(feed) == "Opening slow to open."
        may_open.set()
        assert take_frames(feed, 1)[0].index == before.index + 1


def test_a_camera_that_opens_after_nobody_wants_it_any_more_is_closed() -> None:
    may_open, is_opening = threading.Event(), threading.Event()
    late, wanted = SteadyCamera("late"), SteadyCamera("wanted")

    def open_late() -> Camera:
        is_opening.set()
        may_open.wait(LONG_S)
        return late

    with LiveFeed(SteadyCamera) as feed:
        take_frames(feed, 1)
        feed.switch(open_late, "late")
        assert is_opening.wait(LONG_S)
        feed.switch(lambda: wanted, "wanted")
        take_frames(feed, 2)
        may_open.set()
        assert late.closed.wait(LONG_S)
        take_frames(feed, 2)
        assert feed.camera is wanted
        assert not wanted.closed.is_set()


def test_a_camera_that_is_being_opened_at_the_end_is_closed() -> None:
    late, is_opening = SteadyCamera("late"), threading.Event()

    def open_late() -> Camera:
        is_opening.set()
        time.sleep(0.5)
        return late

    with LiveFeed(SteadyCamera) as feed:
        take_frames(feed, 1)
        feed.switch(open_late, "late")
        assert is_opening.wait(LONG_S)
    assert late.closed.is_set()


def test_a_camera_that_was_opened_and_never_taken_is_closed_too() -> None:
    second = SteadyCamera("second")
    first = SteadyCamera("first")
    with LiveFeed(lambda: first) as feed:
        take_frames(feed, 1)
        feed.switch(lambda: second, "second")
        assert first.closed.wait(LONG_S)
        time.sleep(0.3)
    assert second.closed.is_set()


def test_a_lost_camera_is_tried_again_until_it_opens_at_most_a_second_apart() -> None:
    first = SteadyCamera("first")
    tries: list[float] = []

    def open_camera_again() -> Camera:
        tries.append(time.monotonic())
        if len(tries) == 1:
            return first
        if len(tries) < 6:
            raise CameraError(f"still pulled out, try {len(tries) - 1}.")
        return SteadyCamera("second")

    with LiveFeed(open_camera_again) as feed:
        take_frames(feed, 3)
        lost_s = time.monotonic()
        first.is_lost = True
        take_until(feed, lambda: feed.problem == "first: pulled out.")
        take_until(feed, lambda: feed.problem == "still pulled out, try 3.")
        assert feed.reconnects == 0
        assert feed.stale_s is not None
        take_frames(feed, 3)
        assert feed.reconnects == 1
        assert problem_of(feed) is None
        assert is_fresh(feed)
    assert first.closed.is_set()
    pauses = [after - before for before, after in pairwise([lost_s, *tries[1:]])]
    least = [0.25, 0.5, 1.0, 1.0, 1.0]
    assert all(pause >= wanted - 0.05 for pause, wanted in zip(pauses, least, strict=True))
    # A second, and what a busy machine adds.
    assert max(pauses) < 3.0


def test_a_camera_that_was_just_opened_is_not_blamed_for_the_silence_before() -> None:
    first, second = SteadyCamera("first"), SteadyCamera("second")
    second.may_go_on.clear()
    may_open = threading.Event()

    def open_slowly() -> Camera:
        may_open.wait(LONG_S)
        return second

    with LiveFeed(lambda: first) as feed:
        take_frames(feed, 5)
        feed.switch(open_slowly, "second")
        take_until(feed, lambda: feed.stale_s)
        may_open.set()
        take_until(feed, lambda: feed.camera is second)
        # It has given no picture yet, and it is not late.
        assert is_fresh(feed)
        second.may_go_on.set()
        take_frames(feed, 1)
        assert feed.reconnects == 0


def test_an_opener_that_fails_in_an_unforeseen_way_is_tried_again() -> None:
    first = SteadyCamera("first")
    tries: list[int] = []

    def open_camera_again() -> Camera:
        tries.append(len(tries))
        if len(tries) == 1:
            return first
        if len(tries) == 2:
            raise ZeroDivisionError("a driver's fault")
        return SteadyCamera("second")

    with LiveFeed(open_camera_again) as feed:
        take_frames(feed, 1)
        first.is_lost = True
        take_until(feed, lambda: "a driver's fault" in (feed.problem or ""))
        take_frames(feed, 2)
        assert feed.camera.name == "second"
        assert feed.reconnects == 1


@pytest.mark.slow
def test_a_webcam_that_hangs_in_a_read_is_replaced() -> None:
    hung, back = SteadyCamera("webcam"), SteadyCamera("webcam, again")
    cameras = [hung, back]
    with LiveFeed(lambda: cameras.pop(0)) as feed:
        take_frames(feed, 5)
        hung.may_go_on.clear()
        hung_s = time.monotonic()
        take_until(feed, lambda: feed.problem)
        assert time.monotonic() - hung_s > HUNG_AFTER_S - 0.5
        assert problem_of(feed) == "webcam: silent, opening it again."
        take_until(feed, lambda: feed.camera is back)
        assert take_frames(feed, 3)[0].index >= 0
        assert feed.reconnects == 1
        assert problem_of(feed) is None
        # Its driver is still in the read.
        assert not hung.closed.is_set()
        hung.may_go_on.set()
        assert hung.closed.wait(LONG_S)


def test_the_end_does_not_wait_for_a_camera_that_hangs() -> None:
    hung = SteadyCamera("webcam")
    with LiveFeed(lambda: hung) as feed:
        take_frames(feed, 2)
        hung.may_go_on.clear()
        time.sleep(0.1)
        ending_s = time.monotonic()
    assert time.monotonic() - ending_s < 8.0
    assert not hung.closed.is_set()
    hung.may_go_on.set()
    assert hung.closed.wait(LONG_S)


def test_silence_is_told_within_two_seconds() -> None:
    camera = SteadyCamera(period_s=1 / 30)
    with LiveFeed(lambda: camera) as feed:
        take_frames(feed, 20)
        assert is_fresh(feed)
        camera.may_go_on.clear()
        # The read in progress may still bring one.
        last_s = time.monotonic()
        while is_fresh(feed):
            if feed.take(0.05) is not None:
                last_s = time.monotonic()
            assert time.monotonic() - last_s < 2.0
        assert (feed.stale_s or 0) > 1.0
        camera.may_go_on.set()
        take_frames(feed, 1)
        assert is_fresh(feed)
        assert feed.reconnects == 0


@pytest.mark.slow
def test_a_slow_camera_is_not_called_silent_once_its_pace_is_known() -> None:
    camera = SteadyCamera(period_s=2.0)
    with LiveFeed(lambda: camera) as feed:
        take_frames(feed, 4)
        for _ in range(3):
            frame = None
            while frame is None:
                assert is_fresh(feed)
                frame = feed.take(0.05)
        assert feed.reconnects == 0


def test_the_end_of_a_recording_is_an_end(film: Callable[..., Path]) -> None:
    clip = film(["mask_old"] * 10, 25)
    with LiveFeed(lambda: open_camera(str(clip))) as feed:
        frames = take_until(feed, lambda: feed.has_ended)
        assert frames[-1].index == 9
        assert problem_of(feed) is None
        assert feed.stale_s is None
        assert feed.reconnects == 0
        assert feed.dropped + len(frames) == 10


def test_a_folder_waits_to_be_told_to_go_on(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(encode_jpeg(PIXELS))
    with LiveFeed(lambda: PictureFolder(tmp_path)) as feed:
        assert feed.is_queue
        assert [frame.file for frame in take_frames(feed, 1)] == ["0.jpg"]
        assert feed.take(0.2) is None
        feed.advance()
        assert [frame.file for frame in take_frames(feed, 1)] == ["1.jpg"]
        # However long the user looks at it.
        time.sleep(1.5)
        assert feed.stale_s is None
        feed.advance()
        take_frames(feed, 1)
        feed.advance()
        take_until(feed, lambda: feed.has_ended)
        assert problem_of(feed) is None


def test_after_the_end_of_a_folder_another_source_can_be_watched(tmp_path: Path) -> None:
    (tmp_path / "0.jpg").write_bytes(encode_jpeg(PIXELS))
    with LiveFeed(lambda: PictureFolder(tmp_path)) as feed:
        take_frames(feed, 1)
        feed.advance()
        take_until(feed, lambda: feed.has_ended)
        feed.switch(SteadyCamera, "steady camera")
        assert not feed.has_ended
        take_frames(feed, 2)
        assert not feed.is_queue
        feed.switch(lambda: PictureFolder(tmp_path), "the folder")
        assert take_frames(feed, 1)[0].file == "0.jpg"
        assert feed.is_queue


def test_dropped_frames_are_counted_over_all_cameras() -> None:
    first, second = SteadyCamera("first", 0.01), SteadyCamera("second", 0.01)
    with LiveFeed(lambda: first) as feed:
        take_frames(feed, 1)
        time.sleep(0.5)
        take_frames(feed, 1)
        of_first = feed.dropped
        assert of_first >= 5
        feed.switch(lambda: second, "second")
        take_frames(feed, 1)
        time.sleep(0.5)
        take_frames(feed, 1)
        assert feed.dropped >= of_first + 5


def test_a_pause_in_a_recording_is_no_lost_camera(tmp_path: Path) -> None:
    times = [number / 30 for number in range(30)] + [60 + number / 30 for number in range(30)]
    clip = make_clip(tmp_path / "clip.mkv", times)
    opened: list[Camera] = []

    def open_clip() -> Camera:
        opened.append(open_camera(str(clip)))
        return opened[-1]

    with LiveFeed(open_clip) as feed:
        frames = take_until(feed, lambda: feed.has_ended)
        assert problem_of(feed) is None
    assert frames[-1].position_s == pytest.approx(times[-1], abs=0.002)
    assert len(opened) == 1
    assert feed.reconnects == 0


@pytest.mark.slow
def test_a_recording_on_a_disk_that_is_silent_is_not_opened_anew(tmp_path: Path) -> None:
    data = make_clip(tmp_path / "clip.mkv").read_bytes()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)

    def write_with_a_stall() -> None:
        with pipe.open("wb") as file:
            file.write(data[: len(data) // 2])
            file.flush()
            time.sleep(HUNG_AFTER_S + 2)
            file.write(data[len(data) // 2 :])

    writer = threading.Thread(target=write_with_a_stall)
    writer.start()
    with LiveFeed(lambda: open_camera(str(pipe))) as feed:
        frames = take_until(feed, lambda: feed.has_ended)
        assert feed.reconnects == 0
    writer.join(LONG_S)
    assert frames[-1].index == 59


def test_a_recording_that_cannot_be_read_is_an_error_and_not_opened_anew(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.avi", [n / 30 for n in range(10)], codec="mjpeg")
    path.write_bytes(path.read_bytes().replace(b"\xff\xc0", b"\xff\x00"))
    with (
        LiveFeed(lambda: open_camera(str(path))) as feed,
        pytest.raises(CameraError, match="none of its frames"),
    ):
        take_until(feed, lambda: feed.has_ended or feed.problem is not None)


def test_a_camera_that_refused_its_login_is_asked_again_only_when_the_user_wants_it() -> None:
    first, back = SteadyCamera("first"), SteadyCamera("back")
    answers: list[Camera | None] = [first, None, None, None, back]

    def open_next() -> Camera:
        camera = answers.pop(0)
        if camera is None:
            raise CameraLoginError("wrong password.")
        return camera

    with LiveFeed(open_next) as feed:
        take_frames(feed, 1)
        first.is_lost = True
        take_until(feed, lambda: feed.state.condition is CameraCondition.REFUSED)
        assert problem_of(feed) == "wrong password. It is not asked again."
        assert feed.stale_s is not None or feed.take(1.5) is None
        assert not feed.has_ended
        assert answers == [back]
        feed.switch(open_next, "first")
        take_frames(feed, 2)
        assert problem_of(feed) is None
        assert feed.reconnects == 0


def test_a_camera_that_is_awaited_may_come_later_and_was_not_lost_before() -> None:
    openings: list[int] = []
    states: list[CameraCondition] = []

    def open_at_third() -> Camera:
        openings.append(1)
        if len(openings) < 3:
            raise CameraError("steady camera: nobody answers.")
        return SteadyCamera()

    woken = threading.Event()
    with LiveFeed(
        open_at_third,
        awaited="door",
        on_state=lambda state: states.append(state.condition),
        on_change=woken.set,
    ) as feed:
        assert feed.state.condition is CameraCondition.OPENING
        assert (feed.camera.name, feed.was_live, feed.has_ended) == ("door", False, False)
        with pytest.raises(CameraError, match="not open yet"):
            feed.camera.read()
        frames = take_frames(feed, 3)
        assert woken.is_set()
        assert feed.was_live
    assert [frame.index for frame in frames] == sorted({frame.index for frame in frames})
    assert states == [CameraCondition.LOST, CameraCondition.LOST, CameraCondition.LIVE]
    assert feed.reconnects == 0


def test_an_awaited_camera_that_never_comes_can_be_given_up() -> None:
    may_open = threading.Event()

    def open_never() -> Camera:
        may_open.wait(LONG_S)
        raise CameraError("nobody answers.")

    feed = LiveFeed(open_never, awaited="door")
    assert feed.take(0.01) is None
    may_open.set()
    feed.close()


def test_pictures_that_a_thread_reads_come_one_for_each_advance(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.jpg").write_bytes(encode_jpeg(PIXELS))
    with LiveFeed(lambda: PictureFolder(tmp_path), on_change=lambda: None) as feed:
        assert feed.is_queue
        seen: list[str | None] = []
        while len(seen) < 3:
            (frame,) = take_frames(feed, 1)
            seen.append(frame.file)
            assert feed.take(0.05) is None
            feed.advance()
            feed.advance()
        take_until(feed, lambda: feed.has_ended)
    assert seen == ["0.jpg", "1.jpg", "2.jpg"]
