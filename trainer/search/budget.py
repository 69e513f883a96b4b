"""The budget of a search: how long it may take, and what still fits."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from maskage.errors import UsageError
from trainer.progress import OnProgress, TrainingProgress

LEAST_S, MOST_S = 10.0, 7 * 86400.0
_PARTS = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?:in)?)?(?:(\d+(?:\.\d+)?)s)?")

SETTLED_S = 2.0
"""Seconds of a stage after which its measured rate is trusted."""


class OverBudgetError(Exception):
    """A stage turned out too slow for what is left.

    Args:
        needed_s: Seconds that it would need from now on.
    """

    def __init__(self, needed_s: float) -> None:
        super().__init__(f"{needed_s:.0f} s")
        self.needed_s = needed_s


def parse_budget(text: str) -> float:
    """Return the seconds of a budget such as "15m", "90s" or "1h30m".

    Raises:
        UsageError: It is something else, or out of range.
    """
    found = _PARTS.fullmatch(text.strip().lower())
    if found is None or not any(found.groups()):
        raise UsageError(
            f"--budget takes hours, minutes and seconds, such as 15m, 90s or 1h30m; found '{text}'."
        )
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    budget_s = 3600 * hours + 60 * minutes + seconds
    if not LEAST_S <= budget_s <= MOST_S:
        raise UsageError(f"--budget must be {LEAST_S:.0f}s to 168h; found '{text}'.")
    return budget_s


def format_span(seconds: float) -> str:
    """Return a duration for people: "45 s", "4 min", "1 h 20 min"."""
    if seconds < 90:
        return f"{max(0.0, seconds):.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


@dataclass
class BudgetClock:
    """A clock that starts when it is made.

    Attributes:
        budget_s: Seconds that may be spent.
        now: The clock, in seconds.
    """

    budget_s: float
    now: Callable[[], float] = time.monotonic
    _started_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._started_s = self.now()

    @property
    def spent_s(self) -> float:
        """Seconds since the start."""
        return self.now() - self._started_s

    @property
    def left_s(self) -> float:
        """Seconds that are left; negative if more was spent."""
        return self.budget_s - self.spent_s


class BudgetGuard:
    """Passes progress on, and ends a stage whose measured rate does not fit the budget.

    Args:
        on_progress: Called with each report.
        left_s: Returns the seconds that the stage may still take.
        stage: The stage that is watched.
        after_s: Seconds that follow the stage and must fit too.
        now: The clock, in seconds.
    """

    def __init__(
        self,
        on_progress: OnProgress,
        left_s: Callable[[], float],
        stage: str,
        after_s: float = 0.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._report, self._left_s = on_progress, left_s
        self._stage, self._after_s = stage, after_s
        self._now = now
        self._first: tuple[int, float] | None = None

    def __call__(self, progress: TrainingProgress) -> None:
        """Pass one report on.

        Raises:
            OverBudgetError: At its rate the stage would not end in time.
        """
        self._report(progress)
        if progress.stage != self._stage or progress.done >= progress.total:
            return
        now_s = self._now()
        # The first report comes after the engine has started, and an epoch after it was compiled:
        # neither counts for the rate.
        if self._first is None or not progress.done:
            is_begun = progress.unit != "epochs" or progress.done > 0
            self._first = (progress.done, now_s) if is_begun else None
            return
        done, since_s = progress.done - self._first[0], now_s - self._first[1]
        if done < 1 or (progress.unit != "epochs" and since_s < SETTLED_S):
            return
        needed_s = (progress.total - progress.done) * since_s / done + self._after_s
        if needed_s > self._left_s():
            raise OverBudgetError(needed_s)
