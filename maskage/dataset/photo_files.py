"""The files of a dataset: its folders, the pictures in them, and moving a picture between them."""

import errno
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from maskage.classes.scheme import names_as_elsewhere
from maskage.dataset.edits import Edit
from maskage.errors import DatasetError, EnvironmentProblemError, PhotoNotSavedError
from maskage.pictures.picture_kinds import has_picture_name, is_picture_file, may_be_picture
from maskage.system.faults import explain_fault
from maskage.system.files import rename_new, sync_folder

TRASH = ".trash"
"""Folder of removed photos, under their class."""
DAMAGED = ".damaged"
"""Folder for photos that cannot be decoded, under their class."""
CLASS_PLACES = ("", TRASH, DAMAGED)
"""Where a dataset has class folders: photos, removed photos, photos that cannot be decoded."""


class PhotoMoves:
    """Renames of photos within a dataset that can be taken back.

    Args:
        root: The dataset's folder.

    Attributes:
        root: The same.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._done: list[tuple[Path, Path]] = []

    def carry_out(self, edits: Iterable[Edit]) -> None:
        """Move the file of each edit and make the new names durable.

        Raises:
            OSError: The disk refused; call `take_back`.
        """
        for edit in edits:
            trash = self.root / TRASH
            source = self.root / edit.before.path if edit.before else trash / edit.photo.path
            target = self.root / edit.after.path if edit.after else trash / edit.end.path
            if source != target:
                self.move(source, target)
        self.make_durable()

    def move(self, source: Path, target: Path) -> None:
        """Rename one file, never over another.

        Raises:
            OSError: The disk refused; call `take_back`.
        """
        rename_new(source, target)
        self._done.append((source, target))

    def make_durable(self) -> None:
        """Make the new names as durable as the files behind them."""
        for folder in {path.parent for pair in self._done for path in pair}:
            sync_folder(folder)

    def take_back(self) -> bool:
        """Move back what was moved, the last first; return whether all of it is back."""
        is_back = True
        for source, target in reversed(self._done):
            try:
                rename_new(target, source)
            except OSError:
                is_back = False
        return is_back


@contextmanager
def disk_faults(doing: str) -> Iterator[None]:
    """Turn what the disk raises into `PhotoNotSavedError`, with what was being done."""
    try:
        yield
    except OSError as fault:
        raise PhotoNotSavedError(
            f"{doing} {explain_fault(fault)} Photos saved before are safe."
        ) from fault


def make_folders(root: Path, labels: Sequence[str]) -> None:
    """Make the missing folders of a dataset, closed to other users.

    Raises:
        OSError: The disk refused.
    """
    private = [root, root / TRASH]
    private += [folder / label for folder in (root, root / TRASH) for label in labels]
    missing = [folder for folder in (*root.parents, *private) if not folder.exists()]
    root.parent.mkdir(parents=True, exist_ok=True)
    for folder in private:
        folder.mkdir(exist_ok=True, mode=0o700)
    # A photo is no safer than the name of the folder it lies in.
    for parent in {folder.parent for folder in missing}:
        sync_folder(parent)


def require_own_folders(root: Path, labels: Sequence[str]) -> None:
    """Refuse classes that have one folder, on a disk that takes their names for the same.

    Raises:
        DatasetError: Two classes have one folder.
    """
    spellings = Counter(map(names_as_elsewhere, labels))
    twins = {label for label in labels if spellings[names_as_elsewhere(label)] > 1}
    names = names_in(root) if twins else set()
    owners: dict[tuple[int, int], str] = {}
    for label in labels:
        try:
            state = (root / label).stat()
        except OSError:
            continue
        owner = owners.setdefault((state.st_dev, state.st_ino), label)
        if owner == label and label in twins - names:
            # A file system in user space may number each spelling of one name anew.
            elsewhere = names_as_elsewhere(label)
            owner = next(each for each in twins - {label} if names_as_elsewhere(each) == elsewhere)
        if owner != label:
            raise DatasetError(
                f"{root}: the classes {owner!r} and {label!r} have one folder here: this disk "
                f"takes their names for the same, or one is a link to the other. Rename one with "
                f"`collector classes {root}`, or move the dataset to another disk."
            )


def list_files(root: Path, labels: Sequence[str]) -> dict[str, str]:
    """Return the picture files in the class folders, sorted: path in the dataset, and label.

    Args:
        root: The dataset.
        labels: Its classes.

    Raises:
        DatasetError: There is no such folder, or two classes have one folder.
        EnvironmentProblemError: A class folder cannot be read.
    """
    if not root.is_dir():
        raise no_dataset(root, labels)
    require_own_folders(root, labels)
    found = {f"{label}/{name}": label for label in labels for name in _picture_names(root / label)}
    return dict(sorted(found.items()))


def names_in(folder: Path) -> set[str]:
    """Return the names in a folder as the disk spells them; none without such a folder."""
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def is_empty_folder(folder: Path) -> bool:
    """Return True for a folder with nothing in it that is no link."""
    return folder.is_dir() and not folder.is_symlink() and not names_in(folder)


def count_pictures(folder: Path) -> int:
    """Count the pictures in a folder as `list_files` does; 0 without such a folder."""
    return len(_picture_names(folder))


def no_dataset(root: Path, labels: Sequence[str]) -> DatasetError:
    """Return the error that there is no such folder."""
    return DatasetError(
        f"No dataset at {root}. Make one with `collector {root}`, or fill the folders "
        f"{', '.join(labels)} with photos."
    )


def _picture_names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if _is_picture(entry) and is_file_entry(entry)]
    except OSError as fault:
        raise EnvironmentProblemError(
            f"{folder}: the photos in it cannot be listed {explain_fault(fault)} Nothing was "
            f"changed."
        ) from fault


def _is_picture(entry: os.DirEntry[str]) -> bool:
    """Return `is_picture_file`, without a Path for each of 100,000 names."""
    if has_picture_name(entry.name):
        return True
    return may_be_picture(entry.name) and is_picture_file(Path(entry.path))


def is_file_entry(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry of a folder is a file; a link that leads in a circle is none.

    Raises:
        OSError: The disk refused.
    """
    try:
        return entry.is_file()
    except OSError as fault:
        if fault.errno == errno.ELOOP:
            return False
        raise
