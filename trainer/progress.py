"""The reports of a training while it runs, and how Ctrl-C asks it to stop."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType

from maskage.console import ProgressDisplay, say


@dataclass(frozen=True)
class TrainingProgress:
    """The state of one stage of a training.

    Attributes:
        stage: "features", "head", "fine-tune" or "scratch".
        done: How many of `unit` are done.
        total: How many there are.
        unit: "photos" or "epochs".
        rate: How many are done in a second; 0 where that is not known.
        note: Losses and accuracies, for people.
    """

    stage: str
    done: int
    total: int
    unit: str
    rate: float
    note: str = ""


OnProgress = Callable[[TrainingProgress], None]


class ProgressPrinter(ProgressDisplay):
    """Shows the progress of a training on stderr; a context."""

    def __call__(self, progress: TrainingProgress) -> None:
        """Show one report."""
        self.update(
            progress.stage,
            progress.done,
            progress.total,
            unit=progress.unit,
            rate=progress.rate,
            note=progress.note,
        )


class TrainingStoppedError(KeyboardInterrupt):
    """Ctrl-C ended a training early.

    Attributes:
        run: The run folder with the best so far, or None where nothing was trained yet.
    """

    def __init__(self, message: str, run: Path | None = None) -> None:
        super().__init__(message)
        self.run = run


class StopSwitch:
    """A context in which the first Ctrl-C asks for a stop; a second one interrupts at once.

    Outside the main thread signals cannot be caught; `request` asks from anywhere.
    """

    def __init__(self) -> None:
        self.is_requested = False
        self._before: object = None

    def request(self) -> None:
        """Ask for a stop, from any thread."""
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
        """Add the seconds that the context lasts to those of a stage."""
        self._running = (stage, time.perf_counter())
        try:
            yield
        finally:
            self.seconds = self.so_far()
            self._running = None

    def so_far(self) -> dict[str, float]:
        """Return the seconds of each stage, with those of the one under way."""
        if self._running is None:
            return dict(self.seconds)
        stage, started_s = self._running
        spent_s = time.perf_counter() - started_s
        return {**self.seconds, stage: round(self.seconds.get(stage, 0.0) + spent_s, 3)}


class EpochClock:
    """A clock for epochs or photos, which starts when it is made."""

    def __init__(self) -> None:
        self._started_s = self._last_s = time.perf_counter()

    def rate(self, done: int) -> float:
        """Return how many are done in a second."""
        return done / max(1e-6, time.perf_counter() - self._started_s)

    def lap_s(self) -> float:
        """Return the seconds since the last lap."""
        before, self._last_s = self._last_s, time.perf_counter()
        return self._last_s - before
