"""The messages of threads to the screens, so that no thread touches a widget."""

from dataclasses import dataclass

from textual.message import Message

from maskage.cameras.live_feed import CameraState
from maskage.capture.writer import Report


class ObservationReady(Message):
    """The observer has a new observation; `Observer.take` returns it."""


class ThumbsReady(Message):
    """Thumbnails have been decoded."""


@dataclass
class CameraChanged(Message):
    """The camera came, went, or ended."""

    state: CameraState


@dataclass
class WriterReported(Message):
    """The writer carried out an order, or could not."""

    report: Report


@dataclass
class PhotosDeleted(Message):
    """Photos in the trash were deleted for good."""

    count: int
