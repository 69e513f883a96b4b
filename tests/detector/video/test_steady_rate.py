"""Uneven frames on an even beat."""

import numpy as np
import pytest

from detector.video.steady_rate import LONGEST_STILL_S, SteadyRate
from maskage.records import RgbImage


def lay_out(times_s: list[float], fps: float) -> tuple[list[int], SteadyRate]:
    """The number of the frame at each beat."""
    written: list[RgbImage] = []
    rate = SteadyRate(written.append, fps)
    for number, time_s in enumerate(times_s):
        rate.add(np.full((2, 2, 3), number, np.uint8), time_s)
    return [int(pixels[0, 0, 0]) for pixels in written], rate


def test_even_frames_are_written_as_they_come() -> None:
    assert lay_out([0, 0.1, 0.2, 0.3], 10)[0] == [0, 1, 2, 3]


def test_a_frame_is_repeated_until_the_next_is_due() -> None:
    assert lay_out([5, 5.3, 5.4], 10)[0] == [0, 0, 0, 1, 2]


def test_a_frame_for_which_there_is_no_beat_is_counted_and_shown_if_it_lasts() -> None:
    written, rate = lay_out([0, 0.1, 0.11, 0.4], 10)
    assert written == [0, 1, 2, 2, 3]
    assert rate.crowded_out == 1


def test_hours_of_a_still_are_left_out() -> None:
    written, rate = lay_out([0, 7200, 7200.1], 10)
    assert len(written) == LONGEST_STILL_S * 10 + 3
    assert written[-2:] == [1, 2]
    assert rate.left_out_s == pytest.approx(7200 - LONGEST_STILL_S, abs=0.11)
