"""What the folders cannot tell: subject, session, time, face box, quality. One SQLite file.

The folder a photo lies in is its label. A photo that was moved by hand is found again by its name
and keeps what is known of it. A dataset without a manifest works everywhere.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath

from collector.errors import DatasetError, PhotoNotSavedError
from collector.records import FaceBox, Label, Photo, Quality

SCHEMA_VERSION = 1

_SCHEMA = """
CREATE TABLE photos (
    path TEXT PRIMARY KEY,            -- relative to the dataset: label/name
    label TEXT NOT NULL,
    subject TEXT, session TEXT, grp TEXT,
    taken_at TEXT, source TEXT,
    x INTEGER, y INTEGER, width INTEGER, height INTEGER, score REAL,
    sharpness REAL, brightness REAL, clipped REAL, face_px INTEGER,
    sha256 TEXT NOT NULL,             -- of the stored file
    source_sha256 TEXT,               -- of the file it was imported from
    removed_at TEXT                   -- set while the file lies in .trash/
) STRICT;
CREATE INDEX photos_by_source ON photos (source_sha256);
CREATE TABLE events (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, path TEXT NOT NULL,
    action TEXT NOT NULL,             -- add, trash, restore
    label TEXT NOT NULL
) STRICT;
"""

_COLUMNS = (
    "path, label, subject, session, grp, taken_at, source, x, y, width, height, score, "
    "sharpness, brightness, clipped, face_px, sha256"
)


def manifest_path(root: Path) -> Path:
    """Where the manifest of the dataset at `root` lies."""
    return root / ".dataset" / "manifest.db"


class Manifest:
    """The open manifest of one dataset. Not thread-safe: its owner holds a lock.

    Raises:
        DatasetError: The file is damaged, or of a newer schema.
    """

    def __init__(self, root: Path) -> None:
        path = manifest_path(root)
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _explained(path):
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            path.chmod(0o600)
            self._db.execute("PRAGMA journal_mode=WAL")
            # FULL: a committed row survives a power cut, not only a crash of ours.
            self._db.execute("PRAGMA synchronous=FULL")
            self._prepare()

    def add(self, photo: Photo, at: str, source_sha256: str | None = None) -> None:
        """Insert the row of a photo that is already on disk, with its event, in one transaction."""
        values = (*_row_of(photo), source_sha256)
        marks = ", ".join("?" * len(values))
        with self._transaction():
            self._db.execute(
                f"INSERT INTO photos ({_COLUMNS}, source_sha256) VALUES ({marks})", values
            )
            self._log(at, photo, "add")

    def mark_removed(self, photo: Photo, at: str) -> None:
        with self._transaction():
            self._db.execute("UPDATE photos SET removed_at = ? WHERE path = ?", (at, photo.path))
            self._log(at, photo, "trash")

    def mark_restored(self, photo: Photo, at: str) -> None:
        with self._transaction():
            self._db.execute("UPDATE photos SET removed_at = NULL WHERE path = ?", (photo.path,))
            self._log(at, photo, "restore")

    def knows(self, path: str) -> bool:
        """Whether there is a row for this path, of a photo that was removed too."""
        query = "SELECT EXISTS (SELECT 1 FROM photos WHERE path = ?)"
        return bool(self._db.execute(query, (path,)).fetchone()[0])

    def imported_digests(self) -> set[str]:
        """sha256 of every source file that was imported, also where the photo was removed since."""
        rows = self._db.execute("SELECT source_sha256 FROM photos WHERE source_sha256 NOT NULL")
        return {digest for (digest,) in rows}

    def close(self) -> None:
        self._db.close()

    def _prepare(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise DatasetError(
                f"{self._path}: written by a newer version (schema {version}, this one reads "
                f"{SCHEMA_VERSION}). Upgrade the toolchain."
            )
        if version == 0:
            self._db.executescript(
                f"BEGIN; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            )

    def _log(self, at: str, photo: Photo, action: str) -> None:
        self._db.execute(
            "INSERT INTO events (at, path, action, label) VALUES (?, ?, ?, ?)",
            (at, photo.path, action, photo.label),
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except sqlite3.Error as fault:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise PhotoNotSavedError(
                f"{self._path}: the manifest could not be written ({fault}). "
                f"Check the disk's space, then shoot again; nothing saved before is lost."
            ) from fault


def read_manifest(root: Path) -> dict[str, Photo]:
    """Every photo that the manifest knows and that was not removed, by its path.

    Opens the file read-only; empty where there is no manifest.

    Raises:
        DatasetError: The manifest is damaged.
    """
    path = manifest_path(root)
    if not path.is_file():
        return {}
    query = f"SELECT {_COLUMNS} FROM photos WHERE removed_at IS NULL ORDER BY path"
    # WAL readers need the -shm file; on a read-only folder `immutable` does without it.
    mode = "mode=ro" if (path.parent / f"{path.name}-wal").exists() else "immutable=1"
    with (
        _explained(path),
        closing(sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True)) as db,
    ):
        photos = [_photo_of(row) for row in db.execute(query)]
    return {photo.path: photo for photo in photos}


def with_known_facts(found: dict[str, Label], rows: dict[str, Photo]) -> list[Photo]:
    """The photos that lie in the folders, in the order given, with what the manifest knows.

    Args:
        found: Label of each path (relative to the dataset) that is there.
        rows: See `read_manifest`. A row whose file is gone belongs to the file of its name in
            another folder, moved there by hand, where only one such row bears that name.
    """
    moved: dict[str, list[Photo]] = {}
    for path, row in rows.items():
        if path not in found:
            moved.setdefault(PurePosixPath(path).name, []).append(row)
    photos = []
    for path, label in found.items():
        candidates = moved.get(PurePosixPath(path).name, [])
        known = rows.get(path) or (candidates[0] if len(candidates) == 1 else None)
        photos.append(replace(known, path=path, label=label) if known else Photo(path, label))
    return photos


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as fault:
        raise PhotoNotSavedError(
            f"{path}: the manifest cannot be opened ({fault}). "
            f"Check that the folder can be written and that the disk has space."
        ) from fault
    except sqlite3.DatabaseError as fault:
        raise DatasetError(
            f"{path}: the manifest is damaged ({fault}). The photos are safe in their folders: "
            f"move the file away and go on; subjects and sessions in it are then unknown."
        ) from fault


def _row_of(photo: Photo) -> tuple[object, ...]:
    box, quality = photo.box, photo.quality
    return (
        photo.path,
        photo.label.value,
        photo.subject,
        photo.session,
        photo.group,
        photo.taken_at,
        photo.source,
        *((box.x, box.y, box.width, box.height, box.score) if box else (None,) * 5),
        *(
            (quality.sharpness, quality.brightness, quality.clipped, quality.face_px)
            if quality
            else (None,) * 4
        ),
        photo.sha256,
    )


def _photo_of(row: tuple[object, ...]) -> Photo:
    path, label, subject, session, group, taken_at, source, *rest = row
    box, quality, sha256 = rest[:5], rest[5:9], rest[9]
    return Photo(
        path=str(path),
        label=Label(str(label)),
        subject=_text(subject),
        session=_text(session),
        group=_text(group),
        taken_at=_text(taken_at),
        source=_text(source),
        box=FaceBox(*box) if box[0] is not None else None,  # type: ignore[arg-type]
        quality=Quality(*quality) if quality[0] is not None else None,  # type: ignore[arg-type]
        sha256=_text(sha256),
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
