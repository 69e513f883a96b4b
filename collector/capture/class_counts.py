"""How many photos each class has, kept by counting along: a large dataset is counted only once."""

from collections.abc import Iterable

from maskage.dataset.edits import Edit
from maskage.dataset.store import PhotoStore
from maskage.records import Label, Photo


class Tally:
    """Counts for the screen.

    Attributes:
        total: Photos in each class.
        of_subject: Those of the subject who sits before the camera.
    """

    def __init__(self, store: PhotoStore, subject: str | None) -> None:
        self._store = store
        self.subject = subject
        self.total: dict[Label, int] = store.counts()
        self.of_subject: dict[Label, int] = {}
        self.choose(subject)

    def choose(self, subject: str | None) -> None:
        """Count the photos of this subject."""
        self.subject = subject
        self.of_subject = self._store.counts(subject) if subject else {}

    def note(self, edits: Iterable[Edit]) -> None:
        """Count photos in and out as edits moved them."""
        for edit in edits:
            if edit.before is not None:
                self._count(edit.before, -1)
            if edit.after is not None:
                self._count(edit.after, +1)

    def _count(self, photo: Photo, sign: int) -> None:
        self.total[photo.label] += sign
        if self.subject and photo.subject == self.subject:
            self.of_subject[photo.label] += sign
