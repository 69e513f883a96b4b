"""Folders with pictures that are no classes of their dataset, and the ways to make them classes."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from maskage.classes.ready_made import READY_MADE
from maskage.classes.scheme import LEAST_CLASSES, Scheme, check_folder
from maskage.dataset.photo_files import (
    CLASS_PLACES,
    TRASH,
    count_pictures,
    is_empty_folder,
    no_dataset,
)
from maskage.errors import DatasetError, EnvironmentProblemError
from maskage.formats.classes.classes_file import CLASSES_FILE
from maskage.formats.dataset_folder import manifest_path
from maskage.outside_text import shown_text
from maskage.pictures.picture_kinds import is_system_name, walk_pictures
from maskage.shell_words import join_words

PLACEHOLDER = "VALUE"
"""Stands in advised commands for a value of a factor that the user has to choose."""

_MOST_LISTED = 8


def find_outside(root: Path, scheme: Scheme) -> dict[str, int]:
    """Count the pictures in and below each folder of a dataset that is no class, by its name.

    Hidden folders and folders without pictures are left out; the rest is sorted.

    Raises:
        EnvironmentProblemError: The folder of the dataset cannot be read.
    """
    found = {
        name: count
        for name in _folders_in(root)
        if name not in scheme and (count := sum(1 for _ in walk_pictures(root / name)))
    }
    return dict(sorted(found.items()))


def is_without_classes(root: Path, scheme: Scheme) -> bool:
    """Return True where nobody has chosen classes: no classes.toml, and no photo of a class.

    `collector init` makes a dataset there.
    """
    if os.path.lexists(root / CLASSES_FILE):
        return False
    places = (root / top / label for top in ("", TRASH) for label in scheme.labels)
    return not any(map(count_pictures, places))


def require_dataset(root: Path, scheme: Scheme) -> None:
    """Refuse a folder that is none of ours, before it is filled with folders and closed to others.

    Raises:
        DatasetError: There is no such folder, or neither a manifest nor classes.toml nor a class
            folder in it.
    """
    if not root.is_dir():
        raise no_dataset(root, scheme.labels)
    found = (manifest_path(root), root / CLASSES_FILE, *(root / label for label in scheme.labels))
    if not any(path.exists() for path in found):
        outside = find_outside(root, scheme)
        raise DatasetError(
            f"{root}: not a dataset: found neither a manifest nor one of the folders "
            f"{', '.join(scheme.labels)}. Nothing was changed.",
            *([f"{describe_outside(root, scheme, outside)}."] if outside else []),
        )


def describe_outside(root: Path, scheme: Scheme, outside: Mapping[str, int]) -> str:
    """Return which folders are no classes and what can be done, without the last full stop.

    Args:
        root: The dataset.
        scheme: Its classes.
        outside: See `find_outside`; at least one folder.
    """
    count = sum(outside.values())
    listed = [shown_text(f"{name} ({number})") for name, number in outside.items()]
    more = f", ... ({len(listed)} in all)" if len(listed) > _MOST_LISTED else ""
    lies = "photo lies" if count == 1 else "photos lie"
    where = "a folder that is no class" if len(listed) == 1 else "folders that are no classes"
    return (
        f"{count} {lies} in {where}: {', '.join(listed[:_MOST_LISTED])}{more}. "
        f"{ways_to_classes(root, scheme, tuple(outside))}"
    )


def ways_to_classes(root: Path, scheme: Scheme, folders: Sequence[str]) -> str:
    """Return the commands that make classes of folders, without the last full stop.

    Args:
        root: The dataset.
        scheme: Its classes.
        folders: Folders with pictures that are no classes; at least one.
    """
    names = [name for name in folders if _fault_of(name) is None]
    if not names:
        return f"To make it a class, rename the folder first: {_fault_of(folders[0])}"
    if is_without_classes(root, scheme) and (command := _init_command(root, scheme)):
        return f"To make a dataset with these folders as its classes, use {command}"
    renamed = find_renamed(root, scheme)
    by_renaming = _way_of_renaming(root, *renamed) if renamed and renamed[1] in names else ""
    return by_renaming + _way_of_adding(root, scheme, names[0])


def adding_command(root: Path, scheme: Scheme, name: str) -> str:
    """Return the command that makes a class of a folder, with a value of each factor.

    The value is that of a ready-made class of this name, or else `PLACEHOLDER`.
    """
    known = _known_values(scheme, name)
    words = ["collector", "classes", str(root), "--add", name]
    for factor in scheme.factors:
        words += ["--factor", f"{factor}={known.get(factor, PLACEHOLDER)}"]
    return join_words(words)


def find_renamed(root: Path, scheme: Scheme) -> tuple[str, str] | None:
    """Return the class whose folder was probably renamed by hand, and the folder's present name.

    None unless exactly one class has no folder or an empty one, and exactly one folder of no class
    has pictures.
    """
    vacant = [label for label in scheme.labels if _is_vacant(root / label)]
    folders = list(find_outside(root, scheme)) if len(vacant) == 1 else []
    if len(folders) != 1 or _fault_of(folders[0]) is not None:
        return None
    label, folder = vacant[0], folders[0]
    can_follow = is_renamed_by_hand(root, label, folder) and not find_clash(root, label, folder)
    return (label, folder) if can_follow else None


def is_renamed_by_hand(root: Path, label: str, folder: str) -> bool:
    """Return True if a class has no folder, or an empty one, and `folder` has photos."""
    return label != folder and _is_vacant(root / label) and count_pictures(root / folder) > 0


def find_clash(root: Path, label: str, folder: str) -> Path | None:
    """Return a folder of that name which holds something, where that of the class does too.

    The trash and the photos that cannot be decoded have folders of these names as well.
    """
    for place in CLASS_PLACES:
        target = root / place / folder
        if not _is_vacant(root / place / label) and not _is_vacant(target):
            return target
    return None


def _is_vacant(path: Path) -> bool:
    return not os.path.lexists(path) or is_empty_folder(path)


def _init_command(root: Path, scheme: Scheme) -> str | None:
    words = ["collector", "init", str(root)]
    names = [name for name in find_outside(root, scheme) if _fault_of(name) is None]
    if len(names) < LEAST_CLASSES:
        # Someone who has the folders of the default classes may well want them.
        has_folders = any((root / label).exists() for label in scheme.labels)
        if not names or "," in names[0] or has_folders:
            return None
        command = join_words([*words, "--classes", f"{names[0]},OTHER"])
        return f"`{command}`, with the name of a second class for OTHER"
    known = [name for name, each in READY_MADE.items() if set(names) <= set(each.labels)]
    if known:
        fewest = min(known, key=lambda name: len(READY_MADE[name]))
        return f"`{join_words([*words, '--classes', fewest])}`"
    return f"`{join_words([*words, '--from', str(root)])}`"


def _way_of_renaming(root: Path, label: str, folder: str) -> str:
    command = join_words(["collector", "classes", str(root), "--rename", label, folder])
    return (
        f"If {shown_text(folder)} is the folder of the class {shown_text(label)}, renamed by hand, "
        f"`{command}` renames the class too, and its photos keep all that is known of them. Else "
    )


def _way_of_adding(root: Path, scheme: Scheme, name: str) -> str:
    known = _known_values(scheme, name)
    choice = "; ".join(
        shown_text(f"{factor} is {', '.join(values)} or a new value")
        for factor, values in scheme.factors.items()
        if factor not in known
    )
    makes = f"`{adding_command(root, scheme, name)}` makes {shown_text(name)} a class"
    return f"{makes} ({choice})" if choice else makes


def _known_values(scheme: Scheme, name: str) -> Mapping[str, str]:
    """Return the values of a folder that a ready-made scheme with the same factors has."""
    for known in READY_MADE.values():
        if name in known and known.factors.keys() == scheme.factors.keys():
            return known[name].factors
    return {}


def _fault_of(name: str) -> str | None:
    """Return why a folder's name cannot be that of a class; None if it can."""
    try:
        check_folder(name)
    except ValueError as fault:
        return str(fault)
    return None


def _folders_in(root: Path) -> Iterator[str]:
    try:
        with os.scandir(root) as entries:
            for entry in entries:
                hidden = entry.name.startswith(".") or is_system_name(entry.name)
                if not hidden and _is_folder(entry):
                    yield entry.name
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as fault:
        raise EnvironmentProblemError(
            f"{root}: its folders cannot be listed ({fault.strerror or fault}). Check the disk, "
            f"and who may read the folder; nothing was changed."
        ) from fault


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads in a circle
        return False
