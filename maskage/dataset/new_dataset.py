"""A new dataset with classes of its own: from a list of names, or from folders that are there."""

from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from maskage.classes.ready_made import scheme_of_folders
from maskage.classes.scheme import Scheme, names_as_elsewhere
from maskage.dataset.importing.sources.source_folders import find_class_folders, list_picture_names
from maskage.dataset.photo_files import TRASH, list_files, make_folders, require_own_folders
from maskage.errors import DatasetError, PhotoNotSavedError
from maskage.formats.classes.classes_file import (
    CLASSES_FILE,
    find_scheme,
    format_scheme,
    read_scheme,
)
from maskage.system.faults import explain_fault
from maskage.system.files import save_new_file
from maskage.system.lock import lock_dataset

_RESERVED = frozenset(
    ("con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10)))
)
"""Names that Windows keeps for devices, also with a suffix: "Naming Files, Paths, and Namespaces",
learn.microsoft.com."""

_NOT_ON_WINDOWS = frozenset('<>:"|?*')


@dataclass(frozen=True)
class FoundClasses:
    """Classes that were found in a folder.

    Attributes:
        scheme: The classes.
        origin: Where they were found, for people.
    """

    scheme: Scheme
    origin: str


def find_classes(folder: Path) -> FoundClasses:
    """Find the classes of a folder: of its classes.toml, or else the folders with pictures in it.

    The class folders may lie in train, val and test, or in a single folder. Folders that are those
    of a ready-made scheme are that scheme.

    Raises:
        DatasetError: There is no such folder, or its folders cannot be classes.
    """
    if not folder.is_dir():
        raise DatasetError(f"No such folder: {folder}. Nothing was made.")
    if scheme := find_scheme(folder):
        return FoundClasses(scheme, f"those of its {CLASSES_FILE}")
    found = find_class_folders(list_picture_names(folder))
    if not found.names:
        raise DatasetError(
            f"{folder}: there are no folders with pictures in it. Name the classes with --classes."
        )
    try:
        scheme = scheme_of_folders(found.names)
    except ValueError as fault:
        raise DatasetError(
            f"{folder}: its folders cannot be the classes: {fault}. Found: "
            f"{', '.join(found.names[:10])}{', ...' if found.names[10:] else ''}. Rename or move "
            f"folders, or name the classes with --classes."
        ) from fault
    return FoundClasses(scheme, f"the folders in {found.where}" if found.where else "its folders")


def with_targets(scheme: Scheme, target: int) -> Scheme:
    """Return a scheme in which every class has the same target of its own."""
    return replace(scheme, classes=tuple(replace(each, target=target) for each in scheme))


def make_dataset(root: Path, scheme: Scheme) -> None:
    """Make a dataset: its class folders and its classes.toml, which is never overwritten.

    Pictures that lie there already, in folders of these classes, become its photos.

    Raises:
        DatasetError: There is a dataset with photos or with a classes.toml, a file of this name, or
            a disk on which two of the classes are one folder.
        DatasetInUseError: Another process writes to it.
        PhotoNotSavedError: The disk refused.
    """
    _refuse_dataset(root)
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with closing(lock_dataset(root)):
            _refuse_dataset(root)
            before = read_scheme(root).labels
            made = [label for label in scheme.labels if not (root / label).exists()]
            make_folders(root, scheme.labels)
            _refuse_one_folder(root, scheme.labels, made)
            save_new_file(root / CLASSES_FILE, format_scheme(scheme).encode())
            # `collector` made them, and nobody has used them.
            _remove_empty(root, set(before).difference(scheme.labels))
    except OSError as fault:
        raise PhotoNotSavedError(
            f"{root}: the dataset cannot be made {explain_fault(fault)}"
        ) from fault


def name_notes(folders: Sequence[str]) -> list[str]:
    """Return a sentence for each name that makes trouble on other disks or systems."""
    notes = []
    twins: dict[str, list[str]] = {}
    for folder in folders:
        twins.setdefault(names_as_elsewhere(folder), []).append(folder)
    for names in twins.values():
        if len(names) > 1:
            notes.append(
                f"{' and '.join(map(repr, names))} are one folder on macOS, Windows and USB "
                f"sticks: the photos of these classes would be mixed there."
            )
    for folder in folders:
        if reason := _fault_on_windows(folder):
            notes.append(f"{folder!r} cannot be a folder on Windows: {reason}.")
    return notes


def _refuse_dataset(root: Path) -> None:
    if root.exists() and not root.is_dir():
        raise DatasetError(f"{root} is a file. Name a folder for the dataset.")
    if (root / CLASSES_FILE).exists() or (root / CLASSES_FILE).is_symlink():
        raise DatasetError(_describe_file(root))
    if not root.is_dir():
        return
    labels = read_scheme(root).labels
    photos = len(list_files(root, labels))
    trashed = len(list_files(root / TRASH, labels)) if (root / TRASH).is_dir() else 0
    if photos or trashed:
        trash = f", and {trashed} in the trash" if trashed else ""
        raise DatasetError(
            f"{root}: there is a dataset with {photos} photos{trash}, in the classes "
            f"{', '.join(labels)}. Nothing was changed. `collector classes` lists, adds, renames "
            f"and removes classes; for a new dataset name another folder."
        )


def _describe_file(root: Path) -> str:
    path = root / CLASSES_FILE
    return (
        f"{path}: there is a file already, and it is not overwritten. `collector classes` lists, "
        f"adds, renames and removes classes; titles, colours and keys are changed in the file. For "
        f"a new dataset name another folder."
    )


def _refuse_one_folder(root: Path, labels: Sequence[str], made: Sequence[str]) -> None:
    """Refuse classes that the disk holds in one folder, and take away what was made for them."""
    try:
        require_own_folders(root, labels)
    except DatasetError as fault:
        _remove_empty(root, made)
        raise DatasetError(
            f"{fault.args[0].partition(': this disk')[0]}: this disk takes their names for the "
            f"same. Name the classes so that they differ in more than capital letters."
        ) from fault


def _remove_empty(root: Path, labels: Iterable[str]) -> None:
    """Remove class folders and those in the trash, where they are empty."""
    for label in labels:
        for folder in (root / TRASH / label, root / label):
            with suppress(OSError):
                folder.rmdir()


def _fault_on_windows(folder: str) -> str | None:
    if folder.split(".")[0].rstrip().casefold() in _RESERVED:
        return "the name is kept for a device"
    if folder.endswith((".", " ")):
        return f"it ends in a {'dot' if folder.endswith('.') else 'blank'}"
    if found := sorted(_NOT_ON_WINDOWS.intersection(folder)):
        return f"it holds {' '.join(found)}"
    return None
