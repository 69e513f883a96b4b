"""Counts of alarms and of what became of them, for monitoring; written and read by any thread."""

import threading
from collections import Counter
from typing import Literal

Outcome = Literal["done", "failed", "dropped"]


class AlarmCounts:
    """How many alarms each rule raised, and how each action ended.

    Attributes:
        raised: Alarms of each rule and source.
        ended: How often an action ended in each way, by rule, action and outcome.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._raised: Counter[tuple[str, str]] = Counter()
        self._ended: Counter[tuple[str, str, Outcome]] = Counter()

    @property
    def raised(self) -> dict[tuple[str, str], int]:
        """Alarms so far, by rule and source."""
        with self._lock:
            return dict(self._raised)

    @property
    def ended(self) -> dict[tuple[str, str, Outcome], int]:
        """Actions so far, by rule, action and outcome."""
        with self._lock:
            return dict(self._ended)

    def note_raised(self, rule: str, source: str) -> None:
        """Count one alarm."""
        with self._lock:
            self._raised[rule, source] += 1

    def note_ended(self, rule: str, action: str, outcome: Outcome) -> None:
        """Count the end of one action."""
        with self._lock:
            self._ended[rule, action, outcome] += 1
