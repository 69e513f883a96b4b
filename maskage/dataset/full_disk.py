"""A dataset opened to delete from it: on a full disk, the files that are to go make the room first.

To open a manifest for writing needs room for its log, and where the room is in the trash, nothing
else would make it.
"""

import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from maskage.context_mixin import ClosingMixin
from maskage.dataset.store import PhotoStore
from maskage.errors import EnvironmentProblemError, PhotoNotSavedError
from maskage.system.files import sync_folder
from maskage.system.lock import FolderLock, lock_dataset

_ROOM_BYTES = 1 << 20
"""Enough for the log of a manifest, its index and the row of every photo that goes."""


class DeletingStore(ClosingMixin):
    """A dataset that no other program writes to, from which files are to be deleted.

    Args:
        root: Folder of the dataset.

    Attributes:
        deleted: Files that were deleted to make room.

    Raises:
        DatasetError, DatasetInUseError, PhotoNotSavedError: See `PhotoStore`; a disk without room
            is no reason yet.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock: FolderLock | None = None
        self._store: PhotoStore | None = None
        self.deleted: list[Path] = []
        try:
            self._store = PhotoStore(root)
        except PhotoNotSavedError:
            if _room_on(root) >= _ROOM_BYTES:
                raise
            self._lock = lock_dataset(root)

    def open_store(self, going: Iterable[Path]) -> PhotoStore:
        """Return the dataset, open for writing.

        Args:
            going: Files that are to be deleted in any case. Without room, as many go first as the
                manifest needs; a kill then leaves their rows, as one of a photo that is gone.

        Raises:
            EnvironmentProblemError: A file cannot be deleted, or all of them make too little room.
        """
        if self._store is None:
            self._make_room(going)
            lock, self._lock = self._lock, None
            try:
                self._store = PhotoStore(self._root, lock)
            except PhotoNotSavedError as fault:
                raise PhotoNotSavedError(
                    f"{fault} {len(self.deleted)} files were deleted to make room for its log, "
                    f"and more is needed: the rows of these photos are still there."
                ) from fault
        return self._store

    def close(self) -> None:
        """Close the dataset and let other writers in. May be called twice."""
        for opened in (self._store, self._lock):
            if opened is not None:
                opened.close()

    def _make_room(self, going: Iterable[Path]) -> None:
        for path in going:
            if _room_on(self._root) >= _ROOM_BYTES:
                break
            try:
                path.unlink()
            except FileNotFoundError:
                continue
            except OSError as fault:
                raise EnvironmentProblemError(
                    f"{path}: cannot be deleted ({fault.strerror or fault}), and no room is left "
                    f"on the disk. {len(self.deleted)} files are deleted. Check its permissions, "
                    f"then try again."
                ) from fault
            self.deleted.append(path)
        for folder in {path.parent for path in self.deleted}:
            with suppress(OSError):  # a file that comes back after a power cut is deleted then
                sync_folder(folder)


def _room_on(root: Path) -> int:
    """Return the bytes that are free on the disk of a dataset."""
    return shutil.disk_usage(root).free
