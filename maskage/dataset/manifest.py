"""What the folders cannot tell: subject, session, time, face box, quality. One SQLite file.

The folder a photo lies in is its label. A photo that was moved by hand is found again by its name
and keeps what is known of it. A dataset without a manifest works everywhere.
"""

import os
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from maskage.dataset.consent import Consent
from maskage.dataset.edits import Edit
from maskage.dataset.manifest_file import SCHEMA_VERSION, damaged, explained, read_file, read_schema
from maskage.dataset.manifest_rows import (
    COLUMNS,
    COLUMNS_1,
    CONSENT_COLUMNS,
    consent_of,
    find_odd_rows,
    label_of,
    photo_of,
    quality_values,
    row_of,
    signed,
)
from maskage.dataset.name_database import NameDatabase
from maskage.errors import ManifestGoneError, PhotoNotSavedError
from maskage.formats.dataset_folder import manifest_path
from maskage.records import Label, Photo, Suggestion
from maskage.system.files import sync_folder

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
    removed_at TEXT,                  -- set while the file lies in .trash/, or is gone
    fingerprint INTEGER,              -- perceptual hash, 64 bits, signed
    flagged INTEGER NOT NULL DEFAULT 0,
    suggested TEXT, confidence REAL   -- what a model takes it for
) STRICT;
CREATE INDEX photos_by_source ON photos (source_sha256);
CREATE TABLE events (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, path TEXT NOT NULL,
    action TEXT NOT NULL,             -- add, trash, restore, relabel, flag, unflag, adopt, ...
    label TEXT NOT NULL
) STRICT;
CREATE TABLE consents (
    subject TEXT PRIMARY KEY,
    basis TEXT NOT NULL, given_on TEXT NOT NULL, expires_on TEXT,
    is_minor INTEGER NOT NULL, guardian TEXT
) STRICT;
"""

_UPGRADES = {
    1: """
ALTER TABLE photos ADD COLUMN fingerprint INTEGER;
ALTER TABLE photos ADD COLUMN flagged INTEGER NOT NULL DEFAULT 0;
ALTER TABLE photos ADD COLUMN suggested TEXT;
ALTER TABLE photos ADD COLUMN confidence REAL;
CREATE TABLE consents (
    subject TEXT PRIMARY KEY,
    basis TEXT NOT NULL, given_on TEXT NOT NULL, expires_on TEXT,
    is_minor INTEGER NOT NULL, guardian TEXT
) STRICT;
""",
}
"""What turns a schema into the next: keyed by the version it starts from."""

_GAVE_WAY = re.compile(r"(?<=\.)([A-Za-z]{3,4})~.*$")
_MARK = re.compile(r"-(?:[0-9a-f]{8}|again)\d*(?=\.[^.]*$)")


@dataclass(frozen=True)
class ManifestRows:
    """What a manifest knows of photos, by path.

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
        photo: With what the manifest knows of it.
        row_path: The path its row bears: another one where it was moved by hand, None where the
            manifest does not know it.
        is_removed: Whether its row says that it was removed, though it is there.
    """

    photo: Photo
    row_path: str | None
    is_removed: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether the manifest says of it what is so."""
        return self.row_path == self.photo.path and not self.is_removed


def former_names(path: str) -> list[str]:
    """The file names that a row's photo may have had, its own first.

    A row that gave way to another photo of its path bears "~" and more behind its suffix; a photo
    whose name was taken where it went bears "-", a digest's first digits or "again", and maybe a
    number.
    """
    names = [_GAVE_WAY.sub(r"\1", path.rpartition("/")[2])]
    while (before := _MARK.sub("", names[-1])) != names[-1]:
        names.append(before)
    return names


class Manifest:
    """The open manifest of one dataset. Not thread-safe: its owner holds a lock.

    Raises:
        DatasetError: The file is damaged, or of a newer schema.
    """

    def __init__(self, root: Path) -> None:
        path = manifest_path(root)
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with explained(path):
            # Made here, not by SQLite, which would leave it open to others for a moment.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            path.chmod(0o600)
            self._db = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, factory=NameDatabase
            )
            try:
                self._set_up()
            except BaseException:
                self._db.close()
                raise
        self._files = _identify(self._path)

    def _set_up(self) -> None:
        self._db.execute("PRAGMA journal_mode=WAL")
        # FULL: a committed row survives a power cut, not only a crash of ours.
        self._db.execute("PRAGMA synchronous=FULL")
        # What is deleted is overwritten: see `forget`.
        self._db.execute("PRAGMA secure_delete=ON")
        self._prepare()
        # SQLite syncs the folder of a new log too, but saves on where that fails.
        sync_folder(self._path.parent)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside is committed at its end, or none of it.

        Raises:
            PhotoNotSavedError: The disk refused; nothing was written.
            ManifestGoneError: The file that is open is not the dataset's any more.
        """
        self._require_in_place()
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
            self._require_in_place()
        except BaseException as fault:
            # A disk that refused the one may refuse the other: what counts is the first fault.
            with suppress(sqlite3.Error):
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
            if not isinstance(fault, sqlite3.Error):
                raise
            self._overwrite_log()
            raise PhotoNotSavedError(
                f"{self._path}: the manifest could not be written ({fault}). "
                f"Check the disk's space, then try again; nothing saved before is lost."
            ) from fault

    def _require_in_place(self) -> None:
        """Refuse to write, or to call written, what went into a file that nobody finds again."""
        if _identify(self._path) == self._files:
            return
        root = self._path.parents[1]
        raise ManifestGoneError(
            f"The manifest of {root} was deleted or replaced while it was open, so nothing more "
            f"can be written to it ({self._path}). Photos stay in their folders: end this program, "
            f"put the manifest back if you have it, then run `collector doctor {root} --fix`, "
            f"which makes a new one where there is none and adopts the photos."
        )

    def _overwrite_log(self) -> None:
        """Write what is there already over a transaction that was refused.

        Where only its sync failed, it lies in the log, whole, and the next opening after a kill
        would take it for committed: a row without its photo, which is never imported again.
        """
        with suppress(sqlite3.Error):
            self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def add(
        self, photo: Photo, at: str, source_sha256: str | None = None, action: str = "add"
    ) -> None:
        """Insert the row of a photo that is on disk, with its event. In a transaction."""
        values = (*row_of(photo), source_sha256)
        marks = ", ".join("?" * len(values))
        self._db.execute(f"INSERT INTO photos ({COLUMNS}, source_sha256) VALUES ({marks})", values)
        self.log(at, photo.path, action, photo.label)

    def edit(self, edit: Edit, at: str) -> None:
        """Write down an edit of a photo that has its row, with its event. In a transaction."""
        was = edit.before or edit.photo
        photo = edit.photo
        self._db.execute(
            "UPDATE photos SET path = ?, label = ?, flagged = ?, removed_at = ? WHERE path = ?",
            (
                photo.path,
                photo.label,
                photo.is_flagged,
                at if edit.after is None else None,
                was.path,
            ),
        )
        self.log(at, photo.path, edit.action, photo.label)

    def settle(self, known: KnownPhoto, at: str) -> None:
        """Make the row of a photo say what is so, or give it one. In a transaction."""
        photo = known.photo
        if known.row_path is None:
            self.add(photo, at, action="adopt")
            return
        # The row of a removed photo of the same name gives way.
        self._db.execute(
            "UPDATE photos SET path = path || '~' || rowid WHERE path = ? AND path != ?",
            (photo.path, known.row_path),
        )
        self._db.execute(
            "UPDATE photos SET path = ?, label = ?, removed_at = NULL WHERE path = ?",
            (photo.path, photo.label, known.row_path),
        )
        self.log(at, photo.path, "found" if known.is_removed else "relabel", photo.label)

    def rename_row(self, path: str, to: str, label: Label) -> None:
        """Give a row another path and label, without an event. In a transaction."""
        self._db.execute("UPDATE photos SET path = ?, label = ? WHERE path = ?", (to, label, path))

    def take_over(self, photo: Photo, source_sha256: str | None, removed_at: str | None) -> None:
        """Insert a row of another manifest as it stood, without an event. In a transaction."""
        values = (*row_of(photo), source_sha256, removed_at)
        marks = ", ".join("?" * len(values))
        self._db.execute(
            f"INSERT INTO photos ({COLUMNS}, source_sha256, removed_at) VALUES ({marks})", values
        )

    def mark_removed(self, path: str, at: str, action: str, label: Label) -> None:
        """Note that the photo of a row is gone from its folder. In a transaction."""
        self._db.execute("UPDATE photos SET removed_at = ? WHERE path = ?", (at, path))
        self.log(at, path, action, label)

    def measure(self, photo: Photo) -> None:
        """Write digest, fingerprint and quality of a photo anew. In a transaction."""
        quality = photo.quality
        self._db.execute(
            "UPDATE photos SET sha256 = ?, fingerprint = ?, sharpness = ?, brightness = ?, "
            "clipped = ?, face_px = ? WHERE path = ?",
            (
                photo.sha256,
                signed(photo.fingerprint),
                *quality_values(quality),
                photo.path,
            ),
        )

    def suggest(self, path: str, suggestion: Suggestion) -> None:
        """Write down what a model takes a photo for. In a transaction."""
        self._db.execute(
            "UPDATE photos SET suggested = ?, confidence = ? WHERE path = ?",
            (suggestion.label, suggestion.confidence, path),
        )

    def record_consent(self, consent: Consent) -> None:
        """Write down a consent; one of the same subject is replaced. In a transaction."""
        self._db.execute(
            "INSERT OR REPLACE INTO consents VALUES (?, ?, ?, ?, ?, ?)",
            (
                consent.subject,
                consent.basis,
                consent.given_on.isoformat(),
                consent.expires_on.isoformat() if consent.expires_on else None,
                consent.is_minor,
                consent.guardian,
            ),
        )

    def consents(self) -> dict[str, Consent]:
        """Every consent, by subject."""
        with explained(self._path):
            return _read_consents(self._db, self._path)

    def forget(self, subject: str, paths: Iterable[str] = ()) -> None:
        """Delete every row, event and consent of a subject and of these photos, beyond recovery.

        What is deleted is overwritten, the file is written anew without it, and the log is emptied.
        """
        self._db.execute("PRAGMA temp_store=MEMORY")  # no copy of the names in another file
        with self.transaction():
            self._db.execute("CREATE TEMP TABLE IF NOT EXISTS forgotten (path TEXT PRIMARY KEY)")
            self._db.execute("CREATE TEMP TABLE IF NOT EXISTS names (name TEXT PRIMARY KEY)")
            self._db.executemany(
                "INSERT OR IGNORE INTO forgotten VALUES (?)", ((path,) for path in paths)
            )
            self._db.execute(
                "INSERT OR IGNORE INTO forgotten SELECT path FROM photos WHERE subject = ?",
                (subject,),
            )
            mine = self._db.execute("SELECT path FROM forgotten").fetchall()
            self._db.executemany(
                "INSERT OR IGNORE INTO names VALUES (?)",
                ((name,) for (path,) in mine for name in former_names(path)),
            )
            self._db.execute("DELETE FROM photos WHERE path IN (SELECT path FROM forgotten)")
            # A photo that was relabelled has events under its former folders, by a name that it
            # ever had. Another photo keeps those of its path.
            self._db.execute(
                "DELETE FROM events WHERE path IN (SELECT path FROM forgotten) OR ("
                "path NOT IN (SELECT path FROM photos) "
                "AND substr(path, instr(path, '/') + 1) IN (SELECT name FROM names))"
            )
            self._db.execute("DELETE FROM consents WHERE subject = ?", (subject,))
            self._db.execute("DELETE FROM forgotten")
            self._db.execute("DELETE FROM names")
        with explained(self._path):
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def knows(self, path: str) -> bool:
        """Whether there is a row for this path, of a photo that was removed too."""
        query = "SELECT EXISTS (SELECT 1 FROM photos WHERE path = ?)"
        return bool(self._db.execute(query, (path,)).fetchone()[0])

    def imported_digests(self) -> dict[str, Label]:
        """sha256 of every source file that was imported, and the label its photo has or had."""
        rows = self._db.execute(
            "SELECT source_sha256, label FROM photos WHERE source_sha256 NOT NULL"
        )
        return {digest: label_of(label) for digest, label in rows}

    def close(self) -> None:
        self._db.close()

    def _prepare(self) -> None:
        version = read_schema(self._db, self._path)
        if version == 0:
            self._db.executescript(
                f"BEGIN; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            )
        for before in range(max(1, version), SCHEMA_VERSION) if version else ():
            self._db.executescript(
                f"BEGIN; {_UPGRADES[before]} PRAGMA user_version = {before + 1}; COMMIT;"
            )

    def log(self, at: str, path: str, action: str, label: Label) -> None:
        """Add an event. In a transaction."""
        self._db.execute(
            "INSERT INTO events (at, path, action, label) VALUES (?, ?, ?, ?)",
            (at, path, action, label),
        )


def _identify(path: Path) -> list[tuple[int, int] | None]:
    """Return device and number of a manifest and its log; None for one that is gone."""
    found: list[tuple[int, int] | None] = []
    for name in (path, path.with_name(f"{path.name}-wal")):
        try:
            state = name.stat()
        except OSError:
            found.append(None)
        else:
            found.append((state.st_dev, state.st_ino))
    return found


def read_manifest(root: Path) -> dict[str, Photo]:
    """Every photo that the manifest knows and that was not removed, by its path.

    Opens the file read-only; empty where there is no manifest.

    Raises:
        DatasetError: The manifest is damaged.
    """
    return read_rows(root).present


def read_rows(root: Path) -> ManifestRows:
    """Every row of the manifest, by path; as `read_manifest`."""
    path = manifest_path(root)
    return read_file(path, lambda db: _rows_of(db, path)) or ManifestRows()


def _rows_of(db: sqlite3.Connection, path: Path) -> ManifestRows:
    rows = ManifestRows()
    schema = read_schema(db, path)
    if schema == 0:
        return rows
    if odd := find_odd_rows(db, has_second_schema=schema > 1, limit=1):
        raise damaged(path, f"no row can hold the {odd[0]}")
    columns = COLUMNS if schema > 1 else f"{COLUMNS_1}, NULL, 0, NULL, NULL"
    # The digest of the source stands here only so that one that is not UTF-8 is found.
    query = f"SELECT removed_at, source_sha256, {columns} FROM photos"
    for removed_at, _source, *row in db.execute(query):
        photo = photo_of(row)
        (rows.present if removed_at is None else rows.removed)[photo.path] = photo
    return rows


def read_consents(root: Path) -> dict[str, Consent]:
    """Every consent on record, by subject; empty where there is no manifest.

    Raises:
        DatasetError: The manifest is damaged.
    """
    path = manifest_path(root)
    return read_file(path, lambda db: _read_consents(db, path)) or {}


def match_rows(found: dict[str, Label], rows: ManifestRows) -> list[KnownPhoto]:
    """The photos that lie in the folders, in the order given, with what the manifest knows.

    Args:
        found: Label of each path (relative to the dataset) that is there.
        rows: See `read_rows`. A row whose file is gone belongs to the file of its name in another
            folder, moved there by hand, where only one such row bears that name. Where a kill cut
            a relabelling short, the file may bear the row's digest behind that name.
    """
    missing: dict[str, list[Photo]] = {}
    for path, row in rows.present.items():
        if path not in found:
            missing.setdefault(path.partition("/")[2], []).append(row)
    matches = []
    for path, label in found.items():
        known, is_removed = rows.present.get(path), False
        if known is None and missing:
            known = _find_moved(path, missing)
        if known is None:
            known = rows.removed.get(path)
            is_removed = known is not None
        if known is None:
            matches.append(KnownPhoto(Photo(path, label), None))
        elif known.path == path and known.label is label:
            matches.append(KnownPhoto(known, path, is_removed))
        else:
            photo = replace(known, path=path, label=label)
            matches.append(KnownPhoto(photo, known.path, is_removed))
    return matches


def _find_moved(path: str, missing: dict[str, list[Photo]]) -> Photo | None:
    """The row, of those whose file is gone, that belongs to the file at `path`.

    One that is known by its digest is taken from `missing`: it leaves no doubt for other files.
    """
    name, *unmarked = former_names(path)
    if candidates := missing.get(name):
        return candidates[0] if len(candidates) == 1 else None
    for before in unmarked:
        mark = name[len(before.rpartition(".")[0]) + 1 :][:8]
        for row in missing.get(before, []):
            if (row.sha256 or "").startswith(mark):
                missing[before].remove(row)
                return row
    return None


def _read_consents(db: sqlite3.Connection, path: Path) -> dict[str, Consent]:
    if read_schema(db, path) < SCHEMA_VERSION:
        return {}
    consents = {}
    for values in db.execute(f"SELECT {CONSENT_COLUMNS} FROM consents ORDER BY subject"):
        try:
            consent = consent_of(values)
        except ValueError as fault:
            raise damaged(path, f"the consent of {values[0]!r} cannot be one: {fault}") from fault
        consents[consent.subject] = consent
    return consents
