"""The event of an alarm, the program that is run with it, and the thread for that."""

import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from detector.events.alarm_counts import Outcome
from maskage.errors import EnvironmentProblemError
from maskage.outside_text import path_to_text
from maskage.system.files import users_umask

COMMAND_TIMEOUT_S = 30.0
WAITING_ALARMS = 4
"""Alarms of a live view that wait for one action: more would come too late to matter."""
_POLL_S = 0.1
_STOP_S = 2.0


@dataclass(frozen=True)
class Alarm:
    """One alarm, as other programs get it.

    In JSON: `{"event": "label", "label": "nomask_old", "track": 3, "confidence": 0.9312,
    "time_s": 12.48, "at": "2026-03-01T10:20:30.123+00:00", "source": "webcam 0"}`, with `file`
    where the source is a folder of pictures.

    Attributes:
        label: The steadied label of the face.
        track: Number of the person's track.
        confidence: Averaged probability of the label, 0 to 1.
        time_s: Position in the recording or session, in seconds.
        at: The moment, UTC, in ISO 8601 to the millisecond.
        source: Name of the camera or recording, without passwords.
        file: Name of the picture, where the source is a folder of pictures.
    """

    label: str
    track: int
    confidence: float
    time_s: float
    at: str
    source: str
    file: str | None = None

    def to_json(self) -> bytes:
        """Return one JSON object, ASCII."""
        event: dict[str, Any] = {"event": "label", **self._fields()}
        event["file"] = None if self.file is None else path_to_text(self.file)
        return json.dumps({k: v for k, v in event.items() if v is not None}).encode()

    def to_environment(self) -> dict[str, str]:
        """Return MASKAGE_LABEL and so on; MASKAGE_FILE is empty if there is no file."""
        fields = self._fields().items()
        return {f"MASKAGE_{k.upper()}": "" if v is None else str(v) for k, v in fields}

    def _fields(self) -> dict[str, Any]:
        rounded = {"confidence": round(self.confidence, 4), "time_s": round(self.time_s, 3)}
        return {**vars(self), "label": str(self.label), **rounded}


class Action(Protocol):
    """A reaction to an alarm."""

    name: str
    """The name in messages; without passwords."""

    def carry_out(self, alarm: Alarm) -> None:
        """Carry the action out, however long it takes.

        Raises:
            EnvironmentProblemError: It failed.
        """

    def stop(self) -> None:
        """End the present run, from another thread, and begin no other."""


class CommandAction:
    """A program that is run with the alarm as JSON on stdin and in its environment.

    The program leads a process group of its own, which is killed if it takes too long. Its
    output is discarded: it would spoil a terminal that shows the picture.

    Args:
        words: The program and its arguments.
        timeout_s: Longest run, in seconds.
    """

    def __init__(self, words: tuple[str, ...], timeout_s: float = COMMAND_TIMEOUT_S) -> None:
        self.name = f"--exec {words[0]}"
        self._words = words
        self._timeout_s = timeout_s
        self._stopping = threading.Event()

    def carry_out(self, alarm: Alarm) -> None:
        """See `Action`."""
        try:
            process = subprocess.Popen(
                self._words,
                env=os.environ | alarm.to_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                umask=users_umask(),
                # Also keeps Ctrl-C, which ends us in order, from reaching it first.
                start_new_session=True,
            )
        except OSError as fault:
            raise EnvironmentProblemError(f"cannot be started ({fault.strerror})") from fault
        problem = self._wait(process, alarm.to_json())
        if problem or process.returncode:
            raise EnvironmentProblemError(problem or f"ended with code {process.returncode}")

    def stop(self) -> None:
        """See `Action`."""
        self._stopping.set()

    def _wait(self, process: "subprocess.Popen[bytes]", text: bytes | None) -> str | None:
        """Wait for the end of a process; returns why it had to be killed, or None."""
        until_s = time.monotonic() + self._timeout_s
        problem = None
        while True:
            try:
                process.communicate(text, _POLL_S)
                return problem
            except subprocess.TimeoutExpired:
                text = None
            if self._stopping.is_set():
                problem = "still ran at the end and was killed"
            elif time.monotonic() >= until_s:
                problem = f"still ran after {self._timeout_s:g} s and was killed"
            if problem:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)


class ActionWorker:
    """A thread that carries one action out, one alarm after the other.

    Args:
        action: The action.
        report: Gets the first failure, from the thread; later ones are only counted.
        most_waiting: Most alarms that wait; others are dropped meanwhile. None for no limit.
        note_end: Gets each alarm and how its action ended, from any thread.

    Attributes:
        done: Alarms that were carried out.
        failed: Alarms whose action failed.
        dropped: Alarms given up because too many waited or the end had come.
    """

    def __init__(
        self,
        action: Action,
        report: Callable[[str], None],
        most_waiting: int | None = WAITING_ALARMS,
        note_end: Callable[[Alarm, Outcome], None] = lambda alarm, outcome: None,
    ) -> None:
        self._note_end = note_end
        self.done = self.failed = self.dropped = 0
        self._action = action
        self._report = report
        self._most_waiting = most_waiting
        self._given = 0
        self._waiting: queue.SimpleQueue[Alarm | None] = queue.SimpleQueue()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._work, name="alarm", daemon=True)
        self._thread.start()

    def give(self, alarm: Alarm) -> None:
        """Leave an alarm to the thread; never waits. From one thread only."""
        self._given += 1
        if self._most_waiting is None or self._waiting.qsize() < self._most_waiting:
            self._waiting.put(alarm)
        else:
            self.dropped += 1
            self._note_end(alarm, "dropped")

    def finish(self) -> None:
        """Take no more alarms; those that wait are still carried out. Does not wait."""
        self._waiting.put(None)

    @property
    def left(self) -> int:
        """Number of alarms that still wait or are on the way."""
        return self._given - self.done - self.failed - self.dropped

    def join(self, timeout_s: float) -> None:
        """Wait until all is done, after `finish`."""
        self._thread.join(max(0.0, timeout_s))

    def stop(self) -> None:
        """End the action on the way, after `finish`."""
        self._is_stopping = True
        self._action.stop()
        self.join(_STOP_S)
        self.dropped = self._given - self.done - self.failed

    def _work(self) -> None:
        while (alarm := self._waiting.get()) is not None and not self._is_stopping:
            try:
                self._action.carry_out(alarm)
                self.done += 1
                self._note_end(alarm, "done")
            except EnvironmentProblemError as fault:
                self._note_failure(alarm, str(fault))
            except Exception as fault:  # noqa: BLE001  a dead thread would lose all later alarms
                self._note_failure(alarm, repr(fault))

    def _note_failure(self, alarm: Alarm, reason: str) -> None:
        self.failed += 1
        self._note_end(alarm, "failed")
        if self.failed == 1:
            self._report(f"{self._action.name}: {reason}. Further failures are only counted.")
