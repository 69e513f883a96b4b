"""Held keys and quick presses, by literal times."""

import pytest

from collector.capture.key_repeat import KeyRepeat, Press


def meanings(times_s: list[float], key: str = "1") -> list[Press]:
    repeat = KeyRepeat()
    return [repeat.note(key, at_s) for at_s in times_s]


@pytest.mark.parametrize("gap_s", [0.06, 0.1, 0.15, 0.4, 2.0])
def test_presses_of_one_key_at_any_speed_of_a_hand_all_count(gap_s: float) -> None:
    assert meanings([number * gap_s for number in range(12)]) == [Press.FRESH] * 12


@pytest.mark.parametrize(("delay_s", "period_s"), [(0.25, 0.033), (0.5, 0.04), (0.375, 0.09)])
def test_a_held_key_is_one_press_and_its_first_repeat_is_taken_back(
    delay_s: float, period_s: float
) -> None:
    times_s = [0.0, *(delay_s + number * period_s for number in range(6))]
    expected = [Press.FRESH, Press.FRESH, Press.HELD_BEFORE, *[Press.HELD] * 4]
    assert meanings(times_s) == expected
    # It counts again once it was silent.
    assert meanings([*times_s, times_s[-1] + 0.3])[-1] is Press.FRESH


def test_another_key_ends_a_hold() -> None:
    repeat = KeyRepeat()
    for at_s in (0.0, 0.03, 0.06):
        repeat.note("1", at_s)
    assert repeat.is_held
    assert repeat.note("2", 0.07) is Press.FRESH
    assert repeat.note("1", 0.09) is Press.FRESH
