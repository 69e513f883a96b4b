"""What a training reports while it runs, and how Ctrl-C asks it to stop."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType

from maskage.console import plain_stderr, say
from maskage.outside_text import shown_text


@dataclass(frozen=True)
class TrainingProgress:
    """How far one stage of a training has come.

    Attributes:
        stage: "features", "head", "fine-tune" or "scratch".
        done, total: Of `unit`.
        unit: "photos" or "epochs".
        rate: Of `unit` a second.
        note: Losses and accuracies, for people.
    """

    stage: str
    done: int
    total: int
    unit: str
    rate: float
    note: str = ""

    @property
    def seconds_left(self) -> float:
        return (self.total - self.done) / self.rate if self.rate > 0 else float("inf")

    def __str__(self) -> str:
        """For people: "fine-tune 3/8 epochs, 12.1 s each, 1:01 left, loss 0.41"."""
        parts = [f"{self.stage} {self.done}/{self.total} {self.unit}"]
        if 0 < self.rate < 1:
            parts.append(f"{1 / self.rate:.1f} s each")
        elif self.rate > 0:
            parts.append(f"{self.rate:.0f}/s")
        if self.rate > 0 and self.done < self.total:
            minutes, seconds = divmod(round(self.seconds_left), 60)
            parts.append(f"{minutes}:{seconds:02d} left")
        return ", ".join([*parts, self.note] if self.note else parts)


OnProgress = Callable[[TrainingProgress], None]


class ProgressPrinter:
    """Prints progress to stderr: one line rewritten at a terminal, now and then a line elsewhere.

    Args:
        every_s: Least time between two lines where it is not a terminal.
    """

    def __init__(self, every_s: float = 10.0) -> None:
        self._every_s = every_s
        self._last_s = float("-inf")
        self._is_terminal = sys.stderr.isatty()

    def __call__(self, progress: TrainingProgress) -> None:
        is_last = progress.done >= progress.total
        if self._is_terminal:
            terminal = plain_stderr()
            end = "\n" if is_last else ""
            terminal.write(f"\r\x1b[2K{shown_text(progress)}{end}")
            terminal.flush()
        elif is_last or time.monotonic() - self._last_s >= self._every_s:
            self._last_s = time.monotonic()
            say(str(progress))


class TrainingStoppedError(KeyboardInterrupt):
    """Ctrl-C ended a training early.

    Attributes:
        run: The run folder with the best so far, or None where nothing was trained yet.
    """

    def __init__(self, message: str, run: Path | None = None) -> None:
        super().__init__(message)
        self.run = run


class StopSwitch:
    """While it is open, the first Ctrl-C asks for a stop; a second one interrupts at once.

    Outside the main thread signals cannot be caught; `request` asks from anywhere.
    """

    def __init__(self) -> None:
        self.is_requested = False
        self._before: object = None

    def request(self) -> None:
        self.is_requested = True

    def __enter__(self) -> "StopSwitch":
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)  # type: ignore[arg-type]

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.is_requested:
            raise KeyboardInterrupt
        self.request()
        say("", "Stopping; the best so far is kept. Ctrl-C again leaves at once.")


@dataclass
class Stopwatch:
    """Seconds that each stage took."""

    seconds: dict[str, float] = field(default_factory=dict)
    _running: tuple[str, float] | None = None

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Count the seconds of what is done inside, to those that the stage had."""
        self._running = (stage, time.perf_counter())
        try:
            yield
        finally:
            self.seconds = self.so_far()
            self._running = None

    def so_far(self) -> dict[str, float]:
        """Seconds of each stage, with those of the one under way."""
        if self._running is None:
            return dict(self.seconds)
        stage, started_s = self._running
        spent_s = time.perf_counter() - started_s
        return {**self.seconds, stage: round(self.seconds.get(stage, 0.0) + spent_s, 3)}


class EpochClock:
    """Epochs, or photos, a second since it was made."""

    def __init__(self) -> None:
        self._started_s = self._last_s = time.perf_counter()

    def rate(self, done: int) -> float:
        return done / max(1e-6, time.perf_counter() - self._started_s)

    def lap_s(self) -> float:
        """Seconds since it was asked last."""
        before, self._last_s = self._last_s, time.perf_counter()
        return self._last_s - before
