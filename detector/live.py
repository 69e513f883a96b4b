"""`detector live`: brings camera, model and screen together, and runs the loop on them."""

import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from collector.cameras import Camera, open_camera
from collector.console import say
from collector.errors import DatasetError
from collector.faces import open_face_finder
from detector.classifier import Classifier
from detector.events import EventLog
from detector.feed import LiveFeed
from detector.live_loop import LiveLoop, LiveSummary, LoopOptions
from detector.pipeline import LivePipeline
from detector.screens import DisplayProbe, NoScreen, Screen, ScreenKind, choose_screen
from trainer.bundle import find_bundle, load_bundle


@dataclass(frozen=True)
class LiveRequest:
    """What to watch, and how.

    Attributes:
        source: As for `collector.cameras.open_camera`.
        model: A run or a bundle folder; None for the newest run.
        face_model: A copy of YuNet, or None to look for one.
        screen: Where to show it.
        json_out: Event file; "-" is stdout; None for none.
        options: For the loop.
        seed: Who the demo camera shows.
    """

    source: str = "0"
    model: Path | None = None
    face_model: Path | None = None
    screen: ScreenKind = ScreenKind.AUTO
    json_out: Path | None = None
    options: LoopOptions = field(default_factory=LoopOptions)
    seed: int = 0


def run_live(request: LiveRequest) -> LiveSummary:
    """Watch a source until the user, the recording or the limits end it.

    Raises:
        ToolchainError: Source, model, screen or an output is not usable.
    """
    with ExitStack() as held:
        loop = _run_loop(request, held)
    for message in loop.summary.skipped:
        say(f"skipped {message}")
    if loop.summary.frames == 0 and loop.summary.skipped:
        raise DatasetError(f"{request.source}: none of its pictures can be read.")
    return loop.summary


def _run_loop(request: LiveRequest, held: ExitStack) -> LiveLoop:
    asks_for_window = request.screen in (ScreenKind.AUTO, ScreenKind.WINDOW)
    probe = DisplayProbe() if asks_for_window else None
    if probe:
        held.callback(probe.find_problem)
    bundle = load_bundle(find_bundle(request.model))
    finder = open_face_finder(request.face_model)
    pipeline = LivePipeline(finder, Classifier(bundle))
    kind = choose_screen(
        request.screen,
        has_terminal=sys.stdin.isatty() and sys.stdout.isatty(),
        display_problem=probe.find_problem() if probe else "not asked for",
    )
    if finder.notice:
        say(finder.notice)
    # Last of all: a recording that is being played would run on while a model is loaded.
    feed = held.enter_context(LiveFeed(lambda: _open(request)))
    log = held.enter_context(EventLog(request.json_out)) if request.json_out else None
    screen = _open_screen(kind, feed.camera.name)
    held.callback(screen.close)
    loop = LiveLoop(request.options, feed, pipeline, screen, log)
    loop.run()
    return loop


def _open(request: LiveRequest) -> Camera:
    return open_camera(request.source, seed=request.seed)


def _open_screen(kind: ScreenKind, title: str) -> Screen:
    if kind is ScreenKind.WINDOW:
        from detector.window import WindowScreen

        return WindowScreen(f"detector: {title}")
    if kind is ScreenKind.TERMINAL:
        from detector.terminal import TerminalScreen

        return TerminalScreen()
    return NoScreen()
