"""The opening of the screen of a live view."""

from typing import TYPE_CHECKING

from detector.live.requests import LiveRequest
from detector.live.watched import WatchedCameras
from detector.screens.base import Screen
from detector.screens.commands import CommandDesk
from detector.screens.display import ScreenKind
from detector.screens.keys import LiveKeys
from maskage.console import say
from maskage.formats.bundle import ModelBundle

if TYPE_CHECKING:
    from detector.events.alarms import Alarms
    from detector.web.history.alarm_history import AlarmHistory


def open_screen(
    kind: ScreenKind,
    request: LiveRequest,
    bundle: ModelBundle,
    cameras: WatchedCameras,
    alarms: "Alarms | None",
    history: "AlarmHistory | None",
) -> Screen:
    """Open the screen of a live view.

    Args:
        kind: What to open; never AUTO.
        request: The settings of the view.
        bundle: The model.
        cameras: What is watched.
        alarms: What raises alarms; None for none.
        history: Where the page looks for alarms; None for none.
    """
    keys = LiveKeys(bundle.scheme, has_several=cameras.are_several)
    if kind is ScreenKind.WINDOW:
        from detector.screens.window import WindowScreen

        several = f"{len(cameras.cameras)} cameras"
        title = several if cameras.are_several else cameras.shown.name
        return WindowScreen(f"detector: {title}", keys)
    if kind is ScreenKind.TERMINAL:
        from detector.screens.terminal import TerminalScreen

        return TerminalScreen(keys)
    if kind is ScreenKind.WEB:
        from detector.web.device.labelling import device_cameras
        from detector.web.history.kept_files import KeptFiles, KeptKind
        from detector.web.history.routes import History
        from detector.web.server import open_web
        from detector.web.serving import picture_classifier
        from detector.web.threshold_costs import find_threshold_costs

        pictures = picture_classifier(bundle, request.model.face_model)
        devices = device_cameras(bundle, request.model)
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
            devices=devices,
            alarm_counts=alarms.counts if alarms else None,
            history=History(kept, history),
            costs=find_threshold_costs(bundle.folder, bundle.scheme),
        )
        say(f"Open {screen.url}")
        return screen
    from detector.screens.headless import HeadlessScreen

    return HeadlessScreen()
