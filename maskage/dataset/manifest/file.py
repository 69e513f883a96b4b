"""The file of a manifest: opening, reading, and the meaning of its faults; knows no photo."""

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

from maskage.dataset.manifest.columns import SCHEMA_VERSION
from maskage.errors import DatasetError, ManifestDamagedError, PhotoNotSavedError
from maskage.outside_text import path_to_text
from maskage.system.faults import describe_system_fault

COPY_PREFIX = "maskage-doctor-"
"""In the name of a folder for a copy of a manifest, among the temporary files."""
_NOT_DAMAGE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
}
_NEEDS_WRITING = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}
_READINGS = 5
"""Number of times a file is read again that another program changes meanwhile."""

T = TypeVar("T")


class NameDatabase(sqlite3.Connection):
    """A connection whose text parameters may hold file names that are not UTF-8.

    SQLite's own text is UTF-8 only, so `path_to_text` writes them. A query returns the text as it
    is stored: `text_to_path` makes the name from it.
    """

    def execute(self, sql: str, parameters: Sequence[object] = (), /) -> sqlite3.Cursor:  # type: ignore[override]
        """Run one statement; see `sqlite3.Connection.execute`."""
        return super().execute(sql, _storable(parameters))

    def executemany(self, sql: str, rows: Iterable[Sequence[object]], /) -> sqlite3.Cursor:  # type: ignore[override]
        """Run one statement for each row; see `sqlite3.Connection.executemany`."""
        return super().executemany(sql, map(_storable, rows))


def _storable(parameters: Sequence[object]) -> tuple[object, ...]:
    return tuple(path_to_text(each) if isinstance(each, str) else each for each in parameters)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Say what a fault of SQLite or of the disk means for the manifest at `path`.

    Raises:
        PhotoNotSavedError: The disk, or who may use it, is at fault.
        ManifestDamagedError: The file is.
    """
    try:
        yield
    except (sqlite3.DatabaseError, OSError) as fault:
        if isinstance(fault, sqlite3.DatabaseError) and not is_of_disk(fault):
            raise damaged(path, str(fault)) from fault
        if (what := describe_system_fault(fault)) is not None:
            raise PhotoNotSavedError(f"The manifest cannot be opened: {what}") from fault
        what = describe_refusal(fault) if isinstance(fault, sqlite3.Error) else f"{fault}"
        raise PhotoNotSavedError(f"{path}: the manifest cannot be opened: {what}.") from fault


def describe_refusal(fault: sqlite3.Error) -> str:
    """Return a sentence on what the disk, or another program, refused."""
    match _primary_code(fault):
        case sqlite3.SQLITE_FULL:
            return "no room is left on the disk. Make room, then try again"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return "another program is using it. End that program, then try again"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_CANTOPEN:
            return f"{fault}. Check that you may write to it and to its folder, then try again"
    return f"{fault}. Check its disk or network share, then try again"


def damaged(path: Path, detail: str) -> ManifestDamagedError:
    """Return the fault of a manifest that is damaged, with what to do about it."""
    return ManifestDamagedError(
        f"{path}: the manifest is damaged ({detail}). The photos are safe in their folders: "
        f"`collector doctor {path.parents[1]} --fix` makes a new one and keeps what can be "
        f"read of the old.",
        detail,
    )


def read_schema(db: sqlite3.Connection, path: Path) -> int:
    """Return the schema of an open manifest; 0 where it holds no tables yet.

    Raises:
        DatasetError: It is of a newer schema.
        ManifestDamagedError: It is of none.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise DatasetError(
            f"{path}: written by a newer version of the toolchain (schema {version}, this one "
            f"reads up to {SCHEMA_VERSION}). Upgrade the toolchain; nothing was changed."
        )
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if version < 0 or (version == 0 and tables):
        raise damaged(path, "it is of no known schema")
    return int(version)


def read_file(path: Path, read: Callable[[sqlite3.Connection], T]) -> T | None:
    """Open a manifest for reading only and read it; None where there is none.

    Works in a folder that cannot be written too, also with the log that a crash left there.

    Raises:
        PhotoNotSavedError, ManifestDamagedError: See `explained`.
    """
    if not path.is_file():
        return None
    with explained(path):
        for _ in range(_READINGS - 1):
            before = _state(path)
            try:
                found = _read_once(path, read)
            except sqlite3.DatabaseError:
                if _state(path) == before:
                    raise
            else:
                if _state(path) == before or before[-1]:
                    return found
        return _read_once(path, read)


def _read_once(path: Path, read: Callable[[sqlite3.Connection], T]) -> T:
    """Read with the log where there is one.

    Without one the file is taken as it stands, which needs no index beside it. A program that
    opens it for writing meanwhile makes a log, and may change the file when it ends: `read_file`
    sees that afterwards.
    """
    if not _wal(path).exists():
        return _query(path, "mode=ro&immutable=1", read)
    try:
        return _query(path, "mode=ro", read)
    except sqlite3.OperationalError as fault:
        if _primary_code(fault) not in _NEEDS_WRITING:
            raise
    # The index of the log is not there and cannot be made.
    with copied(path) as copy:
        return _query(copy, "mode=ro", read)


def _query(path: Path, mode: str, read: Callable[[sqlite3.Connection], T]) -> T:
    with closing(
        sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True, factory=NameDatabase)
    ) as db:
        return read(db)


@contextmanager
def untouched(path: Path) -> Iterator[Path]:
    """Give a manifest that leaves no trace where it lies when it is read: itself, or a copy of it.

    SQLite opens the log of another program's for writing, even to read it.
    """
    if not _wal(path).exists():
        yield path
        return
    with copied(path) as copy:
        yield copy


@contextmanager
def copied(path: Path) -> Iterator[Path]:
    """Copy a manifest and its log into a dataset folder of their own, which is removed again."""
    with tempfile.TemporaryDirectory(prefix=COPY_PREFIX) as folder:
        copy = Path(folder) / path.parent.name / path.name
        copy.parent.mkdir()
        for source in (path, _wal(path)):
            if source.exists():
                shutil.copyfile(source, copy.with_name(source.name))
        yield copy


def _primary_code(fault: sqlite3.Error) -> int | None:
    """Return SQLite's code of a fault without its details; None for a fault of Python."""
    code = getattr(fault, "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF


def is_of_disk(fault: sqlite3.Error) -> bool:
    """Return whether the disk or another program is at fault, and not the file."""
    return _primary_code(fault) in _NOT_DAMAGE


def _wal(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _state(path: Path) -> tuple[int, int, int, bool]:
    """Return what changes when another program writes to the file; last, whether it has a log."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns, _wal(path).exists()
