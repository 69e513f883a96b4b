"""The figures of a live view: how many frames, how fast, and how old they were when shown."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maskage.cameras.live_feed import LiveFeed
from maskage.cameras.sources import PictureFolder
from maskage.cameras.video.video_file import VideoFile
from maskage.pictures.picture_files import LeftOut

_RATE_FRAMES = 30
_AGES = 20_000
"""Frames whose ages are summed up: the last ten minutes or so."""


@dataclass(frozen=True)
class LiveSummary:
    """The figures of a live view; prints itself.

    Attributes:
        frames: Labelled frames.
        dropped: Frames passed over because newer ones had come.
        reconnects: How often a lost source was opened again.
        seconds: Time from the first frame to the last.
        age_p50_ms: Median age of a frame when it had been shown, of the last 20,000.
        age_p95_ms: Age under which 95% of them were.
        skipped: Messages about pictures that could not be read.
        left_out: Files in the folder of pictures that are not read.
        damage: Parts of a video that could not be shown, in words.
        cameras: One line for each camera, where several are watched.
    """

    frames: int
    dropped: int
    reconnects: int
    seconds: float
    age_p50_ms: float
    age_p95_ms: float
    skipped: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    damage: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()

    def __str__(self) -> str:
        rate = (self.frames - 1) / self.seconds if self.frames > 1 and self.seconds > 0 else 0.0
        total = (
            f"{self.frames} frames labelled at {rate:.1f} a second, {self.dropped} dropped for "
            f"newer ones, {self.reconnects} reconnects; age when shown: median "
            f"{self.age_p50_ms:.0f} ms, 95% under {self.age_p95_ms:.0f} ms"
        )
        return "\n".join([total, *(f"  {line}" for line in self.cameras)])


class LiveMeter:
    """The count, the rate and the ages of frames.

    Attributes:
        frames: Labelled frames.
        first_s: When the first one had been shown, on the loop's clock; 0 before.
        shown_s: When the last one had been shown, on the loop's clock; 0 before the first.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.shown_s = 0.0
        self.first_s = 0.0
        self._shown_at_s: deque[float] = deque(maxlen=_RATE_FRAMES)
        self._ages_ms: deque[float] = deque(maxlen=_AGES)

    def count_labelled(self) -> None:
        """Count a frame that was labelled."""
        self.frames += 1

    def note_shown(self, captured_s: float, now_s: float) -> None:
        """Note that a new frame has been shown, and when it was captured."""
        self.shown_s = now_s
        self.first_s = self.first_s or now_s
        self._shown_at_s.append(now_s)
        self._ages_ms.append(1000 * (now_s - captured_s))

    def restart_rate(self) -> None:
        """Measure the rate anew, as after a pause."""
        self._shown_at_s.clear()

    @property
    def rate(self) -> float | None:
        """Frames a second over the last ones; None while there are too few."""
        times = self._shown_at_s
        if len(times) < 2 or times[-1] <= times[0]:
            return None
        return (len(times) - 1) / (times[-1] - times[0])

    @property
    def ages_ms(self) -> list[float]:
        """Ages of the last frames when they had been shown."""
        return list(self._ages_ms)

    def summarize(self, feed: LiveFeed) -> LiveSummary:
        """Return the figures so far, with those of the feed."""
        ages, camera = np.array(self._ages_ms or [0.0]), feed.camera
        folder = camera if isinstance(camera, PictureFolder) else None
        return LiveSummary(
            frames=self.frames,
            dropped=feed.dropped,
            reconnects=feed.reconnects,
            seconds=self.shown_s - self.first_s,
            age_p50_ms=float(np.percentile(ages, 50)),
            age_p95_ms=float(np.percentile(ages, 95)),
            skipped=tuple(folder.skipped) if folder else (),
            left_out=folder.left_out if folder else (),
            damage=tuple(camera.damage.faults) if isinstance(camera, VideoFile) else (),
        )


def join_summaries(
    parts: Sequence[LiveSummary], meters: Sequence[LiveMeter], cameras: tuple[str, ...]
) -> LiveSummary:
    """Return the figures of several cameras together.

    Args:
        parts: Those of each camera.
        meters: What they were measured by.
        cameras: One line for each.
    """
    ages = np.array([age for meter in meters for age in meter.ages_ms] or [0.0])
    firsts = [meter.first_s for meter in meters if meter.first_s]
    return LiveSummary(
        frames=sum(part.frames for part in parts),
        dropped=sum(part.dropped for part in parts),
        reconnects=sum(part.reconnects for part in parts),
        seconds=max(meter.shown_s for meter in meters) - min(firsts) if firsts else 0.0,
        age_p50_ms=float(np.percentile(ages, 50)),
        age_p95_ms=float(np.percentile(ages, 95)),
        skipped=tuple(message for part in parts for message in part.skipped),
        left_out=tuple(file for part in parts for file in part.left_out),
        damage=tuple(fault for part in parts for fault in part.damage),
        cameras=cameras,
    )
