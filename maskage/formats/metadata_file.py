"""The user's table about photos: a CSV of `path` and any of the columns below.

path,source,subject,session,group,label    each cell may be empty, other columns are ignored
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from maskage.errors import DatasetError
from maskage.outside_text import cell_to_path


@dataclass(frozen=True)
class PhotoMetadata:
    """The row of one photo; None for empty cells and missing columns.

    Attributes:
        source: Collection that the photo comes from.
        subject: Pseudonym of the person.
        session: One sitting at the camera.
        group: Photos that belong on one side of a split.
        label: Class of the photo.
    """

    source: str | None = None
    subject: str | None = None
    session: str | None = None
    group: str | None = None
    label: str | None = None


def read_metadata(
    path: Path, columns: Sequence[str], labels: Sequence[str] | None = None
) -> dict[str, PhotoMetadata]:
    r"""Read a table.

    Args:
        path: The CSV file, UTF-8; bytes in a path that are not UTF-8 may stand as they are or as
            an escape (`\xfc`), and "\" may separate folders.
        columns: The columns that are wanted, fields of `PhotoMetadata`; others are ignored.
        labels: The classes that a label may name; None for any.

    Returns:
        The row of each photo, by its path, POSIX.

    Raises:
        DatasetError: The file is not a CSV, lacks the column `path` or all wanted ones, or holds an
            unknown label.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
            reader = csv.DictReader(file)
            there = reader.fieldnames or []
            used = [name for name in columns if name in there]
            if "path" not in there or not used:
                lacking = "column 'path'" if "path" not in there else "column that is used here"
                raise DatasetError(
                    f"{path}: no {lacking}. Found: {', '.join(there) or 'nothing'}. It takes path "
                    f"and any of {', '.join(columns)}."
                )
            return {_path_of(row["path"]): _metadata_of(row, used, path, labels) for row in reader}
    except FileNotFoundError as fault:
        raise DatasetError(f"No such file: {path}. Name a CSV file with --metadata.") from fault
    except (OSError, csv.Error) as fault:
        raise DatasetError(
            f"{path}: cannot be read as a CSV file ({fault}). Save it as CSV in UTF-8, with a line "
            f"of column names: path and any of {', '.join(columns)}."
        ) from fault


def _metadata_of(
    row: dict[str, str | None], used: Sequence[str], path: Path, labels: Sequence[str] | None
) -> PhotoMetadata:
    values = {name: (row[name] or "").strip() or None for name in used}
    label = values.pop("label", None)
    label = label and cell_to_path(label)
    if label is not None and labels is not None and label not in labels:
        raise DatasetError(
            f"{path}: unknown label {label!r} for {row['path']}. The labels are "
            f"{', '.join(labels)}."
        )
    return PhotoMetadata(**values, label=label)


def _path_of(cell: str | None) -> str:
    """Return the path in a cell, whether it holds the name's own bytes or an escape of them."""
    return PurePosixPath(cell_to_path((cell or "").strip()).replace("\\", "/")).as_posix()
