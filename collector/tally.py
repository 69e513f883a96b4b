"""How many photos each class has, kept by counting along: a large dataset is counted only once."""

from collections.abc import Iterable

from collector.photo_writer import SavedShot
from collector.records import Label
from collector.store import PhotoStore


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

    def add(self, shots: Iterable[SavedShot], sign: int = 1) -> None:
        """Count shots in; with `sign` -1, out."""
        for saved in shots:
            self.total[saved.photo.label] += sign
            if self.subject and saved.photo.subject == self.subject:
                self.of_subject[saved.photo.label] += sign
