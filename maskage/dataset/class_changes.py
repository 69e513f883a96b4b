"""Change the classes of a dataset: rename one with its photos, add one, remove an empty one.

Each change is all or nothing: see `class_change_steps`. What cannot be done is refused before
anything is changed.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from maskage.classes.scheme import PhotoClass, Scheme, names_as_elsewhere
from maskage.commands.text_table import count_of
from maskage.dataset.class_change_steps import (
    finish_own_change,
    not_finished,
    take_steps,
)
from maskage.dataset.manifest.writer import Manifest
from maskage.dataset.outside_folders import find_clash, is_renamed_by_hand, require_dataset
from maskage.dataset.photo_files import (
    CLASS_PLACES,
    DAMAGED,
    TRASH,
    count_pictures,
    is_empty_folder,
    names_in,
)
from maskage.errors import (
    DatasetError,
    EnvironmentProblemError,
    UsageError,
)
from maskage.formats.classes.class_change_file import (
    ADD,
    ADOPT,
    REMOVE,
    RENAME,
    ClassChange,
    remove_change,
    write_change,
)
from maskage.formats.classes.classes_edit import add_to, remove_from, rename_in
from maskage.formats.classes.classes_file import CLASSES_FILE, format_scheme, read_scheme
from maskage.formats.dataset_folder import manifest_path
from maskage.system.faults import explain_fault
from maskage.system.lock import lock_dataset


def rename_class(root: Path, folder: str, new_folder: str, title: str | None = None) -> Scheme:
    """Rename a class with its folders and all that the manifest knows of its photos.

    If the class has no folder, or an empty one, and there is one of the new name with photos, then
    it was renamed by hand: the class follows.

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
            _require_apart(root, scheme, new_folder, but=folder)
            if is_renamed_by_hand(root, folder, new_folder):
                _require_no_clash(root, folder, new_folder)
                return _carry_out(root, ClassChange(ADOPT, folder, new_folder, text))
            _require_free(root, folder, new_folder)
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


@contextmanager
def _opened(root: Path) -> Iterator[Scheme]:
    """Lock a dataset, finish what was begun, and give its scheme."""
    require_dataset(root, read_scheme(root))
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
    if change.action in (RENAME, ADOPT) and manifest_path(root).is_file():
        # A damaged one is found out before anything is changed.
        Manifest(root).close()
    try:
        write_change(root, change)
    except OSError as fault:
        raise _refused(root, fault) from fault
    try:
        take_steps(root, change)
    except OSError as fault:
        if change.action == RENAME and _is_untouched(root, change):
            with suppress(OSError):
                remove_change(root)
                raise _refused(root, fault) from fault
        raise not_finished(root, fault.strerror or str(fault)) from fault
    return read_scheme(root)


def _is_untouched(root: Path, change: ClassChange) -> bool:
    """Return True if a renaming has not even renamed the folder of the photos."""
    return change.folder != change.new_folder and change.folder in names_in(root)


def _require_class(root: Path, scheme: Scheme, folder: str) -> None:
    if folder not in scheme:
        raise UsageError(
            f"{root}: no class {folder!r}. It has {', '.join(scheme.labels)}. Nothing was changed."
        )


def _require_free(root: Path, folder: str, new_folder: str) -> None:
    """Refuse a name that something else has where the folders of a class lie."""
    for place in CLASS_PLACES:
        source, target = root / place / folder, root / place / new_folder
        if not os.path.lexists(target) or is_empty_folder(target) or _is_same(source, target):
            continue
        raise DatasetError(
            f"{target}: there is something of this name already, with "
            f"{count_of(count_pictures(target), 'photo')} in it. Move it away, or choose another "
            f"name. Nothing was changed."
        )


def _require_no_clash(root: Path, folder: str, new_folder: str) -> None:
    """Refuse to join what the trash has of the class with what it has under the new name."""
    clash = find_clash(root, folder, new_folder)
    if clash is not None:
        raise DatasetError(
            f"{clash}: there is something in it, and in {clash.with_name(folder)} too, so the "
            f"class {folder!r} cannot be renamed. Move what is in one of them away. Nothing was "
            f"changed."
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
    found = [count_pictures(root / place / folder) for place in CLASS_PLACES]
    photos, trashed, damaged = found
    if any(found):
        raise DatasetError(
            f"{root}: the class {folder!r} is not removed: it has {count_of(photos, 'photo')}, "
            f"and {count_of(trashed, 'photo')} in the trash and {count_of(damaged, 'photo')} that "
            f"cannot be decoded. Relabel its photos in the review screen of `collector {root}` or "
            f"move them elsewhere, and empty {root / TRASH / folder} and {root / DAMAGED / folder}."
            f" Nothing was changed."
        )
    for place in CLASS_PLACES:
        path = root / place / folder
        if os.path.lexists(path) and not is_empty_folder(path):
            raise DatasetError(
                f"{path}: the class {folder!r} is not removed: its folder holds files that are no "
                f"photos, or is a link. Move them away first. Nothing was changed."
            )


def _is_same(one: Path, other: Path) -> bool:
    """Return True if two spellings of a name are one folder here.

    A file system in user space (exFAT over FUSE) numbers each spelling anew, so the number of the
    file says nothing: the name by which the disk lists it does.
    """
    is_spelling = names_as_elsewhere(one.name) == names_as_elsewhere(other.name)
    return is_spelling and other.exists() and other.name not in names_in(other.parent)


def _refused(root: Path, fault: OSError) -> EnvironmentProblemError:
    return EnvironmentProblemError(
        f"{root}: its classes cannot be changed {explain_fault(fault)} Nothing was changed."
    )
