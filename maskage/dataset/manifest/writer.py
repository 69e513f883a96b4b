"""The manifest opened for writing: every change of a row, with the event that records it."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from maskage.dataset.consent import Consent
from maskage.dataset.edits import Edit
from maskage.dataset.manifest.columns import (
    CONSENT_COLUMNS,
    EVENT_COLUMNS,
    PHOTO_COLUMNS,
    SCHEMA,
    SCHEMA_VERSION,
    UPGRADES,
    insert_into,
)
from maskage.dataset.manifest.file import (
    NameDatabase,
    describe_refusal,
    explained,
    read_schema,
)
from maskage.dataset.manifest.reading import KnownPhoto, consents_in
from maskage.dataset.manifest.rows import (
    consent_values,
    opinion_values,
    photo_of,
    quality_values,
    reason_values,
    row_of,
    signed,
)
from maskage.dataset.manifest.wide_changes import forget_rows, rename_class_rows
from maskage.errors import ManifestGoneError, PhotoNotSavedError
from maskage.formats.dataset_folder import manifest_path
from maskage.records import Photo
from maskage.system.files import make_private, sync_folder

_NO_SHARED_MEMORY = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL}

_KEPT_FOR_FORGETTING = frozenset(
    {"path", "label", "subject", "session", "sha256", "fingerprint", "removed_at"}
)
"""Columns by which `forget` finds copies of a photo that was deleted."""
_PATHS_AT_ONCE = 500
"""Parameters of one statement; SQLite takes 999 everywhere."""


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
            make_private(path)
            self._db = self._connect()
            try:
                self._set_up()
            except BaseException:
                self._db.close()
                raise
        self._files = _identify(self._path)

    def _connect(self) -> NameDatabase:
        return sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, factory=NameDatabase
        )

    def _set_up(self) -> None:
        self._choose_journal()
        # FULL: a committed row survives a power cut, not only a crash of ours.
        self._db.execute("PRAGMA synchronous=FULL")
        # What is deleted is overwritten: see `forget`.
        self._db.execute("PRAGMA secure_delete=ON")
        self._prepare()
        # SQLite syncs the folder of a new log too, but saves on where that fails.
        sync_folder(self._path.parent)

    def _choose_journal(self) -> None:
        """Keep a log beside the manifest; on a disk that cannot share it, a plain journal.

        A log needs memory that processes share through a file: network disks have none.
        """
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        except sqlite3.OperationalError as fault:
            if fault.sqlite_errorcode & 0xFF not in _NO_SHARED_MEMORY:
                raise
            # Alone with the file, SQLite keeps that memory to itself, and can leave the log.
            self._db.close()
            self._db = self._connect()
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.execute("PRAGMA journal_mode=DELETE")
            self._db.execute("PRAGMA locking_mode=NORMAL")
            self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything that is written inside, at its end, or nothing.

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
                f"{self._path}: the manifest could not be written: {describe_refusal(fault)}; "
                f"nothing saved before is lost."
            ) from fault

    def _require_in_place(self) -> None:
        """Refuse to go on where the open file is no longer the one at the manifest's path."""
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
        """Overwrite a refused transaction in the log with a commit that changes nothing.

        Where only its sync failed, it lies in the log, whole, and the next opening after a kill
        would take it for committed: a row without its photo, which is never imported again.
        """
        with suppress(sqlite3.Error):
            self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def add(
        self, photo: Photo, at: str, source_sha256: str | None = None, action: str = "add"
    ) -> None:
        """Insert the row of a photo that is on disk, with its event. In a transaction.

        The row of a photo that is gone, imported from the same file, makes way for it.
        """
        if source_sha256 is not None:
            self._db.execute(
                "DELETE FROM photos WHERE path = ? AND source_sha256 = ?",
                (photo.path, source_sha256),
            )
        self.insert_row(photo, source_sha256)
        self.log(at, photo.path, action, photo.label)

    def insert_row(
        self, photo: Photo, source_sha256: str | None = None, removed_at: str | None = None
    ) -> None:
        """Insert a row without an event. In a transaction."""
        values = row_of(photo, source_sha256, removed_at)
        self._db.execute(insert_into("photos", PHOTO_COLUMNS), values)

    def edit(self, edit: Edit, at: str) -> None:
        """Record an edit of a photo that has its row, with its event. In a transaction."""
        # A photo that comes out of the trash has its new path and row already: see `PhotoStore`.
        was = edit.before or edit.photo
        photo = edit.end
        if photo.path != was.path:
            self.make_way(photo.path, at)
        self._db.execute(
            "UPDATE photos SET path = ?, label = ?, subject = ?, session = ?, grp = ?, "
            "flagged = ?, confirmed = ?, removed_at = ? WHERE path = ?",
            (
                photo.path,
                photo.label,
                photo.subject,
                photo.session,
                photo.group,
                photo.is_flagged,
                photo.confirmed,
                None if edit.after else at,
                was.path,
            ),
        )
        self.log(at, photo.path, edit.action, photo.label)

    def settle(self, known: KnownPhoto, at: str) -> None:
        """Make the row of a photo agree with its file, or add one. In a transaction."""
        photo = known.photo
        if known.row_path is None:
            self.make_way(photo.path, at)
            self.add(photo, at, action="adopt")
            return
        # The row of a removed photo of the same name makes way.
        if photo.path != known.row_path:
            self.make_way(photo.path, at)
        self._db.execute(
            "UPDATE photos SET path = ?, label = ?, removed_at = NULL WHERE path = ?",
            (photo.path, photo.label, known.row_path),
        )
        self.log(at, photo.path, "found" if known.is_removed else "relabel", photo.label)

    def follow_files(self, found: Iterable[KnownPhoto], lost: Iterable[str], at: str) -> None:
        """Give rows the paths that their files have, also where files took the names of others.

        In a transaction.

        Args:
            found: The photos in the folders; what has no row, or its own path, is left.
            lost: Paths of rows whose place another file has; they give way.
            at: Time of the events.
        """
        moved = [one for one in found if one.row_path not in (None, one.photo.path)]
        for path in lost:
            self.make_way(path, at)
        for one in moved:
            self.rename_row(one.row_path or "", f"{one.row_path}~moving", one.photo.label)
        for one in moved:
            self.make_way(one.photo.path, at)
            self.settle(KnownPhoto(one.photo, f"{one.row_path}~moving"), at)

    def make_way(self, path: str, at: str) -> None:
        """Give the row that has a path, though its file is not there, another. In a transaction."""
        self._db.execute(
            "UPDATE photos SET path = path || '~' || rowid, removed_at = coalesce(removed_at, ?) "
            "WHERE path = ?",
            (at, path),
        )

    def rename_row(self, path: str, to: str, label: str) -> None:
        """Give a row another path and label, without an event. In a transaction."""
        self._db.execute("UPDATE photos SET path = ?, label = ? WHERE path = ?", (to, label, path))

    def rename_class(self, folder: str, new_folder: str, *, is_adopted: bool = False) -> None:
        """Give the rows and events of a class its new name. In a transaction; may be repeated.

        Args:
            folder: Folder of the class.
            new_folder: Its folder afterwards.
            is_adopted: The photos lie in the new folder already, so that a row there is right.
        """
        rename_class_rows(self._db, folder, new_folder, is_adopted=is_adopted)

    def mark_removed(self, path: str, at: str, action: str, label: str) -> None:
        """Note that the photo of a row is gone from its folder. In a transaction."""
        self._db.execute("UPDATE photos SET removed_at = ? WHERE path = ?", (at, path))
        self.log(at, path, action, label)

    def measure(self, photo: Photo) -> None:
        """Replace the digest, fingerprint and quality of a photo. In a transaction."""
        self._db.execute(
            "UPDATE photos SET sha256 = ?, fingerprint = ?, sharpness = ?, brightness = ?, "
            "clipped = ?, face_px = ? WHERE path = ?",
            (photo.sha256, signed(photo.fingerprint), *quality_values(photo.quality), photo.path),
        )

    def record_opinions(self, photo: Photo) -> None:
        """Replace what a model and the label check take a photo for. In a transaction."""
        self._db.execute(
            "UPDATE photos SET suggested = ?, confidence = ?, checked = ?, checked_confidence = ?, "
            "checked_reason = ?, checked_cost = ? WHERE path = ?",
            (
                *opinion_values(photo.suggestion),
                *opinion_values(photo.check),
                *reason_values(photo.check),
                photo.path,
            ),
        )

    def record_consent(self, consent: Consent, former: str | None = None) -> None:
        """Record a consent; one of the same subject is replaced. In a transaction.

        Args:
            consent: The consent.
            former: A subject whose consent it was; that one is deleted.
        """
        self._db.execute("DELETE FROM consents WHERE subject = ?", (former,))
        self._db.execute(
            insert_into("consents", CONSENT_COLUMNS, "INSERT OR REPLACE"), consent_values(consent)
        )

    def consents(self) -> dict[str, Consent]:
        """Return every consent, by subject."""
        with explained(self._path):
            return consents_in(self._db, self._path)

    def forget(self, subject: str, paths: Iterable[str] = ()) -> None:
        """Delete every row, event and consent of a subject and of these photos, beyond recovery.

        What is deleted is overwritten, the file is rewritten without it, and the log is emptied.
        """
        self._db.execute("PRAGMA temp_store=MEMORY")  # no copy of the names in another file
        with self.transaction():
            forget_rows(self._db, subject, paths)
        with explained(self._path):
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def knows(self, path: str, source_sha256: str | None = None) -> bool:
        """Return whether there is a row for this path, also one of a removed photo.

        Args:
            path: Path of a photo.
            source_sha256: Digest of a file; the row of a photo that was imported from it does not
                count.
        """
        query = "SELECT EXISTS (SELECT 1 FROM photos WHERE path = ? AND source_sha256 IS NOT ?)"
        values = (path, source_sha256) if source_sha256 is not None else (path, "")
        return bool(self._db.execute(query, values).fetchone()[0])

    def removed(self) -> dict[str, tuple[Photo, str]]:
        """Return the rows of photos that were removed, by path, each with the time of removal."""
        query = f"SELECT {', '.join(PHOTO_COLUMNS)} FROM photos WHERE removed_at NOT NULL"
        at = PHOTO_COLUMNS.index("removed_at")
        with explained(self._path):
            rows = self._db.execute(query).fetchall()
        return {photo.path: (photo, row[at]) for row in rows for photo in (photo_of(row),)}

    def delete_removed(self, paths: Sequence[str]) -> None:
        """Delete the rows of removed photos and their events. In a transaction.

        Where a row names a person, what `forget` needs to find copies of the photo stays: person,
        session, digest and fingerprint.
        """
        facts = (name for name in PHOTO_COLUMNS if name not in _KEPT_FOR_FORGETTING)
        emptied = ", ".join(f"{name} = {0 if name == 'flagged' else 'NULL'}" for name in facts)
        for start in range(0, len(paths), _PATHS_AT_ONCE):
            some = paths[start : start + _PATHS_AT_ONCE]
            are_they = f"path IN ({', '.join('?' * len(some))})"
            removed = f"{are_they} AND removed_at NOT NULL"
            self._db.execute(f"DELETE FROM photos WHERE {removed} AND subject IS NULL", some)
            self._db.execute(f"UPDATE photos SET {emptied} WHERE {removed}", some)
            self._db.execute(
                f"DELETE FROM events WHERE {are_they} AND path NOT IN (SELECT path FROM photos)",
                some,
            )

    def imported_digests(self) -> dict[str, str]:
        """Return the sha256 of every imported source file, and the label its photo has or had."""
        rows = self._db.execute(
            "SELECT source_sha256, label FROM photos WHERE source_sha256 NOT NULL"
        )
        return dict(rows)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _prepare(self) -> None:
        version = read_schema(self._db, self._path)
        if version == 0:
            self._db.executescript(
                f"BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            )
        for before in range(max(1, version), SCHEMA_VERSION) if version else ():
            self._db.executescript(
                f"BEGIN; {UPGRADES[before]} PRAGMA user_version = {before + 1}; COMMIT;"
            )

    def log(self, at: str, path: str, action: str, label: str) -> None:
        """Add an event. In a transaction."""
        self._db.execute(insert_into("events", EVENT_COLUMNS), (None, at, path, action, label))


def _identify(path: Path) -> list[tuple[int, int] | None]:
    """Return device and inode of a manifest and of its log; None for one that is gone."""
    found: list[tuple[int, int] | None] = []
    for name in (path, path.with_name(f"{path.name}-wal")):
        try:
            state = name.stat()
        except OSError:
            found.append(None)
        else:
            found.append((state.st_dev, state.st_ino))
    return found
