"""Rows out of a damaged manifest: every page of the file that is whole is read by itself.

SQLite gives up at the first page that it cannot follow, and at a damaged header before the first.
A table's rows lie in leaf pages that need nothing but themselves to be read, so a damaged page
costs the rows in it and no others.

Source: the file format, https://www.sqlite.org/fileformat2.html (sections 1.5, 1.6, 2.1 and 4).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from collector.consent import Consent
from collector.outside_text import text_to_path
from collector.records import LABELS, FaceBox, Label, Photo, Quality, Suggestion

PHOTO_COLUMNS = [
    "path",
    "label",
    "subject",
    "session",
    "grp",
    "taken_at",
    "source",
    "x",
    "y",
    "width",
    "height",
    "score",
    "sharpness",
    "brightness",
    "clipped",
    "face_px",
    "sha256",
    "source_sha256",
    "removed_at",
    "fingerprint",
    "flagged",
    "suggested",
    "confidence",
]
"""As they lie in the table: what a schema adds comes last."""
_PHOTO_COLUMNS_1 = PHOTO_COLUMNS.index("fingerprint")
_EVENT_COLUMNS, _CONSENT_COLUMNS = 5, 6

_MAGIC = b"SQLite format 3\0"
_WAL_MAGICS = (0x377F0682, 0x377F0683)
_WAL_HEADER, _FRAME_HEADER = 32, 24
_DEFAULT_PAGE = 4096
_TABLE_LEAF = 0x0D
_INT_SIZES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}

Values = list[object]


@dataclass(frozen=True)
class SalvagedRow:
    """One photo's row as it stood.

    Attributes:
        photo: What it says.
        source_sha256: Of the file it was imported from.
        removed_at: Since when its photo is in the trash or gone; None where it is not.
    """

    photo: Photo
    source_sha256: str | None
    removed_at: str | None


@dataclass
class Salvage:
    """All that could be read.

    Attributes:
        rows: Of photos, by path.
        consents: By subject.
        events: Time, path, action and label of each, in the order they happened.
    """

    rows: dict[str, SalvagedRow] = field(default_factory=dict)
    consents: dict[str, Consent] = field(default_factory=dict)
    events: list[tuple[str, str, str, Label]] = field(default_factory=list)


def salvage_manifest(path: Path, wal: Path | None = None) -> Salvage:
    """Read what can be read of a damaged manifest; changes nothing.

    Args:
        path: The manifest.
        wal: Its write-ahead log, whose pages are newer, where there is one.
    """
    found = Salvage()
    events = []
    for values in _read_rows(path.read_bytes(), wal.read_bytes() if wal is not None else b""):
        if len(values) >= _PHOTO_COLUMNS_1:
            if (row := _photo_row(values)) is not None:
                found.rows.setdefault(row.photo.path, row)
        elif len(values) == _CONSENT_COLUMNS:
            if (consent := _consent(values)) is not None:
                found.consents.setdefault(consent.subject, consent)
        elif len(values) == _EVENT_COLUMNS and (event := _event(values)) is not None:
            events.append(event)
    found.events = sorted(events)
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


def _photo_row(values: Values) -> SalvagedRow | None:
    """A row of `photos`; None where it cannot be one."""
    row = dict(zip(PHOTO_COLUMNS, values, strict=False))
    label = _label(row["label"])
    try:
        if label is None or not _text(row["path"]).startswith(f"{label}/"):
            return None
        if len(bytes.fromhex(_text(row["sha256"]))) != 32:
            return None
        suggested = _label(row.get("suggested"))
        fingerprint = row.get("fingerprint")
        photo = Photo(
            path=_text(row["path"]),
            label=label,
            subject=_optional(row["subject"]),
            session=_optional(row["session"]),
            group=_optional(row["grp"]),
            taken_at=_optional(row["taken_at"]),
            source=_optional(row["source"]),
            box=_box(row),
            quality=_quality(row),
            sha256=_text(row["sha256"]),
            fingerprint=None if fingerprint is None else _whole(fingerprint) & ((1 << 64) - 1),
            is_flagged=bool(row.get("flagged")),
            suggestion=Suggestion(suggested, _number(row["confidence"])) if suggested else None,
        )
        return SalvagedRow(photo, _optional(row["source_sha256"]), _optional(row["removed_at"]))
    except ValueError:
        return None


def _box(row: dict[str, object]) -> FaceBox | None:
    if row["x"] is None:
        return None
    x, y, width, height = (_whole(row[name]) for name in ("x", "y", "width", "height"))
    return FaceBox(x, y, width, height, _number(row["score"]))


def _quality(row: dict[str, object]) -> Quality | None:
    if row["sharpness"] is None:
        return None
    sharpness, brightness, clipped = (
        _number(row[name]) for name in ("sharpness", "brightness", "clipped")
    )
    return Quality(sharpness, brightness, clipped, _whole(row["face_px"]))


def _consent(values: Values) -> Consent | None:
    subject, basis, given_on, expires_on, is_minor, guardian = values
    try:
        end = _optional(expires_on)
        return Consent(
            _text(subject),
            _text(basis),
            date.fromisoformat(_text(given_on)),
            date.fromisoformat(end) if end else None,
            bool(_whole(is_minor)),
            _optional(guardian),
        )
    except ValueError:
        return None


def _event(values: Values) -> tuple[str, str, str, Label] | None:
    _id, at, path, action, label = values
    known = _label(label)
    if known is None:
        return None
    try:
        return _text(at), _text(path), _text(action), known
    except ValueError:
        return None


def _label(value: object) -> Label | None:
    return Label(value) if isinstance(value, str) and value in LABELS else None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004  damaged, like every other value that does not fit
    return text_to_path(value)


def _optional(value: object) -> str | None:
    return None if value is None else _text(value)


def _number(value: object) -> float:
    if not isinstance(value, int | float):
        raise ValueError  # noqa: TRY004
    return float(value)


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise ValueError  # noqa: TRY004
    return value
