"""`detector live`: open camera, model, outputs and screen, and run the loop on them."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from detector.events.alarm_options import AlarmSettings
from detector.events.events import open_event_files
from detector.live.controls import LiveControls
from detector.live.corrections import Corrections
from detector.live.loop import LiveLoop
from detector.live.requests import LiveRequest
from detector.live.sources import CameraChoice, public_source
from detector.live.summary import LiveSummary
from detector.screens.base import Screen
from detector.screens.commands import CommandDesk
from detector.screens.display import DisplayProbe, ScreenKind, choose_screen
from detector.screens.keys import LiveKeys
from detector.tracking.pipeline import FrameResult, open_pipeline
from detector.web.options import WebOptions
from maskage.cameras.live_feed import LiveFeed
from maskage.cameras.sources import open_camera, shows_pictures
from maskage.classes.scheme import Scheme
from maskage.console import say
from maskage.errors import DatasetError, EnvironmentProblemError
from maskage.faces.finder import SMALLEST_IN_PICTURE_PX, open_face_finder
from maskage.formats.bundle import ModelBundle, find_bundle, load_bundle
from maskage.formats.output_log import Kind, Output, log_output
from maskage.formats.run.datasets_behind import datasets_behind
from maskage.inference.classifier import Classifier
from maskage.pictures.picture_files import report_left_out

if TYPE_CHECKING:
    from detector.web.classify import PictureClassifier
    from detector.web.history.alarm_history import AlarmHistory


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
        # The usual end of a view without keys: its summary is printed too.
        if loop is not None and loop.summary.frames:
            say(str(loop.summary))
        raise
    summary = loop.summary
    report_left_out(summary.left_out)
    for message in summary.skipped:
        say(f"skipped {message}")
    for fault in summary.damage:
        say(f"video: {fault}")
    if summary.frames == 0 and summary.skipped:
        raise DatasetError(
            f"{public_source(request.source.names[0])}: none of its pictures can be read."
        )
    return summary


def serve_pictures(
    model: Path | None, face_model: Path | None, web: WebOptions, report: Callable[[str], None]
) -> None:
    """Classify pictures that are sent, without a camera, until Ctrl-C.

    Args:
        model: A run or a bundle folder; None for the newest run.
        face_model: A copy of YuNet, or None to look for one.
        web: The server.
        report: Gets the address to open.

    Raises:
        ToolchainError: The model or the address is not usable.
        KeyboardInterrupt: Ctrl-C.
    """
    from detector.web.server import open_web

    bundle = load_bundle(find_bundle(model))
    with open_web(web, _picture_classifier(bundle, face_model), bundle.scheme, None) as screen:
        report(screen.url)
        screen.wait()


def _open_loop(request: LiveRequest, held: ExitStack) -> LiveLoop:
    source = request.source
    probe = None
    if request.screen in (ScreenKind.AUTO, ScreenKind.WINDOW):
        probe = DisplayProbe()
        held.callback(probe.find_problem)
    bundle = load_bundle(find_bundle(request.model.folder))
    has_pictures = any(shows_pictures(name) for name in source.names)
    pipeline = open_pipeline(request.model, bundle, has_pictures=has_pictures)
    choice = CameraChoice(
        source.names,
        partial(open_camera, pace=source.is_paced, seed=source.seed, scheme=bundle.scheme),
        finds_webcams=source.names[0].isdecimal(),
    )
    alarms = request.outputs.alarms and request.outputs.alarms.for_classes(bundle.scheme)
    corrections = held.enter_context(
        Corrections(request.outputs.corrections, bundle.scheme, str(bundle.folder))
    )
    if corrections.mismatch is not None:
        say(f"Corrections are off: {corrections.mismatch}")
    kind = _choose_screen(request.screen, choice, probe)
    if pipeline.finder.notice:
        say(pipeline.finder.notice)
    # Last of all: a recording that is being played would run on while a model is loaded.
    feed = held.enter_context(LiveFeed(choice.open))
    log_kept = _output_logger(request, bundle.folder)
    listeners = _open_event_files(request, bundle.scheme, log_kept, held)
    controls = LiveControls(
        feed,
        pipeline,
        choice,
        corrections,
        snapshots=request.outputs.snapshots,
        recordings=request.outputs.recordings,
        is_blurred=request.outputs.is_blurred,
        is_mirrored=source.is_mirrored,
        on_kept=log_kept,
    )
    held.callback(controls.close)
    alarm_history = None
    if alarms:
        if kind is ScreenKind.WEB:
            from detector.web.history.alarm_history import AlarmHistory

            alarm_history = held.enter_context(AlarmHistory())
        listeners.append(_open_alarms(alarms, feed, controls.add_message, held, alarm_history))
    # Closed before all of them: what they print at the end would be lost on the terminal's other
    # screen.
    screen = _open_screen(kind, request, bundle, feed.camera.name, alarm_history)
    held.callback(screen.close)
    if request.outputs.is_recording:
        controls.start_recording()
    return LiveLoop(feed, pipeline, screen, controls, limits=request.limits, listeners=listeners)


def _output_logger(request: LiveRequest, model: Path) -> Callable[[Path, Kind], None]:
    """Return what logs a kept file, with who is in it if known, for `collector forget`."""
    corrections = request.outputs.corrections
    behind = datasets_behind(request.source.names)
    roots = behind | datasets_behind([model, corrections.root])

    def log_kept(path: Path, kind: Kind) -> None:
        is_blurred = kind is Kind.VIDEO and request.outputs.is_blurred
        output = Output(
            path,
            kind,
            subject=corrections.subject,
            is_of_photos=bool(behind),
            is_blurred=is_blurred,
        )
        log_output(roots, output)

    return log_kept


def _choose_screen(
    wanted: ScreenKind, choice: CameraChoice, probe: DisplayProbe | None
) -> ScreenKind:
    try:
        return choose_screen(
            wanted,
            has_terminal=sys.stdin.isatty() and sys.stdout.isatty(),
            display_problem=probe.find_problem() if probe else "not asked for",
        )
    except EnvironmentProblemError:
        # Of two faults that of the source comes first: it would be there on another screen too.
        choice.open().close()
        raise


def _open_event_files(
    request: LiveRequest,
    scheme: Scheme,
    log_kept: Callable[[Path, Kind], None],
    held: ExitStack,
) -> list[Callable[[FrameResult], None]]:
    outputs = request.outputs
    for path in (outputs.json_out, outputs.csv_out):
        if path and str(path) != "-":
            log_kept(path, Kind.TABLE)
    return open_event_files(outputs.json_out, outputs.csv_out, scheme, held)


def _open_alarms(
    settings: AlarmSettings,
    feed: LiveFeed,
    report: Callable[[str], None],
    held: ExitStack,
    history: "AlarmHistory | None",
) -> Callable[[FrameResult], None]:
    from detector.events.alarms import Alarms

    alarms = Alarms(settings, feed.camera.name, report)
    held.callback(lambda: say(str(alarms.summary)))
    held.enter_context(alarms)

    def update(result: FrameResult) -> None:
        last = alarms.last
        alarms.update(result, feed.camera.name)
        if history is not None and alarms.last is not None and alarms.last is not last:
            history.add(alarms.last, result)

    return update


def _open_screen(
    kind: ScreenKind,
    request: LiveRequest,
    bundle: ModelBundle,
    title: str,
    alarms: "AlarmHistory | None",
) -> Screen:
    if kind is ScreenKind.WINDOW:
        from detector.screens.window import WindowScreen

        return WindowScreen(f"detector: {title}", LiveKeys(bundle.scheme))
    if kind is ScreenKind.TERMINAL:
        from detector.screens.terminal import TerminalScreen

        return TerminalScreen(LiveKeys(bundle.scheme))
    if kind is ScreenKind.WEB:
        from detector.web.history.kept_files import KeptFiles, KeptKind
        from detector.web.history.routes import History
        from detector.web.server import open_web
        from detector.web.threshold_costs import find_threshold_costs

        pictures = _picture_classifier(bundle, request.model.face_model)
        kept = KeptFiles(
            {
                KeptKind.SNAPSHOTS: request.outputs.snapshots,
                KeptKind.RECORDINGS: request.outputs.recordings,
            }
        )
        screen = open_web(
            request.web,
            pictures,
            bundle.scheme,
            CommandDesk(),
            history=History(kept, alarms),
            costs=find_threshold_costs(bundle.folder, bundle.scheme),
        )
        say(f"Open {screen.url}")
        return screen
    from detector.screens.headless import HeadlessScreen

    return HeadlessScreen()


def _picture_classifier(bundle: ModelBundle, face_model: Path | None) -> "PictureClassifier":
    from detector.web.classify import PictureClassifier

    # One thread: pictures that are sent must not take the cores from the live picture.
    return PictureClassifier(
        lambda: open_face_finder(face_model, SMALLEST_IN_PICTURE_PX),
        lambda: Classifier(bundle, threads=1),
    )
