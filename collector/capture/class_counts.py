"""The number of photos of each class, updated edit by edit: counting a large dataset is slow."""

from collections.abc import Iterable

from maskage.dataset.edits import Edit
from maskage.dataset.store import PhotoStore
from maskage.records import Photo


class PhotoCounts:
    """Numbers of photos for the screen.

    Attributes:
        total: Number of photos in each class.
        of_subject: Number of photos of the present subject in each class.
    """

    def __init__(self, store: PhotoStore, subject: str | None) -> None:
        self._store = store
        self.subject = subject
        self.total: dict[str, int] = store.counts()
        self.of_subject: dict[str, int] = {}
        self.choose(subject)

    def choose(self, subject: str | None) -> None:
        """Count the photos of this subject."""
        self.subject = subject
        self.of_subject = self._store.counts(subject) if subject else {}

    def note(self, edits: Iterable[Edit]) -> None:
        """Update the numbers by edits that are on the disk."""
        for edit in edits:
            if edit.before is not None:
                self._count(edit.before, -1)
            if edit.after is not None:
                self._count(edit.after, +1)

    def _count(self, photo: Photo, sign: int) -> None:
        self.total[photo.label] += sign
        if self.subject and photo.subject == self.subject:
            self.of_subject[photo.label] += sign
