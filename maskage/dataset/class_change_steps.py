"""The steps of a change of a dataset's classes, and finishing them where a kill interrupted them.

A note of the change (`class_change_file`) is written first; then the folders, the manifest and
classes.toml follow; then the note is removed. Whoever opens the dataset after a kill, for writing
or for reading, finishes a noted change first. Each step may be repeated.
"""

import hashlib
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from maskage.classes.scheme import Scheme
from maskage.dataset.manifest.reading import KnownPhoto, read_rows
from maskage.dataset.manifest.writer import Manifest
from maskage.dataset.photo_files import (
    CLASS_PLACES,
    TRASH,
    is_empty_folder,
    make_folders,
    names_in,
)
from maskage.errors import (
    DatasetError,
    DatasetInUseError,
    EnvironmentProblemError,
    ManifestDamagedError,
    PhotoNotSavedError,
)
from maskage.formats.classes.class_change_file import (
    ADD,
    ADOPT,
    RENAME,
    ClassChange,
    change_path,
    read_change,
    remove_change,
)
from maskage.formats.classes.classes_file import CLASSES_FILE, read_scheme
from maskage.formats.dataset_folder import manifest_path
from maskage.records import Photo
from maskage.system.files import replace_file, sync_folder
from maskage.system.lock import lock_dataset

_WAIT_S = 5.0
"""A running change is waited for so long; one of 100,000 rows takes a second."""
_POLL_S = 0.02
_READINGS = 5

T = TypeVar("T")


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
            raise not_finished(root, str(fault.__cause__ or fault)) from fault
        try:
            finish_own_change(root)
        finally:
            lock.close()


def finish_own_change(root: Path) -> None:
    """Finish an interrupted change, as `finish_change` does; the caller holds the lock."""
    change = read_change(root)
    if change is not None:
        try:
            take_steps(root, change)
        except OSError as fault:
            raise not_finished(root, fault.strerror or str(fault)) from fault


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


def take_steps(root: Path, change: ClassChange) -> None:
    """Take the steps of a change, those that were taken already among them.

    The caller holds the lock.

    Raises:
        OSError: The disk refused; the change is not finished.
        DatasetError: What was to be renamed is in the way of something else.
        PhotoNotSavedError: The manifest could not be written; the change is not finished.
    """
    if change.action in (RENAME, ADOPT):
        for place in CLASS_PLACES:
            _rename_folder(root / place, change)
        _rename_rows(root, change)
    elif change.action == ADD:
        make_folders(root, [change.folder])
    else:
        for place in CLASS_PLACES:
            # What was put there since the class was found empty stays, as a folder of no class.
            with suppress(OSError):
                (root / place / change.folder).rmdir()
    replace_file(root / CLASSES_FILE, change.classes.encode())
    remove_change(root)


def _rename_folder(top: Path, change: ClassChange) -> None:
    folder, new_folder = change.folder, change.new_folder
    names = names_in(top)
    if folder == new_folder or folder not in names:
        return
    source, target = top / folder, top / new_folder
    if new_folder in names and not is_empty_folder(target):
        if not is_empty_folder(source):
            if change.action == ADOPT:
                # Whose photos are in the folder of the new name is settled by now.
                source, target = target, source
            raise DatasetError(
                f"{target}: a renaming of the class {folder!r} was interrupted, and since then "
                f"files were put into this folder. Move what is in it into {source}, "
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
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    try:
        found = _list_found(root, change) if change.action == ADOPT else []
        with manifest.transaction():
            manifest.rename_class(
                change.folder, change.new_folder, is_adopted=change.action == ADOPT
            )
            for photo in found:
                manifest.settle(KnownPhoto(photo, photo.path, is_removed=True), now)
    finally:
        manifest.close()


def _list_found(root: Path, change: ClassChange) -> list[Photo]:
    """Return the photos, under their new names, whose rows were marked as gone meanwhile."""
    rows = read_rows(root)
    found = []
    for path, row in rows.removed.items():
        folder, _, name = path.partition("/")
        new_path = f"{change.new_folder}/{name}"
        is_trashed = any((root / TRASH / each).exists() for each in (path, new_path))
        if folder != change.folder or new_path in rows.present or is_trashed:
            continue
        file = root / new_path
        if file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == row.sha256:
            found.append(replace(row, path=new_path, label=change.new_folder))
    return found


def not_finished(root: Path, reason: str) -> EnvironmentProblemError:
    """Return the error of a change that has begun and cannot go on for now."""
    return EnvironmentProblemError(
        f"{root}: a change of its classes has begun and is not finished ({reason}). Check the "
        f"disk's space, and that you may write to this folder and to all that is in it. The next "
        f"command that opens the dataset finishes the change; no photo is lost."
    )
