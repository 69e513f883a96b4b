"""All that the capture screen is given from outside."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from collector.capture.observer import CameraOpener
from collector.capture.picture_opener import PictureOpener
from collector.keys import KeyCommand, capture_commands, review_commands, trash_commands
from collector.screens.review_screen import ReviewScreen
from maskage.cameras.sources import Camera
from maskage.capture.shutter import Gate
from maskage.capture.writer import PhotoWriter
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
        gate: The strictness of the shutter.
        target: Photos wanted in each class that has no target of its own.
        key_changes: Keys that the user has chosen, by name of the command.
        pictures: Opens folders of pictures, and knows what was dealt with in them; or None.
        is_whole: True to label all of each picture of a folder, not a face in it.
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
    key_changes: Mapping[str, str] = field(default_factory=dict)
    pictures: PictureOpener | None = None
    is_whole: bool = False

    @cached_property
    def commands(self) -> tuple[KeyCommand, ...]:
        """The keys of the camera."""
        return capture_commands(self.store.scheme, self.key_changes)

    def make_review(self, writer: PhotoWriter, recent: Sequence[str]) -> ReviewScreen:
        """Return the gallery of the same dataset, with the keys that the user has chosen.

        Args:
            writer: Writes to the same store; its history is shared.
            recent: The classes used so far, the last one first.
        """
        scheme, changes = self.store.scheme, self.key_changes
        return ReviewScreen(
            self.store,
            writer,
            review_commands(scheme, changes),
            recent,
            trash_commands(scheme, changes),
        )
