"""A limit on how often something may happen: wrong passwords, commands."""

import time
from collections import OrderedDict
from collections.abc import Callable

MOST_CALLERS = 1024
"""Callers that are remembered; the one that was silent longest is forgotten first."""


class Throttle:
    """A number of uses for each caller, which grows again with time.

    Args:
        most: Uses allowed in a row.
        refill_s: Seconds after which one more is allowed.
        clock: Seconds, monotonic.
    """

    def __init__(
        self, most: int, refill_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._refill_s = refill_s
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, caller: str) -> float:
        """Return the seconds until this caller's next use is allowed; 0 for now."""
        return max(0.0, (1.0 - self._level(caller)) * self._refill_s)

    def use(self, caller: str) -> None:
        """Count one use by a caller."""
        self._levels[caller] = (max(0.0, self._level(caller) - 1.0), self._clock())
        self._levels.move_to_end(caller)
        if len(self._levels) > MOST_CALLERS:
            self._levels.popitem(last=False)

    def _level(self, caller: str) -> float:
        level, at_s = self._levels.get(caller, (float(self._most), self._clock()))
        return min(float(self._most), level + (self._clock() - at_s) / self._refill_s)
