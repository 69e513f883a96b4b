"""Alarms: a program is run or an address called when a face is surely of a class.

Decisions are made in the frame loop and take microseconds; threads carry them out, so a program
that hangs or a server that is silent never holds up a frame.

All times are those of the frames, `Frame.position_s`: in a recording they are its own, however
fast it is read, and on a camera they pass as the clock does. Where a source begins anew (a lost
camera opened again, another camera chosen) its time goes on from where it was.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType

from detector.events.alarm_actions import (
    WAITING_ALARMS,
    Action,
    ActionWorker,
    Alarm,
    CommandAction,
)
from detector.events.alarm_counts import AlarmCounts, Outcome
from detector.events.alarm_options import AlarmSettings
from detector.events.webhooks import WebhookAction
from detector.tracking.pipeline import FrameResult
from detector.tracking.tracker import KEEP_S, TrackedFace
from maskage.console import say
from maskage.context_mixin import ClosingMixin
from maskage.errors import EnvironmentProblemError
from maskage.records import Frame

CLOSE_S = 10.0
"""Longest wait at the end for actions on the way: more than a webhook's tries take."""
INTERRUPTED_S = 3.0
"""The same after Ctrl-C or a kill: service managers wait for some ten seconds in all."""
PATIENCE_S = 60.0
"""Longest wait at the end of a recording in which no alarm is carried out: twice the time that one
command may run."""
_SAY_AFTER_S = 0.5
_POLL_S = 0.1
_ROUNDING_S = 1e-9


@dataclass(frozen=True)
class AlarmSummary:
    """The counts of alarms; each alarm is given to every command and webhook.

    Attributes:
        raised: Alarms.
        done: How often a command or webhook worked.
        failed: How often one failed.
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


def require_all_done(summary: AlarmSummary) -> None:
    """Require that every alarm reached every command and webhook.

    Raises:
        EnvironmentProblemError: An alarm did not.
    """
    if missed := summary.failed + summary.dropped:
        raise EnvironmentProblemError(
            f"{missed} of {missed + summary.done} commands and webhooks were not carried out "
            f"({summary.failed} failed, {summary.dropped} given up at the end). All else was "
            f"written. Repair the cause of the first failure above, then run it again."
        )


@dataclass
class _Watch:
    """The times of one track, in seconds of `Alarms`' own time."""

    seen_s: float = 0.0
    since_s: float | None = None
    raised_s: float = -math.inf


@dataclass
class _CameraWatch:
    """What is remembered of one camera.

    Attributes:
        tracks: The times of each track.
        quiet_until_s: End of the time in which no further alarm is raised.
    """

    tracks: dict[int, _Watch] = field(default_factory=dict)
    quiet_until_s: float = -math.inf
    _last_position_s: float = 0.0
    _shift_s: float = 0.0

    def time_of(self, frame: Frame) -> float:
        """Return seconds that never go back."""
        self._shift_s += max(0.0, self._last_position_s - frame.position_s)
        self._last_position_s = frame.position_s
        return frame.position_s + self._shift_s


class Alarms(ClosingMixin):
    """The alarms of one view or recording; each camera of a view has its own times.

    Args:
        settings: From `alarm_options.read_alarm_rules`.
        source: Name of the camera or recording, as it may be shown.
        report: Gets the first failure of each command and webhook, from another thread.
        close_s: Longest wait of `close` for actions on the way, in seconds.
        keeps_all: Drop no alarm because many wait: a recording is read faster than its alarms are
            carried out. Then `close` waits on for as long as another one is done in `close_s`.
        more_actions: Actions beside the commands and webhooks of the settings.

    Attributes:
        counts: Alarms by rule, and what became of them.
        last: The last alarm that was raised; None before the first.
    """

    def __init__(
        self,
        settings: AlarmSettings,
        source: str,
        report: Callable[[str], None] = say,
        close_s: float = CLOSE_S,
        *,
        keeps_all: bool = False,
        more_actions: Sequence[Action] = (),
    ) -> None:
        self.counts = AlarmCounts()
        self._source = source
        self._settings = settings
        self._close_s = close_s
        self._keeps_all = keeps_all
        self._raised = 0
        self.last: Alarm | None = None
        self._cameras: dict[int, _CameraWatch] = {}
        actions: list[Action] = [
            *(CommandAction(words) for words in settings.commands),
            *(WebhookAction(url) for url in settings.webhooks),
            *more_actions,
        ]
        most_waiting = None if keeps_all else WAITING_ALARMS
        self._workers = [
            ActionWorker(action, report, most_waiting, self._note_end(action)) for action in actions
        ]

    def update(self, result: FrameResult, source: str | None = None, camera: int = 0) -> None:
        """Take in the next frame and raise an alarm if one is due; never waits for it.

        A face is due when its steadied label is among those of the settings, it is sure, and both
        have held in every frame that shows it for `on_for_s`; in a folder of pictures at once. One
        alarm is raised in `cool_down_s`: of several faces for the one whose last alarm is longest
        ago, or that had none, then for the largest. A face that stays raises another one after
        that time.

        Args:
            result: The frame.
            source: Name of the present camera, if another one than at first may be watched.
            camera: Its number, where several are watched at once.
        """
        watched = self._cameras.setdefault(camera, _CameraWatch())
        now_s = watched.time_of(result.frame)
        due = [
            (watch, face)
            for face in result.faces
            if (watch := self._watch(watched, face, now_s)).since_s is not None
            and (
                result.frame.file is not None
                or now_s - watch.since_s >= self._settings.on_for_s - _ROUNDING_S
            )
        ]
        watched.tracks = {t: w for t, w in watched.tracks.items() if now_s - w.seen_s <= KEEP_S}
        if due and now_s >= watched.quiet_until_s - _ROUNDING_S:
            watch, face = min(due, key=lambda pair: pair[0].raised_s)
            watch.raised_s = now_s
            watched.quiet_until_s = now_s + self._settings.cool_down_s
            self._raise(face, result.frame, source or self._source)

    @property
    def summary(self) -> AlarmSummary:
        """Counts so far; complete after `close`."""
        workers = self._workers
        return AlarmSummary(
            self._raised,
            sum(worker.done for worker in workers),
            sum(worker.failed for worker in workers),
            sum(worker.dropped for worker in workers),
        )

    def close(self) -> None:
        """Wait for actions on the way, with a message if that takes a moment, then end them.

        A thread may outlive this only while the system looks up a host's name for it.
        """
        try:
            for worker in self._workers:
                worker.finish()
            self._wait(time.monotonic() + self._close_s)
        finally:
            for worker in self._workers:
                worker.stop()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None and issubclass(kind, KeyboardInterrupt | SystemExit):
            self._close_s = min(self._close_s, INTERRUPTED_S)
            self._keeps_all = False
        super().__exit__(kind, fault, trace)

    def _wait(self, until_s: float) -> None:
        say_at_s: float | None = time.monotonic() + _SAY_AFTER_S
        done = self.summary.done
        while (left := sum(worker.left for worker in self._workers)) > 0:
            now_s = time.monotonic()
            if self._keeps_all and self.summary.done > done:
                done, until_s = self.summary.done, now_s + self._close_s
            if now_s >= until_s:
                return
            if say_at_s is not None and now_s >= say_at_s:
                say(self._describe_wait(left))
                say_at_s = None
            time.sleep(min(_POLL_S, until_s - now_s))

    def _describe_wait(self, left: int) -> str:
        limit = f"for up to {self._close_s:g} s"
        if self._keeps_all:
            limit = f"until all are done, or none is for {self._close_s:g} s"
        return f"Waiting for {left} commands and webhooks, {limit}. Ctrl-C gives them up."

    def _watch(self, watched: _CameraWatch, face: TrackedFace, now_s: float) -> _Watch:
        watch = watched.tracks.setdefault(face.track, _Watch())
        watch.seen_s = now_s
        if not face.is_sure or face.label not in self._settings.labels:
            watch.since_s = None
        elif watch.since_s is None:
            watch.since_s = now_s
        return watch

    def _note_end(self, action: Action) -> Callable[[Alarm, Outcome], None]:
        """Return what counts an end of this action."""
        return lambda alarm, outcome: self.counts.note_ended(
            self._settings.rule_of(alarm.label), action.name, outcome
        )

    def _raise(self, face: TrackedFace, frame: Frame, source: str) -> None:
        self._raised += 1
        self.counts.note_raised(self._settings.rule_of(face.label), source)
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        alarm = Alarm(
            label=face.label,
            track=face.track,
            confidence=face.confidence,
            time_s=frame.position_s,
            at=at,
            source=source,
            file=frame.file,
        )
        self.last = alarm
        for worker in self._workers:
            worker.give(alarm)
