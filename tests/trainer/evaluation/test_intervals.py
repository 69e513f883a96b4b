import numpy as np
import pytest

from trainer.evaluation.intervals import bootstrap_interval, wilson_interval


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
