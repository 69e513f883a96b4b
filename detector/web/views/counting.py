"""The number of faces, second by second, for the chart and the metrics."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from detector.tracking.tracker import TrackedFace
from maskage.classes.scheme import MASK, NONE, WORN, Scheme

KEPT_S = 300
"""Seconds that the chart reaches back."""

_TITLES = {WORN: "masked", NONE: "not masked"}


@dataclass(frozen=True)
class ChartSeries:
    """One line of the chart: the faces of some classes together.

    Attributes:
        name: "worn", or the class folder.
        title: Name for people: "masked", or the title of the class.
        label: The class whose colour it has; None for a value of the mask factor.
    """

    name: str
    title: str
    label: str | None = None


@dataclass(frozen=True)
class CountedSecond:
    """The faces of one second.

    Attributes:
        at_s: Its beginning, seconds since the epoch.
        series: Faces in a frame of each `ChartSeries`, the mean over the frames of the second.
        unsure: The same of unsure faces.
    """

    at_s: int
    series: tuple[float, ...]
    unsure: float

    @property
    def row(self) -> tuple[float, ...]:
        """The second as the page gets it: time, each series, unsure."""
        return (self.at_s, *self.series, self.unsure)


def chart_series(scheme: Scheme) -> tuple[ChartSeries, ...]:
    """Return the lines of the chart: the values of the mask factor, or else the classes."""
    if MASK in scheme.factors:
        return tuple(ChartSeries(each, _TITLES.get(each, each)) for each in scheme.factors[MASK])
    return tuple(ChartSeries(each.folder, each.title, each.folder) for each in scheme)


class FaceCounts:
    """The faces counted so far; for one thread at a time.

    Args:
        scheme: The classes of the model.
        clock: Seconds since the epoch.
        kept_s: Seconds that are kept.
    """

    def __init__(self, scheme: Scheme, clock: Callable[[], float], kept_s: int = KEPT_S) -> None:
        self.by_label: Counter[str] = Counter(dict.fromkeys(scheme.labels, 0))
        self.unsure = 0
        self._clock = clock
        self._seconds: deque[CountedSecond] = deque(maxlen=kept_s)
        self._kept_s = kept_s
        has_mask = MASK in scheme.factors
        numbers = scheme.factor_numbers(MASK) if has_mask else range(len(scheme))
        self._series_of = dict(zip(scheme.labels, numbers, strict=True))
        self._begin_second(0)

    def add(self, faces: Sequence[TrackedFace]) -> None:
        """Count the faces of one more frame."""
        self._store_second()
        self._frames += 1
        for face in faces:
            if face.is_sure:
                self.by_label[face.label] += 1
                self._in_series[self._series_of[face.label]] += 1
            else:
                self.unsure += 1
                self._unsure += 1

    def seconds(self) -> list[CountedSecond]:
        """Return the finished seconds of the last `kept_s` that had frames, oldest first."""
        self._store_second()
        oldest_s = self._at_s - self._kept_s
        return [second for second in self._seconds if second.at_s >= oldest_s]

    def _begin_second(self, at_s: int) -> None:
        self._at_s, self._frames, self._unsure = at_s, 0, 0
        self._in_series = [0] * (1 + max(self._series_of.values()))

    def _store_second(self) -> None:
        """Store the second that is over."""
        now_s = int(self._clock())
        if now_s == self._at_s:
            return
        if self._frames:
            means = tuple(round(count / self._frames, 2) for count in self._in_series)
            unsure = round(self._unsure / self._frames, 2)
            self._seconds.append(CountedSecond(self._at_s, means, unsure))
        self._begin_second(now_s)
