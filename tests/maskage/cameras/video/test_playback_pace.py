"""How a recording is waited for, by a clock that is turned by hand."""

import pytest

from maskage.cameras.video.playback_pace import LONGEST_FIRST_S, LONGEST_PAUSE_S, PlaybackPace


class HandClock:
    """A clock that sleeping turns on."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def read(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def pace(clock: HandClock) -> PlaybackPace:
    return PlaybackPace(clock.read, clock.sleep)


def test_each_frame_is_waited_for(clock: HandClock, pace: PlaybackPace) -> None:
    for position_s in (0.0, 0.1, 0.2, 0.5):
        assert pace.wait_for(position_s) is None
        assert clock.now_s == pytest.approx(100 + position_s)


def test_a_pause_is_cut_short_with_a_word(clock: HandClock, pace: PlaybackPace) -> None:
    for position_s in (0.0, 0.1, 0.2):
        pace.wait_for(position_s)
    assert pace.wait_for(3600.2) == (
        "nothing was recorded from 0.2 to 3600.2 s; this pause is left out."
    )
    assert clock.now_s == pytest.approx(100.2 + LONGEST_PAUSE_S)
    assert pace.wait_for(3600.3) is None
    assert clock.now_s == pytest.approx(100.3 + LONGEST_PAUSE_S)


def test_a_slow_recording_is_no_row_of_pauses(clock: HandClock, pace: PlaybackPace) -> None:
    for number in range(10):
        assert pace.wait_for(1.8 * number) is None
    assert clock.now_s == pytest.approx(100 + 1.8 * 9)


def test_a_pause_after_the_first_frame_is_cut_short_too(
    clock: HandClock, pace: PlaybackPace
) -> None:
    pace.wait_for(0.0)
    assert pace.wait_for(60.0) is not None
    assert clock.now_s == pytest.approx(100 + LONGEST_FIRST_S)


def test_what_a_disk_gives_late_is_not_hurried_through(
    clock: HandClock, pace: PlaybackPace
) -> None:
    for position_s in (0.0, 0.1):
        pace.wait_for(position_s)
    clock.now_s += 7
    pace.wait_for(0.2)
    late_s = clock.now_s
    pace.wait_for(0.3)
    assert clock.now_s == pytest.approx(late_s + 0.1)
