"""The times of frames in a video."""

import math

import pytest

from detector.video.timeline import LONGEST_STILL_S, Timeline


def place(times_s: list[float], longest_still_s: float = LONGEST_STILL_S) -> list[float]:
    timeline = Timeline(longest_still_s)
    return [timeline.place(time_s) for time_s in times_s]


def test_each_frame_keeps_its_time_from_the_first_one_on() -> None:
    assert place([5.0, 5.04, 5.5, 7.0]) == pytest.approx([0.0, 0.04, 0.5, 2.0])


def test_hours_of_a_still_are_cut_short_and_counted() -> None:
    timeline = Timeline()
    placed = [timeline.place(time_s) for time_s in (0.0, 7200.0, 7200.1)]
    assert placed == pytest.approx([0.0, LONGEST_STILL_S, LONGEST_STILL_S + 0.1])
    assert timeline.left_out_s == pytest.approx(7200 - LONGEST_STILL_S)


def test_all_stills_can_be_kept() -> None:
    assert place([0.0, 7200.0], math.inf) == [0.0, 7200.0]


def test_a_time_that_goes_back_is_the_one_before() -> None:
    assert place([1.0, 2.0, 1.5, 2.5]) == pytest.approx([0.0, 1.0, 1.0, 1.5])
