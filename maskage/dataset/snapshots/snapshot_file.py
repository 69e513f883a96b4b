"""The file of a snapshot: what a dataset held at one moment, without the pictures themselves.

    .dataset/snapshots/NAME.jsonl    a line about the snapshot, then one line for each photo

The pictures lie beside it under their sha256 (`maskage.dataset.snapshots.objects`). A photo's line
holds its values in the order of the first line's `columns`, then size and time of its file, by
which the next snapshot knows that the file has not changed.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import Scheme
from maskage.dataset.manifest.columns import PHOTO_COLUMNS
from maskage.dataset.manifest.rows import photo_of, row_of
from maskage.errors import DatasetError
from maskage.formats.classes.classes_file import parse_scheme
from maskage.outside_text import path_to_text, text_to_path
from maskage.records import Photo
from maskage.system.files import replace_file

SCHEMA_VERSION = 1
SUFFIX = ".jsonl"
_NAMES = ("path", "subject", "session", "grp", "source")
"""Columns whose text may hold bytes that are not UTF-8."""
_OF_FILE = ("size", "mtime_ns")


@dataclass(frozen=True)
class SnapshotPhoto:
    """One photo as it was.

    Attributes:
        photo: The photo, with its sha256.
        source_sha256: Digest of the file it was imported from, or None.
        size: Bytes of its file.
        mtime_ns: Time of the last change of its file, ns since 1970.
    """

    photo: Photo
    source_sha256: str | None
    size: int
    mtime_ns: int

    @property
    def digest(self) -> str:
        """The sha256 of its file, 64 hex digits."""
        assert self.photo.sha256 is not None
        return self.photo.sha256


@dataclass(frozen=True)
class Snapshot:
    """A dataset at one moment.

    Attributes:
        name: Name of the snapshot.
        created_at: Time in UTC, ISO 8601.
        classes: Content of classes.toml; None where there was none.
        photos: The photos, sorted by path.
    """

    name: str
    created_at: str
    classes: str | None
    photos: tuple[SnapshotPhoto, ...]

    @property
    def scheme(self) -> Scheme:
        """The classes of the dataset then."""
        return MASK_AGE if self.classes is None else parse_scheme(self.classes.encode())


def write_snapshot(path: Path, snapshot: Snapshot) -> None:
    """Write a snapshot, whole and on the disk; one of its name is replaced.

    Raises:
        OSError: The disk refused.
    """
    replace_file(path, "".join(f"{line}\n" for line in _lines_of(snapshot)).encode())


def read_snapshot(path: Path) -> Snapshot:
    """Read a snapshot.

    Raises:
        DatasetError: There is none, it is damaged, or of a newer version.
    """
    try:
        head, *lines = path.read_text(encoding="utf-8").splitlines()
        about = json.loads(head)
        version = about["schema_version"]
        if version > SCHEMA_VERSION:
            raise DatasetError(
                f"{path}: written by a newer version of the toolchain (schema {version}, this one "
                f"reads up to {SCHEMA_VERSION}). Upgrade the toolchain."
            )
        if len(lines) != about["photos"]:
            raise ValueError(f"it holds {len(lines)} of {about['photos']} photos")
        columns = about["columns"]
        photos = tuple(_photo_of(columns, json.loads(line)) for line in lines)
        return Snapshot(about["name"], about["created_at"], about["classes"], photos)
    except FileNotFoundError as fault:
        raise DatasetError(f"There is no snapshot {path.stem}.") from fault
    except (ValueError, KeyError, TypeError, IndexError, AssertionError) as fault:
        raise DatasetError(
            f"{path}: this snapshot is damaged ({fault}). The dataset itself is not affected. "
            f"Take another one, and delete this one with `collector snapshots --delete`."
        ) from fault


def _lines_of(snapshot: Snapshot) -> Iterator[str]:
    about = {
        "schema_version": SCHEMA_VERSION,
        "name": snapshot.name,
        "created_at": snapshot.created_at,
        "classes": snapshot.classes,
        "photos": len(snapshot.photos),
        "columns": (*PHOTO_COLUMNS, *_OF_FILE),
    }
    yield json.dumps(about)
    places = [PHOTO_COLUMNS.index(name) for name in _NAMES]
    for each in snapshot.photos:
        values = list(row_of(each.photo, each.source_sha256))
        for place in places:
            value = values[place]
            values[place] = path_to_text(value) if isinstance(value, str) else value
        yield json.dumps([*values, each.size, each.mtime_ns], separators=(",", ":"))


def _photo_of(columns: Sequence[str], values: Sequence[Any]) -> SnapshotPhoto:
    row = dict(zip(columns, values, strict=True))
    for name in ("label", "sha256", "path"):
        if not isinstance(row[name], str):
            raise TypeError(f"a photo's {name} is {row[name]!r}")
    photo = photo_of([row.get(name) for name in PHOTO_COLUMNS])
    source = row["source_sha256"]
    return SnapshotPhoto(
        photo, None if source is None else text_to_path(source), row["size"], row["mtime_ns"]
    )
