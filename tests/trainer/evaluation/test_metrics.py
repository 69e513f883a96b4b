import json
from functools import partial

import numpy as np
import pytest

from maskage.classes.ready_made import MASK_AGE
from trainer.evaluation import metrics
from trainer.evaluation.intervals import bootstrap_interval
from trainer.evaluation.metrics import expected_calibration_error, undo_temperature
from trainer.network.head import softmax

evaluate_answers = partial(metrics.evaluate_answers, scheme=MASK_AGE)

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
    assert result.accuracies.factors == {"mask": 1.0, "age": 0.6}
    # Six photos are old, four of them are seen so; of four young ones two are.
    assert result.factors["age"].values == {"old": 4 / 7, "young": 2 / 3}


def test_a_class_never_said_and_never_there_scores_zero() -> None:
    result = evaluate_answers(np.array([0, 0]), sure(np.array([0, 0])))
    assert result.per_class["nomask_old"].f1 == 0.0
    assert result.averages["macro"].f1 == 0.25


def test_calibration_error_is_the_gap_of_confidence_and_accuracy() -> None:
    chances = sure(np.zeros(10, dtype=int), 0.7)
    actual = np.array([0] * 5 + [1] * 5)
    assert expected_calibration_error(actual, chances) == pytest.approx(0.2)
    assert expected_calibration_error(np.zeros(4, dtype=int), np.eye(4)[[0] * 4]) == 0.0


def test_undoing_the_temperature_gives_the_probabilities_from_before() -> None:
    logits = np.random.default_rng(2).normal(0, 4, (50, 4))
    calibrated = softmax(logits / 1.7).astype(np.float32)
    assert np.allclose(undo_temperature(calibrated, 1.7), softmax(logits), atol=1e-6)
    # A probability of 0 has no logarithm; it stays next to nothing.
    sure_rows = np.eye(4, dtype=np.float32)
    assert np.allclose(undo_temperature(sure_rows, 1.7), sure_rows)


def test_at_temperature_1_both_calibration_errors_are_one() -> None:
    chance = np.random.default_rng(3)
    actual, chances = chance.integers(0, 4, 100), softmax(chance.normal(0, 1, (100, 4)))
    result = evaluate_answers(actual, chances)
    assert result.calibration_error_uncalibrated == result.calibration_error > 0
    other = evaluate_answers(actual, chances, temperature=3.0)
    assert other.calibration_error == result.calibration_error
    assert other.calibration_error_uncalibrated == expected_calibration_error(
        actual, undo_temperature(chances, 3.0)
    )


def test_a_temperature_of_2_made_a_sureness_of_nine_tenths_out_of_more() -> None:
    # Logits 2a and 0, 0, 0 at temperature 2: odds of 27 to 3 * 1 = 0.9; before, 27^2 to 3 = 0.9959.
    result = evaluate_answers(np.zeros(10, dtype=int), sure(np.zeros(10, int), 0.9), temperature=2)
    assert result.calibration_error == pytest.approx(0.1)
    assert result.calibration_error_uncalibrated == pytest.approx(1 - 729 / 732)


def test_without_groups_each_photo_is_one_and_the_text_says_so() -> None:
    result = evaluate_answers(ACTUAL, sure(SAID))
    assert result.groups == 10
    assert result.accuracy_interval_by_group == bootstrap_interval(
        ACTUAL == SAID, [str(at) for at in range(10)]
    )
    assert "each photo is its own group" in str(result)


def test_the_text_says_what_the_groups_do_to_the_interval() -> None:
    # 40 people, ten photos each; all of one person are right, or all wrong.
    people = np.arange(400) // 10
    said = np.where(people < 30, 0, 1)
    names = [str(person) for person in people]
    result = evaluate_answers(np.zeros(400, dtype=int), sure(said), names)
    assert "over 40 groups" in str(result)
    assert "trust this wider interval" in str(result)
    assert "even wider" not in str(result)
    # Photos of one person that are right or wrong by themselves: as wide as Wilson's.
    mixed = np.where(np.arange(400) % 4 < 3, 0, 1)
    mixed[:20] = 0
    result = evaluate_answers(np.zeros(400, dtype=int), sure(mixed), names)
    assert "over 40 groups" in str(result)
    assert "trust this wider interval" not in str(result)


def test_the_text_says_where_groups_are_too_few_or_tell_nothing() -> None:
    zeros = np.zeros(4, dtype=int)
    few = evaluate_answers(zeros, sure(np.array([0, 0, 1, 1])), ["a", "a", "b", "b"])
    assert few.accuracy_interval_by_group == (0.0, 1.0)
    assert "Under 30 groups" in str(few)
    one = evaluate_answers(zeros, sure(np.array([0, 0, 1, 1])), ["a"] * 4)
    assert (one.groups, one.accuracy_interval_by_group) == (1, None)
    assert "no interval by group: there is only one group" in str(one)
    alike = evaluate_answers(zeros, sure(zeros), ["a", "a", "b", "b"])
    assert "all groups have the same accuracy" in str(alike)


def test_the_text_says_from_where_99_percent_is_reached() -> None:
    chances = np.concatenate([sure(np.array([0, 0]), 0.9), sure(np.array([1, 1]), 0.6)])
    assert "99% accuracy is reached from 0.9 on: 50.0%" in str(
        evaluate_answers(np.zeros(4, int), chances)
    )
    assert "every photo answered" in str(evaluate_answers(np.array([0, 0, 1, 1]), chances))
    assert "No threshold reaches an accuracy of 99%" in str(
        evaluate_answers(np.full(4, 2), chances)
    )


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
    assert told["coverage"][0]["threshold"] == 0.5
    assert told["coverage"][0]["photos"] == 10
    assert told["threshold_for_99"] is None
    assert told["accuracy_interval_by_group"] == list(result.accuracy_interval_by_group or ())
    assert told["labels"] == ["mask_old", "mask_young", "nomask_old", "nomask_young"]
    text = str(result)
    assert "60.00%" in text
    for name in ("precision", "micro", "macro", "weighted", "samples", "nomask_young"):
        assert name in text
