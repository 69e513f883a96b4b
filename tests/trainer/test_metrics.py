import json

import numpy as np
import pytest

from trainer.metrics import (
    evaluate_answers,
    expected_calibration_error,
    wilson_interval,
)

ACTUAL = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 3])
SAID = np.array([0, 0, 0, 1, 1, 0, 2, 3, 3, 3])


def sure(classes: np.ndarray, chance: float = 0.97) -> np.ndarray:
    rest = (1 - chance) / 3
    return np.where(np.arange(4) == classes[:, None], chance, rest)


def test_precision_looks_down_a_column_and_recall_along_a_row() -> None:
    result = evaluate_answers(ACTUAL, sure(SAID))
    # mask_old: said 4 times and right 3 times; 4 photos are so, 3 were found.
    assert result.per_class["mask_old"].precision == 0.75
    assert result.per_class["mask_old"].recall == 0.75
    # nomask_old: said once, rightly; 3 photos are so.
    assert result.per_class["nomask_old"].precision == 1.0
    assert result.per_class["nomask_old"].recall == pytest.approx(1 / 3)
    assert result.per_class["nomask_old"].f1 == pytest.approx(0.5)
    # nomask_young: said 3 times, right once; the one photo was found.
    assert result.per_class["nomask_young"].precision == pytest.approx(1 / 3)
    assert result.per_class["nomask_young"].recall == 1.0
    assert [scores.support for scores in result.per_class.values()] == [4, 2, 3, 1]


def test_the_four_averages_have_their_textbook_values() -> None:
    averages = evaluate_answers(ACTUAL, sure(SAID)).averages
    for name in ("micro", "samples"):
        assert averages[name].precision == averages[name].recall == averages[name].f1 == 0.6
    assert averages["macro"].precision == pytest.approx((0.75 + 0.5 + 1 + 1 / 3) / 4)
    assert averages["macro"].recall == pytest.approx((0.75 + 0.5 + 1 / 3 + 1) / 4)
    assert averages["weighted"].precision == pytest.approx((3 + 1 + 3 + 1 / 3) / 10)
    assert averages["weighted"].recall == pytest.approx(0.6)


def test_averages_agree_with_scikit_learn() -> None:
    from sklearn.metrics import precision_recall_fscore_support

    chance = np.random.default_rng(5)
    actual, said = chance.integers(0, 4, 200), chance.integers(0, 4, 200)
    averages = evaluate_answers(actual, sure(said)).averages
    for name in ("micro", "macro", "weighted"):
        expected = precision_recall_fscore_support(actual, said, average=name)[:3]
        found = averages[name]
        assert (found.precision, found.recall, found.f1) == pytest.approx(expected)
    rows = precision_recall_fscore_support(
        np.eye(4)[actual], np.eye(4)[said], average="samples", zero_division=0
    )[:3]
    samples = averages["samples"]
    assert (samples.precision, samples.recall, samples.f1) == pytest.approx(rows)


def test_confusion_has_actual_rows_and_factors_count_halves() -> None:
    result = evaluate_answers(ACTUAL, sure(SAID))
    assert result.confusion == ((3, 1, 0, 0), (1, 1, 0, 0), (0, 0, 1, 2), (0, 0, 0, 1))
    assert result.mask_accuracy == 1.0
    assert result.age_accuracy == 0.6


def test_a_class_never_said_and_never_there_scores_zero() -> None:
    result = evaluate_answers(np.array([0, 0]), sure(np.array([0, 0])))
    assert result.per_class["nomask_old"].f1 == 0.0
    assert result.averages["macro"].f1 == 0.25


def test_wilson_interval_has_its_published_values() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson_interval(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


def test_calibration_error_is_the_gap_of_confidence_and_accuracy() -> None:
    chances = sure(np.zeros(10, dtype=int), 0.7)
    actual = np.array([0] * 5 + [1] * 5)
    assert expected_calibration_error(actual, chances) == pytest.approx(0.2)
    assert expected_calibration_error(np.zeros(4, dtype=int), np.eye(4)[[0] * 4]) == 0.0


def test_no_photos_and_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        evaluate_answers(np.array([], dtype=int), np.zeros((0, 4)))
    with pytest.raises(ValueError, match="found"):
        evaluate_answers(np.array([0, 1]), np.zeros((2, 3)))


def test_the_text_and_the_json_tell_the_same() -> None:
    result = evaluate_answers(ACTUAL, sure(SAID))
    told = json.loads(json.dumps(result.as_dict()))
    assert told["accuracy"] == 0.6
    assert told["averages"]["macro"]["f1"] == pytest.approx(result.averages["macro"].f1)
    assert told["labels"] == ["mask_old", "mask_young", "nomask_old", "nomask_young"]
    text = str(result)
    assert "60.00%" in text
    for name in ("precision", "micro", "macro", "weighted", "samples", "nomask_young"):
        assert name in text
