"""The times of a video's frames: those of its source, very long stills cut short."""

LONGEST_STILL_S = 60.0
"""Longest still in a video: a camera that waits for motion may give no picture for hours."""


class Timeline:
    """The timeline of a video, on which each frame lies at its own time.

    Args:
        longest_still_s: Longest still, in seconds; infinity keeps all of them.

    Attributes:
        left_out_s: Seconds of stills that were left out.
    """

    def __init__(self, longest_still_s: float = LONGEST_STILL_S) -> None:
        self.left_out_s = 0.0
        self._longest_still_s = longest_still_s
        self._first_s: float | None = None
        self._last_s = 0.0

    def place(self, position_s: float) -> float:
        """Return the time of a frame in the video, in seconds; the first lies at 0.

        Args:
            position_s: Its time in the source.
        """
        if self._first_s is None:
            self._first_s = self._last_s = position_s
        self.left_out_s += max(0.0, position_s - self._last_s - self._longest_still_s)
        self._last_s = max(self._last_s, position_s)
        return self._last_s - self._first_s - self.left_out_s
