"""The rhythm of a camera's frames, and the silence that breaks it."""

import time
from collections.abc import Callable

PATIENCE_S = 1.3
"""A camera of an ordinary rate is silent after this; polled often enough, it shows within 2 s."""
LONGEST_PERIOD_S = 2.5
_PERIODS = 4
_NEWEST_SHARE = 0.2


class FrameRhythm:
    """The pace of one camera, so that a slow one is not taken for a silent one.

    Args:
        shortest_patience_s: Silence that is allowed to every camera; None for `PATIENCE_S`.
        clock: Seconds, monotonic.

    Attributes:
        has_frame: True once a frame came.
    """

    def __init__(
        self,
        shortest_patience_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shortest_s = PATIENCE_S if shortest_patience_s is None else shortest_patience_s
        self._clock = clock
        self._period_s: float | None = None
        self._frame_s = clock()
        self.has_frame = False

    def note(self) -> None:
        """Note that a frame came. The time before the first one says nothing about the pace."""
        now_s = self._clock()
        gap_s, self._frame_s = now_s - self._frame_s, now_s
        if not self.has_frame:
            self.has_frame = True
        elif self._period_s is None:
            self._period_s = gap_s
        else:
            # One hiccup of a quick camera makes it no slow one.
            self._period_s += _NEWEST_SHARE * (gap_s - self._period_s)

    @property
    def silent_s(self) -> float:
        """Seconds since the last frame, or since the camera was opened."""
        return self._clock() - self._frame_s

    @property
    def patience_s(self) -> float:
        """Seconds for which silence is nothing unusual: four of the camera's own periods."""
        return max(self._shortest_s, _PERIODS * min(self._period_s or 0.0, LONGEST_PERIOD_S))

    @property
    def is_silent(self) -> bool:
        """True once a frame is overdue."""
        return self.silent_s > self.patience_s
