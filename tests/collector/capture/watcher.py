"""What an observer of a network camera told, and when."""

import threading
import time
from collections.abc import Callable

from collector.capture.observer import Observer
from maskage.cameras.live_feed import CameraCondition, CameraState
from maskage.cameras.sources import open_camera
from maskage.capture.observation import Observation
from maskage.faces.finder import GuideFinder

WAIT_S = 60.0


class Watcher:
    """Watches one source until closed.

    Attributes:
        states: What was said of the camera, each with its moment.
        seen: What was observed, each with its moment.
    """

    def __init__(self, source: str) -> None:
        self.states: list[tuple[float, CameraState]] = []
        self.seen: list[tuple[float, Observation]] = []
        self._came = threading.Condition()
        self.observer = Observer(
            open_camera(source),
            source,
            open_camera,
            GuideFinder(),
            on_observation=self._see,
            on_state=self._hear,
        )
        self.observer.start()

    def __enter__(self) -> "Watcher":
        return self

    def __exit__(self, *fault: object) -> None:
        self.observer.close()

    def wait_for_picture(self, after_s: float = 0.0) -> float:
        """When the next picture came that was taken after this moment."""
        return self._wait(
            lambda: next((at for at, o in self.seen if o.frame.captured_s > after_s), None)
        )

    def wait_for_loss(self, after_s: float) -> float:
        """When it was said, after this moment, that no picture comes, and what is done."""

        def is_told(state: CameraState) -> bool:
            if state.condition is CameraCondition.SILENT:
                return "waiting for the camera" in state.message
            is_lost = state.condition is CameraCondition.LOST
            return is_lost and f"Reconnecting ({state.attempt})" in state.message

        return self._wait(
            lambda: next((at for at, state in self.states if at > after_s and is_told(state)), None)
        )

    def forget(self) -> None:
        """Let go of what was told and seen so far."""
        with self._came:
            self.states.clear()
            self.seen.clear()

    def _see(self) -> None:
        observation = self.observer.take()
        with self._came:
            if observation is not None:
                self.seen.append((time.monotonic(), observation))
            self._came.notify_all()

    def _hear(self, state: CameraState) -> None:
        with self._came:
            self.states.append((time.monotonic(), state))
            self._came.notify_all()

    def _wait(self, happened: Callable[[], float | None]) -> float:
        with self._came:
            self._came.wait_for(lambda: happened() is not None, WAIT_S)
            at = happened()
        if at is None:
            raise TimeoutError(f"did not come within {WAIT_S:g} s; said was {self.states}")
        return at
