"""The manifest: what the folders cannot say (subject, session, time, box, quality), in SQLite.

The folder a photo lies in is its label. A photo that was moved by hand is found again by its
content and keeps what is known about it (`maskage.dataset.manifest.matching`). A dataset without a
manifest works everywhere. This module reads; `maskage.dataset.manifest.writer` writes.
"""

import gc
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from maskage.dataset.consent import Consent
from maskage.dataset.manifest.columns import (
    COLUMNS_OF_SCHEMA,
    CONSENT_COLUMNS,
    PHOTO_COLUMNS,
)
from maskage.dataset.manifest.file import damaged, read_file, read_schema
from maskage.dataset.manifest.rows import consent_of, find_odd_rows, photo_of
from maskage.formats.dataset_folder import manifest_path
from maskage.outside_text import text_to_path
from maskage.records import Photo

_SCHEMA_WITH_CONSENTS = 2
_GAVE_WAY = re.compile(r"(?<=\.)([A-Za-z]{3,4})~.*$")
_MARK = re.compile(r"-(?:[0-9a-f]{8}|again)\d*(?=\.[^.]*$)")


@dataclass(frozen=True)
class ManifestRows:
    """The photos that a manifest knows, by path.

    Attributes:
        present: Photos that should lie in their folders.
        removed: Photos that were trashed, or are gone.
    """

    present: dict[str, Photo] = field(default_factory=dict)
    removed: dict[str, Photo] = field(default_factory=dict)


@dataclass(frozen=True)
class KnownPhoto:
    """A photo that lies in its folder.

    Attributes:
        photo: The photo, with what the manifest knows about it.
        row_path: The path in its row: another one where it was moved by hand, None where the
            manifest does not know it.
        is_removed: Its row says that it was removed, though it is there.
    """

    photo: Photo
    row_path: str | None
    is_removed: bool = False

    @property
    def is_settled(self) -> bool:
        """The row agrees with the file."""
        return self.row_path == self.photo.path and not self.is_removed


def former_names(path: str) -> list[str]:
    """Return the file names that a row's photo may have had, its own first.

    A row that made way for another photo at its path has "~" and more behind its suffix; a photo
    whose name was taken where it went has "-", a digest's first digits or "again", and maybe a
    number.
    """
    names = [_GAVE_WAY.sub(r"\1", path.rpartition("/")[2])]
    while (before := _MARK.sub("", names[-1])) != names[-1]:
        names.append(before)
    return names


def read_rows(root: Path) -> ManifestRows:
    """Read every row of the manifest, by path; there are none where there is no manifest.

    Raises:
        DatasetError: The manifest is damaged.
    """
    path = manifest_path(root)
    return read_file(path, lambda db: _rows_of(db, path)) or ManifestRows()


def _rows_of(db: sqlite3.Connection, path: Path) -> ManifestRows:
    rows = ManifestRows()
    schema = read_schema(db, path)
    if schema == 0:
        return rows
    if odd := find_odd_rows(db, schema=schema, limit=1):
        raise damaged(path, f"no row can hold the {odd[0]}")
    removed_at = PHOTO_COLUMNS.index("removed_at")
    for row in db.execute(f"SELECT {', '.join(COLUMNS_OF_SCHEMA[schema])} FROM photos"):
        photo = photo_of(row)
        (rows.present if row[removed_at] is None else rows.removed)[photo.path] = photo
    return rows


def read_removed(root: Path) -> dict[str, tuple[Photo, str]]:
    """Read the rows of photos that were removed, by path, each with the time of removal.

    Raises:
        DatasetError: The manifest is damaged.
    """
    path = manifest_path(root)
    return read_file(path, lambda db: _removed_in(db, path)) or {}


def count_rows(root: Path) -> dict[str, int]:
    """Count the rows of photos that should lie in their folders, by label.

    Raises:
        DatasetError: The manifest is damaged.
    """
    path = manifest_path(root)
    return read_file(path, lambda db: _counts_in(db, path)) or {}


def _removed_in(db: sqlite3.Connection, path: Path) -> dict[str, tuple[Photo, str]]:
    rows = _rows_of(db, path).removed
    if not rows:
        return {}
    times = db.execute("SELECT path, removed_at FROM photos WHERE removed_at NOT NULL")
    return {
        name: (rows[name], removed_at)
        for text, removed_at in times
        for name in (text_to_path(text),)
    }


def _counts_in(db: sqlite3.Connection, path: Path) -> dict[str, int]:
    if read_schema(db, path) == 0:
        return {}
    rows = db.execute("SELECT label, count(*) FROM photos WHERE removed_at IS NULL GROUP BY label")
    return {text_to_path(label): count for label, count in rows}


@dataclass(frozen=True)
class ImportedRow:
    """A row of a photo that was imported.

    Attributes:
        digest: sha256 of the file that it was imported from, and maybe the part of it.
        path: Its path in the dataset, as the row has it.
        label: Its class.
        is_removed: It was trashed, or is gone.
    """

    digest: str
    path: str
    label: str
    is_removed: bool


def read_imports(root: Path) -> list[ImportedRow]:
    """Read the row of every photo that was imported, those of removed photos first.

    Raises:
        DatasetError: The manifest is damaged.
    """
    path = manifest_path(root)
    return read_file(path, lambda db: _imports_in(db, path)) or []


def _imports_in(db: sqlite3.Connection, path: Path) -> list[ImportedRow]:
    if read_schema(db, path) == 0:
        return []
    rows = db.execute(
        "SELECT source_sha256, path, label, removed_at NOT NULL FROM photos "
        "WHERE source_sha256 NOT NULL ORDER BY removed_at IS NULL, path"
    )
    return [
        ImportedRow(digest, text_to_path(path), text_to_path(label), bool(is_removed))
        for digest, path, label, is_removed in rows
    ]


def read_labels_given(root: Path) -> frozenset[tuple[str, str]]:
    """Read every path that a photo ever had, with the label that it was given there.

    Raises:
        DatasetError: The manifest is damaged.
    """
    path = manifest_path(root)
    return read_file(path, lambda db: _labels_given_in(db, path)) or frozenset()


def _labels_given_in(db: sqlite3.Connection, path: Path) -> frozenset[tuple[str, str]]:
    if read_schema(db, path) == 0:
        return frozenset()
    rows = db.execute("SELECT DISTINCT path, label FROM events")
    return frozenset((text_to_path(path), text_to_path(label)) for path, label in rows)


def read_consents(root: Path) -> dict[str, Consent]:
    """Read every consent on record, by subject; there are none where there is no manifest.

    Raises:
        DatasetError: The manifest is damaged.
    """
    path = manifest_path(root)
    return read_file(path, lambda db: consents_in(db, path)) or {}


@contextmanager
def without_collecting() -> Iterator[None]:
    """Make many records without the garbage collector: a third faster."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def consents_in(db: sqlite3.Connection, path: Path) -> dict[str, Consent]:
    """Return the consents in an open manifest, by subject.

    Raises:
        ManifestDamagedError: A row cannot be a consent.
    """
    if read_schema(db, path) < _SCHEMA_WITH_CONSENTS:
        return {}
    consents = {}
    for values in db.execute(f"SELECT {', '.join(CONSENT_COLUMNS)} FROM consents ORDER BY subject"):
        try:
            consent = consent_of(values)
        except ValueError as fault:
            raise damaged(path, f"the consent of {values[0]!r} cannot be one: {fault}") from fault
        consents[consent.subject] = consent
    return consents
