"""When a camera counts as silent, and how soon a lost one is tried again."""

import time
from collections.abc import Callable

RETRY_S = (0.25, 0.5, 1.0)
"""Pauses before the first, the second and every further attempt to open a lost camera again."""

PATIENCE_S = 1.3
"""A camera of an ordinary rate is silent after this; asked often enough, it is told within 2 s."""
LONGEST_PERIOD_S = 2.5
_PERIODS = 4


class FrameRhythm:
    """How far apart a camera's frames come, so that a slow one is not taken for a silent one.

    Args:
        clock: Seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._period_s = 0.0
        self._frame_s = clock()

    def restart(self) -> None:
        """A camera was opened, of which nothing is known yet."""
        self._period_s, self._frame_s = 0.0, self._clock()

    def note(self, *, is_first: bool) -> None:
        """A frame came; what passed before the first one of a camera says nothing."""
        now_s = self._clock()
        gap_s = 0.0 if is_first else now_s - self._frame_s
        self._period_s = 0.8 * self._period_s + 0.2 * gap_s
        self._frame_s = now_s

    @property
    def silent_s(self) -> float:
        """Seconds since the last frame."""
        return self._clock() - self._frame_s

    @property
    def patience_s(self) -> float:
        """For how long silence is nothing unusual: four of the camera's own periods."""
        return max(PATIENCE_S, _PERIODS * min(self._period_s, LONGEST_PERIOD_S))

    @property
    def is_silent(self) -> bool:
        """Whether a frame is overdue."""
        return self.silent_s > self.patience_s
