import pytest

from maskage.errors import UsageError
from trainer.progress import TrainingProgress
from trainer.search.budget import (
    BudgetClock,
    BudgetGuard,
    OverBudgetError,
    format_span,
    parse_budget,
)


class FakeTime:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15m", 900), ("90s", 90), ("1h30m", 5400), ("1.5h", 5400), ("4min", 240), ("2M", 120)],
)
def test_a_budget_is_hours_minutes_and_seconds(text: str, seconds: float) -> None:
    assert parse_budget(text) == seconds


@pytest.mark.parametrize("text", ["", "15", "m", "-5m", "15 minutes", "5s", "200h", "1m2h"])
def test_another_budget_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--budget"):
        parse_budget(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (-3, "0 s"), (89, "89 s"), (240, "4 min"), (9000, "2 h 30 min")],
)
def test_spans_are_short(seconds: float, text: str) -> None:
    assert format_span(seconds) == text


def test_the_clock_counts_what_is_left() -> None:
    time = FakeTime()
    clock = BudgetClock(60, time)
    time.now_s += 25
    assert (clock.spent_s, clock.left_s) == (25, 35)


def watch(left_s: float) -> tuple[FakeTime, BudgetGuard]:
    time = FakeTime()
    guard = BudgetGuard(lambda _: None, lambda: left_s, "features", after_s=10.0, now=time)
    return time, guard


def report(guard: BudgetGuard, done: int, total: int, unit: str = "photos") -> None:
    guard(TrainingProgress("features", done, total, unit, 0.0))


def test_a_stage_that_does_not_fit_is_ended_once_its_rate_is_known() -> None:
    time, guard = watch(left_s=49)
    time.now_s += 40  # the start of the engine counts for nothing
    report(guard, 10, 100)
    time.now_s += 1
    report(guard, 11, 100)
    time.now_s += 4
    with pytest.raises(OverBudgetError) as fault:
        report(guard, 20, 100)
    assert fault.value.needed_s == pytest.approx(80 * 0.5 + 10)


def test_a_stage_that_fits_goes_on_to_its_end() -> None:
    time, guard = watch(left_s=51)
    for done in range(10, 101, 10):
        report(guard, done, 100)
        time.now_s += 5


def test_the_first_epoch_with_its_compiling_is_no_measure() -> None:
    time, guard = watch(left_s=12)
    report(guard, 0, 4, "epochs")
    time.now_s += 60
    report(guard, 1, 4, "epochs")
    time.now_s += 1
    report(guard, 2, 4, "epochs")
    time.now_s += 9
    with pytest.raises(OverBudgetError):
        report(guard, 3, 4, "epochs")


def test_other_stages_pass() -> None:
    _, guard = watch(left_s=-1)
    for done in (1, 2, 3):
        guard(TrainingProgress("head", done, 100, "epochs", 1.0))
