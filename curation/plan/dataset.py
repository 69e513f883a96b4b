"""Read the four class folders, and find faults before any picture is opened."""

import os
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.store import list_photos
from maskage.errors import DatasetError, EnvironmentProblemError
from maskage.outside_text import is_utf8, shown_text
from maskage.pictures.images import is_picture
from maskage.pictures.picture_files import OTHER_FORMATS, SYSTEM_FILES, unread_format
from maskage.records import Photo


@dataclass(frozen=True)
class UnreadPhoto:
    """A photo that is not read: its path, its class, and the reason with what to do."""

    path: str
    label: str
    reason: str


@dataclass(frozen=True)
class LabelledDataset:
    """A dataset on disk.

    Attributes:
        root: Path of the dataset, absolute.
        photos: Photos of all four classes, sorted by path.
        ignored: Folders beside the four class folders, which are not read.
        strangers: Entries in the class folders that are not photos, sorted.
        unread: Photos in the class folders that are not read, sorted by path: of another format, or
            in a subfolder.
    """

    root: Path
    photos: tuple[Photo, ...]
    ignored: tuple[str, ...]
    strangers: tuple[str, ...] = ()
    unread: tuple[UnreadPhoto, ...] = ()


def read_dataset(root: Path) -> LabelledDataset:
    """List the photos of a dataset with what its manifest knows, without opening them.

    Raises:
        DatasetError: The folder does not exist, or a class folder is missing or empty.
        EnvironmentProblemError: A folder cannot be read.
    """
    # `Path.resolve` raises an error on links that lead back to themselves.
    root = Path(os.path.realpath(root))
    try:
        return _read(root)
    except OSError as fault:
        raise EnvironmentProblemError(
            f"{root}: its folders cannot be listed ({fault.strerror or fault}). Check the path, "
            "the disk and the permissions."
        ) from fault


def _read(root: Path) -> LabelledDataset:
    found = list_photos(root)
    # The plan and the report are UTF-8, so every name in them must be.
    photos = tuple(photo for photo in found if is_utf8(photo.path))
    with os.scandir(root) as entries:
        folders = sorted(
            entry.name for entry in entries if _is_folder(entry) and not entry.name.startswith(".")
        )
    known = {photo.path for photo in photos}
    present = [label for label in MASK_AGE.labels if label in folders]
    unread = tuple(photo for label in present for photo in _find_unread(root, label, known))
    counts = Counter(photo.label for photo in photos)
    missing = [
        f"{label} ({_why_missing(label, folders, unread)})"
        for label in MASK_AGE.labels
        if not counts[label]
    ]
    if missing:
        raise DatasetError(
            f"{root}: there are no photos of {', '.join(missing)}. {found_photos(photos)} "
            f"Collect some with `collector {root}`, or put photos into that folder."
        )
    ignored = tuple(shown_text(name) for name in folders if name not in MASK_AGE.labels)
    known |= {photo.path for photo in unread}
    return LabelledDataset(root, photos, ignored, _find_strangers(root, known), unread)


def _find_unread(root: Path, label: str, known: Container[str]) -> Iterator[UnreadPhoto]:
    for folder, folders, names in os.walk(root / label):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            place = Path(folder) / name
            path = place.relative_to(root).as_posix()
            suffix = place.suffix.lower()
            is_photo = suffix in OTHER_FORMATS or is_picture(place)
            is_hidden = name.startswith(".") or not is_utf8(path)
            if is_hidden or path in known or not is_photo or not place.is_file():
                continue
            if Path(folder) != root / label:
                reason = f"unreadable: it lies in a subfolder of {label}; move it up into {label}"
            elif suffix in OTHER_FORMATS:
                reason = f"unreadable: {unread_format(suffix)}"
            else:
                continue
            yield UnreadPhoto(path, label, reason)


def _why_missing(label: str, folders: Sequence[str], unread: Sequence[UnreadPhoto]) -> str:
    if label not in folders:
        alike = [name for name in folders if name.lower() == label]
        return f"no such folder, but {alike[0]}: rename it" if alike else "no such folder"
    mine = [photo for photo in unread if photo.label == label]
    if not mine:
        return "empty"
    reason = mine[0].reason.removeprefix("unreadable: ")
    return f"{len(mine)} cannot be read, the first is {mine[0].path}: {reason}"


def _find_strangers(root: Path, known: Iterable[str]) -> tuple[str, ...]:
    found = []
    for label in MASK_AGE.labels:
        with os.scandir(root / label) as entries:
            found += [
                f"{label}/{entry.name}"
                for entry in entries
                if not entry.name.startswith(".") and entry.name.lower() not in SYSTEM_FILES
            ]
    # A folder whose photos are listed one by one is not listed itself.
    tops = {"/".join(path.split("/")[:2]) for path in known}
    return tuple(sorted(_named(path) for path in found if path not in tops))


def _named(path: str) -> str:
    return path if is_utf8(path) else f"{shown_text(path)} (its name is not UTF-8)"


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # A link that leads back to itself.
        return False


def require_all_classes(root: Path, usable: Sequence[Photo], doing: str, advice: str) -> None:
    """Check that every class still has photos after some were set aside.

    Args:
        root: Path of the dataset, for the message.
        usable: Photos that are left.
        doing: Reason why photos were set aside, for the message.
        advice: What the user can do, for the message.

    Raises:
        DatasetError: A class has none left.
    """
    counts = Counter(photo.label for photo in usable)
    empty = [label for label in MASK_AGE.labels if not counts[label]]
    if empty:
        raise DatasetError(
            f"{root}: no usable photo of {', '.join(empty)} is left after {doing}. "
            f"{found_photos(usable)} {advice}"
        )


def found_photos(photos: Iterable[Photo]) -> str:
    """Return "Found 3 mask_old, 0 mask_young, ..." for messages."""
    counts: Counter[str] = Counter(photo.label for photo in photos)
    return f"Found {', '.join(f'{counts[label]} {label}' for label in MASK_AGE.labels)}."
