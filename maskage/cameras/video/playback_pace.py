"""Plays a recording at its own speed, pauses left out."""

import statistics
import time
from collections import deque
from collections.abc import Callable

LONGEST_PAUSE_S = 1.0
"""The longest pause that is kept: a recording that waits for something to move pauses for hours.
Less than `maskage.cameras.frame_rhythm.PATIENCE_S`, so that a pause never looks like a fault."""
LONGEST_FIRST_S = 2.5
"""The longest pause before the pace is known: `maskage.cameras.frame_rhythm.LONGEST_PERIOD_S`."""
_PERIODS = 4
_STEPS = 9


class PlaybackPace:
    """The pace of a recording that plays at its own speed.

    A step of more than four usual ones is a pause, and is cut short. After a disk was silent, the
    recording goes on from there at its usual speed.

    Args:
        clock: Seconds, monotonic.
        sleep: Waits for so many seconds.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._steps_s: deque[float] = deque(maxlen=_STEPS)
        self._position_s: float | None = None
        self._started_s = 0.0

    def wait_for(self, position_s: float) -> str | None:
        """Wait until a frame is due.

        Args:
            position_s: Its time in the recording.

        Returns:
            A message about a pause that was cut short, or None.
        """
        if self._position_s is None:
            self._started_s = self._clock() - position_s
            self._position_s = position_s
            return None
        from_s, self._position_s = self._position_s, position_s
        step_s, longest_s = position_s - from_s, self._longest_step_s
        self._steps_s.append(min(step_s, longest_s))
        self._started_s -= max(0.0, step_s - longest_s)
        early_s = self._started_s + position_s - self._clock()
        if early_s < -LONGEST_PAUSE_S:
            self._started_s -= early_s
        self._sleep(max(0.0, early_s))
        if step_s <= longest_s:
            return None
        return (
            f"nothing was recorded from {from_s:.1f} to {position_s:.1f} s; this pause is left out."
        )

    @property
    def _longest_step_s(self) -> float:
        if not self._steps_s:
            return LONGEST_FIRST_S
        return max(LONGEST_PAUSE_S, _PERIODS * statistics.median(self._steps_s))
