"""The pictures that a person passed over while labelling folders: skipped, or rejected.

<dataset>/.dataset/set-aside.jsonl    one JSON object a line: `path`, `how`, `at`

`how` is "skipped", "rejected", or "open" where that was undone; the last line of a path counts.
"""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from maskage.formats.dataset_folder import manifest_path
from maskage.outside_text import path_to_text, text_to_path

_OPEN = "open"


class PassedOver(StrEnum):
    """The way a picture was passed over.

    skipped: It may be shown again later.
    rejected: It is no photo for this dataset.
    """

    SKIPPED = "skipped"
    REJECTED = "rejected"


@dataclass(frozen=True)
class SetAside:
    """A picture that was passed over.

    Attributes:
        path: Absolute path of the picture.
        how: The way it was passed over.
    """

    path: Path
    how: PassedOver


def set_aside_path(root: Path) -> Path:
    """Return the path of the file of the dataset at `root`, whether it is there or not."""
    return manifest_path(root).with_name("set-aside.jsonl")


def read_set_aside(root: Path) -> dict[Path, PassedOver]:
    """Return how each picture was passed over, by absolute path; a line cut short is skipped.

    Raises:
        OSError: The file cannot be read.
    """
    found: dict[Path, PassedOver] = {}
    try:
        lines = set_aside_path(root).read_bytes().splitlines()
    except FileNotFoundError:
        return {}
    for line in lines:
        try:
            row = json.loads(line)
            path, how = Path(text_to_path(row["path"])), row["how"]
            if how == _OPEN:
                found.pop(path, None)
            else:
                found[path] = PassedOver(how)
        except (ValueError, TypeError, KeyError):
            continue
    return found


def append_set_aside(root: Path, picture: SetAside, *, is_open: bool = False) -> None:
    """Write that a picture was passed over; on return the line is on the disk.

    Args:
        root: Folder of the dataset.
        picture: The picture.
        is_open: True where that was undone.

    Raises:
        OSError: The disk refused; at most part of a line was written, which is skipped.
    """
    row = {
        "path": path_to_text(str(picture.path)),
        "how": _OPEN if is_open else picture.how.value,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    path = set_aside_path(root)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "r+b") as file:
        # A write that was cut short left no line end.
        size = file.seek(0, os.SEEK_END)
        is_cut = size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"
        file.write(b"\n" * is_cut + json.dumps(row).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
