"""The number of faces, second by second, for the chart and the metrics."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from detector.tracking.tracker import TrackedFace
from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import MASK, WORN

KEPT_S = 300
"""Seconds that the chart reaches back."""


@dataclass(frozen=True)
class CountedSecond:
    """The faces of one second.

    Attributes:
        at_s: Its beginning, seconds since the epoch.
        masked, unmasked, unsure: Faces in a frame, the mean over the frames of the second.
    """

    at_s: int
    masked: float
    unmasked: float
    unsure: float


class FaceCounts:
    """The faces counted so far; for one thread at a time.

    Args:
        clock: Seconds since the epoch.
        kept_s: Seconds that are kept.
    """

    def __init__(self, clock: Callable[[], float], kept_s: int = KEPT_S) -> None:
        self.by_label: Counter[str] = Counter(dict.fromkeys(MASK_AGE.labels, 0))
        self.unsure = 0
        self._clock = clock
        self._seconds: deque[CountedSecond] = deque(maxlen=kept_s)
        self._kept_s = kept_s
        self._at_s = 0
        self._frames = self._masked = self._unmasked = self._unsure = 0

    def add(self, faces: Sequence[TrackedFace]) -> None:
        """Count the faces of one more frame."""
        self._store_second()
        self._frames += 1
        for face in faces:
            if not face.is_sure:
                self.unsure += 1
                self._unsure += 1
                continue
            self.by_label[face.label] += 1
            if MASK_AGE.has(face.label, MASK, WORN):
                self._masked += 1
            else:
                self._unmasked += 1

    def seconds(self) -> list[CountedSecond]:
        """Return the finished seconds of the last `kept_s` that had frames, oldest first."""
        self._store_second()
        oldest_s = self._at_s - self._kept_s
        return [second for second in self._seconds if second.at_s >= oldest_s]

    def _store_second(self) -> None:
        """Store the second that is over."""
        now_s = int(self._clock())
        if now_s == self._at_s:
            return
        if self._frames:
            self._seconds.append(
                CountedSecond(
                    self._at_s,
                    round(self._masked / self._frames, 2),
                    round(self._unmasked / self._frames, 2),
                    round(self._unsure / self._frames, 2),
                )
            )
        self._at_s = now_s
        self._frames = self._masked = self._unmasked = self._unsure = 0
