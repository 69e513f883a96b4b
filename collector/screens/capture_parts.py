"""All that the capture screen is given from outside."""

from collections.abc import Callable
from dataclasses import dataclass

from collector.capture.observer import CameraOpener
from collector.capture.shutter import Gate
from collector.keys import COMMANDS, REVIEW_COMMANDS, KeyCommand
from maskage.cameras.sources import Camera
from maskage.dataset.store import PhotoStore
from maskage.defaults import DEFAULT_TARGET
from maskage.faces.finder import FaceFinder


@dataclass(frozen=True, eq=False, kw_only=True)
class CaptureParts:
    """The parts that the capture screen works with.

    Attributes:
        store: The dataset, open; its owner closes it after the screen.
        camera: The camera, open; the screen closes it.
        source: The address that `camera` was opened from.
        opener: Opens a source again, or another one.
        finder: Finds faces; used from one thread.
        list_sources: Lists other cameras that could be opened; may take a second.
        subject: Pseudonym of the person at the start, or None.
        gate: How strict the shutter is.
        target: Photos wanted in each class.
        commands: The keys of the camera.
        review_commands: The keys of the gallery.
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
    commands: tuple[KeyCommand, ...] = COMMANDS
    review_commands: tuple[KeyCommand, ...] = REVIEW_COMMANDS
