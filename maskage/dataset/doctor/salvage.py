"""Rows out of a damaged manifest: every page of the file that is whole is read by itself.

SQLite gives up at the first page that it cannot follow, and at a damaged header before the first.
A table's rows lie in leaf pages that need nothing but themselves to be read, so a damaged page
costs the rows in it and no others.

Source: the file format, https://www.sqlite.org/fileformat2.html (sections 1.5, 1.6, 2.1 and 4).
"""

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from maskage.dataset.doctor.values import PHOTO_COLUMNS, PHOTO_COLUMNS_1, Salvage, Values

_EVENT_COLUMNS, _CONSENT_COLUMNS = 5, 6

_MAGIC = b"SQLite format 3\0"
_WAL_MAGICS = (0x377F0682, 0x377F0683)
_WAL_HEADER, _FRAME_HEADER = 32, 24
_DEFAULT_PAGE = 4096
_TABLE_LEAF = 0x0D
_INT_SIZES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


def salvage_manifest(path: Path, wal: Path | None = None) -> Salvage:
    """Read what can be read of a damaged manifest; changes nothing.

    Args:
        path: The manifest.
        wal: Its write-ahead log, whose pages are newer, where there is one.
    """
    found = Salvage()
    for values in _read_rows(path.read_bytes(), wal.read_bytes() if wal is not None else b""):
        if len(values) >= PHOTO_COLUMNS_1:
            found.add_photo(values)
        elif len(values) == _CONSENT_COLUMNS:
            found.add_consent(values)
        elif len(values) == _EVENT_COLUMNS:
            found.add_event(values)
    found.events.sort()
    return found


def salvage_tables(path: Path) -> Salvage | None:
    """Read all that the tables of a manifest hold, odd values too; None where SQLite cannot."""
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "immutable=1"
    found = Salvage()
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True)) as db:
            # Text that is not UTF-8 would end the reading.
            db.text_factory = lambda text: text.decode(errors="backslashreplace")
            (schema,) = db.execute("PRAGMA user_version").fetchone()
            columns = PHOTO_COLUMNS if schema > 1 else PHOTO_COLUMNS[:PHOTO_COLUMNS_1]
            for values in db.execute(f"SELECT {', '.join(columns)} FROM photos"):
                found.add_photo(values)
            for values in db.execute("SELECT id, at, path, action, label FROM events ORDER BY id"):
                found.add_event(values)
            for values in db.execute("SELECT * FROM consents") if schema > 1 else ():
                found.add_consent(values)
    except sqlite3.Error:
        return None
    return found


def _read_rows(data: bytes, wal: bytes) -> Iterator[Values]:
    """Every record of every table in the file, by what can be read of its pages."""
    size = _page_size(data, wal)
    newer = _wal_pages(wal, size)
    for number in range(1, max([len(data) // size, *newer]) + 1):
        page = newer.get(number) or data[(number - 1) * size : number * size]
        yield from _page_records(page, 100 if number == 1 else 0)


def _page_size(data: bytes, wal: bytes) -> int:
    size = _DEFAULT_PAGE
    if len(wal) >= _WAL_HEADER and struct.unpack_from(">I", wal)[0] in _WAL_MAGICS:
        size = int(struct.unpack_from(">I", wal, 8)[0])
    elif data.startswith(_MAGIC) and len(data) >= 18:
        size = int(struct.unpack_from(">H", data, 16)[0])
        size = 65536 if size == 1 else size
    return size if 512 <= size <= 65536 and not size & (size - 1) else _DEFAULT_PAGE


def _wal_pages(wal: bytes, size: int) -> dict[int, bytes]:
    """The newest committed state of each page in the log."""
    committed: dict[int, bytes] = {}
    if len(wal) < _WAL_HEADER or struct.unpack_from(">I", wal)[0] not in _WAL_MAGICS:
        return committed
    salts = wal[16:24]
    waiting: dict[int, bytes] = {}
    for at in range(_WAL_HEADER, len(wal) - _FRAME_HEADER - size + 1, _FRAME_HEADER + size):
        number, pages_after_commit = struct.unpack_from(">II", wal, at)
        if wal[at + 8 : at + 16] != salts:  # left over from before the log began anew
            break
        waiting[number] = wal[at + _FRAME_HEADER : at + _FRAME_HEADER + size]
        if pages_after_commit:
            committed |= waiting
            waiting = {}
    return committed


def _page_records(page: bytes, header: int) -> Iterator[Values]:
    if len(page) < header + 8 or page[header] != _TABLE_LEAF:
        return
    (cells,) = struct.unpack_from(">H", page, header + 3)
    for index in range(cells):
        try:
            (at,) = struct.unpack_from(">H", page, header + 8 + 2 * index)
            yield _record(page, at)
        except (IndexError, ValueError, struct.error):
            continue  # this cell is damaged; the others tell where they are themselves


def _record(page: bytes, at: int) -> Values:
    """One row: sizes, then the kinds of its values, then the values.

    Raises:
        ValueError: Damaged, or longer than a page, which no row of ours is.
    """
    length, at = _varint(page, at)
    _rowid, at = _varint(page, at)
    end = at + length
    head_length, kinds_at = _varint(page, at)
    if end > len(page) or at + head_length > end:
        raise ValueError
    kinds = []
    while kinds_at < at + head_length:
        kind, kinds_at = _varint(page, kinds_at)
        kinds.append(kind)
    values, value_at = [], at + head_length
    for kind in kinds:
        value, value_at = _value(page, value_at, kind)
        values.append(value)
    if value_at != end:
        raise ValueError
    return values


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for step in range(9):
        byte = data[at + step]
        if step == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + step + 1
    raise ValueError


def _value(data: bytes, at: int, kind: int) -> tuple[object, int]:
    if kind == 0:
        return None, at
    if kind in _INT_SIZES:
        end = at + _INT_SIZES[kind]
        return int.from_bytes(data[at:end], "big", signed=True), end
    if kind == 7:
        return struct.unpack_from(">d", data, at)[0], at + 8
    if kind in (8, 9):
        return kind - 8, at
    if kind < 12:
        raise ValueError
    end = at + (kind - 12) // 2
    # Odd kinds are text, even ones bytes, of which we store none.
    return (data[at:end].decode() if kind % 2 else data[at:end]), end
