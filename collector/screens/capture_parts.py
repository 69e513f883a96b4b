"""What the capture screen is handed: nothing outside comes to it another way."""

from collections.abc import Callable
from dataclasses import dataclass

from collector.capture.observer import CameraOpener
from collector.capture.shutter import Gate
from collector.keys import COMMANDS, REVIEW_COMMANDS, KeyCommand
from maskage.cameras.sources import Camera
from maskage.dataset.store import PhotoStore
from maskage.defaults import DEFAULT_TARGET
from maskage.faces.finder import FaceFinder


@dataclass(frozen=True, eq=False)
class CaptureParts:
    """What the screen works with.

    Attributes:
        store: Open; its owner closes it after the screen.
        camera: Open; the screen closes it.
        source: What `camera` was opened from.
        opener: Opens a source again, or another one.
        finder: Finds faces; used from one thread.
        list_sources: Other cameras that could be opened; may take a second.
        subject: Who sits there at the start, or None.
        gate: How strict the shutter is.
        target: Photos wanted in each class.
        is_mirrored: Whether the preview starts as a mirror.
        commands, review_commands: The keys of the camera and of the gallery.
    """

    store: PhotoStore
    camera: Camera
    source: str
    opener: CameraOpener
    finder: FaceFinder
    list_sources: Callable[[], list[str]]
    subject: str | None = None
    gate: Gate = Gate.WARN
    target: int = DEFAULT_TARGET
    is_mirrored: bool = True
    commands: tuple[KeyCommand, ...] = COMMANDS
    review_commands: tuple[KeyCommand, ...] = REVIEW_COMMANDS
