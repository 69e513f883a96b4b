import numpy as np
import pytest

from trainer.evaluation.resampling import (
    ROUNDS,
    estimate,
    estimate_accuracy,
    number_groups,
    resample_means,
)


def test_groups_are_numbered_by_name() -> None:
    assert number_groups(["b", "a", "b", "c"]).tolist() == [1, 0, 1, 2]


def test_photos_of_one_group_are_drawn_together_so_their_interval_is_wider() -> None:
    # Ten people of ten photos each, five of them always right: as much as ten photos say.
    right = np.repeat([1.0, 0.0], 50)[None]
    people = np.repeat(np.arange(10), 10)
    by_group = estimate(0.5, resample_means(right, people, 1)[:, 0])
    by_photo = estimate(0.5, resample_means(right, np.arange(100), 1)[:, 0])
    assert by_photo.high - by_photo.low == pytest.approx(0.2, abs=0.03)
    assert by_group.high - by_group.low == pytest.approx(0.6, abs=0.05)


def test_means_are_over_photos_not_over_groups() -> None:
    # One group of nine right photos, one of a single wrong one.
    right = np.array([[1.0] * 9 + [0.0]])
    means = resample_means(right, np.array([0] * 9 + [1]), 3)
    assert means.shape == (ROUNDS, 1)
    assert np.unique(means.round(9)).tolist() == [0.0, 0.9, 1.0]


def test_differences_of_rows_are_paired() -> None:
    first = (np.arange(40) % 3 == 0).astype(float)
    means = resample_means(np.stack([first, first]), np.arange(40), 5)
    assert np.array_equal(means[:, 0], means[:, 1])


def test_where_all_answers_are_right_the_interval_is_that_of_as_many_groups() -> None:
    groups = np.repeat(np.arange(20), 5)
    found = estimate_accuracy(1.0, np.ones(ROUNDS), groups)
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(1 - 0.1611, abs=5e-5)


def test_the_seed_repeats_what_is_drawn() -> None:
    right = (np.arange(30) % 4 == 0).astype(float)[None]
    one, same, other = (resample_means(right, np.arange(30), seed) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
