"""The photos that `collector doctor` set aside because they cannot be decoded.

<dataset>/.damaged/<label>/<photo>    their rows are those of removed photos

They are deleted as photos in the trash are: `maskage.dataset.trash.empty_trash` takes them.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from maskage.dataset.manifest.reading import former_names, read_removed
from maskage.dataset.photo_files import DAMAGED, TRASH, is_file_entry
from maskage.dataset.trash import TrashedPhoto
from maskage.errors import EnvironmentProblemError
from maskage.records import Photo


def list_damaged(root: Path) -> list[TrashedPhoto]:
    """Return the photos that were set aside, by path, each with its row where it has one.

    Raises:
        DatasetError: The manifest is damaged.
        EnvironmentProblemError: Their folder cannot be read.
    """
    removed = read_removed(root)
    found = []
    for file in _files_below(root / DAMAGED):
        label = file.parent.name
        names = [f"{label}/{name}" for name in former_names(f"{label}/{file.name}")]
        # A row whose photo lies in the trash is that photo's.
        in_trash = {name for name in names if (root / TRASH / name).exists()}
        row_path = next((name for name in names if name in removed.keys() - in_trash), None)
        if row_path is None:
            found.append(TrashedPhoto(Photo(names[0], label), None, file))
        else:
            photo, removed_at = removed[row_path]
            found.append(TrashedPhoto(photo, removed_at, file, row_path))
    return sorted(found, key=lambda each: each.photo.path)


def _files_below(folder: Path) -> Iterator[Path]:
    try:
        labels = [Path(entry) for entry in os.scandir(folder) if entry.is_dir()]
        yield from (
            Path(entry) for each in labels for entry in os.scandir(each) if is_file_entry(entry)
        )
    except FileNotFoundError:
        return
    except OSError as fault:
        raise EnvironmentProblemError(
            f"{folder}: the photos in it cannot be listed ({fault.strerror or fault}). Check who "
            f"may read the folder; nothing was changed."
        ) from fault
