"""Frames that come unevenly, laid onto the even beat of a video, each at its own time."""

from collections.abc import Callable

from maskage.records import RgbImage

LONGEST_STILL_S = 60.0
"""Longest still in a video: a camera that waits for motion may give no picture for hours."""


class SteadyRate:
    """A video in which each frame lies at the beat nearest to its time, repeated until the next.

    Args:
        write: Appends one frame, RGB uint8 (H, W, 3), to a video of `fps`.
        fps: Beats a second.

    Attributes:
        crowded_out: Frames left out because their beat was taken.
        left_out_s: Seconds of stills that were left out.
    """

    def __init__(self, write: Callable[[RgbImage], object], fps: float) -> None:
        self.crowded_out = 0
        self.left_out_s = 0.0
        self._write = write
        self._fps = fps
        self._beats = 0
        self._begun_s: float | None = None
        self._held: RgbImage | None = None

    def add(self, pixels: RgbImage, position_s: float) -> None:
        """Write a frame.

        Args:
            pixels: RGB uint8 (H, W, 3).
            position_s: Its time; the first one's is the video's beginning.
        """
        self._begun_s = position_s if self._begun_s is None else self._begun_s
        beat = self._find_beat(position_s)
        if (excess_s := (beat - self._beats) / self._fps - LONGEST_STILL_S) > 0:
            self.left_out_s += excess_s
            beat = self._find_beat(position_s)
        while self._held is not None and self._beats < beat:
            self._append(self._held)
        if self._beats > beat:
            self.crowded_out += 1
        else:
            self._append(pixels)
        self._held = pixels

    def _find_beat(self, position_s: float) -> int:
        return round((position_s - (self._begun_s or 0.0) - self.left_out_s) * self._fps)

    def _append(self, pixels: RgbImage) -> None:
        self._write(pixels)
        self._beats += 1
