"""The photos in the trash, as the trash screen shows them; independent of any screen."""

from collections.abc import Iterable, Sequence

from maskage.dataset.trash import TrashedPhoto
from maskage.records import Photo


class TrashList:
    """The photos in the trash, in the order in which they are shown.

    Args:
        trashed: The photos, as `list_trash` returns them.
    """

    def __init__(self, trashed: Sequence[TrashedPhoto] = ()) -> None:
        self._trashed = list(trashed)
        self._by_path = {each.photo.path: each for each in trashed}

    def __len__(self) -> int:
        return len(self._trashed)

    def __getitem__(self, index: int) -> Photo:
        return self._trashed[index].photo

    def slice(self, start: int, end: int) -> list[Photo]:
        """Return the photos from `start` up to `end`, as far as there are any."""
        return [each.photo for each in self._trashed[max(0, start) : max(0, end)]]

    def find(self, path: str) -> int | None:
        """Return the index of the photo with this path, or None."""
        paths = (each.photo.path for each in self._trashed)
        return next((at for at, other in enumerate(paths) if other == path), None)

    def removed_at(self, path: str) -> str | None:
        """Return the time of a photo's removal, or None where it is unknown."""
        found = self._by_path.get(path)
        return None if found is None else found.removed_at

    def trashed(self, photos: Iterable[Photo]) -> list[TrashedPhoto]:
        """Return what `list_trash` knows of these photos."""
        return [self._by_path[photo.path] for photo in photos if photo.path in self._by_path]
