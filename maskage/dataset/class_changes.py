"""Change the classes of a dataset: rename one with its photos, add one, remove an empty one.

Each change is all or nothing. A note of it (`class_change_file`) is written first; then the
folders, the manifest and classes.toml follow; then the note is removed. Whoever opens the dataset
after a kill, for writing or for reading, finishes a noted change first. Each step may be repeated.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from maskage.classes.scheme import PhotoClass, Scheme, names_as_elsewhere
from maskage.dataset.manifest_writer import Manifest
from maskage.dataset.photo_files import (
    DAMAGED,
    TRASH,
    count_pictures,
    make_folders,
    names_in,
    require_dataset,
)
from maskage.errors import (
    DatasetError,
    DatasetInUseError,
    EnvironmentProblemError,
    ManifestDamagedError,
    PhotoNotSavedError,
    UsageError,
)
from maskage.formats.class_change_file import (
    ADD,
    REMOVE,
    RENAME,
    ClassChange,
    change_path,
    read_change,
    remove_change,
    write_change,
)
from maskage.formats.classes_edit import add_to, remove_from, rename_in
from maskage.formats.classes_file import CLASSES_FILE, format_scheme, read_scheme
from maskage.formats.dataset_folder import manifest_path
from maskage.system.files import replace_file, sync_folder
from maskage.system.lock import lock_dataset

_PLACES = ("", TRASH, DAMAGED)
"""Where a dataset has class folders: photos, removed photos, photos that cannot be decoded."""

_WAIT_S = 5.0
"""A running change is waited for so long; one of 100,000 rows takes a second."""
_POLL_S = 0.02
_READINGS = 5

T = TypeVar("T")


def rename_class(root: Path, folder: str, new_folder: str, title: str | None = None) -> Scheme:
    """Rename a class with its folders and all that the manifest knows of its photos.

    Args:
        root: The dataset.
        folder: Present folder of the class.
        new_folder: Its folder afterwards. The present one is allowed together with a title.
        title: Its title afterwards; None keeps it, or lets a title that follows the folder follow.

    Returns:
        The scheme afterwards.

    Raises:
        UsageError: There is no such class, or the new name or title cannot be that of a class here.
        DatasetError: There is no dataset, a folder of the new name is in the way, or the manifest
            or classes.toml is damaged.
        DatasetInUseError: Another program writes to the dataset.
        EnvironmentProblemError: The disk refused; the message says what was changed.
    """
    with _opened(root) as scheme:
        _require_class(root, scheme, folder)
        if new_folder == folder and title is None:
            raise UsageError(f"{root}: the class {folder!r} has that name already.")
        if new_folder != folder and new_folder in scheme:
            raise UsageError(
                f"{root}: there is a class {new_folder!r} already. To join two classes, relabel "
                f"the photos of one in the review screen of `collector {root}`, then remove it."
            )
        text = _edited(root, scheme, lambda text: rename_in(text, folder, new_folder, title))
        if new_folder != folder:
            _require_free(root, folder, new_folder)
            _require_apart(root, scheme, new_folder, but=folder)
        return _carry_out(root, ClassChange(RENAME, folder, new_folder, text))


def add_class(root: Path, new: PhotoClass) -> Scheme:
    """Add a class behind the others, and make its folder; photos that lie in one belong to it then.

    Args:
        root: The dataset. One without classes.toml gets one, with the classes that it has.
        new: The class. It has a value of every factor of the scheme; a value that is new is added
            to the factor.

    Returns:
        The scheme afterwards.

    Raises:
        UsageError: The scheme cannot have this class: its folder, key or factors are taken.
        DatasetError, DatasetInUseError, EnvironmentProblemError: See `rename_class`.
    """
    with _opened(root) as scheme:
        if new.folder in scheme:
            raise UsageError(f"{root}: there is a class {new.folder!r} already.")
        text = _edited(root, scheme, lambda text: add_to(text, new))
        path = root / new.folder
        if os.path.lexists(path) and not path.is_dir():
            raise DatasetError(
                f"{path}: this is a file, where the folder of the class would be. Move it away, or "
                f"choose another name. Nothing was changed."
            )
        _require_apart(root, scheme, new.folder)
        return _carry_out(root, ClassChange(ADD, new.folder, new.folder, text))


def remove_class(root: Path, folder: str) -> Scheme:
    """Remove a class that has no photos, with its empty folders.

    Args:
        root: The dataset.
        folder: Folder of the class.

    Returns:
        The scheme afterwards.

    Raises:
        UsageError: There is no such class, or only two are left.
        DatasetError: The class has photos, in its folder, in the trash or among the damaged ones,
            or its folder holds something else; see also `rename_class`.
        DatasetInUseError, EnvironmentProblemError: See `rename_class`.
    """
    with _opened(root) as scheme:
        _require_class(root, scheme, folder)
        text = _edited(root, scheme, lambda text: remove_from(text, folder))
        _require_empty(root, folder)
        return _carry_out(root, ClassChange(REMOVE, folder, folder, text))


def finish_change(root: Path) -> None:
    """Finish a change of the classes that was interrupted, or wait for one that is running.

    Raises:
        DatasetInUseError: Another program is still changing them.
        EnvironmentProblemError: The disk refused.
        DatasetError: The note of the change is damaged, or what it was to rename is in the way.
    """
    until = time.monotonic() + _WAIT_S
    while os.path.lexists(change_path(root)):
        try:
            lock = lock_dataset(root)
        except DatasetInUseError:
            if time.monotonic() >= until:
                raise
            time.sleep(_POLL_S)
            continue
        except PhotoNotSavedError as fault:
            raise _not_finished(root, str(fault.__cause__ or fault)) from fault
        try:
            finish_own_change(root)
        finally:
            lock.close()


def finish_own_change(root: Path) -> None:
    """Finish an interrupted change, as `finish_change` does; the caller holds the lock."""
    change = read_change(root)
    if change is not None:
        try:
            _finish(root, change)
        except OSError as fault:
            raise _not_finished(root, fault.strerror or str(fault)) from fault


def read_settled(root: Path, read: Callable[[Scheme], T]) -> T:
    """Read a dataset with its classes, and never half before and half after a change of them.

    Args:
        root: The dataset.
        read: Reads it with the scheme it is given; called again if the classes changed meanwhile.

    Raises:
        DatasetError, DatasetInUseError, EnvironmentProblemError: See `finish_change` and
            `read_scheme`.
    """
    for _ in range(_READINGS):
        finish_change(root)
        before = _state(root)
        try:
            found = read(read_scheme(root))
        except (DatasetError, EnvironmentProblemError):
            if _state(root) == before:
                raise
        else:
            if _state(root) == before:
                return found
    raise DatasetInUseError(
        f"{root}: another program keeps changing its classes. Wait for it, then try again."
    )


def _state(root: Path) -> tuple[tuple[int, int, int] | None, bool]:
    """Return what a change of the classes changes: the state of classes.toml, and of the note."""
    try:
        found = (root / CLASSES_FILE).lstat()
    except OSError:
        return None, os.path.lexists(change_path(root))
    state = (found.st_ino, found.st_size, found.st_mtime_ns)
    return state, os.path.lexists(change_path(root))


@contextmanager
def _opened(root: Path) -> Iterator[Scheme]:
    """Lock a dataset, finish what was begun, and give its scheme."""
    require_dataset(root, read_scheme(root).labels)
    lock = lock_dataset(root)
    try:
        finish_own_change(root)
        yield read_scheme(root)
    finally:
        lock.close()


def _edited(root: Path, scheme: Scheme, edit: Callable[[str], str]) -> str:
    """Return the text of classes.toml after an edit."""
    path = root / CLASSES_FILE
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else format_scheme(scheme)
        return edit(text)
    except OSError as fault:
        raise DatasetError(f"{path}: cannot be read ({fault.strerror or fault}).") from fault
    except ValueError as fault:
        raise UsageError(
            f"{root}: the classes cannot be changed so: {fault}. Nothing was changed."
        ) from fault


def _carry_out(root: Path, change: ClassChange) -> Scheme:
    if change.action == RENAME and manifest_path(root).is_file():
        # A damaged one is found out before anything is changed.
        Manifest(root).close()
    try:
        write_change(root, change)
    except OSError as fault:
        raise _refused(root, fault) from fault
    try:
        _finish(root, change)
    except OSError as fault:
        if change.action == RENAME and _is_untouched(root, change):
            with suppress(OSError):
                remove_change(root)
                raise _refused(root, fault) from fault
        raise _not_finished(root, fault.strerror or str(fault)) from fault
    return read_scheme(root)


def _is_untouched(root: Path, change: ClassChange) -> bool:
    """Return True if a renaming has not even renamed the folder of the photos."""
    return change.folder != change.new_folder and change.folder in names_in(root)


def _finish(root: Path, change: ClassChange) -> None:
    """Take the steps of a change, those that were taken already among them."""
    if change.action == RENAME:
        for place in _PLACES:
            _rename_folder(root / place, change.folder, change.new_folder)
        _rename_rows(root, change)
    elif change.action == ADD:
        make_folders(root, [change.folder])
    else:
        for place in _PLACES:
            # What was put there since the class was found empty stays, as a folder of no class.
            with suppress(OSError):
                (root / place / change.folder).rmdir()
    replace_file(root / CLASSES_FILE, change.classes.encode())
    remove_change(root)


def _rename_folder(top: Path, folder: str, new_folder: str) -> None:
    names = names_in(top)
    if folder == new_folder or folder not in names:
        return
    source, target = top / folder, top / new_folder
    if new_folder in names and not _is_empty(target):
        if not _is_empty(source):
            raise DatasetError(
                f"{target}: a renaming of the class {folder!r} was interrupted, and since then "
                f"photos were put into a folder of its new name. Move what is in it into {source}, "
                f"then run the command again: the renaming goes on."
            )
        source.rmdir()
    else:
        # In the place of an empty folder too; a full one the system would refuse.
        source.rename(target)
    sync_folder(top)


def _rename_rows(root: Path, change: ClassChange) -> None:
    if change.folder == change.new_folder or not manifest_path(root).is_file():
        return
    try:
        manifest = Manifest(root)
    except ManifestDamagedError:
        # Damaged since the change began. The doctor salvages its rows, and finds the photo of each
        # by its content, as if it had been moved by hand.
        return
    try:
        with manifest.transaction():
            manifest.rename_class(change.folder, change.new_folder)
    finally:
        manifest.close()


def _require_class(root: Path, scheme: Scheme, folder: str) -> None:
    if folder not in scheme:
        raise UsageError(
            f"{root}: no class {folder!r}. It has {', '.join(scheme.labels)}. Nothing was changed."
        )


def _require_free(root: Path, folder: str, new_folder: str) -> None:
    """Refuse a name that something else has where the folders of a class lie."""
    for place in _PLACES:
        source, target = root / place / folder, root / place / new_folder
        if not os.path.lexists(target) or _is_empty(target) or _is_same(source, target):
            continue
        raise DatasetError(
            f"{target}: there is something of this name already, with "
            f"{_count(count_pictures(target))} in it. Move it away, or choose another name. "
            f"Nothing was changed."
        )


def _require_apart(root: Path, scheme: Scheme, new_folder: str, but: str = "") -> None:
    """Refuse a folder that this disk takes for that of another class: "Mask" for "mask"."""
    elsewhere = names_as_elsewhere(new_folder)
    for label in scheme.labels:
        if label == but or names_as_elsewhere(label) != elsewhere or not (root / label).is_dir():
            continue
        if new_folder not in names_in(root) and (root / new_folder).exists():
            raise DatasetError(
                f"{root}: this disk takes the folders {label!r} and {new_folder!r} for the same. "
                f"Choose another name. Nothing was changed."
            )


def _require_empty(root: Path, folder: str) -> None:
    found = [count_pictures(root / place / folder) for place in _PLACES]
    photos, trashed, damaged = found
    if any(found):
        raise DatasetError(
            f"{root}: the class {folder!r} is not removed: it has {_count(photos)}, and "
            f"{_count(trashed)} in the trash and {_count(damaged)} that cannot be decoded. Relabel "
            f"its photos in the review screen of `collector {root}` or move them elsewhere, and "
            f"empty {root / TRASH / folder} and {root / DAMAGED / folder}. Nothing was changed."
        )
    for place in _PLACES:
        path = root / place / folder
        if os.path.lexists(path) and not _is_empty(path):
            raise DatasetError(
                f"{path}: the class {folder!r} is not removed: its folder holds files that are no "
                f"photos, or is a link. Move them away first. Nothing was changed."
            )


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and not folder.is_symlink() and not names_in(folder)


def _is_same(one: Path, other: Path) -> bool:
    """Return True if two spellings of a name are one folder here.

    A file system in user space (exFAT over FUSE) numbers each spelling anew, so the number of the
    file says nothing: the name by which the disk lists it does.
    """
    is_spelling = names_as_elsewhere(one.name) == names_as_elsewhere(other.name)
    return is_spelling and other.exists() and other.name not in names_in(other.parent)


def _refused(root: Path, fault: OSError) -> EnvironmentProblemError:
    return EnvironmentProblemError(
        f"{root}: its classes cannot be changed ({fault.strerror or fault}). Check the disk's "
        f"space, and that you may write to this folder and to all that is in it. Nothing was "
        f"changed."
    )


def _not_finished(root: Path, reason: str) -> EnvironmentProblemError:
    return EnvironmentProblemError(
        f"{root}: a change of its classes has begun and is not finished ({reason}). Check the "
        f"disk's space, and that you may write to this folder and to all that is in it. The next "
        f"command that opens the dataset finishes the change; no photo is lost."
    )


def _count(number: int) -> str:
    return f"{number:,} photo{'' if number == 1 else 's'}"
