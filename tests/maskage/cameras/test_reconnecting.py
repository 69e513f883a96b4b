"""A slow camera is not taken for a silent one, and a silent one is noticed within two seconds."""

from itertools import pairwise

import pytest

from maskage.cameras.frame_rhythm import LONGEST_PERIOD_S, PATIENCE_S, FrameRhythm
from maskage.cameras.reconnecting import RETRY_S, retry_pause_s


class Clock:
    """Tells the time that the test says it is."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def is_silent(rhythm: FrameRhythm) -> bool:
    return rhythm.is_silent


def pace(clock: Clock, period_s: float, frames: int) -> FrameRhythm:
    """A camera was opened, and so many frames come."""
    rhythm = FrameRhythm(clock=clock)
    for _ in range(frames):
        clock.now_s += period_s
        rhythm.note()
    return rhythm


def test_a_camera_of_an_ordinary_rate_is_silent_soon_enough_to_tell_within_two_seconds() -> None:
    clock = Clock()
    for fps in (10, 15, 30, 60):
        rhythm = pace(clock, 1 / fps, 100)
        assert rhythm.patience_s == PATIENCE_S
        clock.now_s += PATIENCE_S
        assert not is_silent(rhythm)
        clock.now_s += 0.01
        assert is_silent(rhythm)
        assert rhythm.silent_s == pytest.approx(PATIENCE_S + 0.01)
    # What is left of two seconds is the screen's.
    assert PATIENCE_S <= 1.5


def test_a_slow_camera_is_given_four_of_its_periods() -> None:
    clock = Clock()
    rhythm = pace(clock, 2.0, 40)
    assert rhythm.patience_s == pytest.approx(8.0, rel=0.01)
    clock.now_s += 7.5
    assert not is_silent(rhythm)
    clock.now_s += 1.0
    assert is_silent(rhythm)


def test_after_three_frames_a_pace_of_two_seconds_is_known() -> None:
    clock = Clock()
    rhythm = pace(clock, 2.0, 3)
    clock.now_s += 2.0
    assert not is_silent(rhythm)


def test_no_camera_is_waited_for_more_than_four_of_the_longest_periods() -> None:
    clock = Clock()
    rhythm = pace(clock, 60.0, 40)
    assert rhythm.patience_s == 4 * LONGEST_PERIOD_S


def test_what_passed_before_the_first_frame_says_nothing_of_the_pace() -> None:
    clock = Clock()
    rhythm = FrameRhythm(clock=clock)
    clock.now_s += 30.0
    rhythm.note()
    assert rhythm.patience_s == PATIENCE_S


def test_a_camera_that_never_gave_a_frame_is_silent_too() -> None:
    clock = Clock()
    rhythm = FrameRhythm(clock=clock)
    assert not is_silent(rhythm)
    clock.now_s += PATIENCE_S + 0.01
    assert is_silent(rhythm)


def test_one_hiccup_of_a_quick_camera_makes_it_no_slow_one() -> None:
    clock = Clock()
    rhythm = pace(clock, 1 / 30, 100)
    clock.now_s += 1.2
    rhythm.note()
    assert rhythm.patience_s == PATIENCE_S


def test_a_camera_that_becomes_fast_is_soon_given_no_more_than_others() -> None:
    clock = Clock()
    rhythm = pace(clock, 2.0, 10)
    for _ in range(30):
        clock.now_s += 1 / 30
        rhythm.note()
    assert rhythm.patience_s == PATIENCE_S


def test_without_a_clock_it_goes_by_real_time() -> None:
    assert 0 <= FrameRhythm().silent_s < PATIENCE_S


def test_attempts_come_ever_later_and_at_most_a_second_apart() -> None:
    assert all(before < after for before, after in pairwise(RETRY_S))
    assert RETRY_S[0] > 0
    assert RETRY_S[-1] == 1.0
    assert [retry_pause_s(attempt) for attempt in (1, 2, 3, 9)] == [*RETRY_S, RETRY_S[-1]]
