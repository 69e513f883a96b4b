"""Alarms: a program is run or an address called when a face is surely of a class.

Deciding is done in the frame loop and takes microseconds; doing is left to threads, so a program
that hangs or a server that is silent never holds up a frame.

All times are those of the frames, `Frame.position_s`: in a recording they are its own, however
fast it is read, and on a camera they pass as the clock does. Where a source begins anew (a lost
camera opened again, another camera chosen) its time goes on from where it was.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from collector.closing import Closing
from collector.console import say
from collector.records import Frame
from detector.alarm_actions import Action, ActionWorker, Alarm, CommandAction
from detector.alarm_options import AlarmSettings
from detector.pipeline import FrameResult
from detector.tracker import KEEP_S, TrackedFace
from detector.webhooks import WebhookAction

CLOSE_S = 3.0
"""How long the end waits for what is on the way."""
_ROUNDING_S = 1e-9


@dataclass(frozen=True)
class AlarmSummary:
    """What came of the alarms; one alarm is given to each command and webhook.

    Attributes:
        raised: Alarms.
        done, failed: How often a command or webhook worked, or did not.
        dropped: How often one was left out: too many waited, or the end had come.
    """

    raised: int
    done: int
    failed: int
    dropped: int

    def __str__(self) -> str:
        return (
            f"{self.raised} alarms raised; {self.done} commands and webhooks done, "
            f"{self.failed} failed, {self.dropped} dropped"
        )


@dataclass
class _Watch:
    """What is remembered of a track, in seconds of `Alarms`' own time."""

    seen_s: float = 0.0
    since_s: float | None = None
    raised_s: float = -math.inf


class Alarms(Closing):
    """Raises alarms for what the frames show.

    Args:
        settings: From `alarm_options.read_alarm_rules`.
        source: Name of the camera or recording, as it may be shown.
        tell: Gets the first failure of each command and webhook, from another thread.
        close_s: How long `close` waits for what is on the way.

    Attributes:
        source: May be set where another camera is chosen.
    """

    def __init__(
        self,
        settings: AlarmSettings,
        source: str,
        tell: Callable[[str], None] = say,
        close_s: float = CLOSE_S,
    ) -> None:
        self.source = source
        self._settings = settings
        self._close_s = close_s
        self._raised = 0
        self._watches: dict[int, _Watch] = {}
        self._last_position_s = self._shift_s = 0.0
        self._quiet_until_s = -math.inf
        actions: list[Action] = [
            *(CommandAction(words) for words in settings.commands),
            *(WebhookAction(url) for url in settings.webhooks),
        ]
        self._workers = [ActionWorker(action, tell) for action in actions]

    def update(self, result: FrameResult) -> None:
        """Look at the next frame and raise an alarm where one is due; never waits for it.

        A face is due when its steadied label is asked for, it is sure, and it has been so, in
        every frame that shows it, for `on_for_s`; in a folder of pictures at once. One alarm is
        raised in `cool_down_s`: of several faces for the one whose last alarm is longest ago, or
        that had none, then for the largest. A face that stays raises another one after that time.
        """
        now_s = self._time_of(result.frame)
        due = [
            (watch, face)
            for face in result.faces
            if (watch := self._watch(face, now_s)).since_s is not None
            and (
                result.frame.file is not None
                or now_s - watch.since_s >= self._settings.on_for_s - _ROUNDING_S
            )
        ]
        self._watches = {t: w for t, w in self._watches.items() if now_s - w.seen_s <= KEEP_S}
        if due and now_s >= self._quiet_until_s - _ROUNDING_S:
            watch, face = min(due, key=lambda pair: pair[0].raised_s)
            watch.raised_s = now_s
            self._quiet_until_s = now_s + self._settings.cool_down_s
            self._raise(face, result.frame)

    @property
    def summary(self) -> AlarmSummary:
        """How many there were so far; complete after `close`."""
        workers = self._workers
        return AlarmSummary(
            self._raised,
            sum(worker.done for worker in workers),
            sum(worker.failed for worker in workers),
            sum(worker.dropped for worker in workers),
        )

    def close(self) -> None:
        """Wait a little for what is on the way, then end it.

        A thread may outlive this only while the system looks up a host's name for it.
        """
        until_s = time.monotonic() + self._close_s
        try:
            for worker in self._workers:
                worker.finish()
            for worker in self._workers:
                worker.join(until_s - time.monotonic())
        finally:
            for worker in self._workers:
                worker.stop()

    def _time_of(self, frame: Frame) -> float:
        """Seconds that never go back."""
        self._shift_s += max(0.0, self._last_position_s - frame.position_s)
        self._last_position_s = frame.position_s
        return frame.position_s + self._shift_s

    def _watch(self, face: TrackedFace, now_s: float) -> _Watch:
        watch = self._watches.setdefault(face.track, _Watch())
        watch.seen_s = now_s
        if not face.is_sure or face.label not in self._settings.labels:
            watch.since_s = None
        elif watch.since_s is None:
            watch.since_s = now_s
        return watch

    def _raise(self, face: TrackedFace, frame: Frame) -> None:
        self._raised += 1
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        alarm = Alarm(
            face.label, face.track, face.confidence, frame.position_s, at, self.source, frame.file
        )
        for worker in self._workers:
            worker.give(alarm)
