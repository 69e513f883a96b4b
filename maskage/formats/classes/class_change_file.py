"""class-change.json: a change of a dataset's classes that has begun and is not finished yet.

<dataset>/.dataset/class-change.json    one object: the fields of `ClassChange`

It is written before the first step of a change and removed after the last one. While it is there,
the classes of the dataset are those that it holds, whatever classes.toml says: whoever finds it
finishes the change first (`maskage.dataset.class_changes`).
"""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from maskage.errors import DatasetError
from maskage.formats.dataset_folder import manifest_path
from maskage.security.files import UnsafeFileError, parse_strict_json, read_regular_file
from maskage.system.files import replace_file, sync_folder

RENAME, ADOPT, ADD, REMOVE = "rename", "adopt", "add", "remove"
"""`ADOPT` renames a class whose photos lie in the folder of its new name already."""

_LARGEST = 1 << 20


@dataclass(frozen=True)
class ClassChange:
    """A change of a dataset's classes.

    Attributes:
        action: "rename", "adopt", "add" or "remove".
        folder: Class that is changed.
        new_folder: Its name afterwards; the same one for "add" and "remove".
        classes: Text of classes.toml afterwards.
    """

    action: str
    folder: str
    new_folder: str
    classes: str

    def __post_init__(self) -> None:
        if self.action not in (RENAME, ADOPT, ADD, REMOVE):
            raise ValueError(f"its action is {self.action[:40]!r}")
        for name in (self.folder, self.new_folder):
            if not name or name.startswith(".") or "/" in name or "\0" in name:
                raise ValueError(f"it names the folder {name[:80]!r}")


def change_path(root: Path) -> Path:
    """Return the path of the file in the dataset at `root`."""
    return manifest_path(root).with_name("class-change.json")


def write_change(root: Path, change: ClassChange) -> None:
    """Write the file, whole and on the disk on return.

    Raises:
        OSError: The disk refused.
    """
    replace_file(change_path(root), (json.dumps(asdict(change)) + "\n").encode())


def read_change(root: Path) -> ClassChange | None:
    """Return the change that is not finished; None if there is none.

    Raises:
        DatasetError: The file is damaged.
    """
    path = change_path(root)
    if not path.exists() and not path.is_symlink():
        return None
    try:
        values = parse_strict_json(read_regular_file(path, _LARGEST))
        if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
            raise ValueError("it is no object of texts")
        return ClassChange(**{field.name: values[field.name] for field in fields(ClassChange)})
    except (UnsafeFileError, ValueError, KeyError) as fault:
        if not path.exists() and not path.is_symlink():
            return None  # finished by another program meanwhile
        raise DatasetError(
            f"{path}: the note of an unfinished change of the classes is damaged ({fault}). The "
            f"photos were not touched. Remove this file, and see `collector doctor {root}`."
        ) from fault


def remove_change(root: Path) -> None:
    """Remove the file: the change is finished.

    Raises:
        OSError: The disk refused.
    """
    path = change_path(root)
    path.unlink(missing_ok=True)
    sync_folder(path.parent)
