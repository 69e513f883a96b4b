"""Read the class folders of a dataset, and find faults before any picture is opened."""

import os
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from maskage.classes.scheme import Scheme, names_as_elsewhere
from maskage.commands.parser import find_nearest
from maskage.commands.text_table import MOST_LISTED, list_first
from maskage.dataset.outside_folders import ways_to_classes
from maskage.dataset.photo_listing import list_photos
from maskage.errors import DatasetError, EnvironmentProblemError
from maskage.formats.classes.classes_file import CLASSES_FILE, read_scheme
from maskage.outside_text import is_utf8, shown_text
from maskage.pictures.picture_files import reason_of_file
from maskage.pictures.picture_kinds import (
    OTHER_SUFFIXES,
    PICTURE_SUFFIXES,
    is_picture_file,
    is_system_name,
    walk_pictures,
)
from maskage.records import Photo
from maskage.shell_words import join_words
from maskage.system.files import TEMPORARY_PREFIX


@dataclass(frozen=True)
class UnreadPhoto:
    """A photo that is not read: its path, its class, and the reason with what to do."""

    path: str
    label: str
    reason: str


@dataclass(frozen=True)
class UnknownFolder:
    """A folder beside the class folders, which is not read.

    Attributes:
        name: Name of the folder.
        pictures: Number of pictures in and below it.
        nearest: Class that was perhaps meant, or None.
    """

    name: str
    pictures: int
    nearest: str | None = None

    def __str__(self) -> str:
        count = f"{self.pictures} photo{'' if self.pictures == 1 else 's'}"
        meant = f", perhaps {self.nearest}" if self.nearest else ""
        return shown_text(f"{self.name} ({count}{meant})")


@dataclass(frozen=True)
class LabelledDataset:
    """A dataset on disk.

    Attributes:
        root: Path of the dataset, absolute.
        scheme: Its classes.
        photos: Photos of all classes, sorted by path.
        unknown: Folders beside the class folders, which are not read, sorted by name.
        strangers: Entries in the class folders that are not photos, sorted.
        beside: Files beside the class folders, which are not read, sorted.
        hidden: Hidden pictures, and those of a disk or file manager, which are not read, sorted.
        unread: Photos in the class folders that are not read, sorted by path: of another format, or
            in a subfolder.
    """

    root: Path
    scheme: Scheme
    photos: tuple[Photo, ...]
    unknown: tuple[UnknownFolder, ...] = ()
    strangers: tuple[str, ...] = ()
    unread: tuple[UnreadPhoto, ...] = ()
    beside: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()

    @property
    def unread_files(self) -> dict[str, tuple[str, ...]]:
        """Files that are not read and are no photos of a class, by where they lie."""
        return {
            "in_class_folders": self.strangers,
            "beside_class_folders": self.beside,
            "hidden": self.hidden,
        }


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
    scheme = read_scheme(root)
    found = list_photos(root)
    # The plan and the report are UTF-8, so every name in them must be.
    photos = tuple(photo for photo in found if is_utf8(photo.path))
    with os.scandir(root) as entries:
        folders = sorted(
            entry.name for entry in entries if _is_folder(entry) and not _is_passed_over(entry.name)
        )
    known = {photo.path for photo in photos}
    unknown = tuple(_unknown(root, name, scheme) for name in folders if name not in scheme)
    if not photos:
        _require_a_class_folder(root, scheme, folders, unknown)
    present = [label for label in scheme.labels if label in folders]
    unread = tuple(photo for label in present for photo in _find_unread(root, label, known))
    counts = Counter(photo.label for photo in photos)
    missing = [
        f"{label} ({_why_missing(label, folders, unread)})"
        for label in scheme.labels
        if not counts[label]
    ]
    if missing:
        raise DatasetError(
            f"{root}: there are no photos of {', '.join(missing)}. "
            f"{found_photos(photos, scheme.labels)} Collect some with "
            f"`{join_words(['collector', str(root)])}`, or put photos into that folder.",
            *(
                [describe_unknown(root, scheme, unknown)]
                if any(one.pictures for one in unknown)
                else []
            ),
        )
    known |= {photo.path for photo in unread}
    strangers = _find_strangers(root, scheme.labels, known)
    return LabelledDataset(
        root,
        scheme,
        photos,
        unknown,
        strangers,
        unread,
        beside=_find_beside(root),
        hidden=_find_hidden(root, scheme.labels),
    )


def describe_unknown(root: Path, scheme: Scheme, unknown: Sequence[UnknownFolder]) -> str:
    """Say which folders are no classes, how many photos are in them, and what can be done."""
    names = [each.name for each in unknown if each.pictures]
    ways = f"{ways_to_classes(root, scheme, names)}. " if names else ""
    return (
        f"These folders are not classes and were not read: "
        f"{list_first([str(each) for each in unknown])}. {ways}To bring photos into another class, "
        f"use `collector import` with --map, or move the files; anything else can be moved out of "
        f"{shown_text(root.name)}."
    )


def _require_a_class_folder(
    root: Path, scheme: Scheme, folders: Sequence[str], unknown: Sequence[UnknownFolder]
) -> None:
    """Refuse a dataset whose photos all lie in folders of other names: somebody else's classes."""
    with_photos = [each for each in unknown if each.pictures]
    if not with_photos or any(label in folders for label in scheme.labels):
        return
    raise DatasetError(
        f"{root}: none of its folders is a class. Its classes are {list_first(scheme.labels)}; "
        f"found {list_first([str(each) for each in with_photos])}.",
        f"{ways_to_classes(root, scheme, [each.name for each in with_photos])}, then curate again. "
        f"To bring their photos into the classes that there are, use `collector import` with "
        f"--map, or rename the folders.",
    )


def _unknown(root: Path, name: str, scheme: Scheme) -> UnknownFolder:
    pictures = sum(1 for _ in walk_pictures(root / name))
    nearest = _nearest(name, scheme.labels) if pictures else None
    return UnknownFolder(name, pictures, nearest)


def _nearest(name: str, labels: Sequence[str]) -> str | None:
    twins = [label for label in labels if names_as_elsewhere(label) == names_as_elsewhere(name)]
    return twins[0] if twins else find_nearest(name, labels)


def _find_unread(root: Path, label: str, known: Container[str]) -> Iterator[UnreadPhoto]:
    for folder, folders, names in os.walk(root / label, onerror=_raise):
        folders[:] = sorted(name for name in folders if not _is_passed_over(name))
        for name in sorted(names):
            place = Path(folder) / name
            path = place.relative_to(root).as_posix()
            if _is_passed_over(name) or path in known or not is_utf8(path) or not place.is_file():
                continue
            is_other = place.suffix.lower() in OTHER_SUFFIXES
            if Path(folder) != root / label and (is_other or is_picture_file(place)):
                reason = (
                    f"it lies in a subfolder of {label}; move it up into {label}, or make a "
                    f"dataset of all with `collector import`"
                )
            elif is_other:
                reason = reason_of_file(place)
            else:
                continue
            yield UnreadPhoto(path, label, f"unreadable: {reason}")


def _raise(fault: OSError) -> NoReturn:
    raise fault


def _is_passed_over(name: str) -> bool:
    """Return True for hidden files and folders, and those that a disk or file manager makes."""
    return name.startswith(".") or is_system_name(name)


def _why_missing(label: str, folders: Sequence[str], unread: Sequence[UnreadPhoto]) -> str:
    if label not in folders:
        alike = [name for name in folders if names_as_elsewhere(name) == names_as_elsewhere(label)]
        return f"no such folder, but {alike[0]}: rename it" if alike else "no such folder"
    mine = [photo for photo in unread if photo.label == label]
    if not mine:
        return "empty"
    reason = mine[0].reason.removeprefix("unreadable: ")
    return f"{len(mine)} cannot be read, the first is {mine[0].path}: {reason}"


def _find_strangers(root: Path, labels: Sequence[str], known: Iterable[str]) -> tuple[str, ...]:
    found = []
    for label in labels:
        with os.scandir(root / label) as entries:
            found += [
                f"{label}/{entry.name}" for entry in entries if not _is_passed_over(entry.name)
            ]
    # A folder whose photos are listed one by one is not listed itself.
    tops = {"/".join(path.split("/")[:2]) for path in known}
    opened = {"/".join(path.split("/")[:2]) for path in known if path.count("/") > 1}
    inside = (path for top in opened for path in _walk_files(root / top))
    found += [place for path in inside if (place := path.relative_to(root).as_posix()) not in known]
    return tuple(sorted(_named(path) for path in found if path not in tops))


def _walk_files(top: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if not _is_passed_over(name)]
        yield from (Path(folder, name) for name in names if not _is_passed_over(name))


def _find_beside(root: Path) -> tuple[str, ...]:
    """Return the files in the dataset's own folder that are neither hidden nor the tools'."""
    with os.scandir(root) as entries:
        names = [entry.name for entry in entries if not _is_folder(entry)]
    return tuple(
        sorted(_named(name) for name in names if not _is_passed_over(name) and name != CLASSES_FILE)
    )


def _find_hidden(root: Path, labels: Sequence[str]) -> tuple[str, ...]:
    """Return the pictures beside and in the class folders that their names keep from being read.

    What a program left half-written is the doctor's, and no photo.
    """
    found = []
    for folder in (root, *(root / label for label in labels)):
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if not _is_folder(entry)]
        found += [
            (folder / name).relative_to(root).as_posix()
            for name in names
            if _is_passed_over(name)
            and not name.startswith(TEMPORARY_PREFIX)
            and Path(name).suffix.lower() in PICTURE_SUFFIXES | OTHER_SUFFIXES
        ]
    return tuple(sorted(map(_named, found)))


def _named(path: str) -> str:
    return path if is_utf8(path) else f"{shown_text(path)} (its name is not UTF-8)"


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # A link that leads back to itself.
        return False


def require_all_classes(
    dataset: LabelledDataset, usable: Sequence[Photo], doing: str, advice: str
) -> None:
    """Check that every class still has photos after some were set aside.

    Args:
        dataset: The dataset.
        usable: Photos that are left.
        doing: Reason why photos were set aside, for the message.
        advice: What the user can do, for the message.

    Raises:
        DatasetError: A class has none left.
    """
    counts = Counter(photo.label for photo in usable)
    labels = dataset.scheme.labels
    empty = [label for label in labels if not counts[label]]
    if empty:
        raise DatasetError(
            f"{dataset.root}: no usable photo of {', '.join(empty)} is left after {doing}. "
            f"{found_photos(usable, labels)} {advice}"
        )


def found_photos(photos: Iterable[Photo], labels: Sequence[str]) -> str:
    """Return "Found 3 mask_old, 0 mask_young, ..." for messages, the smallest of many classes."""
    counts: Counter[str] = Counter(photo.label for photo in photos)
    if len(labels) > MOST_LISTED:
        order = sorted(labels, key=lambda label: counts[label])[:MOST_LISTED]
        shown = ", ".join(f"{counts[label]} {label}" for label in order)
        return (
            f"Found {counts.total()} photos of {len(counts)} of {len(labels)} classes, the fewest "
            f"of {shown}."
        )
    return f"Found {', '.join(f'{counts[label]} {label}' for label in labels)}."
