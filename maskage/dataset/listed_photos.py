"""The photos of an open dataset, as they are kept in memory while it is open."""

import threading
from pathlib import Path

from maskage.classes.scheme import Scheme
from maskage.dataset.edits import Edit
from maskage.dataset.manifest.reading import KnownPhoto, without_collecting
from maskage.dataset.photo_listing import match_in
from maskage.records import Photo


class ListedPhotos:
    """The list of a dataset's photos, which follows its edits.

    Args:
        root: The dataset's folder.

    Attributes:
        root: The dataset's folder.
        scheme: The classes; set before anything is listed.
    """

    scheme: Scheme

    def __init__(self, root: Path) -> None:
        self.root = root
        self._mutex = threading.Lock()
        self._photos: dict[str, Photo] = {}
        self._unsettled: dict[str, KnownPhoto] = {}
        self._moved_to: dict[str, str] = {}

    def photos(self) -> list[Photo]:
        """Return every photo in the dataset, sorted by path."""
        with self._mutex:
            return [self._photos[path] for path in sorted(self._photos)]

    def known(self) -> list[KnownPhoto]:
        """Return every photo in the dataset with its row, sorted by path."""
        with self._mutex:
            return [
                self._unsettled.get(path) or KnownPhoto(self._photos[path], path)
                for path in sorted(self._photos)
            ]

    def counts(self, subject: str | None = None) -> dict[str, int]:
        """Count the photos in each class: all, or those of one subject."""
        counts = dict.fromkeys(self.scheme.labels, 0)
        with self._mutex:
            for photo in self._photos.values():
                counts[photo.label] += subject is None or photo.subject == subject
        return counts

    def latest(self, photo: Photo) -> Photo | None:
        """Return the photo as it is now: edits may have moved it. None where it is gone."""
        with self._mutex:
            path: str | None = photo.path
            while path is not None and path not in self._photos:
                path = self._moved_to.get(path)
            return None if path is None else self._photos[path]

    def list_anew(self) -> None:
        """Read from folders and manifest which photos there are; only inside `writing_trash`."""
        with without_collecting():
            found = match_in(self.root, self.scheme)
        self._photos = {each.photo.path: each.photo for each in found}
        self._unsettled = {each.photo.path: each for each in found if not each.is_settled}

    def _follow(self, edit: Edit) -> None:
        """Bring what is kept in memory up to an edit that was carried out."""
        before, after = edit.before, edit.after
        if before is not None:
            self._photos.pop(before.path, None)
            self._unsettled.pop(before.path, None)
            self._moved_to.pop(before.path, None)
        if before and after and before.path != after.path:
            self._moved_to[before.path] = after.path
            self._moved_to.pop(after.path, None)
        if after is not None:
            self._photos[after.path] = after
