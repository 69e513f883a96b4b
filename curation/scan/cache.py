"""The cache of scans: a file that has not changed is not scanned twice.

One SQLite file a dataset, in the user's cache. It is only a cache: whatever is wrong with it, the
photos are scanned again. A file counts as unchanged by its size and time of change.
"""

import contextlib
import hashlib
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from maskage.dataset.photo_scan import FileScan
from maskage.formats.output_log import Kind, Output, log_output
from maskage.records import Quality
from maskage.system.files import make_private
from maskage.system.paths import named_cache, scan_cache_path

VERSION = 2
"""Raise it when `scan` sees other figures in the same file."""

YOUNG_NS = 2_000_000_000
"""A file changed this recently may change again within the same tick of its clock."""

_COLUMNS = (
    "path, size, changed_ns, look, sha256, phash, mirror, sharpness, brightness, clipped, face_px, "
    "width, height, faces, fault"
)
_TABLE = f"CREATE TABLE IF NOT EXISTS sights ({_COLUMNS}, PRIMARY KEY (path, look)) WITHOUT ROWID"


@dataclass(frozen=True)
class FileState:
    """By what a file counts as unchanged: bytes, and nanoseconds since 1970."""

    size: int
    changed_ns: int


class ScanCache:
    """The cached scans of one dataset, by path.

    Args:
        root: The dataset.
        look: Name of the way of scanning: the digest of a face model, or "".
    """

    def __init__(self, root: Path, look: str = "") -> None:
        self._look = f"{VERSION}{look}"
        self._file = scan_cache_path(root)
        self._rows: dict[str, tuple[FileState, FileScan]] = {}
        self._opened_ns = time.time_ns()
        self._connection = self._open()

    def get(self, path: str, state: FileState) -> FileScan | None:
        """Return the scan of a file as it is now, or None where it has to be scanned."""
        known = self._rows.get(path)
        return known[1] if known is not None and known[0] == state else None

    def add(self, file_scans: Mapping[str, tuple[FileState, FileScan]]) -> None:
        """Keep scans, in one transaction; those of files that change just now are left out."""
        settled = {
            path: (state, file_scan)
            for path, (state, file_scan) in file_scans.items()
            if state.changed_ns < self._opened_ns - YOUNG_NS
        }
        with self._tolerant() as connection:
            if connection is not None and settled:
                marks = ", ".join("?" * len(_COLUMNS.split(",")))
                connection.executemany(
                    f"INSERT OR REPLACE INTO sights VALUES ({marks})",
                    [self._as_row(path, *known) for path, known in settled.items()],
                )
                connection.commit()

    def drop_others(self, paths: Iterable[str]) -> None:
        """Forget files that are no longer in the dataset."""
        gone = self._rows.keys() - set(paths)
        with self._tolerant() as connection:
            if connection is not None and gone:
                connection.executemany("DELETE FROM sights WHERE path = ?", [(p,) for p in gone])
                connection.commit()

    def close(self) -> None:
        """Close the file."""
        with self._tolerant() as connection:
            if connection is not None:
                connection.close()
        self._connection = None

    def _open(self) -> sqlite3.Connection | None:
        for _ in range(2):
            try:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                make_private(self._file.parent)
                connection = sqlite3.connect(self._file, timeout=5)
                make_private(self._file)
                # Losing it to a power cut costs a second look; waiting for the disk costs each run.
                connection.execute("PRAGMA synchronous = OFF")
                connection.execute(_TABLE)
                self._rows = self._read(connection)
                return connection
            except (sqlite3.DatabaseError, TypeError, ValueError):
                # Damaged: start it anew, once.
                with contextlib.suppress(OSError):
                    self._file.unlink(missing_ok=True)
            except OSError:
                return None
        return None

    def _read(self, connection: sqlite3.Connection) -> dict[str, tuple[FileState, FileScan]]:
        found = {}
        query = f"SELECT {_COLUMNS} FROM sights WHERE look = ?"
        for path, size, changed_ns, _, sha256, phash, mirror, *rest in connection.execute(
            query, (self._look,)
        ):
            sharpness, brightness, clipped, face_px, width, height, faces, fault = rest
            quality = Quality(sharpness, brightness, clipped, face_px)
            hashes = int(phash, 16), int(mirror, 16)
            file_scan = FileScan(sha256, *hashes, quality, width, height, faces, fault)
            found[path] = FileState(size, changed_ns), file_scan
        return found

    def _as_row(self, path: str, state: FileState, file_scan: FileScan) -> tuple[object, ...]:
        q = file_scan.quality
        # SQLite's integers end at 63 bits.
        hashes = f"{file_scan.phash:016x}", f"{file_scan.mirror:016x}"
        figures = q.sharpness, q.brightness, q.clipped, q.face_px
        key = path, state.size, state.changed_ns, self._look, file_scan.sha256
        return (
            *key,
            *hashes,
            *figures,
            file_scan.width,
            file_scan.height,
            file_scan.faces,
            file_scan.fault,
        )

    @contextlib.contextmanager
    def _tolerant(self) -> Iterator[sqlite3.Connection | None]:
        try:
            yield self._connection
        except sqlite3.Error:
            self._connection = None


@contextlib.contextmanager
def open_scan_cache(root: Path, face_model: Path | None) -> Iterator[ScanCache]:
    """The cache of a dataset, for looks with this face model or without one."""
    look = hashlib.sha256(face_model.read_bytes()).hexdigest()[:16] if face_model else ""
    if (named := named_cache(os.environ)) is not None:
        log_output([root], Output(named, Kind.CACHE))
    cache = ScanCache(root, look)
    try:
        yield cache
    finally:
        cache.close()
