"""Shared by the benchmarks of the live loop: a loop with its parts, and the weight of a process.

The network is a real bundle, by default a tiny one that names a face by its mean colour, so that
the loop itself is measured.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from detector.drawing.overlay import draw_result
from detector.live.controls import LiveControls
from detector.live.corrections import Corrections, CorrectionStore
from detector.live.loop import LiveLimits, LiveLoop
from detector.live.sources import CameraChoice
from detector.live.watched import WatchedCamera, WatchedCameras
from detector.screens.base import LiveView, Screen
from detector.screens.commands import Command, CommandDesk
from detector.tracking.pipeline import FrameResult, LivePipeline
from maskage.cameras.live_feed import LiveFeed
from maskage.cameras.sources import Camera
from maskage.formats.bundle import ModelBundle
from tests.detector.conftest import seal_bundle, write_color_model


def make_color_bundle(folder: Path) -> ModelBundle:
    """Write a bundle of the tiny network into `folder`."""
    write_color_model(folder / "model.onnx")
    return seal_bundle(folder)


class DrawingScreen(Screen):
    """A screen that draws views as a window would.

    Args:
        seen: Called with each view when it is drawn.
        every: Draw one view in so many.
        desk: Where commands are left, if any are.
    """

    def __init__(
        self,
        seen: Callable[[LiveView], None] | None = None,
        *,
        every: int = 1,
        desk: CommandDesk | None = None,
    ) -> None:
        self._seen, self._every, self._desk = seen, every, desk
        self._views = 0

    def show(self, view: LiveView) -> None:
        """Draw the view, if it is its turn."""
        self._views += 1
        if self._views % self._every == 0:
            draw_result(view.result, view.readout, is_mirrored=view.is_mirrored)
        if self._seen is not None:
            self._seen(view)

    def read_commands(self) -> list[Command]:
        """Return the commands of the desk."""
        return self._desk.take() if self._desk else []

    def close(self) -> None:
        """Do nothing: nothing is held open."""


@contextmanager
def open_loop(
    open_camera: Callable[[str], Camera],
    pipeline: LivePipeline,
    screen: Screen,
    work: Path,
    *,
    sources: Sequence[str] = ("a camera",),
    limits: LiveLimits | None = None,
    listeners: Iterable[Callable[[FrameResult], None]] = (),
    feed_class: type[LiveFeed] = LiveFeed,
) -> Iterator[tuple[LiveLoop, LiveFeed]]:
    """Open the live loop with all its parts, as `detector live` does.

    Args:
        open_camera: Opens one of `sources`.
        pipeline: Pipeline of the loop.
        screen: Screen of the loop.
        work: Folder for snapshots, recordings and corrected faces.
        sources: Cameras to choose from.
        limits: When the loop stops by itself.
        listeners: Called with each labelled frame.
        feed_class: Class of the feed; another one may count its frames.
    """
    choice = CameraChoice(sources, open_camera)
    with (
        feed_class(choice.open) as feed,
        Corrections(CorrectionStore(work / "data"), pipeline.scheme, "model") as corrections,
    ):
        cameras = WatchedCameras([WatchedCamera(feed, pipeline)], choice)
        controls = LiveControls(
            cameras,
            corrections,
            snapshots=work / "snapshots",
            recordings=work / "recordings",
        )
        try:
            loop = LiveLoop(
                cameras,
                screen,
                controls,
                limits=limits or LiveLimits(),
                listeners=listeners,
            )
            yield loop, feed
        finally:
            controls.close()


@dataclass(frozen=True)
class Holdings:
    """The resources of a process.

    Attributes:
        memory_mb: Resident memory.
        threads: Threads, also those that Python does not know.
        descriptors: Open files and sockets.
    """

    memory_mb: float
    threads: int
    descriptors: int


def weigh_process() -> Holdings:
    """Return the present resources of this process (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Holdings(
        round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 2),
        len(list(Path("/proc/self/task").iterdir())),
        # One of them is the listing itself.
        len(list(Path("/proc/self/fd").iterdir())) - 1,
    )


def run_in_thread(loop: LiveLoop) -> threading.Thread:
    """Run a loop beside what watches it."""
    thread = threading.Thread(target=loop.run, name="live-loop")
    thread.start()
    return thread
