import numpy as np
import pytest

from trainer.evaluation.coverage import (
    THRESHOLDS,
    find_threshold,
    format_coverage,
    measure_coverage,
)
from trainer.evaluation.intervals import wilson_interval

RIGHT = np.array([1, 1, 1, 0, 1, 0], bool)
CONFIDENCE = np.array([0.97, 0.95, 0.85, 0.83, 0.6, 0.4])


def test_coverage_counts_the_answers_from_each_threshold_on() -> None:
    points = measure_coverage(RIGHT, CONFIDENCE, (0.0, 0.5, 0.8, 0.95, 0.99))
    assert [each.photos for each in points] == [6, 5, 4, 2, 0]
    assert [each.share for each in points] == [1, 5 / 6, 4 / 6, 2 / 6, 0]
    assert [each.accuracy for each in points] == [4 / 6, 4 / 5, 3 / 4, 1, None]
    assert points[2].accuracy_interval == wilson_interval(3, 4)
    assert points[4].accuracy_interval is None


def test_a_higher_threshold_never_answers_more() -> None:
    chance = np.random.default_rng(4)
    shares = [p.share for p in measure_coverage(chance.random(500) < 0.9, chance.random(500))]
    assert len(shares) == len(THRESHOLDS)
    assert shares == sorted(shares, reverse=True)


def test_the_threshold_found_is_the_lowest_that_is_accurate_enough() -> None:
    point = find_threshold(RIGHT, CONFIDENCE, 0.99)
    assert point is not None
    assert (point.threshold, point.photos, point.accuracy) == (0.85, 3, 1.0)
    # 0.75 is missed after four answers and reached again after five.
    point = find_threshold(RIGHT, CONFIDENCE, 0.8)
    assert point is not None
    assert (point.threshold, point.photos, point.accuracy) == (0.6, 5, 0.8)


def test_the_threshold_has_no_more_digits_than_it_needs() -> None:
    point = find_threshold(np.array([1, 1, 0], bool), np.array([0.99, 0.876543, 0.8701]), 0.99)
    assert point is not None
    assert (point.threshold, point.photos) == (0.876, 2)


def test_answers_of_one_confidence_stand_or_fall_together() -> None:
    assert find_threshold(np.array([1, 0], bool), np.array([0.9, 0.9]), 0.99) is None
    tied = find_threshold(np.array([1, 1, 0], bool), np.array([0.95, 0.9, 0.9]), 0.99)
    assert tied is not None
    assert tied.photos == 1


def test_no_threshold_is_needed_where_all_are_right_and_none_helps_where_all_are_wrong() -> None:
    point = find_threshold(np.ones(3, bool), np.array([0.3, 0.5, 0.9]), 0.99)
    assert point is not None
    assert (point.threshold, point.share) == (0.0, 1.0)
    assert find_threshold(np.zeros(3, bool), np.array([0.3, 0.5, 0.9]), 0.99) is None


def test_the_table_leaves_the_accuracy_of_no_answers_empty() -> None:
    head, some, none = format_coverage(
        measure_coverage(RIGHT, CONFIDENCE, (0.8, 0.99))
    ).splitlines()
    assert head.split() == ["answered", "from", "photos", "share", "accuracy", "95%", "interval"]
    assert some.split()[:4] == ["0.80", "4", "66.7%", "75.00%"]
    assert none.split() == ["0.99", "0", "0.0%"]


@pytest.mark.parametrize("accuracy", [0.5, 0.9, 0.99])
def test_the_threshold_found_is_told_with_what_it_gives_when_used(accuracy: float) -> None:
    chance = np.random.default_rng(8)
    confidence = chance.random(400).astype(np.float32).astype(np.float64)
    right = chance.random(400) < confidence
    point = find_threshold(right, confidence, accuracy)
    assert point is not None
    used = confidence >= point.threshold
    assert (point.photos, point.accuracy) == (used.sum(), right[used].mean())
    assert right[used].mean() >= accuracy
