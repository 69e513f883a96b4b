"""The alarms of a live view since its start, with their pictures, in memory only."""

import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2

from detector.drawing.overlay import Readout, draw_result
from detector.events.alarm_actions import Alarm
from detector.tracking.pipeline import FrameResult
from detector.web.low_priority import lower_priority
from maskage.context_mixin import ClosingMixin
from maskage.pictures.images import encode_jpeg

MOST_KEPT = 50
"""Alarms that are kept, the newest; with their pictures they are some 3 MB."""
PICTURE_PX = 640
_QUALITY = 80


@dataclass(frozen=True)
class RaisedAlarm:
    """An alarm in the order in which they were raised.

    Attributes:
        number: Counts from 1.
        alarm: The alarm.
        jpeg: The frame that raised it, drawn, at most `PICTURE_PX` wide.
    """

    number: int
    alarm: Alarm
    jpeg: bytes


class AlarmHistory(ClosingMixin):
    """The newest alarms; pictures are encoded in a thread, so that the live loop never waits.

    Attributes:
        raised: Number of alarms since the start.
    """

    def __init__(self) -> None:
        self.raised = 0
        self._changed = threading.Lock()
        self._kept: deque[RaisedAlarm] = deque(maxlen=MOST_KEPT)
        self._worker = ThreadPoolExecutor(1, "alarm-pictures", initializer=lower_priority)

    def add(self, alarm: Alarm, result: FrameResult) -> None:
        """Add an alarm and the frame that raised it; from the live loop's thread."""
        self.raised += 1
        self._worker.submit(self._keep, self.raised, alarm, result)

    def newest_first(self) -> list[RaisedAlarm]:
        """Return the alarms that are kept."""
        with self._changed:
            return list(reversed(self._kept))

    def find(self, number: int) -> RaisedAlarm | None:
        """Return one alarm; None where it is no longer kept."""
        return next((each for each in self.newest_first() if each.number == number), None)

    def close(self) -> None:
        """End the thread, once the pictures on the way are encoded."""
        self._worker.shutdown(wait=True)

    def _keep(self, number: int, alarm: Alarm, result: FrameResult) -> None:
        drawn = draw_result(result, Readout())
        height, width = drawn.shape[:2]
        if width > PICTURE_PX:
            size = (PICTURE_PX, max(1, round(height * PICTURE_PX / width)))
            drawn = cv2.resize(drawn, size, interpolation=cv2.INTER_AREA).astype("uint8")
        raised = RaisedAlarm(number, alarm, encode_jpeg(drawn, _QUALITY))
        with self._changed:
            self._kept.append(raised)
