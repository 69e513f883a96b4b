"""Limits how often something may happen: wrong passwords, commands."""

import time
from collections import OrderedDict
from collections.abc import Callable

MOST_CALLERS = 1024
"""Of those remembered; the longest silent one is forgotten first."""


class Throttle:
    """A bucket for each caller, emptied by each use and filled again with time.

    Args:
        most: Uses in a row.
        refill_s: Seconds after which one more is allowed.
        clock: Seconds, monotonic.
    """

    def __init__(
        self, most: int, refill_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._refill_s = refill_s
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, caller: str) -> float:
        """Seconds until this caller may use it again; 0 for now."""
        return max(0.0, (1.0 - self._level(caller)) * self._refill_s)

    def use(self, caller: str) -> None:
        """Take one use from a caller's bucket."""
        self._buckets[caller] = (max(0.0, self._level(caller) - 1.0), self._clock())
        self._buckets.move_to_end(caller)
        if len(self._buckets) > MOST_CALLERS:
            self._buckets.popitem(last=False)

    def _level(self, caller: str) -> float:
        level, at_s = self._buckets.get(caller, (float(self._most), self._clock()))
        return min(float(self._most), level + (self._clock() - at_s) / self._refill_s)
