import numpy as np
import pytest

from trainer.evaluation.intervals import (
    RESAMPLES,
    bootstrap_interval,
    estimate,
    estimate_accuracy,
    number_groups,
    resample_means,
    wilson_interval,
)


def test_wilson_interval_has_its_published_values() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson_interval(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_groups_of_one_photo_give_nearly_wilsons_interval() -> None:
    right = np.arange(1000) < 850
    names = [f"photo {at}" for at in range(1000)]
    assert bootstrap_interval(right, names) == pytest.approx(wilson_interval(850, 1000), abs=0.005)


def test_photos_that_are_right_or_wrong_together_count_as_one() -> None:
    # 100 people with ten photos each tell as much as 100 photos: sqrt(10) times as wide.
    right = np.repeat(np.arange(100) < 80, 10)
    found = bootstrap_interval(right, [str(at // 10) for at in range(1000)])
    assert found == pytest.approx(wilson_interval(80, 100), abs=0.02)
    low, high = wilson_interval(800, 1000)
    assert found is not None
    assert found[1] - found[0] == pytest.approx(np.sqrt(10) * (high - low), rel=0.1)


def test_a_large_group_weighs_as_much_as_its_photos() -> None:
    # Two are drawn: a twice (all right), both (3 of 4), or b twice (none), one in four times each
    # end, so the outer quantiles are the ends.
    assert bootstrap_interval(np.array([1, 1, 1, 0], bool), ["a", "a", "a", "b"]) == (0.0, 1.0)


def test_one_wrong_answer_of_a_hundred_is_drawn_up_to_three_times() -> None:
    # Binomial, 100 draws of 1%: none to 36.6%, up to two to 92.1%, up to three to 98.2%.
    right = np.arange(100) > 0
    assert bootstrap_interval(right, [str(at) for at in range(100)]) == (0.97, 1.0)


def test_groups_that_all_fare_alike_have_no_interval() -> None:
    right = np.array([True, True, False, False])
    assert bootstrap_interval(right, ["one"] * 4) is None
    assert bootstrap_interval(right, ["a", "b", "a", "b"]) is None
    assert bootstrap_interval(np.ones(4, bool), ["a", "b", "c", "d"]) is None


def test_the_same_seed_gives_the_same_interval_and_names_do_not_matter() -> None:
    chance = np.random.default_rng(1)
    right, numbers = chance.random(300) < 0.9, chance.integers(0, 60, 300)
    first = bootstrap_interval(right, [f"g{at}" for at in numbers])
    assert first == bootstrap_interval(right, [f"person {60 - at}" for at in numbers])
    assert first != bootstrap_interval(right, [f"g{at}" for at in numbers], seed=2)


def test_a_missing_group_is_refused() -> None:
    with pytest.raises(ValueError, match="found 1 for 2"):
        bootstrap_interval(np.ones(2, bool), ["a"])


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
    assert means.shape == (RESAMPLES, 1)
    assert np.unique(means.round(9)).tolist() == [0.0, 0.9, 1.0]


def test_differences_of_rows_are_paired() -> None:
    first = (np.arange(40) % 3 == 0).astype(float)
    means = resample_means(np.stack([first, first]), np.arange(40), 5)
    assert np.array_equal(means[:, 0], means[:, 1])


def test_where_all_answers_are_right_the_interval_is_that_of_as_many_groups() -> None:
    groups = np.repeat(np.arange(20), 5)
    found = estimate_accuracy(1.0, np.ones(RESAMPLES), groups)
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(1 - 0.1611, abs=5e-5)


def test_the_seed_repeats_what_is_drawn() -> None:
    right = (np.arange(30) % 4 == 0).astype(float)[None]
    one, same, other = (resample_means(right, np.arange(30), seed) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_many_groups_are_drawn_in_chunks_with_the_same_distribution() -> None:
    # Values that all differ: as many kinds as groups, and more numbers than are drawn at once.
    values = np.random.default_rng(4).random((1, 5000))
    means = resample_means(values, np.arange(5000), 1)
    assert means.shape == (RESAMPLES, 1)
    assert means.std() == pytest.approx(values.std() / np.sqrt(5000), rel=0.1)
