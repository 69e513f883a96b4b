"""`detector live`: brings camera, model and screen together, and runs the loop on them."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from detector.events.alarm_options import AlarmSettings
from detector.events.events import EventLog, EventTable
from detector.live.controls import LiveControls
from detector.live.corrections import Corrections, CorrectionStore
from detector.live.loop import LiveLoop, LiveSummary, LoopOptions
from detector.live.sources import CameraChoice, public_source
from detector.screens.base import DisplayProbe, NoScreen, Screen, ScreenKind, choose_screen
from detector.screens.commands import CommandDesk
from detector.tracking.pipeline import EVERYTHING, FrameResult, LivePipeline, Thrift
from detector.web.options import WebOptions
from maskage.cameras.live_feed import LiveFeed
from maskage.cameras.sources import open_camera, shows_pictures
from maskage.console import say
from maskage.errors import DatasetError, EnvironmentProblemError
from maskage.faces.finder import SMALLEST_IN_PICTURE_PX, FaceFinder, open_face_finder
from maskage.formats.bundle import ModelBundle, find_bundle, load_bundle
from maskage.formats.datasets_behind import datasets_behind
from maskage.formats.output_log import Kind, Output, log_output
from maskage.inference.classifier import Classifier
from maskage.pictures.picture_files import tell_left_out

if TYPE_CHECKING:
    from detector.web.classify import PictureClassifier


@dataclass(frozen=True)
class LiveRequest:
    """What to watch, and how.

    Attributes:
        sources: As for `maskage.cameras.sources.open_camera`; the first is watched first.
        model: A run or a bundle folder; None for the newest run.
        face_model: A copy of YuNet, or None to look for one.
        screen: Where to show it.
        web: For `ScreenKind.WEB`.
        json_out, csv_out: Event files; "-" is stdout; None for none.
        alarms: None for none.
        dataset: Where corrected faces go.
        snapshots, recordings: Folders.
        is_recording: Record from the start.
        is_blurred: Whether recorded faces are made unrecognisable.
        is_mirrored: Begin mirrored.
        threshold: Confidence under which a face is unsure; None for the bundle's.
        is_paced: Whether recordings play at their own speed.
        is_thorough: Let finder and network see every frame.
        options: For the loop.
        seed: Who the demo camera shows.
    """

    sources: tuple[str, ...] = ("0",)
    model: Path | None = None
    face_model: Path | None = None
    screen: ScreenKind = ScreenKind.AUTO
    web: WebOptions = field(default_factory=WebOptions)
    json_out: Path | None = None
    csv_out: Path | None = None
    alarms: AlarmSettings | None = None
    dataset: CorrectionStore = field(default_factory=lambda: CorrectionStore(Path("data")))
    snapshots: Path = Path("snapshots")
    recordings: Path = Path("recordings")
    is_recording: bool = False
    is_blurred: bool = True
    is_mirrored: bool = False
    threshold: float | None = None
    is_paced: bool = True
    is_thorough: bool = False
    options: LoopOptions = field(default_factory=LoopOptions)
    seed: int = 0


def run_live(request: LiveRequest) -> LiveSummary:
    """Watch a source until the user, the recording or the limits end it.

    Raises:
        ToolchainError: Source, model, screen or an output is not usable.
    """
    loop = None
    try:
        with ExitStack() as held:
            loop = _open_loop(request, held)
            loop.run()
    except (KeyboardInterrupt, SystemExit):
        # The usual end of a view without keys: it is told of like any other.
        if loop is not None and loop.summary.frames:
            say(str(loop.summary))
        raise
    tell_left_out(loop.summary.left_out)
    for message in loop.summary.skipped:
        say(f"skipped {message}")
    for fault in loop.summary.damage:
        say(f"video: {fault}")
    if loop.summary.frames == 0 and loop.summary.skipped:
        raise DatasetError(
            f"{public_source(request.sources[0])}: none of its pictures can be read."
        )
    return loop.summary


def serve_pictures(
    model: Path | None, face_model: Path | None, web: WebOptions, tell: Callable[[str], None]
) -> None:
    """Answer to pictures that are sent, without a camera, until Ctrl-C.

    Raises:
        ToolchainError: The model or the address is not usable.
        KeyboardInterrupt: Ctrl-C.
    """
    from detector.web.server import open_web

    bundle = load_bundle(find_bundle(model))
    with open_web(web, _picture_classifier(bundle, face_model), None) as screen:
        tell(screen.url)
        screen.wait()


def _open_loop(request: LiveRequest, held: ExitStack) -> LiveLoop:
    asks_for_window = request.screen in (ScreenKind.AUTO, ScreenKind.WINDOW)
    probe = DisplayProbe() if asks_for_window else None
    if probe:
        held.callback(probe.find_problem)
    bundle = load_bundle(find_bundle(request.model))
    finder = _open_finder(request)
    pipeline = _open_pipeline(request, bundle, finder)
    choice = CameraChoice(
        request.sources,
        partial(open_camera, pace=request.is_paced, seed=request.seed),
        finds_webcams=request.sources[0].isdecimal(),
    )
    kind = _choose_screen(request, choice, probe)
    if finder.notice:
        say(finder.notice)
    desk = CommandDesk()
    # Last of all: a recording that is being played would run on while a model is loaded.
    feed = held.enter_context(LiveFeed(choice.open))
    on_kept = _keep_in_mind(request, bundle.folder)
    for events in (request.json_out, request.csv_out):
        if events and str(events) != "-":
            on_kept(events, Kind.TABLE)
    listeners = _open_logs(request, held)
    corrections = held.enter_context(Corrections(request.dataset))
    controls = LiveControls(
        feed,
        pipeline,
        choice,
        corrections,
        snapshots=request.snapshots,
        recordings=request.recordings,
        is_blurred=request.is_blurred,
        is_mirrored=request.is_mirrored,
        on_kept=on_kept,
    )
    held.callback(controls.close)
    if request.alarms:
        # On a screen a line of text would be written into the picture.
        tell = say if kind is ScreenKind.HEADLESS else controls.tell
        listeners.append(_open_alarms(request.alarms, feed, tell, held))
    # Closed before all of them: what they say at the end is lost on the terminal's other screen.
    screen = _open_screen(kind, request, bundle, feed.camera.name, desk)
    held.callback(screen.close)
    if request.is_recording:
        controls.start_recording()
    return LiveLoop(request.options, feed, pipeline, screen, controls, listeners, desk)


def _keep_in_mind(request: LiveRequest, model: Path) -> Callable[[Path, Kind], None]:
    """Remember what is kept, and who is in it as far as that was said, for `collector forget`."""
    behind = datasets_behind(request.sources)
    roots = behind | datasets_behind([model, request.dataset.root])
    subject = request.dataset.subject

    def keep(path: Path, kind: Kind) -> None:
        is_blurred = kind is Kind.VIDEO and request.is_blurred
        log_output(roots, Output(path, kind, "", subject, bool(behind), is_blurred))

    return keep


def _choose_screen(
    request: LiveRequest, choice: CameraChoice, probe: DisplayProbe | None
) -> ScreenKind:
    try:
        return choose_screen(
            request.screen,
            has_terminal=sys.stdin.isatty() and sys.stdout.isatty(),
            display_problem=probe.find_problem() if probe else "not asked for",
        )
    except EnvironmentProblemError:
        # Of two faults that of the source is told first: with another screen it would still be.
        choice.open().close()
        raise


def _open_finder(request: LiveRequest) -> FaceFinder:
    if any(shows_pictures(source) for source in request.sources):
        return open_face_finder(request.face_model, SMALLEST_IN_PICTURE_PX)
    return open_face_finder(request.face_model)


def _open_pipeline(request: LiveRequest, bundle: ModelBundle, finder: FaceFinder) -> LivePipeline:
    thrift = EVERYTHING if request.is_thorough else Thrift()
    pipeline = LivePipeline(finder, Classifier(bundle), thrift=thrift)
    if request.threshold is not None:
        pipeline.tracker.unsure_below = request.threshold
    return pipeline


def _open_logs(request: LiveRequest, held: ExitStack) -> list[Callable[[FrameResult], None]]:
    listeners: list[Callable[[FrameResult], None]] = []
    if request.json_out:
        listeners.append(held.enter_context(EventLog(request.json_out)).write)
    if request.csv_out:
        listeners.append(held.enter_context(EventTable(request.csv_out)).write)
    return listeners


def _open_alarms(
    settings: AlarmSettings, feed: LiveFeed, tell: Callable[[str], None], held: ExitStack
) -> Callable[[FrameResult], None]:
    from detector.events.alarms import Alarms

    alarms = Alarms(settings, feed.camera.name, tell)
    held.callback(lambda: say(str(alarms.summary)))
    held.enter_context(alarms)

    def update(result: FrameResult) -> None:
        alarms.source = feed.camera.name
        alarms.update(result)

    return update


def _open_screen(
    kind: ScreenKind, request: LiveRequest, bundle: ModelBundle, title: str, desk: CommandDesk
) -> Screen:
    if kind is ScreenKind.WINDOW:
        from detector.screens.window import WindowScreen

        return WindowScreen(f"detector: {title}")
    if kind is ScreenKind.TERMINAL:
        from detector.screens.terminal import TerminalScreen

        return TerminalScreen()
    if kind is ScreenKind.WEB:
        from detector.web.server import open_web

        screen = open_web(request.web, _picture_classifier(bundle, request.face_model), desk)
        say(f"Open {screen.url}")
        return screen
    return NoScreen()


def _picture_classifier(bundle: ModelBundle, face_model: Path | None) -> "PictureClassifier":
    from detector.web.classify import PictureClassifier

    # One thread: pictures that are sent must not take the cores from the live picture.
    return PictureClassifier(
        lambda: open_face_finder(face_model, SMALLEST_IN_PICTURE_PX),
        lambda: Classifier(bundle, threads=1),
    )
