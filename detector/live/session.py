"""`detector live`: open camera, model, outputs and screen, and run the loop on them."""

import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from detector.events.alarm_options import AlarmSettings
from detector.events.events import open_event_files
from detector.live.controls import LiveControls
from detector.live.corrections import Corrections
from detector.live.first_viewer import FirstViewer, can_wait
from detector.live.loop import LiveLoop
from detector.live.open_cameras import choose_cameras, open_cameras
from detector.live.open_screen import open_screen
from detector.live.requests import LiveRequest
from detector.live.sources import CameraChoice, can_come_later, public_source
from detector.live.summary import LiveSummary
from detector.live.watched import WatchedCameras
from detector.screens.display import DisplayProbe, ScreenKind, choose_screen
from detector.source_guard import require_source_kept
from detector.tracking.pipeline import FrameResult, open_pipeline
from maskage.cameras.sources import shows_pictures
from maskage.classes.scheme import Scheme
from maskage.console import say, say_block
from maskage.errors import CameraError, DatasetError, EnvironmentProblemError
from maskage.formats.bundle import find_bundle, load_bundle
from maskage.formats.output_log import Kind, Output, log_output
from maskage.formats.run.datasets_behind import datasets_behind
from maskage.inference.engine_choice import open_chosen
from maskage.pictures.picture_files import report_left_out

if TYPE_CHECKING:
    from detector.events.alarms import Alarms
    from detector.events.mqtt import MqttPublisher
    from detector.web.history.alarm_history import AlarmHistory


def run_live(request: LiveRequest) -> LiveSummary:
    """Watch a source until the user, the recording or the limits end it.

    Raises:
        ToolchainError: Source, model, screen or an output is not usable.
    """
    loop = None
    try:
        with ExitStack() as held:
            loop, cameras = _open_loop(request, held)
            loop.run()
    except (KeyboardInterrupt, SystemExit):
        # The usual end of a view without keys: its summary is printed too.
        if loop is not None and loop.summary.frames:
            say_block(loop.summary)
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
    _require_pictures(cameras, summary)
    return summary


def _require_pictures(cameras: WatchedCameras, summary: LiveSummary) -> None:
    """Require that a picture came from one of several cameras, and no recording broke off.

    Raises:
        CameraError: None came, or one did.
    """
    if not cameras.are_several:
        return
    if summary.frames == 0:
        raise CameraError(
            f"None of the {len(cameras.cameras)} cameras gave a picture.",
            *summary.cameras,
            "Check the addresses and cables, or watch one alone, to see what it answers.",
        )
    faults = [str(camera.fault) for camera in cameras if camera.fault is not None]
    if faults:
        say_block(summary)
        raise CameraError(*faults, "All else was watched to its end.")


def _open_loop(request: LiveRequest, held: ExitStack) -> tuple[LiveLoop, WatchedCameras]:
    source, outputs = request.source, request.outputs
    require_source_kept(source.names, {"--json": outputs.json_out, "--csv": outputs.csv_out})
    probe = None
    if request.screen in (ScreenKind.AUTO, ScreenKind.WINDOW):
        probe = DisplayProbe()
        held.callback(probe.find_problem)
    bundle = load_bundle(find_bundle(request.model.folder))
    has_pictures = any(shows_pictures(name) for name in source.names)
    classifier, engine = open_chosen(bundle)
    pipeline = open_pipeline(
        request.model, bundle, has_pictures=has_pictures, classifier=classifier
    )
    say(engine)
    choice = choose_cameras(source, bundle.scheme)
    rules = request.outputs.alarms
    alarms = rules.for_classes(bundle.scheme) if rules else None
    corrections = held.enter_context(
        Corrections(request.outputs.corrections, bundle.scheme, str(bundle.folder))
    )
    if corrections.mismatch is not None:
        say(f"Corrections are off: {corrections.mismatch}")
    kind = _choose_screen(request.screen, choice, probe)
    if pipeline.finder.notice:
        say(pipeline.finder.notice)
    # Last of all: a recording that is being played would run on while a model is loaded.
    cameras = open_cameras(source, choice, pipeline, held)
    to_be_viewed = [
        FirstViewer(watched.feed)
        for watched in cameras.cameras
        if can_wait(request, kind, watched.feed)
    ]
    log_kept = _output_logger(request, bundle.folder)
    listeners = _open_event_files(request, bundle.scheme, log_kept, held)
    controls = LiveControls(
        cameras,
        corrections,
        snapshots=request.outputs.snapshots,
        recordings=request.outputs.recordings,
        is_blurred=request.outputs.is_blurred,
        has_status=request.outputs.has_status,
        is_mirrored=source.is_mirrored,
        on_kept=log_kept,
    )
    held.callback(controls.close)
    mqtt = _open_mqtt(request, bundle.scheme, alarms, controls.add_message, held)
    if mqtt:
        for watched in cameras:
            mqtt.announce(watched.name)
        listeners.append(lambda result: mqtt.update(result, cameras.cameras[result.camera].name))
    raised = _open_alarms(alarms, cameras, controls.add_message, mqtt, held) if alarms else None
    history = None
    if raised:
        if kind is ScreenKind.WEB:
            from detector.web.history.alarm_history import AlarmHistory

            history = held.enter_context(AlarmHistory())
        listeners.append(_alarm_listener(raised, cameras, history))
    # Closed before all of them: what they print at the end would be lost on the terminal's other
    # screen.
    screen = open_screen(kind, request, bundle, cameras, raised, history)
    held.callback(screen.close)
    for viewed in to_be_viewed:
        viewed.wait_in_background(lambda: screen.has_viewer, lambda: not screen.is_open)
    if request.outputs.is_recording:
        controls.start_recording()
    loop = LiveLoop(cameras, screen, controls, limits=request.limits, listeners=listeners)
    return loop, cameras


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
        if choice.is_alone or not can_come_later(choice.source):
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
    has_sources = len(request.source.names) > 1
    return open_event_files(
        outputs.json_out, outputs.csv_out, scheme, held, has_sources=has_sources
    )


def _open_mqtt(
    request: LiveRequest,
    scheme: Scheme,
    alarms: AlarmSettings | None,
    report: Callable[[str], None],
    held: ExitStack,
) -> "MqttPublisher | None":
    options = request.outputs.mqtt
    if options is None:
        return None
    from detector.events.mqtt import MqttPublisher

    say(f"Publishing to {options.name}")
    return held.enter_context(MqttPublisher(options, scheme, alarms, report))


def _open_alarms(
    settings: AlarmSettings,
    cameras: WatchedCameras,
    report: Callable[[str], None],
    mqtt: "MqttPublisher | None",
    held: ExitStack,
) -> "Alarms":
    from detector.events.alarms import Alarms

    more = [mqtt.alarms] if mqtt else []
    alarms = Alarms(settings, cameras.shown.name, report, more_actions=more)
    held.callback(lambda: say(str(alarms.summary)))
    return held.enter_context(alarms)


def _alarm_listener(
    alarms: "Alarms", cameras: WatchedCameras, history: "AlarmHistory | None"
) -> Callable[[FrameResult], None]:
    def update(result: FrameResult) -> None:
        last = alarms.last
        alarms.update(result, cameras.cameras[result.camera].name, camera=result.camera)
        if history is not None and alarms.last is not None and alarms.last is not last:
            history.add(alarms.last, result)

    return update
