"""The collector and the live view come to the same about a camera that misbehaves."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from collector.capture.observer import Observer
from maskage.cameras.live_feed import CameraCondition, CameraState, LiveFeed
from maskage.cameras.sources import Camera, open_camera
from maskage.errors import CameraError, CameraLoginError
from maskage.faces.finder import GuideFinder
from maskage.records import Frame
from tests.maskage.dataset.importing.test_importer import make_video

LONG_S = 60.0
_, LIVE, SILENT, LOST, REFUSED, ENDED = CameraCondition


class ScriptedCamera:
    """A live camera that gives so many frames, and from then on waits in its read."""

    name = "scripted camera"
    fps: float | None = None
    frame_count: int | None = None
    is_live = True

    def __init__(self, frames: float, period_s: float = 0.02) -> None:
        self._frames, self._period_s = frames, period_s
        self._index = 0
        self._closing = threading.Event()

    def read(self) -> Frame | None:
        if self._index >= self._frames:
            self._closing.wait(60)
            raise CameraError(f"{self.name}: closed.")
        time.sleep(self._period_s)
        self._index += 1
        pixels = np.full((48, 64, 3), self._index % 250, np.uint8)
        return Frame(pixels, self._index - 1)

    def close(self) -> None:
        self._closing.set()


class Source:
    """A source that behaves, at each opening, as the script says; the last line stays valid.

    Attributes:
        opened_s: Moments at which it was asked to open.
        closing: Set at the end; lets go of an opening that hangs.
    """

    def __init__(self, *script: Callable[["Source"], Camera]) -> None:
        self._script = script
        self.opened_s: list[float] = []
        self.closing = threading.Event()

    def open(self, _: str = "") -> Camera:
        self.opened_s.append(time.monotonic())
        return self._script[min(len(self.opened_s), len(self._script)) - 1](self)


def gives(frames: float, period_s: float = 0.02) -> Callable[[Source], Camera]:
    return lambda _: ScriptedCamera(frames, period_s)


def refuse(_: Source) -> Camera:
    raise CameraError("the cable was pulled.")


def hang(source: Source) -> Camera:
    source.closing.wait(60)
    raise CameraError("too late.")


class User:
    """One of the two users of a source.

    Attributes:
        states: The states that were reported, without the words that the collector adds.
        frames: Number of frames that came.
        reconnects: As the live view counts them; None for the collector, which shows no number.
    """

    def __init__(self) -> None:
        self.states: list[tuple[CameraCondition, int]] = []
        self.frames = 0
        self.reconnects: int | None = None

    def note(self, state: CameraState) -> None:
        self.states.append((state.condition, state.attempt))


@contextmanager
def live_view(source: Source) -> Iterator[User]:
    user, is_over = User(), threading.Event()
    feed = LiveFeed(source.open, on_state=user.note)
    user.note(feed.state)

    def take() -> None:
        while not is_over.is_set():
            user.frames += feed.take(0.05) is not None
            user.reconnects = feed.reconnects

    thread = threading.Thread(target=take)
    thread.start()
    try:
        yield user
    finally:
        is_over.set()
        thread.join()
        source.closing.set()
        feed.close()


@contextmanager
def collector(source: Source) -> Iterator[User]:
    user = User()

    def see() -> None:
        user.frames += observer.take() is not None

    observer = Observer(
        source.open(),
        "scripted",
        source.open,
        GuideFinder(),
        on_observation=see,
        on_state=user.note,
    )
    observer.start()
    try:
        yield user
    finally:
        source.closing.set()
        observer.close()


def watch(
    *script: Callable[[Source], Camera], until: Callable[[Source, User], bool]
) -> tuple[list[User], list[Source]]:
    """Let both watch a source with this script until something is the case for each."""
    sources = [Source(*script), Source(*script)]
    with live_view(sources[0]) as first, collector(sources[1]) as second:
        users = [first, second]
        for source, user in zip(sources, users, strict=True):
            wait_until(lambda source=source, user=user: until(source, user))  # type: ignore[misc]
        # As it was at that moment: what follows is the end of the test.
        copies = [User() for _ in users]
        for copy, user in zip(copies, users, strict=True):
            copy.__dict__.update(vars(user), states=list(user.states))
        return copies, sources


def wait_until(happened: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + LONG_S
    while not happened():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


@pytest.mark.slow
def test_a_camera_that_opens_but_gives_nothing_any_more_is_lost_and_no_reconnect() -> None:
    users, sources = watch(gives(20), gives(0), until=lambda source, _: len(source.opened_s) >= 4)
    for user in users:
        # Three openings were in vain, or are not over yet; only the first gave frames.
        assert user.states[:5] == [(LIVE, 0), (SILENT, 0), (LOST, 1), (LOST, 2), (LOST, 3)]
        assert user.frames <= 20
    assert users[0].reconnects == 0
    gaps = [[after - source.opened_s[0] for after in source.opened_s[1:4]] for source in sources]
    assert gaps[0] == pytest.approx(gaps[1], abs=1.0)


def test_a_camera_that_comes_back_after_three_tries_is_one_reconnect() -> None:
    users, sources = watch(
        gives(20),
        refuse,
        refuse,
        gives(float("inf")),
        until=lambda _, user: user.states[-1:] == [(LIVE, 0)] and len(user.states) > 1,
    )
    for user, source in zip(users, sources, strict=True):
        assert user.states == [
            (LIVE, 0), (SILENT, 0), (LOST, 1), (LOST, 2), (LOST, 3), (LIVE, 0)
        ]  # fmt: skip
        assert len(source.opened_s) == 4
    assert users[0].reconnects == 1


def test_an_opening_that_hangs_is_one_attempt_and_holds_nobody_up() -> None:
    users, sources = watch(
        gives(20), hang, until=lambda source, _: time.monotonic() - source.opened_s[0] > 6
    )
    for user, source in zip(users, sources, strict=True):
        assert user.states == [(LIVE, 0), (SILENT, 0), (LOST, 1)]
        assert len(source.opened_s) == 2
    assert users[0].reconnects == 0


def test_a_camera_that_refuses_its_login_is_not_asked_for_ever() -> None:
    def refuse_login(_: Source) -> Camera:
        raise CameraLoginError("wrong password.")

    def is_settled(source: Source, user: User) -> bool:
        return user.states[-1] == (REFUSED, 0) and time.monotonic() - source.opened_s[-1] > 2

    users, sources = watch(gives(20), refuse, refuse_login, until=is_settled)
    for user, source in zip(users, sources, strict=True):
        assert [state for state, _ in user.states] == [LIVE, SILENT, *[LOST] * 4, REFUSED]
        assert len(source.opened_s) == 5
    assert users[0].reconnects == 0


@pytest.mark.slow
def test_a_camera_of_one_frame_a_second_is_live_all_the_time() -> None:
    users, sources = watch(gives(float("inf"), 1.0), until=lambda _, user: user.frames >= 6)
    assert [user.states for user in users] == [[(LIVE, 0)], [(LIVE, 0)]]
    assert [len(source.opened_s) for source in sources] == [1, 1]


def test_the_end_of_a_file_is_an_end_and_it_is_never_opened_again(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", 10)

    def play(_: Source) -> Camera:
        return open_camera(str(path))

    def is_over(source: Source, user: User) -> bool:
        return user.states[-1] == (ENDED, 0) and time.monotonic() - source.opened_s[0] > 5

    users, sources = watch(play, until=is_over)
    assert [user.states for user in users] == [[(LIVE, 0), (ENDED, 0)]] * 2
    assert [len(source.opened_s) for source in sources] == [1, 1]


def test_a_live_view_that_takes_nothing_for_a_while_loses_no_camera() -> None:
    source = Source(gives(float("inf")))
    states: list[CameraState] = []
    with LiveFeed(source.open, on_state=states.append) as feed:
        wait_until(lambda: feed.take(0.05) is not None)
        time.sleep(4)
        # The window is dragged, a page is printed: the camera went on, and nothing is stale.
        assert feed.stale_s is None
        feed.take(0)
        wait_until(lambda: feed.take(0.05) is not None)
        assert feed.reconnects == 0
    assert states == []
    assert len(source.opened_s) == 1
