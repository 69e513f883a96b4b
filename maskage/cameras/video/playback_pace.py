"""Plays a recording at its own speed, pauses left out."""

import statistics
import time
from collections import deque
from collections.abc import Callable

LONGEST_PAUSE_S = 1.0
"""A recording that waits for something to move is silent for hours, and is not to be waited for.
Less than `maskage.cameras.frame_rhythm.PATIENCE_S`, so that a pause never looks like a fault."""
LONGEST_FIRST_S = 2.5
"""Before anything is known of a slow recording: `maskage.cameras.frame_rhythm.LONGEST_PERIOD_S`."""
_PERIODS = 4
_STEPS = 9


class PlaybackPace:
    """Waits until each frame of a recording is due.

    A step of more than four usual ones is a pause, and is cut short. What comes late, since a disk
    was silent, is shown from there on and not hurried through.

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
            For people, which pause was cut short; None where none was.
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
