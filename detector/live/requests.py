"""The request of `detector live`: source, model, outputs, and how it is shown."""

from dataclasses import dataclass, field
from pathlib import Path

from detector.events.alarm_options import AlarmRules
from detector.events.mqtt_options import MqttOptions
from detector.live.corrections import CorrectionStore
from detector.live.loop import LiveLimits
from detector.screens.display import ScreenKind
from detector.tracking.pipeline import ModelRequest, Thrift
from detector.web.options import WebOptions


@dataclass(frozen=True)
class SourceRequest:
    """The cameras to watch.

    Attributes:
        names: Sources as in `maskage.cameras.sources.open_camera`; all are watched, and the first
            is shown first.
        is_paced: Recordings play at their own speed.
        is_mirrored: The picture is a mirror at first, for a camera that faces its user.
        seed: Seed of the people before the demo camera.
        is_all: Begin with all of several cameras in one picture.
    """

    names: tuple[str, ...] = ("0",)
    is_paced: bool = True
    is_mirrored: bool = False
    seed: int = 0
    is_all: bool = False


@dataclass(frozen=True)
class OutputRequest:
    """Everything that is written, sent or kept.

    Attributes:
        json_out: File of events; "-" is stdout; None for none.
        csv_out: Table of faces; "-" is stdout; None for none.
        alarms: What raises an alarm, and what it does; None for no alarms.
        mqtt: The broker that events, the state and alarms are published to; None for none.
        corrections: The dataset of corrected faces.
        snapshots: Folder of pictures.
        recordings: Folder of recordings.
        is_recording: Record from the start.
        is_blurred: Recorded faces are made unrecognisable.
        has_status: The status line and messages are recorded too.
    """

    json_out: Path | None = None
    csv_out: Path | None = None
    alarms: AlarmRules | None = None
    mqtt: MqttOptions | None = None
    corrections: CorrectionStore = field(default_factory=lambda: CorrectionStore(Path("data")))
    snapshots: Path = Path("snapshots")
    recordings: Path = Path("recordings")
    is_recording: bool = False
    is_blurred: bool = True
    has_status: bool = False


@dataclass(frozen=True)
class LiveRequest:
    """A live view.

    Attributes:
        source: The cameras.
        model: The model.
        outputs: Everything that is written, sent or kept.
        web: The server, for `ScreenKind.WEB`.
        screen: The screen.
        limits: When the view ends by itself.
    """

    source: SourceRequest = field(default_factory=SourceRequest)
    model: ModelRequest = field(default_factory=lambda: ModelRequest(thrift=Thrift()))
    outputs: OutputRequest = field(default_factory=OutputRequest)
    web: WebOptions = field(default_factory=WebOptions)
    screen: ScreenKind = ScreenKind.AUTO
    limits: LiveLimits = field(default_factory=LiveLimits)
