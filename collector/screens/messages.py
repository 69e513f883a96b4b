"""What threads tell the screens: small messages, so that no thread touches a widget."""

from dataclasses import dataclass

from textual.message import Message

from collector.capture.writer import Report
from maskage.cameras.live_feed import CameraState


class ObservationReady(Message):
    """The observer has something new; what it is, is asked of the observer."""


class ThumbsReady(Message):
    """Thumbnails have been decoded."""


@dataclass
class CameraChanged(Message):
    """The camera came, went, or ended."""

    state: CameraState


@dataclass
class WriterReported(Message):
    """What became of an order to the writer."""

    report: Report
