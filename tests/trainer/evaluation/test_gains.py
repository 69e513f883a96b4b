from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import Scheme
from maskage.formats.run.predictions_file import Prediction
from trainer.data.known_photos import TrainChanges
from trainer.evaluation.gains import Gains, format_gains, measure_gains, read_gains

OLD, YOUNG = "mask_old", "mask_young"


def answer(path: int, actual: str, predicted: str) -> Prediction:
    return Prediction(f"{path:03d}", actual, predicted, ())


def compare(
    before: list[str], after: list[str], groups: list[str] | None = None, former: Scheme = MASK_AGE
) -> Gains:
    """Compare answers to photos of mask_old."""
    return measure_gains(
        "base",
        [answer(at, OLD, said) for at, said in enumerate(before)],
        [answer(at, OLD, said) for at, said in enumerate(after)],
        groups or [str(at) for at in range(len(after))],
        former=former,
        scheme=MASK_AGE,
        changes={OLD: TrainChanges(3, 1, 0)},
        split="test",
    )


def test_ten_more_right_answers_are_better() -> None:
    gains = compare([YOUNG] * 10 + [OLD] * 30, [OLD] * 40)
    whole, mask, age, old = gains.rows
    assert (whole.before, whole.after, whole.verdict) == (0.75, 1.0, "better")
    assert (whole.only_before, whole.only_after) == (0, 10)
    assert whole.change is not None
    assert 0 < whole.change.low < whole.change.value == 0.25 < whole.change.high
    assert (mask.before, mask.after, mask.verdict) == (1.0, 1.0, "cannot be told apart")
    assert (age.verdict, old.name, old.photos) == ("better", OLD, 40)
    assert compare([OLD] * 40, [YOUNG] * 10 + [OLD] * 30).rows[0].verdict == "worse"


def test_three_more_right_answers_may_be_chance() -> None:
    gains = compare([YOUNG] * 3 + [OLD] * 37, [OLD] * 40)
    assert gains.rows[0].verdict == "cannot be told apart"


def test_the_photos_of_one_person_have_one_vote() -> None:
    groups = ["anna"] * 10 + [str(at) for at in range(30)]
    gains = compare([YOUNG] * 10 + [OLD] * 30, [OLD] * 40, groups)
    assert gains.rows[0].p_value == 1.0
    assert gains.rows[0].verdict == "cannot be told apart"


def test_a_class_that_the_earlier_run_did_not_know_is_new() -> None:
    former = Scheme(MASK_AGE.classes[1:], MASK_AGE.factors)
    gains = compare([YOUNG] * 40, [OLD] * 40, former=former)
    row = gains.rows[-1]
    assert (row.name, row.before, row.change, row.verdict) == (OLD, None, None, "new class")


def test_gains_come_back_from_metrics_and_fit_a_terminal() -> None:
    gains = compare([YOUNG] * 10 + [OLD] * 30, [OLD] * 40)
    assert read_gains({"earlier_run": gains.as_dict()}) == gains
    assert read_gains({}) is None
    lines = format_gains(gains, MASK_AGE)
    assert "base, then this run, on 40 test photos" in lines[0]
    assert all(len(line) <= 80 for line in lines[1:])
    assert lines[-1].split() == ["mask,", "old", "3", "1", "0"]
